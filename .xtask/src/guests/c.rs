//! C, with the clang and the libc that zig brings along.

use std::path::Path;

use anyhow::Result;

use super::{Job, component, ziglang};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let folder = job.paths.guests.join("build/c");
    ziglang::bindings(job, ["logs", "logs"], &folder)?;
    compile(job, &folder, "logs")
}

pub(super) fn outside(job: &Job<'_>) -> Result<()> {
    let folder = job.paths.guests.join("build/c-outside");
    ziglang::bindings(job, ["kinds", "outside"], &folder)?;
    compile(job, &folder, "outside")
}

/// Compiles a guest of this world, whose bindings are in the folder.
fn compile(job: &Job<'_>, folder: &Path, world: &str) -> Result<()> {
    let of_world = |ending: &str| folder.join(format!("{world}{ending}"));
    let zig = ziglang::zig(job)?;
    job.line.say("compiling");
    let module = of_world(".wasm");
    zig.arg("cc")
        .args(ziglang::FLAGS)
        .arg("-I")
        .arg(folder)
        .args(ziglang::sources(&job.source.join("src"), "c")?)
        .args([".c", "_component_type.o"].map(of_world))
        .arg("-o")
        .arg(&module)
        .output()?;
    component::encode(&module, &job.output)
}
