//! Python, with the componentize-py that the guest's own `requirements.txt` names.

use std::fs;

use anyhow::{Context as _, Result};

use super::Job;
use crate::process::Program;

const HINT: &str =
    "install Python 3.10 or later with venv (on Debian `apt-get install python3 python3-venv`)";

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let requirements = job.source.join("requirements.txt");
    let hash = blake3::hash(&fs::read(&requirements).context("no requirements.txt")?).to_hex();
    let tools = job
        .paths
        .guests
        .join("tools")
        .join(format!("python-{}", &hash[..16]));
    let done = tools.join("done");
    if !done.exists() {
        job.line.say("installing componentize-py");
        Program::new("python3")
            .hint(HINT)
            .args(["-m", "venv"])
            .arg(&tools)
            .output()?;
        Program::new(tools.join("bin/pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(&requirements)
            .output()?;
        fs::write(&done, "")?;
    }
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
