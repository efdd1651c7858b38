//! What a caller of a script guest waits, whose instances are made and warmed up ahead.

use std::ops::Range;
use std::time::Duration;

use prewarm::PoolConfig;
use prewarm_benches::clock::{Jitter, now, spin_until, time};
use prewarm_benches::logs::Reader;
use prewarm_benches::pools;
use prewarm_benches::sample::{nanos, percentile};
use wasmtime::Result;

use crate::Settings;
use crate::report::Figure;

/// A call that is short, so that its costs are seen.
const LINE: &str = "2026-05-09 10:20:30 status installed gzip:amd64 1.12-1";

const CALLS: usize = 150;

/// Calls of which each makes, warms up and drops an instance, before the load is chosen.
const TRIALS: usize = 30;

/// Slots of the fresh pool.
const INSTANCES: usize = 8;

/// Calls at the start that only bring the load about.
const ONSET: usize = 50;

pub(crate) fn python(settings: &Settings) -> Result<Vec<Figure>> {
    guest(settings, "python.wasm")
}

pub(crate) fn starlingmonkey(settings: &Settings) -> Result<Vec<Figure>> {
    guest(settings, "starlingmonkey.wasm")
}

fn guest(settings: &Settings, name: &str) -> Result<Vec<Figure>> {
    let Some(file) = settings.guest(name) else {
        return Ok(vec![Figure::missing(format!("{name} is not built"))]);
    };
    let component = pools::user_host()?.load_blocking(file)?;
    let reader = |config: PoolConfig| Reader::warmed(&component, config, LINE);
    let whole_us = percentile(&mut one_by_one(&reader(pools::fresh(1))?, TRIALS)?, 50.0) / 1000.0;
    let pause_us = Range {
        start: microseconds(1.5 * whole_us),
        end: microseconds(2.5 * whole_us),
    };
    let ahead = reader(pools::fresh(INSTANCES))?;
    let (mut ahead_ns, mut warm_ns, mut alone_ns) = (Vec::new(), Vec::new(), Vec::new());
    // As many reused instances in turns as there are fresh ones: or the one would be in the
    // processor's caches, where no fresh one can be, and the caches would be measured.
    let warm: Result<Vec<_>> = (0..INSTANCES).map(|_| reader(pools::reused(1))).collect();
    let warm = warm?;
    // In two turns each, so that what slows the machine down for a while strikes both.
    for _ in 0..2 {
        at_half_load(&warm, &pause_us, &mut warm_ns)?;
        at_half_load(&warm[..1], &pause_us, &mut alone_ns)?;
        at_half_load(std::slice::from_ref(&ahead), &pause_us, &mut ahead_ns)?;
    }
    let cold = ahead.stats().cold;
    let mut inline_ns = one_by_one(&Reader::new(&component, pools::fresh(1))?, CALLS)?;
    let us = |values: &mut Vec<f64>, percent| percentile(values, percent) / 1000.0;
    let (warm50, ahead50) = (us(&mut warm_ns, 50.0), us(&mut ahead_ns, 50.0));
    let note = format!(
        "a call every {} to {} us, and {whole_us:.0} to make, warm up, call and drop one: fresh and warmed up \
         {ahead50:.0} us, p99 {:.0}, {cold} of {} found none ready; one of {INSTANCES} reused {warm50:.0} us, \
         always the same {:.0} us; made for the caller without a warm-up {:.0} us",
        pause_us.start,
        pause_us.end,
        us(&mut ahead_ns, 99.0),
        2 * (ONSET + CALLS),
        us(&mut alone_ns, 50.0),
        us(&mut inline_ns, 50.0),
    );
    Ok(vec![Figure::new(ahead50 - warm50, note)])
}

fn microseconds(value: f64) -> u64 {
    Duration::from_secs_f64(value / 1e6)
        .as_micros()
        .try_into()
        .unwrap_or(u64::MAX)
}

/// Calls that come by a schedule, each timed from the instant at which it was due.
fn at_half_load(readers: &[Reader], pause_us: &Range<u64>, took_ns: &mut Vec<f64>) -> Result<()> {
    let mut jitter = Jitter::new(11);
    let mut due = now();
    for index in 0..ONSET + CALLS {
        due += jitter.micros(pause_us.start, pause_us.end);
        spin_until(due);
        let outcome = readers[index % readers.len()].redact(LINE);
        let took = due.elapsed();
        outcome?;
        if index >= ONSET {
            took_ns.push(nanos(took));
        }
    }
    Ok(())
}

/// Calls without a pause of a pool with one slot, so that each waits until the last instance is gone
/// and the next is made.
fn one_by_one(reader: &Reader, calls: usize) -> Result<Vec<f64>> {
    let mut took_ns = Vec::new();
    for _ in 0..calls {
        let (outcome, took) = time(|| reader.redact(LINE));
        outcome?;
        took_ns.push(nanos(took));
    }
    Ok(took_ns)
}
