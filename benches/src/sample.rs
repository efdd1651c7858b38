//! How loops are compared fairly on a noisy machine: in turns, and by the median of each round's
//! ratio, so that what slows a whole round down cancels out.

use std::time::Duration;

use wasmtime::Result;

use crate::clock::time;

/// A loop that does so many calls.
pub type Loop<'a> = &'a mut dyn FnMut(u64) -> Result<()>;

/// Nanoseconds a call, of each loop in each round.
#[derive(Debug)]
pub struct Rounds(Vec<Vec<f64>>);

/// Runs the loops in turns, each for about `batch` at a time.
///
/// # Errors
///
/// That of the first loop that fails.
pub fn in_turns(loops: &mut [Loop<'_>], rounds: usize, batch: Duration) -> Result<Rounds> {
    let mut calls = Vec::new();
    for run in &mut *loops {
        calls.push(calibrate(run, batch)?);
    }
    let mut all = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let mut round = Vec::with_capacity(loops.len());
        for (run, calls) in loops.iter_mut().zip(&calls) {
            let (outcome, took) = time(|| run(*calls));
            outcome?;
            round.push(nanos(took) / count(*calls));
        }
        all.push(round);
    }
    Ok(Rounds(all))
}

/// How many calls fill `batch`.
fn calibrate(run: &mut Loop<'_>, batch: Duration) -> Result<u64> {
    let mut calls = 16;
    loop {
        let (outcome, took) = time(|| run(calls));
        outcome?;
        if took * 4 >= batch {
            let per_call = nanos(took) / count(calls);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a positive number of calls far below 2^53"
            )]
            return Ok((nanos(batch) / per_call).max(16.0) as u64);
        }
        calls *= 2;
    }
}

impl Rounds {
    /// The median over the rounds of what `figure` makes of the loops' nanoseconds a call.
    pub fn median(&self, figure: impl Fn(&[f64]) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.0.iter().map(|round| figure(round)).collect();
        percentile(&mut figures, 50.0)
    }
}

/// The value that `percent` of `values` do not exceed. Sorts them.
pub fn percentile(values: &mut [f64], percent: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index within the slice"
    )]
    let at = (last as f64 * percent / 100.0).round() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// A duration in nanoseconds.
#[must_use]
pub fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

/// A count, to calculate with.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
pub fn count(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let mut values = [3.0, 1.0, 2.0, 5.0, 4.0];
        assert_eq!(percentile(&mut values, 50.0), 3.0);
        assert_eq!(percentile(&mut values, 100.0), 5.0);
        assert!(percentile(&mut [], 50.0).is_nan());
    }

    #[test]
    fn loops_run_in_turns() {
        let (mut first, mut second) = (0, 0);
        let rounds = in_turns(
            &mut [
                &mut |calls| {
                    first += calls;
                    Ok(())
                },
                &mut |calls| {
                    second += calls;
                    Ok(())
                },
            ],
            3,
            Duration::from_nanos(1),
        )
        .unwrap();
        assert!(first > 0 && second > 0);
        assert!(rounds.median(|round| round[0]) >= 0.0);
    }
}
