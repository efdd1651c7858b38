//! C, with the clang and the libc that zig brings along.

use anyhow::Result;

use super::{Job, component, ziglang};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let folder = job.paths.guests.join("build/c");
    ziglang::bindings(job, &folder)?;
    let zig = ziglang::zig(job)?;
    job.line.say("compiling");
    let module = folder.join("logs.wasm");
    zig.arg("cc")
        .args(ziglang::FLAGS)
        .arg("-I")
        .arg(&folder)
        .args(ziglang::sources(&job.source.join("src"), "c")?)
        .args(["logs.c", "logs_component_type.o"].map(|file| folder.join(file)))
        .arg("-o")
        .arg(&module)
        .output()?;
    component::encode(&module, &job.output)
}
