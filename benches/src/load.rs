//! Load from outside. In an open loop calls come by a schedule, whether the last one is done or not,
//! and each is timed from the instant at which it was to come: so a stall counts for everybody it
//! held up. In a closed loop callers never rest, which gives rates and no latencies.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::clock::{now, rest, spin_until};
use crate::sample::count;

/// How long calls took, in nanoseconds, to three digits.
#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        let histogram = Histogram::new_with_max(3_600_000_000_000, 3);
        Self(histogram.expect("an hour in nanoseconds fits a histogram of three digits"))
    }
}

impl Latencies {
    /// Adds one call.
    pub fn record(&mut self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanos.max(1));
    }

    /// How many calls these are.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.0.len()
    }

    /// Nanoseconds that `percent` of the calls did not exceed; 100 is the longest call.
    #[must_use]
    pub fn at(&self, percent: f64) -> f64 {
        if percent >= 100.0 {
            return count(self.0.max());
        }
        count(self.0.value_at_percentile(percent))
    }

    /// The percentiles that so many calls can tell apart, with their nanoseconds: closer to each
    /// other the closer to the longest call.
    #[must_use]
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let mut points = Vec::new();
        // Steps of a sixteenth of a tenfold: 1 - 10^(-k/16).
        let mut beyond = 1.0_f64;
        while beyond * count(self.calls()) >= 1.0 {
            let percent = (1.0 - beyond) * 100.0;
            points.push((percent, self.at(percent)));
            beyond *= 10.0_f64.powf(-1.0 / 16.0);
        }
        points
    }
}

/// Instants at which calls come, counted from the first: as far apart as independent callers are,
/// `gap` on the average. The same for the same seed, which must not be 0.
pub fn independent(gap: Duration, seed: u64) -> impl Iterator<Item = Duration> {
    let mut random = seed;
    let mut at = Duration::ZERO;
    std::iter::from_fn(move || {
        let this = at;
        // xorshift64
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let share = (count(random >> 11) + 1.0) / count(1 << 53);
        at += gap.mul_f64(-share.min(1.0).ln());
        Some(this)
    })
}

/// Instants at which calls come, counted from the first: each `gap` after the one before.
pub fn regular(gap: Duration) -> impl Iterator<Item = Duration> {
    (0..).map(move |index: u32| gap * index)
}

/// How long before a call its caller stops sleeping: longer than a wake-up takes.
const SHARP: Duration = Duration::from_micros(200);

/// Makes a call at each instant of the schedule, or as soon after it as the one before is done.
/// Gives the schedule back with the time from each instant to the end of its call.
///
/// # Errors
///
/// That of the first call that fails.
pub fn open_loop(
    schedule: impl Iterator<Item = Duration>,
    mut call: impl FnMut() -> Result<()>,
) -> Result<Vec<(Duration, Duration)>> {
    let mut calls = Vec::with_capacity(schedule.size_hint().0);
    let began = now();
    for at in schedule {
        let due = began + at;
        let ahead = due.saturating_duration_since(now());
        if ahead > 2 * SHARP {
            rest(ahead - SHARP);
        }
        spin_until(due);
        call()?;
        calls.push((at, due.elapsed()));
    }
    Ok(calls)
}

/// The latencies of such a loop, without its first calls, which only bring the load about.
///
/// # Errors
///
/// That of the first call that fails.
pub fn latencies(
    schedule: impl Iterator<Item = Duration>,
    calls: usize,
    call: impl FnMut() -> Result<()>,
) -> Result<Latencies> {
    let onset = calls / 10;
    let mut latencies = Latencies::default();
    let timed = open_loop(schedule.take(onset + calls), call)?;
    for (_, took) in timed.into_iter().skip(onset) {
        latencies.record(took);
    }
    Ok(latencies)
}

/// One caller: makes so many calls, one after the other.
pub type Caller<'a> = Box<dyn FnMut(u64) -> Result<()> + 'a>;

/// Sets a caller up, on its own thread and before anything is timed.
pub type Callers<'a, 'c> = &'a (dyn Fn() -> Result<Caller<'c>> + Sync + 'a);

