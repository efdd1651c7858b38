//! What two callers on two cores get.

use std::hint::black_box;
use std::sync::Barrier;
use std::time::Duration;

use prewarm_benches::bare::{self, Bare};
use prewarm_benches::clock::now;
use prewarm_benches::sample::{count, percentile};
use prewarm_benches::{loops, pools};
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::Settings;
use crate::report::Figure;

const ROUNDS: usize = 80;
const BATCH: Duration = Duration::from_millis(15);

/// How many times as fast as one thread two must be for a second processor to count as free. More
/// than twice means that a neighbour held the one up.
const FREE: std::ops::RangeInclusive<f64> = 1.7..=2.2;

/// Calls a second that `callers` threads reach together.
fn rate(callers: usize, run: &(dyn Fn(u64) -> Result<()> + Sync)) -> Result<f64> {
    let barrier = Barrier::new(callers);
    let one = || -> Result<f64> {
        barrier.wait();
        let began = now();
        let mut calls = 0;
        loop {
            run(16)?;
            calls += 16;
            let passed = began.elapsed();
            if passed >= BATCH {
                return Ok(count(calls) / passed.as_secs_f64());
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers).map(|_| scope.spawn(one)).collect();
        let mut rates = 0.0;
        for thread in threads {
            rates += thread.join().ok().context("a caller panicked")??;
        }
        Ok(rates)
    })
}

/// Runs `round` while a second processor is free, which an empty loop on two threads tells, and
/// gives what it measured beside how the empty loop scaled. A neighbour's work makes the rest void.
fn with_two_cores<const N: usize>(
    mut round: impl FnMut(f64) -> Result<[f64; N]>,
) -> Result<Option<[f64; N]>> {
    let mut columns = [(); N].map(|()| Vec::new());
    for _ in 0..ROUNDS {
        let alone = rate(1, &compute)?;
        let scaling = rate(2, &compute)? / alone;
        if !FREE.contains(&scaling) {
            continue;
        }
        let figures = round(scaling)?;
        if FREE.contains(&(rate(2, &compute)? / alone)) {
            let columns = columns.iter_mut().zip(figures);
            columns.for_each(|(column, figure)| column.push(figure));
        }
    }
    let enough = columns.iter().all(|column| column.len() >= ROUNDS / 8);
    Ok(enough.then(|| columns.map(|mut column| percentile(&mut column, 50.0))))
}

fn crowded() -> Figure {
    Figure::missing(
        "no second processor was free: an empty loop on two threads was not twice as fast as on one",
    )
}

pub(crate) fn fresh(_: &Settings) -> Result<Vec<Figure>> {
    let component = pools::tools(&pools::host(None)?)?;
    let pool = pools::direct(&component, pools::fresh(32))?;
    let tuned = Bare::new(bare::lane()?)?;
    let default = Bare::new(bare::default_pooling()?)?;
    let measured = with_two_cores(|_| {
        let one = rate(1, &|calls| loops::pool(&pool, calls))?;
        let two = rate(2, &|calls| loops::pool(&pool, calls))?;
        let one_tuned = rate(1, &|calls| loops::fresh(&tuned, calls))?;
        let two_tuned = rate(2, &|calls| loops::fresh(&tuned, calls))?;
        let two_default = rate(2, &|calls| loops::fresh(&default, calls))?;
        Ok([
            two / two_default,
            (two / one) / (two_tuned / one_tuned),
            two / one,
            two_tuned / one_tuned,
            two / 1000.0,
            two_default / 1000.0,
            two_tuned / 1000.0,
        ])
    })?;
    let Some([ratio, scales, scaling, tuned_scaling, pool, default, tuned]) = measured else {
        return Ok(vec![crowded(), crowded()]);
    };
    let note = format!(
        "thousands a second from two callers: pool {pool:.0}, default pooling {default:.0}, \
         tuned bare loop {tuned:.0}"
    );
    let of_one = format!("of one caller: pool {scaling:.2}x, tuned bare loop {tuned_scaling:.2}x");
    Ok(vec![Figure::new(ratio, note), Figure::new(scales, of_one)])
}

pub(crate) fn warm(_: &Settings) -> Result<Vec<Figure>> {
    let component = pools::tools(&pools::host(None)?)?;
    let pool = pools::direct(&component, pools::reused(4))?;
    let measured = with_two_cores(|compute_scaling| {
        let one = rate(1, &|calls| loops::pool(&pool, calls))?;
        let two = rate(2, &|calls| loops::pool(&pool, calls))?;
        Ok([two / one / compute_scaling, two / one, compute_scaling])
    })?;
    let Some([ratio, scaling, compute_scaling]) = measured else {
        return Ok(vec![crowded()]);
    };
    let note =
        format!("of one caller: pool {scaling:.2}x, an empty compute loop {compute_scaling:.2}x");
    Ok(vec![Figure::new(ratio, note)])
}

/// A loop that shares nothing, of about as long a step as a call.
fn compute(calls: u64) -> Result<()> {
    for call in 0..calls * 400 {
        black_box(call);
    }
    Ok(())
}
