//! Zig, which reads the C header of the world.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Job, component, ziglang};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let folder = job.paths.guests.join("build/zig");
    ziglang::bindings(job, ["logs", "logs"], &folder)?;
    compile(job, &folder, "logs")
}

pub(super) fn outside(job: &Job<'_>) -> Result<()> {
    let folder = job.paths.guests.join("build/zig-outside");
    ziglang::bindings(job, ["kinds", "outside"], &folder)?;
    compile(job, &folder, "outside")
}

/// Compiles a guest of this world, whose bindings are in the folder.
fn compile(job: &Job<'_>, folder: &Path, world: &str) -> Result<()> {
    let of_world = |ending: &str| folder.join(format!("{world}{ending}"));
    let zig = ziglang::zig(job)?;
    job.line.say("compiling");
    let header = zig
        .args(["translate-c", "-target", "wasm32-wasi", "-lc"])
        .arg(of_world(".h"))
        .output()?;
    fs::write(of_world(".zig"), header).context("no place for the header in Zig")?;
    let module = of_world(".wasm");
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
        .args([".c", "_component_type.o"].map(of_world))
        .args(["--dep", world])
        .arg(format!(
            "-Mroot={}",
            job.source.join("src/exports.zig").display()
        ))
        .arg(format!("-M{world}={}", of_world(".zig").display()))
        .arg(format!("-femit-bin={}", module.display()))
        .output()?;
    component::encode(&module, &job.output)
}
