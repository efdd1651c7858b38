//! C++, with the clang, the libc and the libc++ that zig brings along.

use std::path::Path;

use anyhow::Result;

use super::{Job, component, ziglang};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let folder = job.paths.guests.join("build/cpp");
    ziglang::bindings(job, ["logs", "logs"], &folder)?;
    compile(job, &folder, "logs")
}

pub(super) fn outside(job: &Job<'_>) -> Result<()> {
    let folder = job.paths.guests.join("build/cpp-outside");
    ziglang::bindings(job, ["kinds", "outside"], &folder)?;
    compile(job, &folder, "outside")
}

/// Compiles a guest of this world, whose bindings are in the folder.
fn compile(job: &Job<'_>, folder: &Path, world: &str) -> Result<()> {
    let of_world = |ending: &str| folder.join(format!("{world}{ending}"));
    // No command compiles C, which the bindings are, and C++ at once.
    let (bindings, module) = (of_world(".o"), of_world(".wasm"));
    let zig = ziglang::zig(job)?;
    job.line.say("compiling");
    zig.arg("cc")
        .args(["-target", "wasm32-wasi", "-Os", "-c"])
        .arg(of_world(".c"))
        .arg("-o")
        .arg(&bindings)
        .output()?;
    ziglang::zig(job)?
        .arg("c++")
        .args(ziglang::FLAGS)
        .args(["-std=c++23", "-fno-exceptions", "-fno-rtti", "-I"])
        .arg(folder)
        .args(ziglang::sources(&job.source.join("src"), "cpp")?)
        .args([bindings, of_world("_component_type.o")])
        .arg("-o")
        .arg(&module)
        .output()?;
    component::encode(&module, &job.output)
}
