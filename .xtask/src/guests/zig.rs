//! Zig, which reads the C header of the world.

use std::fs;

use anyhow::{Context as _, Result};

use super::ziglang::{self, Bindings};
use super::{Job, component};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    compile(job, ["logs", "logs"])
}

pub(super) fn outside(job: &Job<'_>) -> Result<()> {
    compile(job, ["kinds", "outside"])
}

fn compile(job: &Job<'_>, world: [&str; 2]) -> Result<()> {
    let bindings = Bindings::write(job, world)?;
    let zig = ziglang::zig(job)?;
    job.line.say("compiling");
    let header = zig
        .args(["translate-c", "-target", "wasm32-wasi", "-lc"])
        .arg(bindings.file(".h"))
        .output()?;
    fs::write(bindings.file(".zig"), header).context("no place for the header in Zig")?;
    let module = bindings.file(".wasm");
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
        .args([".c", "_component_type.o"].map(|ending| bindings.file(ending)))
        .args(["--dep", bindings.world])
        .arg(format!(
            "-Mroot={}",
            job.source.join("src/exports.zig").display()
        ))
        .arg(format!(
            "-M{}={}",
            bindings.world,
            bindings.file(".zig").display()
        ))
        .arg(format!("-femit-bin={}", module.display()))
        .output()?;
    component::encode(&module, &job.output)
}
