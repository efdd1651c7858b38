//! `prewarm compile`: into the cache.

use anyhow::{Result, bail};
use prewarm::{Clock, Origin};

use crate::load::{host, load};
use crate::options::Compile;
use crate::outcome::Outcome;
use crate::text;

pub(crate) fn run(options: &Compile) -> Result<Outcome> {
    let host = host(true, false)?;
    let clock = Clock::system();
    let began = clock.now();
    let loaded = load(&host, &options.file)?;
    let loading = clock.now().saturating_duration_since(began);
    let component = &loaded.component;

    let Some(stats) = host.cache_stats() else {
        bail!("there is no cache: its folder is missing or not the user's own");
    };
    if stats.hits + stats.stored == 0 {
        bail!("the cache takes no entry: its folder cannot be written, or the entry is too big");
    }
    let how = match component.origin() {
        Origin::Compiled { took, .. } => format!("compiled in {}", text::time(took)),
        _ => format!("in the cache already, loaded in {}", text::time(loading)),
    };
    text::print(&format!(
        "{}: {} of code from {}, {} lane, {how}",
        options.file.name(),
        text::size(component.code_bytes() as u64),
        text::size(loaded.file_bytes),
        text::lane(component.lane()),
    ))?;
    Ok(Outcome::Done)
}
