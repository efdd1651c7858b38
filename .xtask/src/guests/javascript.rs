//! JavaScript in QuickJS, with the tool that the guest's own `package.json` and lock file name.

use anyhow::Result;

use super::{Job, npm};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let tools = npm::install(job, &job.source)?;
    job.line.say("componentizing");
    npm::program(&tools, "componentize-qjs")
        .args(["--sync", "--stub-wasi", "--wit"])
        .arg(job.paths.root.join("wit/logs"))
        .args(["--js", "logs.js", "--output"])
        .arg(&job.output)
        .dir(&job.source)
        .output()?;
    Ok(())
}
