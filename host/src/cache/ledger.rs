//! What the cache has done: counted each time, said aloud once.

use std::collections::HashSet;
use std::error::Error;
use std::path::Path;

use parking_lot::Mutex;

use super::config::CacheStats;
use super::entry::Refusal;
use super::evict::Swept;

/// Everything that changes in a cache. One lock, so that statistics are one snapshot.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    stats: CacheStats,
    /// Bytes written by this host since it last swept the folder. `None` before the first sweep.
    since_sweep: Option<u64>,
    /// Entries already warned of.
    refused: HashSet<String>,
    warned_of_writing: bool,
}

impl Ledger {
    pub(super) fn stats(&self) -> CacheStats {
        self.0.lock().stats
    }

    pub(super) fn hit(&self, checked: bool) {
        let stats = &mut self.0.lock().stats;
        stats.hits += 1;
        stats.checked += u64::from(checked);
    }

    pub(super) fn miss(&self) {
        self.0.lock().stats.misses += 1;
    }

    pub(super) fn refused(&self, entry: String, refusal: &Refusal) {
        let mut lines = self.0.lock();
        lines.stats.refused += 1;
        if !lines.refused.contains(&entry) {
            let reason = chain(refusal);
            tracing::warn!(entry, reason, "refused an entry of the compile cache");
            lines.refused.insert(entry);
        }
    }

    /// An entry was written, which takes at most so many `bytes` with all that belongs to it. Whether the folder is to
    /// be swept: it may hold too much, or other processes had time to fill it. A sweep looks at every file, and so
    /// must not follow every write.
    pub(super) fn stored(&self, bytes: u64, max_bytes: u64) -> bool {
        let lines = &mut *self.0.lock();
        lines.stats.stored += 1;
        lines.stats.bytes += bytes;
        match &mut lines.since_sweep {
            None => true,
            Some(since) => {
                *since += bytes;
                lines.stats.bytes > max_bytes || *since > max_bytes / 64
            }
        }
    }

    pub(super) fn write_failed(&self, folder: &Path, error: &wasmtime::Error) {
        let mut lines = self.0.lock();
        lines.stats.failed_writes += 1;
        if !std::mem::replace(&mut lines.warned_of_writing, true) {
            tracing::warn!(
                folder = %folder.display(),
                error = format!("{error:#}"),
                "cannot write to the compile cache: components stay in memory"
            );
        }
    }

    pub(super) fn swept(&self, swept: &Swept) {
        let Swept { bytes, evicted } = *swept;
        let lines = &mut *self.0.lock();
        lines.since_sweep = Some(0);
        lines.stats.bytes = bytes;
        lines.stats.evicted += evicted;
    }
}

/// An error and its causes on one line.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}
