//! The thread that lets running guests look at their deadlines, parked while none runs.
//!
//! Knows engines and who may be busy. A pool reads [`Ticker::ticks`] under the same lock under
//! which it counts an instance as lent, and the thread, before it parks, says that it does not tick
//! and then asks every pool under that lock. So either it sees the instance, or the pool sees that
//! nobody ticks and calls [`Ticker::wake`].
//!
//! It asks only pools that hold an instance: ten thousand others cost nothing. One that held none
//! calls [`Ticker::watch`] first and reads [`Ticker::ticks`] after it. It is forgotten when it is
//! asked and says, under its lock, that it holds none again.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::engine::{Engines, Lane};
use crate::policy;
use crate::sync::{AtomicBool, AtomicU64, Condvar, Mutex, MutexGuard, Ordering, thread};

/// Somebody who lends instances.
pub(crate) trait Member: Send + Sync {
    /// The engine that its instances live in.
    fn lane(&self) -> Lane;

    /// What it holds. Takes the lock under which instances are lent. Who says [`Held::Nothing`] is
    /// not asked again until it calls [`Ticker::watch`].
    fn holds(&self) -> Held;

    /// Retires instances that stand idle beyond its `min_warm`, as far as others have a claim on
    /// their slots.
    fn shed(&self);

    /// How many instances stand idle, and will not be given back unless it sheds them.
    fn idle(&self) -> usize;
}

/// What a pool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// A guest may be running.
    Busy,
    /// Instances that stand idle.
    Idle,
    /// No instance.
    Nothing,
}

/// It asks so seldom whether a guest runs because asking takes every pool's lock.
const TICKS_BEFORE_PARKING: u32 = 64;

/// See the module. One per host.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

struct Shared {
    engines: Arc<Engines>,
    tick: Duration,
    /// Ticks without a running guest after which the thread parks.
    patience: u32,
    ticks: AtomicBool,
    clock: Clock,
    start: Instant,
    /// From `start` to the last tick.
    passed_ns: AtomicU64,
    state: Mutex<State>,
    changed: Condvar,
    members: Mutex<Vec<Weak<dyn Member>>>,
}

#[derive(Debug, Default)]
struct State {
    wanted: bool,
    stop: bool,
    thread: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticker")
            .field("ticks", &self.ticks)
            .finish_non_exhaustive()
    }
}

impl Ticker {
    pub(crate) fn new(engines: Arc<Engines>, tick: Duration, clock: Clock) -> Self {
        Self::parking_after(TICKS_BEFORE_PARKING, engines, tick, clock)
    }

    /// One that parks after so many ticks without a running guest.
    pub(crate) fn parking_after(
        patience: u32,
        engines: Arc<Engines>,
        tick: Duration,
        clock: Clock,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                engines,
                tick,
                patience,
                ticks: AtomicBool::new(false),
                start: clock.now(),
                clock,
                passed_ns: AtomicU64::new(0),
                state: Mutex::default(),
                changed: Condvar::new(),
                members: Mutex::default(),
            }),
        }
    }

    /// Watches one more pool for as long as it holds instances.
    pub(crate) fn watch(&self, member: Weak<dyn Member>) {
        let mut members = self.shared.members.lock();
        if members.len() == members.capacity() {
            members.retain(|member| member.strong_count() > 0);
        }
        members.push(member);
    }

    /// Asks every pool of this lane to give up what others have a claim on.
    pub(crate) fn shed_all(&self, lane: Lane) {
        self.of(lane).iter().for_each(|member| member.shed());
    }

    /// How many instances of this lane stand idle in all pools.
    pub(crate) fn idle(&self, lane: Lane) -> usize {
        self.of(lane).iter().map(|member| member.idle()).sum()
    }

    fn of(&self, lane: Lane) -> Vec<Arc<dyn Member>> {
        let mut members: Vec<_> = {
            let members = self.shared.members.lock();
            members.iter().filter_map(Weak::upgrade).collect()
        };
        // The last to own a pool drops it, and that is to happen without the lock.
        members.retain(|member| member.lane() == lane);
        members
    }

    /// Whether deadlines are looked at. To be read as the module says.
    #[inline]
    pub(crate) fn ticks(&self) -> bool {
        self.shared.ticks.load(Ordering::Relaxed)
    }

    /// Nanoseconds from [`Ticker::instant`]`(0)` to the last tick, without asking the clock. Asks it
    /// where nothing ticks.
    #[inline]
    pub(crate) fn coarse_ns(&self) -> u64 {
        if self.shared.clock.is_manual() || !self.ticks() {
            return self.ns(self.shared.clock.now());
        }
        self.shared.passed_ns.load(Ordering::Relaxed)
    }

    /// The same as an instant.
    pub(crate) fn coarse_now(&self) -> Instant {
        self.instant(self.coarse_ns())
    }

    /// The instant that is so many nanoseconds away.
    #[inline]
    pub(crate) fn instant(&self, ns: u64) -> Instant {
        self.shared.start + Duration::from_nanos(ns)
    }

    /// How many nanoseconds away an instant is.
    #[inline]
    pub(crate) fn ns(&self, at: Instant) -> u64 {
        policy::nanos_between(self.shared.start, at)
    }

    /// Starts the thread, unless it is there. Nothing may be lent before it is: without it a guest
    /// would run beyond its deadline.
    pub(crate) fn start(&self) -> std::io::Result<()> {
        let mut state = self.shared.state.lock();
        if !state.thread {
            let shared = Arc::clone(&self.shared);
            let thread = thread::Builder::new().name("prewarm-ticker".into());
            thread.spawn(move || shared.run())?;
            state.thread = true;
        }
        Ok(())
    }

    /// Sets the thread ticking.
    #[cold]
    pub(crate) fn wake(&self) {
        let mut state = self.shared.state.lock();
        self.shared.keep_time();
        self.shared.ticks.store(true, Ordering::Relaxed);
        state.wanted = true;
        self.shared.changed.notify_one();
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.state.lock().stop = true;
        self.shared.changed.notify_one();
    }
}

impl Shared {
    fn run(&self) {
        let mut idle_ticks = 0;
        let mut state = self.state.lock();
        while !state.stop {
            if !state.wanted {
                self.changed.wait(&mut state);
                idle_ticks = 0;
                continue;
            }
            self.changed.wait_for(&mut state, self.tick);
            MutexGuard::unlocked(&mut state, || {
                self.keep_time();
                self.engines.tick();
            });
            idle_ticks += 1;
            if idle_ticks >= self.patience {
                idle_ticks = 0;
                state.wanted = false;
                self.ticks.store(false, Ordering::Relaxed);
                let busy = MutexGuard::unlocked(&mut state, || self.anyone_busy());
                if busy {
                    state.wanted = true;
                    self.ticks.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    fn keep_time(&self) {
        let passed = policy::nanos_between(self.start, self.clock.now());
        self.passed_ns.store(passed, Ordering::Relaxed);
    }

    fn anyone_busy(&self) -> bool {
        let mut busy = false;
        // For the same reason as in `of`.
        let mut asked = Vec::new();
        self.members.lock().retain(|member| {
            let Some(member) = member.upgrade() else {
                return false;
            };
            let held = member.holds();
            asked.push(member);
            busy |= held == Held::Busy;
            held != Held::Nothing
        });
        drop(asked);
        busy
    }
}
