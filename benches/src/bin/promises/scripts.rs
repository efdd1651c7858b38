//! What a caller of a script guest waits, whose instances are made and warmed up ahead.

use std::time::Duration;

use prewarm::{Component, PoolConfig};
use prewarm_benches::clock::{Jitter, now, rest, spin_until, time};
use prewarm_benches::logs::Reader;
use prewarm_benches::pools;
use prewarm_benches::sample::{nanos, percentile};
use wasmtime::Result;

use crate::Settings;
use crate::report::Figure;

/// A call that is short, so that its costs are seen.
const LINE: &str = "2026-05-09 10:20:30 status installed gzip:amd64 1.12-1";

/// How long between calls: about twice what it takes to make, warm up and drop an instance.
const PAUSE_US: (u64, u64) = (3_000, 5_000);

const CALLS: usize = 150;

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
    let ahead = reader(pools::fresh(INSTANCES))?;
    let (mut ahead_ns, mut warm_ns, mut alone_ns) = (Vec::new(), Vec::new(), Vec::new());
    // As many reused instances in turns as there are fresh ones: or the one would be in the
    // processor's caches, where no fresh one can be, and the caches would be measured.
    let warm: Result<Vec<_>> = (0..INSTANCES).map(|_| reader(pools::reused(1))).collect();
    let warm = warm?;
    // In two turns each, so that what slows the machine down for a while strikes both.
    for _ in 0..2 {
        at_half_load(&warm, &mut warm_ns)?;
        at_half_load(&warm[..1], &mut alone_ns)?;
        at_half_load(std::slice::from_ref(&ahead), &mut ahead_ns)?;
    }
    let mut inline_ns = inline(&component)?;
    let us = |values: &mut Vec<f64>, percent| percentile(values, percent) / 1000.0;
    let (warm50, ahead50) = (us(&mut warm_ns, 50.0), us(&mut ahead_ns, 50.0));
    let note = format!(
        "a call every 3 to 5 ms: fresh and warmed up {ahead50:.0} us, p99 {:.0}; one of {INSTANCES} reused \
         {warm50:.0} us, always the same {:.0} us; made for the caller {:.0} us",
        us(&mut ahead_ns, 99.0),
        us(&mut alone_ns, 50.0),
        us(&mut inline_ns, 50.0),
    );
    Ok(vec![Figure::new(ahead50 - warm50, note)])
}

fn at_half_load(readers: &[Reader], took_ns: &mut Vec<f64>) -> Result<()> {
    let mut jitter = Jitter::new(11);
    let mut next = now();
    for index in 0..ONSET + CALLS {
        next = now().max(next + jitter.micros(PAUSE_US.0, PAUSE_US.1));
        spin_until(next);
        let reader = &readers[index % readers.len()];
        let (outcome, took) = time(|| reader.redact(LINE));
        outcome?;
        if index >= ONSET {
            took_ns.push(nanos(took));
        }
    }
    Ok(())
}

/// Without any of it: one slot, so the caller drops the last instance and makes the next.
fn inline(component: &Component) -> Result<Vec<f64>> {
    let reader = Reader::new(component, pools::fresh(1))?;
    let mut took_ns = Vec::new();
    for _ in 0..CALLS {
        let (outcome, took) = time(|| reader.redact(LINE));
        outcome?;
        took_ns.push(nanos(took));
        rest(Duration::from_micros(PAUSE_US.0));
    }
    Ok(took_ns)
}
