//! The work of `benches/rivals` in each form that a rival wants: a component, a plugin of Extism, a guest
//! of `wasi:http`, and a native program.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::progress::Progress;
use super::{Job, component, rust};
use crate::paths::Paths;

/// Builds them all, and says where they are.
pub(crate) fn build(paths: &Paths) -> Result<PathBuf> {
    let folder = paths.guests.join("rivals");
    fs::create_dir_all(&folder).context("no folder for the rivals' work")?;
    let progress = Progress::new();
    let line = progress.line("rivals");
    let job = |output: &str| Job {
        paths,
        source: paths.root.join("benches/rivals/guest"),
        output: folder.join(output),
        line: &line,
    };
    for name in ["component", "http"] {
        let job = job(&format!("{name}.wasm"));
        let module = rust::compile(&job, rust::LEAN, &format!("rivals-{name}"))?;
        component::encode(&module, &job.output)?;
    }
    let plugin = job("extism.wasm");
    let module = rust::compile(&plugin, rust::LEAN, "rivals-extism")?;
    fs::copy(module, &plugin.output).context("cargo left no plugin")?;
    let process = job(&format!("process{EXE_SUFFIX}"));
    let program = rust::native(&process, "rivals-process")?;
    fs::copy(program, &process.output).context("cargo left no program")?;
    line.done("built");
    Ok(folder)
}
