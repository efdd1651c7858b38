//! TypeScript: types made from the world, checked by tsc, bundled by esbuild, in StarlingMonkey.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Job, npm, starlingmonkey};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let tools = npm::install(job, &job.source)?;
    let build = job.paths.guests.join("build/typescript");
    copy_sources(job, &build)?;
    let wit = job.paths.root.join("wit/logs");
    job.line.say("making types");
    npm::program(&tools, "jco")
        .arg("guest-types")
        .arg(&wit)
        .args(["--out-dir", "types"])
        .dir(&build)
        .output()?;
    job.line.say("checking types");
    npm::program(&tools, "tsc").dir(&build).output()?;
    npm::program(&tools, "esbuild")
        .args(["src/logs.ts", "--bundle", "--format=esm"])
        .args(["--external:example:*", "--outfile=logs.js"])
        .dir(&build)
        .output()?;
    starlingmonkey::logs(job, &tools, &build.join("logs.js"))
}

/// What is made on the way goes beside the sources, and so not into the guest's own folder.
fn copy_sources(job: &Job<'_>, build: &Path) -> Result<()> {
    if build.exists() {
        fs::remove_dir_all(build).context("an old build will not go")?;
    }
    fs::create_dir_all(build.join("src"))?;
    fs::copy(
        job.source.join("tsconfig.json"),
        build.join("tsconfig.json"),
    )?;
    for entry in fs::read_dir(job.source.join("src"))? {
        let entry = entry?;
        fs::copy(entry.path(), build.join("src").join(entry.file_name()))?;
    }
    Ok(())
}
