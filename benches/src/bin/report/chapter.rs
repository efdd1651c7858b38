//! What every chapter is given, and what it gives.

use std::path::Path;
use std::time::Duration;

use prewarm::{Component, Host};
use prewarm_benches::built::Built;
use prewarm_benches::pools;
use serde_json::Value;
use tempfile::TempDir;
use wasmtime::Result;

use crate::draw::Plot;
use crate::{Settings, burst, callers, dirt, latency, memory, scale, start};

/// One chapter of the report.
#[derive(Debug, Default)]
pub(crate) struct Chapter {
    /// Its name on the command line; set by who runs it.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// One sentence, made of what was measured.
    pub(crate) finding: String,
    /// What was done, for who reads the numbers.
    pub(crate) method: String,
    pub(crate) plot: Option<Plot>,
    /// In Markdown.
    pub(crate) table: String,
    /// Every number.
    pub(crate) numbers: Value,
}

/// What measures a chapter.
type Measure = fn(&Bench) -> Result<Chapter>;

/// The chapters, in the order of the report, with what measures them.
pub(crate) const CHAPTERS: [(&str, Measure); 7] = [
    ("start", start::measure),
    ("latency", latency::measure),
    ("callers", callers::measure),
    ("dirt", dirt::measure),
    ("memory", memory::measure),
    ("burst", burst::measure),
    ("scale", scale::measure),
];

/// What every chapter is given.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) quick: bool,
    pub(crate) built: Built,
    cache: TempDir,
}

/// Of each kind of guest one, for short runs and for plots.
const TYPICAL: [&str; 5] = ["rust", "go", "javascript", "starlingmonkey", "python"];

impl Bench {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let mut built = Built::find(settings.guests.as_deref());
        if !built.missing.is_empty() {
            eprintln!(
                "not built, so not measured: {} (`cargo xtask guests` builds them)",
                built.missing.join(", ")
            );
        }
        if settings.quick {
            built.there.retain(|(name, _)| is_typical(name));
        }
        Ok(Self {
            quick: settings.quick,
            built,
            cache: tempfile::tempdir()?,
        })
    }

    /// One of two amounts, the second for short runs.
    pub(crate) fn or_quick<T>(&self, whole: T, quick: T) -> T {
        if self.quick { quick } else { whole }
    }

    /// How long one guest or one case of a kind is measured.
    pub(crate) fn turn(&self) -> Duration {
        self.or_quick(Duration::from_millis(2000), Duration::from_millis(500))
    }

    /// How many calls that come after such gaps fill a turn, within bounds.
    pub(crate) fn calls(&self, gap: Duration, most: u32) -> usize {
        let calls = self.turn().as_nanos() / gap.as_nanos().max(1);
        usize::try_from(calls.clamp(200, most.into())).unwrap_or(200)
    }

    /// Where this run keeps compiled components: nothing is in it when the run begins.
    pub(crate) fn cache(&self) -> &Path {
        self.cache.path()
    }

    /// A host that finds in its cache what this run has compiled.
    pub(crate) fn host(&self) -> Result<Host> {
        pools::host(Some(self.cache()))
    }

    /// A guest that was built.
    pub(crate) fn load(&self, host: &Host, name: &str, file: &Path) -> Result<Component> {
        eprintln!("    {name}");
        Ok(host.load_blocking(file)?)
    }
}

/// Whether a guest stands for others of its kind.
pub(crate) fn is_typical(name: &str) -> bool {
    TYPICAL.contains(&name)
}

/// The least and the greatest of some figures.
pub(crate) fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let values = values.into_iter().filter(|value| value.is_finite());
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
        (low.min(value), high.max(value))
    })
}
