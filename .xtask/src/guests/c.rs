//! C, with the clang and the libc that zig brings along.

use anyhow::Result;

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
    let module = bindings.file(".wasm");
    zig.arg("cc")
        .args(ziglang::FLAGS)
        .arg("-I")
        .arg(&bindings.folder)
        .args(ziglang::sources(&job.source.join("src"), "c")?)
        .args([".c", "_component_type.o"].map(|ending| bindings.file(ending)))
        .arg("-o")
        .arg(&module)
        .output()?;
    component::encode(&module, &job.output)
}
