//! Installs what a lock file of npm names, once for each such file.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};

use super::Job;
use crate::process::Program;

const HINT: &str = "install Node.js 18 or later with npm (on Debian `apt-get install nodejs npm`)";

/// One at a time, since several guests may want the same.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The folder that holds `node_modules` for the package in `package`.
pub(super) fn install(job: &Job<'_>, package: &Path) -> Result<PathBuf> {
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let lock = fs::read(package.join("package-lock.json")).context("no package-lock.json")?;
    let hash = blake3::hash(&lock).to_hex();
    let tools = job.paths.guests.join("tools");
    let tools = tools.join(format!("npm-{}", &hash[..16]));
    let done = tools.join("done");
    if !done.exists() {
        job.line.say("installing what package-lock.json names");
        fs::create_dir_all(&tools)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(package.join(file), tools.join(file)).context(file)?;
        }
        // Not `npm ci`, which refuses a lock file without the packages for every other machine.
        Program::new("npm")
            .hint(HINT)
            .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
            .dir(&tools)
            .output()?;
        fs::write(&done, "")?;
    }
    Ok(tools)
}

/// A program that came with an installed package.
pub(super) fn program(tools: &Path, name: &str) -> Program {
    Program::new(tools.join("node_modules/.bin").join(name)).hint(HINT)
}
