//! What the pool does next, as pure functions of counts, measured costs and the time.
//!
//! Knows no lock, no clock, no instance: `slots` applies these decisions.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// How a pool stands, with its fixed bounds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) max_instances: usize,
    pub(crate) min_warm: usize,
    pub(crate) max_queue: usize,
    /// Whether an instance serves one call only.
    pub(crate) fresh: bool,
    pub(crate) idle_ttl: Duration,
    pub(crate) idle: usize,
    pub(crate) leased: usize,
    pub(crate) starting: usize,
    /// Retired, and waiting for somebody to drop them.
    pub(crate) dying: usize,
    /// Being dropped just now.
    pub(crate) dropping: usize,
    pub(crate) waiting: usize,
    pub(crate) closed: bool,
}

impl Counts {
    #[inline]
    pub(crate) fn used(&self) -> usize {
        self.idle + self.leased + self.starting + self.dying + self.dropping
    }

    #[inline]
    fn free(&self) -> usize {
        self.max_instances - self.used()
    }
}

/// What a caller who arrives gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    TakeIdle,
    Start,
    /// Every slot is used, one of them by an instance that only waits to be dropped.
    DropThenStart,
    Wait,
    Busy,
    Closed,
}

#[inline]
pub(crate) fn arrival(counts: &Counts) -> Arrival {
    if counts.closed {
        Arrival::Closed
    } else if counts.waiting == 0 && counts.idle > 0 {
        Arrival::TakeIdle
    } else if counts.waiting == 0 && counts.free() > 0 {
        Arrival::Start
    } else if counts.waiting == 0 && counts.dying > 0 {
        Arrival::DropThenStart
    } else if counts.waiting < counts.max_queue {
        Arrival::Wait
    } else {
        Arrival::Busy
    }
}

/// What becomes of an instance whose lease ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Return {
    ToWaiter,
    ToIdle,
    /// Whoever gives it back drops it, and only then is the slot free.
    DropNow,
    /// Refill drops it.
    DropLater,
}

#[inline]
pub(crate) fn giving_back(counts: &Counts, keep: bool, refill_pays: bool) -> Return {
    if keep && !counts.closed {
        if counts.waiting > 0 {
            Return::ToWaiter
        } else {
            Return::ToIdle
        }
    } else if !counts.closed
        && counts.waiting == 0
        && refill_pays
        && 2 * counts.dying < counts.max_instances
    {
        Return::DropLater
    } else {
        Return::DropNow
    }
}

/// How many instances should stand ready.
///
/// With reuse, [`Counts::min_warm`]. With a fresh instance per call, as many more as callers take
/// while refill wakes and makes the next ones, so that at a steady load each finds one ready. No
/// more of them when nobody called for [`Counts::idle_ttl`].
#[inline]
pub(crate) fn goal(counts: &Counts, load: &Load, now: Instant) -> usize {
    if counts.closed || !load.refill_pays(now) {
        return 0;
    }
    let ahead = if counts.fresh && !load.stays_away(now, counts.idle_ttl) {
        load.taken_while_refilling()
    } else {
        0
    };
    let cap = counts.max_instances - counts.max_instances / 4;
    ahead
        .min(cap)
        .max(counts.min_warm)
        .min(counts.max_instances)
}

/// Whether refill should be woken. Not for each instance: its thread would wake up for each call.
#[inline]
pub(crate) fn wake_refill(counts: &Counts, goal: usize) -> bool {
    2 * counts.dying >= goal.max(1) || make_first(counts, goal)
}

/// Whether refill, which has nothing to do now and comes back after its [`nap`], should be woken.
#[inline]
pub(crate) fn wake_early(counts: &Counts, goal: usize) -> bool {
    (counts.dying > 0 && counts.free() == 0)
        || (counts.idle + counts.starting == 0 && may_refill(counts, goal))
}

/// The shortest nap that a timer keeps, and the longest after which nobody minds to be woken.
const NAP_NS: RangeInclusive<u64> = 50_000..=10_000_000;

/// How long refill may leave a pool alone that callers take fresh instances from: half as long as
/// those that stand ready last. `None` where it had better wait to be told.
pub(crate) fn nap(counts: &Counts, load: &Load) -> Option<Duration> {
    let idle = u64::try_from(counts.idle).unwrap_or(u64::MAX);
    let nap = idle.saturating_mul(load.interval_ns) / 2;
    (counts.fresh && !counts.closed && NAP_NS.contains(&nap)).then(|| Duration::from_nanos(nap))
}

