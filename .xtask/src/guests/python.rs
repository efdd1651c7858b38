//! Python, with the componentize-py that the guest's own `requirements.txt` names, and with the
//! packages in its `dependencies.txt` if it has one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Job;
use crate::process::Program;

const HINT: &str =
    "install Python 3.10 or later with venv (on Debian `apt-get install python3 python3-venv`)";
const DEPENDENCIES: &str = "dependencies.txt";

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let tools = tools(job)?;
    let mut componentize = Program::new(tools.join("bin/componentize-py"))
        .arg("--wit-path")
        .arg(job.paths.root.join("wit/logs"))
        .args(["--world", "logs", "componentize", "--stub-wasi", "app"])
        .args(["--python-path", "."]);
    if job.source.join(DEPENDENCIES).exists() {
        componentize = componentize
            .arg("--python-path")
            .arg(vendor(job, &tools.join("bin/pip"))?);
    }
    job.line.say("componentizing");
    componentize
        .arg("--output")
        .arg(&job.output)
        .dir(&job.source)
        .without_env(&["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "RUST_BACKTRACE"])
        .output()?;
    Ok(())
}

/// A virtual environment with the tools.
fn tools(job: &Job<'_>) -> Result<PathBuf> {
    let requirements = job.source.join("requirements.txt");
    let tools = folder_for(job, "python", &requirements)?;
    let done = tools.join("done");
    if !done.exists() {
        job.line.say("installing componentize-py");
        Program::new("python3")
            .hint(HINT)
            .args(["-m", "venv"])
            .arg(&tools)
            .output()?;
        pip_install(&tools.join("bin/pip"))
            .arg("--requirement")
            .arg(&requirements)
            .output()?;
        fs::write(&done, "")?;
    }
    Ok(tools)
}

/// A folder with the packages that go into the component.
fn vendor(job: &Job<'_>, pip: &Path) -> Result<PathBuf> {
    let dependencies = job.source.join(DEPENDENCIES);
    let vendor = folder_for(job, "python-vendor", &dependencies)?;
    let done = vendor.join("done");
    if !done.exists() {
        job.line.say("installing what dependencies.txt names");
        pip_install(pip)
            .args([
                "--no-compile",
                "--upgrade",
                "--require-hashes",
                "--requirement",
            ])
            .arg(&dependencies)
            .arg("--target")
            .arg(&vendor)
            .output()?;
        fs::write(&done, "")?;
    }
    Ok(vendor)
}

/// Where that goes which a file of requirements names.
fn folder_for(job: &Job<'_>, kind: &str, requirements: &Path) -> Result<PathBuf> {
    let content = fs::read(requirements).with_context(|| requirements.display().to_string())?;
    let hash = blake3::hash(&content).to_hex();
    let tools = job.paths.guests.join("tools");
    Ok(tools.join(format!("{kind}-{}", &hash[..16])))
}

fn pip_install(pip: &Path) -> Program {
    Program::new(pip).args(["install", "--quiet", "--disable-pip-version-check"])
}
