//! Python, with the componentize-py that the guest's own `requirements.txt` names.

use std::fs;

use anyhow::{Context as _, Result};

use super::Job;
use super::venv::venv;
use crate::process::Program;

const HINT: &str =
    "install Python 3.10 or later with venv (on Debian `apt-get install python3 python3-venv`)";

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let requirements = job.source.join("requirements.txt");
    let requirements = fs::read_to_string(&requirements).context("no requirements.txt")?;
    let tools = venv(job, &requirements, HINT)?;
    job.line.say("componentizing");
    Program::new(tools.join("bin/componentize-py"))
        .arg("--wit-path")
        .arg(job.paths.root.join("wit/logs"))
        .args([
            "--world",
            "logs",
            "componentize",
            "--stub-wasi",
            "app",
            "--output",
        ])
        .arg(&job.output)
        .dir(&job.source)
        .without_env(&["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "RUST_BACKTRACE"])
        .output()?;
    Ok(())
}
