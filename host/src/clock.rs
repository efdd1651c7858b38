//! Where time comes from: the system, or a clock that a test moves by hand.
//!
//! Nothing else in the crate asks the system for the time; everything above takes an [`Instant`], or a
//! [`Due`] where a call passes it on.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::sync::{AtomicU64, Mutex, Ordering};

/// When a call must have ended: nanoseconds from a host's start. One word: an [`Instant`] is stored as two
/// fields and loaded as one, and a load right after waits for both stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due(u64);

impl Due {
    /// It need not end.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// So many nanoseconds after the start.
    #[inline]
    pub(crate) fn after(ns: u64) -> Self {
        Self(ns)
    }

    /// The same as an instant, counted from `start`.
    pub(crate) fn instant(self, start: Instant) -> Option<Instant> {
        (self != Self::NEVER).then(|| start + Duration::from_nanos(self.0))
    }
}

/// A source of [`Instant`]s. Cheap to clone; clones of a manual clock share its time.
///
/// ```
/// use std::time::Duration;
///
/// let clock = prewarm::Clock::manual();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now() - before, Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Manual>>);

struct Manual {
    start: Instant,
    passed_ns: AtomicU64,
    moved: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

impl fmt::Debug for Manual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manual")
            .field("passed_ns", &self.passed_ns)
            .finish_non_exhaustive()
    }
}

impl Clock {
    /// The system's monotonic clock. The default.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until [`Clock::advance`] moves it: for tests of idle times and ages.
    #[must_use]
    pub fn manual() -> Self {
        Self(Some(Arc::new(Manual {
            start: system_now(),
            passed_ns: AtomicU64::new(0),
            moved: Mutex::default(),
        })))
    }

    /// The present instant.
    #[must_use]
    #[inline]
    pub fn now(&self) -> Instant {
        match &self.0 {
            None => system_now(),
            Some(manual) => {
                manual.start + Duration::from_nanos(manual.passed_ns.load(Ordering::Acquire))
            }
        }
    }

    /// Moves a manual clock forward. A system clock ignores it.
    pub fn advance(&self, by: Duration) {
        if let Some(manual) = &self.0 {
            let ns = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
            manual.passed_ns.fetch_add(ns, Ordering::AcqRel);
            manual.moved.lock().iter().for_each(|moved| moved());
        }
    }

    pub(crate) fn is_manual(&self) -> bool {
        self.0.is_some()
    }

    /// Calls `moved` whenever a manual clock is moved.
    pub(crate) fn on_advance(&self, moved: impl Fn() + Send + Sync + 'static) {
        if let Some(manual) = &self.0 {
            manual.moved.lock().push(Box::new(moved));
        }
    }
}

#[inline]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system"
)]
fn system_now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_is_that_long_after_the_start_or_never() {
        let start = system_now();
        for ns in [0, 1, 1_500_000_000] {
            let at = start + Duration::from_nanos(ns);
            assert_eq!(Due::after(ns).instant(start), Some(at));
        }
        assert_eq!(Due::after(u64::MAX), Due::NEVER);
        assert_eq!(Due::NEVER.instant(start), None);
    }
}
