//! Tools that PyPI has, each set in a virtual environment of its own.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use super::Job;
use crate::process::Program;

/// One at a time, since several guests may want the same.
static INSTALLING: Mutex<()> = Mutex::new(());

/// A virtual environment in which `requirements` are installed, in the words of pip's file of that
/// name. `hint` is for a person who lacks Python.
pub(super) fn venv(job: &Job<'_>, requirements: &str, hint: &'static str) -> Result<PathBuf> {
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let hash = blake3::hash(requirements.as_bytes()).to_hex();
    let tools = job.paths.guests.join("tools");
    let venv = tools.join(format!("python-{}", &hash[..16]));
    let done = venv.join("done");
    if !done.exists() {
        job.line.say(format!("installing {}", requirements.trim()));
        Program::new("python3")
            .hint(hint)
            .args(["-m", "venv"])
            .arg(&venv)
            .output()?;
        let list = venv.join("requirements.txt");
        fs::write(&list, requirements)?;
        Program::new(venv.join("bin/pip"))
            .args(["install", "--quiet", "--disable-pip-version-check"])
            .arg("--requirement")
            .arg(&list)
            .output()?;
        fs::write(&done, "")?;
    }
    Ok(venv)
}
