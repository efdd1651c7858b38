//! The one look at the clock, and the processor time of this process.

use std::time::{Duration, Instant};

/// The present instant.
#[must_use]
#[inline]
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub fn now() -> Instant {
    Instant::now()
}

/// How long `run` takes.
pub fn time<R>(run: impl FnOnce() -> R) -> (R, Duration) {
    let began = now();
    let answer = run();
    (answer, began.elapsed())
}

/// Keeps the processor busy until `at`, as a caller that comes then and not a wake-up later.
pub fn spin_until(at: Instant) {
    while now() < at {
        std::hint::spin_loop();
    }
}

/// Waits until what was just written to a cache can be known without being read: an entry that is less
/// than two seconds old is read in full. The first load after that takes note of it.
pub fn let_cache_settle() {
    rest(Duration::from_millis(2100));
}

/// Gives the processor away for so long.
pub fn rest(duration: Duration) {
    let until = now() + duration;
    loop {
        let left = until.saturating_duration_since(now());
        if left.is_zero() {
            return;
        }
        std::thread::park_timeout(left);
    }
}

/// Processor time that all threads of this process have used, where the system tells it.
#[must_use]
pub fn cpu_time() -> Option<Duration> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        let seconds = u64::try_from(time.tv_sec).ok()?;
        let nanos = u64::try_from(time.tv_nsec).ok()?;
        Some(Duration::from_secs(seconds) + Duration::from_nanos(nanos))
    }
    #[cfg(not(unix))]
    None
}

/// Page faults of this thread that needed no disk, where the system tells it.
#[must_use]
pub fn page_faults() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
    // The thread's name, in parentheses, may hold anything; the count is the eighth field after it.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(7)?.parse().ok()
}

/// Time since 1970, to compare instants of two processes.
#[must_use]
pub fn since_1970() -> Duration {
    std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
}

/// Numbers that look random and are the same in each run.
#[derive(Debug)]
pub struct Jitter(u64);

impl Jitter {
    /// The same sequence for the same seed, which must not be 0.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A duration from `low` up to `high` microseconds.
    pub fn micros(&mut self, low: u64, high: u64) -> Duration {
        // xorshift64
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_nanos(low * 1000 + self.0 % ((high - low) * 1000))
    }
}
