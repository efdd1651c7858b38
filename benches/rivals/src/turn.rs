//! One rival's turn: calls until its time is over, each timed or all counted.

use std::hint::black_box;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::clock::{Jitter, now, spin_until};
use crate::job::Answer;

/// Calls that a turn has at least, of rivals that take long.
const LEAST: u64 = 5;

/// What a turn found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Nanoseconds of each call. Empty where calls were only counted.
    pub took: Histogram<u64>,
    /// Calls a second.
    pub rate: f64,
}

/// When the next call comes.
enum Pace {
    /// At once.
    Busy,
    /// After a pause from this long to that long, counted from when the last call came.
    Paced(Jitter, Duration, Duration),
}

/// Tells a loop when to call and when to end.
pub struct Turn {
    pace: Pace,
    /// Calls between two looks at the clock, where they are only counted.
    stride: Option<u64>,
    length: Duration,
    took: Histogram<u64>,
    calls: u64,
    began: Instant,
    came: Instant,
    ended: Instant,
}

impl Turn {
    fn new(pace: Pace, stride: Option<u64>, length: Duration) -> Self {
        let now = now();
        // Up to a minute. One that grows by itself would cut off what it has not grown to.
        let took = Histogram::new_with_bounds(1, 60_000_000_000, 3);
        let took = took.expect("the bounds are valid");
        Self {
            pace,
            stride,
            length,
            took,
            calls: 0,
            began: now,
            came: now,
            ended: now,
        }
    }

    /// Calls without a pause, each timed.
    pub fn timed(length: Duration) -> Self {
        Self::new(Pace::Busy, None, length)
    }

    /// Calls with pauses at random from three to seven times `cost`, each timed.
    pub fn paced(length: Duration, cost: Duration) -> Self {
        Self::new(
            Pace::Paced(Jitter::new(7), cost * 3, cost * 7),
            None,
            length,
        )
    }

    /// Calls without a pause, counted.
    pub fn counted(length: Duration, cost: Duration) -> Self {
        // A look at the clock every 50 us costs nothing that is seen.
        let stride = 50_000 / cost.as_nanos().max(1) + 1;
        let stride = u64::try_from(stride).unwrap_or(1);
        Self::new(Pace::Busy, Some(stride), length)
    }

    /// Whether there is to be one more call, which is when it comes.
    #[inline]
    pub fn begin(&mut self) -> bool {
        if let Some(stride) = self.stride {
            if !self.calls.is_multiple_of(stride) {
                return true;
            }
            self.ended = now();
        }
        if self.ended - self.began >= self.length && self.calls >= LEAST {
            return false;
        }
        if let Pace::Paced(jitter, low, high) = &mut self.pace {
            spin_until(self.came + jitter.between(*low, *high));
        }
        if self.stride.is_none() {
            self.came = now();
        }
        true
    }

    /// One more call has ended.
    #[inline]
    pub fn end(&mut self, answer: Answer) {
        black_box(answer);
        self.calls += 1;
        if self.stride.is_none() {
            self.ended = now();
            let took = (self.ended - self.came).as_nanos();
            self.took
                .saturating_record(u64::try_from(took).unwrap_or(u64::MAX));
        }
    }

    /// What was found.
    pub fn found(self) -> Found {
        let passed = (self.ended - self.began).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^53")]
        let calls = self.calls as f64;
        Found {
            took: self.took,
            rate: calls / passed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mut turn: Turn) -> (u64, Found) {
        let mut calls = 0;
        while turn.begin() {
            calls += 1;
            turn.end(Answer::default());
        }
        (calls, turn.found())
    }

    #[test]
    fn every_call_is_timed() {
        for turn in [
            Turn::timed(Duration::from_micros(100)),
            Turn::paced(Duration::ZERO, Duration::from_micros(1)),
        ] {
            let (calls, found) = run(turn);
            assert!(calls >= LEAST);
            assert_eq!(found.took.len(), calls);
        }
    }

    #[test]
    fn counted_calls_end_with_a_stride() {
        let turn = Turn::counted(Duration::from_micros(100), Duration::from_micros(10));
        let (calls, found) = run(turn);
        assert_eq!(calls % 6, 0);
        assert!(found.took.is_empty() && found.rate > 0.0);
    }

    #[test]
    fn long_calls_are_not_cut_off() {
        let mut turn = Turn::timed(Duration::ZERO);
        while turn.begin() {
            spin_until(now() + Duration::from_millis(1));
            turn.end(Answer::default());
        }
        assert!(turn.found().took.min() >= 999_000);
    }
}
