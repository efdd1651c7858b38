//! The same JavaScript in StarlingMonkey, whose tool has a `package.json` of its own.

use std::path::Path;

use anyhow::Result;

use super::{Job, npm};

/// What StarlingMonkey would otherwise import of WASI, used or not.
const FEATURES: [&str; 5] = ["stdio", "random", "clocks", "http", "fetch-event"];

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let tools = npm::install(job, &job.source.join("starlingmonkey"))?;
    componentize(job, &tools, &job.source.join("logs.js"))
}

pub(super) fn componentize(job: &Job<'_>, tools: &Path, script: &Path) -> Result<()> {
    job.line.say("componentizing");
    npm::program(tools, "componentize-js")
        .arg(script)
        .arg("--wit")
        .arg(job.paths.root.join("wit/logs"))
        .arg("--disable")
        .args(FEATURES)
        .arg("--out")
        .arg(&job.output)
        .dir(&job.source)
        .output()?;
    Ok(())
}
