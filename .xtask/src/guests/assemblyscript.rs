//! AssemblyScript, with the compiler that the guest's own `package.json` and lock file name.

use std::fs;

use anyhow::{Context as _, Result};

use super::{Job, component, npm};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let tools = npm::install(job, &job.source)?;
    let folder = job.paths.guests.join("build/assemblyscript");
    fs::create_dir_all(&folder).context("no folder for the core module")?;
    let module = folder.join("core.wasm");
    job.line.say("compiling");
    npm::program(&tools, "asc")
        .args(["assembly/index.ts", "--config", "asconfig.json"])
        .arg("--outFile")
        .arg(&module)
        .dir(&job.source)
        .output()?;
    // The compiler knows nothing of worlds.
    component::embed(&module, &job.source.join("wit"), None)?;
    component::encode(&module, &job.output)
}
