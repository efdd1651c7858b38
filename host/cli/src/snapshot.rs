//! `prewarm snapshot`: a component that starts initialised, as a file.

use anyhow::{Context as _, Result};
use prewarm::{Clock, Grants, SnapshotConfig};

use crate::call;
use crate::load::{host, load};
use crate::options::Snapshot;
use crate::outcome::Outcome;
use crate::text;

pub(crate) fn run(options: &Snapshot) -> Result<Outcome> {
    let host = host(true, false)?;
    let loaded = load(&host, &options.file)?;
    let component = &loaded.component;
    let function = component.exports().find(&options.init)?;

    let mut config = SnapshotConfig::new(function.full_name());
    config.params = call::params(&options.args, false, function)?;
    config.wasm = loaded.stdin;
    let limits = &mut config.limits;
    limits.deadline = options.deadline.unwrap_or(limits.deadline);
    limits.memory_bytes = options.memory.unwrap_or(limits.memory_bytes);
    let grants = call::dirs(&options.dir, Grants::none());
    config.grants = options
        .env
        .iter()
        .fold(grants, |grants, (name, value)| grants.env(name, value));

    let clock = Clock::system();
    let began = clock.now();
    let wasm = component.snapshot_builder(config, || ()).wasm_blocking()?;
    let took = clock.now().saturating_duration_since(began);
    std::fs::write(&options.output, &wasm)
        .with_context(|| format!("{} cannot be written", options.output.display()))?;
    text::print(&format!(
        "{}: {} that start after `{}`, from {} of {}, made in {}",
        options.output.display(),
        text::size(wasm.len() as u64),
        function.name(),
        text::size(loaded.file_bytes),
        options.file.name(),
        text::time(took),
    ))?;
    Ok(Outcome::Done)
}
