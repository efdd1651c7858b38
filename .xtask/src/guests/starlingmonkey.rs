//! JavaScript in StarlingMonkey, with the componentize-js that a `package.json` names.

use std::path::Path;

use anyhow::Result;

use super::{Job, npm};

/// What StarlingMonkey would otherwise import of WASI, used or not.
const FEATURES: [&str; 5] = ["http", "fetch-event", "stdio", "random", "clocks"];

/// The source of the QuickJS guest, with a `package.json` for this engine.
pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let tools = npm::install(job, &job.source.join("starlingmonkey"))?;
    logs(job, &tools, &job.source.join("logs.js"))
}

/// Componentizes a module that implements the world of the log readers.
pub(super) fn logs(job: &Job<'_>, tools: &Path, script: &Path) -> Result<()> {
    componentize(job, tools, script, ["logs", "logs"], &FEATURES)
}

pub(super) fn outside(job: &Job<'_>) -> Result<()> {
    let tools = npm::install(job, &job.source)?;
    let world = ["kinds", "outside-by-wasi"];
    componentize(job, &tools, Path::new("outside.js"), world, &FEATURES[..2])
}

pub(super) fn dictionary(job: &Job<'_>) -> Result<()> {
    let tools = npm::install(job, &job.source)?;
    let world = ["kinds", "dictionary"];
    componentize(job, &tools, Path::new("words.js"), world, &FEATURES)
}

fn componentize(
    job: &Job<'_>,
    tools: &Path,
    script: &Path,
    [wit, world]: [&str; 2],
    disabled: &[&str],
) -> Result<()> {
    job.line.say("componentizing");
    npm::program(tools, "componentize-js")
        .arg(script)
        .arg("--wit")
        .arg(job.paths.root.join("wit").join(wit))
        .args(["--world-name", world, "--disable"])
        .args(disabled)
        .arg("--out")
        .arg(&job.output)
        .dir(&job.source)
        .output()?;
    Ok(())
}