/// Whether refill should do that before it drops what is dying.
#[inline]
pub(crate) fn make_first(counts: &Counts, goal: usize) -> bool {
    2 * (counts.idle + counts.starting) <= goal && may_refill(counts, goal)
}

/// Whether refill should make one more instance now.
#[inline]
pub(crate) fn may_refill(counts: &Counts, goal: usize) -> bool {
    counts.waiting == 0 && counts.free() > 0 && counts.idle + counts.starting < goal
}

/// When an instance was made, and since when it stands idle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Age {
    pub(crate) born: Instant,
    pub(crate) since: Instant,
}

/// How fast callers come and what an instance costs, as moving averages in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    last_arrival: Option<Instant>,
    interval_ns: u64,
    start_ns: u64,
    drop_ns: u64,
}

/// From waking the refill thread to its first instruction, on a machine that is not idle.
const WAKE_NS: u64 = 100_000;

/// What taking an instance from another thread costs, its memory being in the other processor's cache.
/// Chosen so that a caller of a tiny guest every 15 µs, who waits 8 µs for one of refill's and 4 for its
/// own (`cargo xtask bench --report --only latency`), makes its own, and one every 35 µs does not on
/// a slow machine either, where an instance costs 20 (`cargo xtask promises fresh-half`).
const HAND_OVER_NS: u64 = 11_000;

/// An instance that takes longer to make and drop is dear: beside that, handing it over is nothing.
const DEAR_NS: u64 = 400_000;

/// Longest gap that counts as a gap between calls; a longer one is a pause.
const PAUSE_NS: u64 = 100_000_000;

impl Load {
    #[inline]
    pub(crate) fn arrived(&mut self, now: Instant) {
        if let Some(last) = self.last_arrival {
            let gap = nanos_between(last, now).min(PAUSE_NS);
            average(&mut self.interval_ns, gap);
        }
        self.last_arrival = Some(now);
    }

    pub(crate) fn last_arrival(&self) -> Option<Instant> {
        self.last_arrival
    }

    #[inline]
    pub(crate) fn started(&mut self, cost: Duration) {
        average_cost(&mut self.start_ns, nanos(cost));
    }

    #[inline]
    pub(crate) fn dropped(&mut self, cost: Duration) {
        average_cost(&mut self.drop_ns, nanos(cost));
    }

    /// Whether handing an instance over to refill saves the caller more than it costs.
    ///
    /// It always does where an instance is dear: as far as refill falls behind, callers make and drop
    /// their own, which is the same work. Else not when making and dropping instances takes one thread
    /// more than eight ninths of the time: callers would pay for the hand-over on top of making their
    /// own. Nor when an instance is so cheap, and callers come so fast, that the hand-over alone is
    /// dearer.
    #[inline]
    pub(crate) fn refill_pays(&self, now: Instant) -> bool {
        let cost = self.start_ns + self.drop_ns;
        if cost >= DEAR_NS {
            return true;
        }
        let quiet = |last| nanos_between(last, now) > 16 * cost;
        self.interval_ns == 0
            || 8 * self.interval_ns >= 9 * cost + 8 * HAND_OVER_NS
            || self.last_arrival.is_none_or(quiet)
    }

    #[inline]
    fn stays_away(&self, now: Instant, idle_ttl: Duration) -> bool {
        self.last_arrival
            .is_none_or(|last| nanos_between(last, now) >= nanos(idle_ttl))
    }

    #[inline]
    fn taken_while_refilling(&self) -> usize {
        if self.last_arrival.is_none() {
            return 0;
        }
        let window = 3 * (WAKE_NS + self.start_ns + self.drop_ns);
        let taken = window.div_ceil(self.interval_ns.max(1));
        usize::try_from(taken)
            .unwrap_or(usize::MAX)
            .saturating_add(1)
    }
}

/// What a component's instances cost because of how their slot was reset: page faults of a start
/// and a call, and how large their memories are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dirt {
    pub(crate) faults: u64,
    pub(crate) bytes: u64,
}

/// A page fault, and a MiB rewritten from a memory image, on a two-core x86-64 machine.
const FAULT_NS: u64 = 2_500;
const REWRITE_MIB_NS: u64 = 48_000;

/// Largest memory that is rewritten whole.
const WHOLE_BYTES: u64 = 16 << 20;

/// Whether to try rewriting all of the memory: where the faults cost clearly more than that would.
pub(crate) fn try_whole(dirt: Dirt) -> bool {
    let faults = dirt.faults.saturating_mul(FAULT_NS);
    dirt.bytes <= WHOLE_BYTES && 2 * faults > 3 * rewrite_ns(dirt)
}

