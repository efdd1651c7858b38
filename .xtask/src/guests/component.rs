//! Makes a component of the core module that an ordinary linker leaves.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use wasi_preview1_component_adapter_provider as preview1;
use wit_bindgen_core::wit_parser::Resolve;
use wit_component::{ComponentEncoder, StringEncoding};

/// Makes a component of a module that carries its world, as the code of wit-bindgen does.
///
/// Where the module asks for WASI's first preview it gets an adapter; elsewhere that is left out.
pub(super) fn encode(module: &Path, output: &Path) -> Result<()> {
    let bytes = fs::read(module).with_context(|| format!("no module {}", module.display()))?;
    let component = ComponentEncoder::default()
        .module(&bytes)
        .context("the module does not say what its world is")?
        .adapter(
            preview1::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            preview1::WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )
        .context("the adapter of WASI's first preview does not fit")?
        .validate(true)
        .encode()
        .context("the module does not fit its world")?;
    fs::write(output, component).with_context(|| format!("{} cannot be written", output.display()))
}

/// Writes into a module which world it is made for: this one of `wit`, or the only one.
pub(super) fn embed(module: &Path, wit: &Path, world: Option<&str>) -> Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], world)?;
    let mut bytes = fs::read(module).with_context(|| format!("no module {}", module.display()))?;
    wit_component::embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8)?;
    fs::write(module, bytes).with_context(|| format!("{} cannot be written", module.display()))
}