/// Calls a second that `callers` threads reach together which never rest, for about `duration`.
/// All that they did is divided by the time that passed for all: with more threads than processors
/// most of them stand still at any instant.
///
/// # Errors
///
/// That of the first call that fails.
pub fn rate(callers: usize, duration: Duration, caller: Callers<'_, '_>) -> Result<f64> {
    let (barrier, over) = (Barrier::new(callers + 1), AtomicBool::new(false));
    let one = || -> Result<_> {
        let run = caller();
        // Also where there is none, lest the others wait for ever.
        barrier.wait();
        let mut run = run?;
        let began = now();
        let mut calls = 0;
        while !over.load(Ordering::Relaxed) {
            run(1)?;
            calls += 1;
        }
        Ok((began, calls))
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers).map(|_| scope.spawn(one)).collect();
        barrier.wait();
        rest(duration);
        over.store(true, Ordering::Relaxed);
        let ended = now();
        // This thread may have come to its turn long after the first caller.
        let (mut first, mut all) = (ended, 0);
        for thread in threads {
            let (began, calls) = thread.join().ok().context("a caller panicked")??;
            (first, all) = (first.min(began), all + calls);
        }
        Ok(count(all) / (ended - first).as_secs_f64())
    })
}

/// How long `callers` threads need for about so many calls together. Each makes at least one.
///
/// # Errors
///
/// That of the first call that fails.
pub fn together(callers: usize, calls: u64, caller: Callers<'_, '_>) -> Result<Duration> {
    let share = calls.div_ceil(callers.max(1) as u64);
    let barrier = Barrier::new(callers);
    let one = || -> Result<_> {
        let run = caller();
        barrier.wait();
        let mut run = run?;
        let began = now();
        run(share)?;
        Ok((began, now()))
    };
    let all = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..callers).map(|_| scope.spawn(one)).collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended
            .map(|outcome| outcome.ok().context("a caller panicked")?)
            .collect::<Result<Vec<_>>>()
    })?;
    let began = all.iter().map(|(began, _)| *began).min();
    let ended = all.iter().map(|(_, ended)| *ended).max();
    let took = began
        .zip(ended)
        .map_or(Duration::ZERO, |(began, ended)| ended - began);
    // In proportion, where the calls do not divide evenly.
    Ok(took.mul_f64(count(calls) / count(share * callers.max(1) as u64)))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn a_stall_counts_for_everybody_it_held_up() {
        let gap = Duration::from_micros(100);
        let mut calls = 0;
        let timed = open_loop(regular(gap).take(20), || {
            calls += 1;
            if calls == 1 {
                rest(gap * 30);
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(timed.len(), 20);
        // The call due last came while the first was still stalled, 11 gaps before its end.
        assert_eq!(timed[19].0, gap * 19);
        assert!(timed[19].1 >= gap * 11);
        assert!(timed.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn independent_callers_keep_the_gap_on_the_average() {
        let gap = Duration::from_micros(50);
        let last = independent(gap, 7).nth(20_000).unwrap();
        let mean = last.as_secs_f64() / 20_000.0;
        assert!((0.97..1.03).contains(&(mean / gap.as_secs_f64())), "{mean}");
        assert!(independent(gap, 7).take(9).eq(independent(gap, 7).take(9)));
    }

    #[test]
    fn percentiles_come_from_what_was_recorded() {
        let mut latencies = Latencies::default();
        for micros in 1..=1000 {
            latencies.record(Duration::from_micros(micros));
        }
        assert_eq!(latencies.calls(), 1000);
        let close = |value: f64, wanted: f64| (value / wanted - 1.0).abs() < 0.002;
        assert!(close(latencies.at(50.0), 500e3));
        assert!(close(latencies.at(99.0), 990e3));
        assert!(close(latencies.at(100.0), 1000e3));
        let curve = latencies.curve();
        assert_eq!(curve[0].0, 0.0);
        assert!(curve.last().unwrap().0 > 99.8);
        assert!(curve.windows(2).all(|pair| pair[0].1 <= pair[1].1));
    }

    #[test]
    fn callers_share_the_calls() {
        let calls = AtomicU64::new(0);
        let caller = || -> Result<Caller<'_>> {
            Ok(Box::new(|share| {
                calls.fetch_add(share, Ordering::Relaxed);
                Ok(())
            }))
        };
        together(3, 10, &caller).unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 12);
        assert!(rate(2, Duration::from_millis(1), &caller).unwrap() > 0.0);
    }

    #[test]
    fn a_caller_that_cannot_begin_is_an_error() {
        let tries = AtomicU64::new(0);
        let caller = || -> Result<Caller<'_>> {
            wasmtime::ensure!(tries.fetch_add(1, Ordering::Relaxed) != 0, "no room");
            Ok(Box::new(|_| Ok(())))
        };
        assert!(together(2, 2, &caller).is_err());
    }
}
