//! The counters of one instance that more than its own thread touches: output written, and the wish
//! to stop.
//!
//! Knows atomics only. The output streams of an instance and its WASI hold clones of one [`Meter`].

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::limits::{LimitHit, Limited};

/// Shared by an instance's state, its output streams and whoever may cancel its call.
#[derive(Debug)]
pub(crate) struct Meter {
    cancelled: AtomicBool,
    output_asked: AtomicU64,
    output_limit: u64,
}

impl Meter {
    pub(crate) fn new(output_limit: u64) -> Self {
        Self {
            cancelled: AtomicBool::new(false),
            output_asked: AtomicU64::new(0),
            output_limit,
        }
    }

    /// Sets everything back for the next call.
    pub(crate) fn reset(&self) {
        self.cancelled.store(false, Ordering::Relaxed);
        self.output_asked.store(0, Ordering::Relaxed);
    }

    /// Asks the guest to stop at its next tick.
    pub(crate) fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Takes `wanted` bytes of the output budget and answers how many of them are granted.
    pub(crate) fn take_output(&self, wanted: usize) -> usize {
        let before = self
            .output_asked
            .fetch_add(wanted as u64, Ordering::Relaxed);
        let room = self.output_limit.saturating_sub(before);
        usize::try_from(room).map_or(wanted, |room| wanted.min(room))
    }

    /// Bytes written in this call.
    pub(crate) fn output_bytes(&self) -> u64 {
        self.output_asked
            .load(Ordering::Relaxed)
            .min(self.output_limit)
    }

    /// The output limit, if this call ran into it.
    pub(crate) fn output_hit(&self) -> Option<LimitHit> {
        let asked = self.output_asked.load(Ordering::Relaxed);
        (asked > self.output_limit)
            .then(|| LimitHit::new(Limited::Output, self.output_limit, Some(asked)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_cut_where_it_ends() {
        let meter = Meter::new(10);
        assert_eq!((meter.take_output(10), meter.output_hit()), (10, None));
        assert_eq!(meter.take_output(5), 0);
        assert_eq!(
            meter.output_hit(),
            Some(LimitHit::new(Limited::Output, 10, Some(15)))
        );
        assert_eq!(meter.output_bytes(), 10);
        meter.reset();
        assert_eq!((meter.take_output(12), meter.output_bytes()), (10, 10));
    }
}