/// Whether the trial brought more than it cost.
pub(crate) fn whole_pays(before: Dirt, now: Dirt) -> bool {
    let saved = before
        .faults
        .saturating_sub(now.faults)
        .saturating_mul(FAULT_NS);
    saved > rewrite_ns(now)
}

fn rewrite_ns(dirt: Dirt) -> u64 {
    dirt.bytes.saturating_mul(REWRITE_MIB_NS) >> 20
}

/// A moving average that a single sample, such as a pause between calls, raises by an eighth at
/// most.
#[inline]
fn average(value: &mut u64, sample: u64) {
    *value = if *value == 0 {
        sample
    } else {
        *value - *value / 8 + sample.min(2 * *value) / 8
    };
}

/// The same of a cost, which is often measured too high, because the thread was preempted or the
/// code was new, and never too low: it falls faster than it rises.
#[inline]
fn average_cost(value: &mut u64, sample: u64) {
    if sample < *value / 2 {
        *value = value.midpoint(sample);
    } else {
        average(value, sample);
    }
}

/// How long to wait before something is tried again that failed, and failed before so often in a row.
pub(crate) fn retry_after(failures: u32) -> Duration {
    Duration::from_millis(100) * 2u32.pow(failures.min(6))
}

/// Nanoseconds from `earlier` to `later`. Often they are the same, and to subtract takes longer than to
/// look.
#[inline]
pub(crate) fn nanos_between(earlier: Instant, later: Instant) -> u64 {
    match later > earlier {
        true => nanos(later.saturating_duration_since(earlier)),
        false => 0,
    }
}

#[inline]
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(interval_us: u64, cost_us: u64) -> (Load, Instant) {
        let mut load = Load::default();
        let mut now = crate::clock::Clock::system().now();
        load.started(Duration::from_micros(cost_us));
        for _ in 0..100 {
            now += Duration::from_micros(interval_us);
            load.arrived(now);
        }
        (load, now)
    }

    #[test]
    fn refill_pays_at_half_load_and_not_when_saturated() {
        for (interval, cost, pays) in [
            (22, 8, true),
            (15, 4, false),
            (50, 8, true),
            (7, 6, false),
            (4, 6, false),
            (2000, 1000, true),
            (35, 20, true),
            (35, 22, false),
            (450, 350, true),
            (450, 395, false),
            (450, 450, true),
        ] {
            let (load, now) = load(interval, cost);
            assert_eq!(
                load.refill_pays(now),
                pays,
                "a call every {interval} µs, {cost} µs to start"
            );
        }
    }

    #[test]
    fn one_slow_start_changes_nothing_and_a_slow_first_one_little() {
        let (mut load, now) = load(30, 8);
        load.started(Duration::from_millis(10));
        assert!(load.refill_pays(now));
        load.start_ns = 1_000_000;
        for _ in 0..16 {
            load.started(Duration::from_micros(8));
        }
        assert!(load.refill_pays(now), "{load:?}");
    }

    #[test]
    fn after_saturation_a_quiet_pool_refills() {
        let (load, now) = load(4, 6);
        assert!(!load.refill_pays(now));
        assert!(load.refill_pays(now + Duration::from_millis(1)));
    }

    #[test]
    fn slow_callers_get_one_instance_ahead_and_fast_ones_a_stock() {
        let counts = Counts {
            max_instances: 32,
            min_warm: 0,
            max_queue: 0,
            fresh: true,
            idle_ttl: Duration::from_secs(10),
            idle: 0,
            leased: 0,
            starting: 0,
            dying: 0,
            dropping: 0,
            waiting: 0,
            closed: false,
        };
        let (slow, now) = load(50_000, 1000);
        assert_eq!(goal(&counts, &slow, now), 2);
        let (fast, now) = load(30, 8);
        assert_eq!(goal(&counts, &fast, now), 12);
        let idle = |idle| Counts { idle, ..counts };
        assert_eq!(nap(&idle(12), &fast), Some(Duration::from_micros(180)));
        assert_eq!(nap(&idle(3), &fast), None, "no timer is so quick");
        assert_eq!(nap(&idle(2), &slow), None, "a wake-up costs those nothing");
        assert_eq!(goal(&counts, &fast, now + counts.idle_ttl), 0);
        assert_eq!(
            goal(
                &Counts {
                    fresh: false,
                    min_warm: 3,
                    ..counts
                },
                &fast,
                now
            ),
            3
        );
        assert_eq!(
            goal(
                &Counts {
                    closed: true,
                    min_warm: 3,
                    ..counts
                },
                &fast,
                now
            ),
            0
        );
    }
}
