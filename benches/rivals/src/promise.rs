//! The one comparison that is a promise: prewarm's pool for threads against Extism's pool, an echo of
//! five bytes.

use std::time::Duration;

use serde_json::{Value, json};
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::job::Job;
use crate::measure::{Effort, Mode, Rounds, in_turns, median};
use crate::report::duration;
use crate::rival::Rival;

const EFFORT: Effort = Effort {
    rounds: 15,
    turn: Duration::from_millis(100),
};

/// How many times as long Extism's callers wait.
pub struct Ratio {
    name: &'static str,
    value: f64,
    note: String,
}

impl Ratio {
    /// `NAME VALUE  (what it is)`
    pub fn line(&self) -> String {
        format!("{} {:.1}  ({})", self.name, self.value, self.note)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({ "name": self.name, "value": self.value, "note": self.note })
    }
}

/// Measures all. The ratio is the median over the rounds of the ratio of the median waits.
///
/// # Errors
///
/// That of the first call that fails.
pub fn measure(
    prewarm: &dyn Rival,
    warmed: &dyn Rival,
    extism: &dyn Rival,
    job: &Job,
) -> Result<Vec<Ratio>> {
    let columns = [
        (prewarm, Mode::Warm),
        (extism, Mode::Warm),
        (prewarm, Mode::FreshPaced),
        (warmed, Mode::FreshPaced),
        (extism, Mode::FreshPaced),
        (prewarm, Mode::FreshBusy),
        (extism, Mode::FreshBusy),
    ];
    let rounds = in_turns(&columns, job, EFFORT)?;
    let of = |rival: &dyn Rival, mode: Mode| {
        let mut all = rounds.iter();
        all.find(|rounds| rounds.rival == rival.name() && rounds.mode == mode)
            .context("a rival has not run")
    };
    let rows = [
        ("warm-vs-extism", prewarm, Mode::Warm),
        ("fresh-vs-extism", prewarm, Mode::FreshPaced),
        ("fresh-warmed-vs-extism", warmed, Mode::FreshPaced),
        ("fresh-busy-vs-extism", prewarm, Mode::FreshBusy),
    ];
    rows.into_iter()
        .map(|(name, ours, mode)| Ok(ratio(name, of(ours, mode)?, of(extism, mode)?)))
        .collect()
}

fn ratio(name: &'static str, ours: &Rounds, theirs: &Rounds) -> Ratio {
    let p50 = |rounds: &Rounds| -> Vec<f64> {
        let found = rounds.found.iter();
        let p50 = |took: u64| Duration::from_nanos(took).as_secs_f64() * 1e9;
        found
            .map(|found| p50(found.took.value_at_quantile(0.5)))
            .collect()
    };
    let (mut ours, mut theirs) = (p50(ours), p50(theirs));
    let pairs = ours.iter().zip(&theirs);
    let mut ratios: Vec<f64> = pairs.map(|(ours, theirs)| theirs / ours).collect();
    let note = format!(
        "median wait: prewarm {}, extism {}",
        duration(median(&mut ours)),
        duration(median(&mut theirs))
    );
    Ratio {
        name,
        value: median(&mut ratios),
        note,
    }
}
