//! How the benches of criterion are written down: for each parameter the same work by prewarm and by
//! bare wasmtime, one beside the other.

use std::fmt::Display;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion};
use wasmtime::Result;

use crate::clock::time;

/// Says how long so many turns take.
pub type Turns<'a> = Box<dyn FnMut(u64) -> Result<Duration> + 'a>;

/// Who does the work, and how.
pub type Case<'a> = (&'static str, Turns<'a>);

/// A case whose turns are timed as a whole.
pub fn whole<'a>(who: &'static str, mut run: impl FnMut(u64) -> Result<()> + 'a) -> Case<'a> {
    let turns = move |turns| {
        let (outcome, took) = time(|| run(turns));
        outcome.map(|()| took)
    };
    (who, Box::new(turns))
}

/// A case that times each turn itself, or a part of it.
pub fn each<'a>(who: &'static str, mut run: impl FnMut() -> Result<Duration> + 'a) -> Case<'a> {
    let turns = move |turns| {
        let mut took = Duration::ZERO;
        for _ in 0..turns {
            took += run()?;
        }
        Ok(took)
    };
    (who, Box::new(turns))
}

/// Measures each case under its name and the parameter.
///
/// # Panics
///
/// Where a case fails: criterion has no errors.
pub fn measure<'a>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    parameter: impl Display,
    cases: impl IntoIterator<Item = Case<'a>>,
) {
    for (who, mut run) in cases {
        group.bench_function(BenchmarkId::new(who, &parameter), |bencher| {
            bencher.iter_custom(|turns| run(turns).expect("what the benches run does not fail"));
        });
    }
}

/// Criterion with shorter times than its own: there are some three hundred cases. Its options on the
/// command line go before.
#[must_use]
pub fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1200))
        .sample_size(30)
}

/// Whether criterion measures. Otherwise, as in the gate, it runs each case once.
#[must_use]
pub fn measuring() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}
