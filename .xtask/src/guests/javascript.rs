//! JavaScript, with the tool that the guest's own `package.json` and lock file name.

use std::fs;

use anyhow::{Context as _, Result};

use super::Job;
use crate::process::Program;

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let lock = fs::read(job.source.join("package-lock.json")).context("no package-lock.json")?;
    let hash = blake3::hash(&lock).to_hex();
    let tools = job
        .paths
        .guests
        .join("tools")
        .join(format!("javascript-{}", &hash[..16]));
    let done = tools.join("done");
    if !done.exists() {
        job.line.say("installing componentize-qjs");
        fs::create_dir_all(&tools)?;
        for file in ["package.json", "package-lock.json"] {
            fs::copy(job.source.join(file), tools.join(file)).context(file)?;
        }
        // Not `npm ci`, which refuses a lock file without the packages for every other machine.
        Program::new("npm")
            .hint("install Node.js 18 or later with npm (on Debian `apt-get install nodejs npm`)")
            .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
            .dir(&tools)
            .output()?;
        fs::write(&done, "")?;
    }
    job.line.say("componentizing");
    Program::new(tools.join("node_modules/.bin/componentize-qjs"))
        .args(["--sync", "--stub-wasi", "--wit"])
        .arg(job.paths.root.join("wit/logs"))
        .args(["--js", "logs.js", "--output"])
        .arg(&job.output)
        .dir(&job.source)
        .output()?;
    Ok(())
}
