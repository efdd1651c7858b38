//! Zig, which reads the C header of the world.

use std::fs;

use anyhow::{Context as _, Result};

use super::{Job, component, ziglang};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let folder = job.paths.guests.join("build/zig");
    ziglang::bindings(job, &folder)?;
    let zig = ziglang::zig(job)?;
    job.line.say("compiling");
    let header = zig
        .args(["translate-c", "-target", "wasm32-wasi", "-lc"])
        .arg(folder.join("logs.h"))
        .output()?;
    fs::write(folder.join("logs.zig"), header).context("no place for the header in Zig")?;
    let module = folder.join("logs.wasm");
    ziglang::zig(job)?
        .args([
            "build-exe",
            "-target",
            "wasm32-wasi",
            "-mexec-model=reactor",
        ])
        .args(["-OReleaseSmall", "-fno-entry", "-rdynamic"])
        .args(["-lc", "--stack", "65536"])
        // These belong to the module that comes next.
        .args(["logs.c", "logs_component_type.o"].map(|file| folder.join(file)))
        .args(["--dep", "logs"])
        .arg(format!(
            "-Mroot={}",
            job.source.join("src/exports.zig").display()
        ))
        .arg(format!("-Mlogs={}", folder.join("logs.zig").display()))
        .arg(format!("-femit-bin={}", module.display()))
        .output()?;
    component::encode(&module, &job.output)
}
