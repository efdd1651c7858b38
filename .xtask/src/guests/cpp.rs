//! C++, with the clang, the libc and the libc++ that zig brings along.

use anyhow::Result;

use super::{Job, component, ziglang};

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    let folder = job.paths.guests.join("build/cpp");
    ziglang::bindings(job, &folder)?;
    // No command compiles C, which the bindings are, and C++ at once.
    let (bindings, module) = (folder.join("logs.o"), folder.join("logs.wasm"));
    let zig = ziglang::zig(job)?;
    job.line.say("compiling");
    zig.arg("cc")
        .args(["-target", "wasm32-wasi", "-Os", "-c"])
        .arg(folder.join("logs.c"))
        .arg("-o")
        .arg(&bindings)
        .output()?;
    ziglang::zig(job)?
        .arg("c++")
        .args(ziglang::FLAGS)
        .args(["-std=c++23", "-fno-exceptions", "-fno-rtti", "-I"])
        .arg(&folder)
        .args(ziglang::sources(&job.source.join("src"), "cpp")?)
        .args([bindings, folder.join("logs_component_type.o")])
        .arg("-o")
        .arg(&module)
        .output()?;
    component::encode(&module, &job.output)
}
