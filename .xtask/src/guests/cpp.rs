//! C++, with the clang, the libc and the libc++ that zig brings along.

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
    // No command compiles C, which the bindings are, and C++ at once.
    let (object, module) = (bindings.file(".o"), bindings.file(".wasm"));
    let zig = ziglang::zig(job)?;
    job.line.say("compiling");
    zig.arg("cc")
        .args(["-target", "wasm32-wasi", "-Os", "-c"])
        .arg(bindings.file(".c"))
        .arg("-o")
        .arg(&object)
        .output()?;
    ziglang::zig(job)?
        .arg("c++")
        .args(ziglang::FLAGS)
        .args(["-std=c++23", "-fno-exceptions", "-fno-rtti", "-I"])
        .arg(&bindings.folder)
        .args(ziglang::sources(&job.source.join("src"), "cpp")?)
        .args([object, bindings.file("_component_type.o")])
        .arg("-o")
        .arg(&module)
        .output()?;
    component::encode(&module, &job.output)
}
