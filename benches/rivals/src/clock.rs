//! The one look at the clock.

use std::time::{Duration, Instant};

/// The present instant.
#[inline]
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Keeps the processor busy until `at`, as a caller that comes then and not a wake-up later.
pub fn spin_until(at: Instant) {
    while now() < at {
        std::hint::spin_loop();
    }
}

/// What one look at the clock costs: it is in every latency, once.
pub fn cost() -> Duration {
    const LOOKS: u32 = 100_000;
    let began = now();
    for _ in 0..LOOKS {
        std::hint::black_box(now());
    }
    began.elapsed() / LOOKS
}

/// Numbers that look random and are the same in each run.
pub struct Jitter(u64);

impl Jitter {
    /// The same sequence for the same seed, which must not be 0.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// From `low` up to `high`.
    pub fn between(&mut self, low: Duration, high: Duration) -> Duration {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let span = u64::try_from((high - low).as_nanos()).unwrap_or(u64::MAX);
        low + Duration::from_nanos(self.0 % span.max(1))
    }
}
