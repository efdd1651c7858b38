//! Python, with the componentize-py that the guest's own `requirements.txt` names, and with the
//! packages in its `dependencies.txt` if it has one.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::Job;
use super::venv::venv;
use crate::process::Program;

const HINT: &str =
    "install Python 3.10 or later with venv (on Debian `apt-get install python3 python3-venv`)";

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    componentize(job, ["logs", "logs"], &["--stub-wasi", "app"])
}

pub(super) fn outside(job: &Job<'_>) -> Result<()> {
    componentize(job, ["kinds", "outside"], &["look_outside"])
}

pub(super) fn dictionary(job: &Job<'_>) -> Result<()> {
    componentize(job, ["kinds", "dictionary"], &["--stub-wasi", "words"])
}

fn componentize(job: &Job<'_>, [wit, world]: [&str; 2], what: &[&str]) -> Result<()> {
    let requirements = job.source.join("requirements.txt");
    let requirements = fs::read_to_string(&requirements).context("no requirements.txt")?;
    let tools = venv(job, &requirements, HINT)?;
    let mut componentize = Program::new(tools.join("bin/componentize-py"))
        .arg("--wit-path")
        .arg(job.paths.root.join("wit").join(wit))
        .args(["--world", world, "componentize", "--python-path", "."]);
    let dependencies = job.source.join("dependencies.txt");
    if dependencies.exists() {
        componentize = componentize.arg("--python-path").arg(vendor(
            job,
            &tools.join("bin/pip"),
            &dependencies,
        )?);
    }
    job.line.say("componentizing");
    componentize
        .args(what)
        .arg("--output")
        .arg(&job.output)
        .dir(&job.source)
        .without_env(&["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "RUST_BACKTRACE"])
        .output()?;
    Ok(())
}

/// A folder with the packages that go into the component.
fn vendor(job: &Job<'_>, pip: &Path, dependencies: &Path) -> Result<PathBuf> {
    let content = fs::read(dependencies).context("dependencies.txt cannot be read")?;
    let hash = blake3::hash(&content).to_hex();
    let tools = job.paths.guests.join("tools");
    let vendor = tools.join(format!("python-vendor-{}", &hash[..16]));
    let done = vendor.join("done");
    if !done.exists() {
        job.line.say("installing what dependencies.txt names");
        Program::new(pip)
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .args(["--no-compile", "--upgrade", "--require-hashes"])
            .arg("--requirement")
            .arg(dependencies)
            .arg("--target")
            .arg(&vendor)
            .output()?;
        fs::write(&done, "")?;
    }
    Ok(vendor)
}
