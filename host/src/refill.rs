//! The threads that make instances ahead and drop used ones, off every caller's path.
//!
//! Knows who has work and when to look again; knows nothing of instances. Shared by all pools of a
//! host, parked while there is nothing to do, started when there first is.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::sync::{Condvar, Mutex, MutexGuard, thread};

/// A pool, as its refill threads see it.
pub(crate) trait Work: Send + Sync {
    /// Does a bounded part of what there is to do.
    fn work(&self) -> Next;

    /// The instant it wanted to look has come. Whether there is work.
    fn look(&self) -> bool;
}

/// What is to become of a pool that a refill thread worked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// There is more to do.
    More,
    /// It is to be looked at then.
    LookAt(Instant),
    /// It will tell.
    Done,
}

/// One thread waits for the first look. The others would only wake up with it, so they come that
/// much later, for the case that it is busy then.
const SPARE: Duration = Duration::from_millis(20);

/// See the module.
#[derive(Debug)]
pub(crate) struct Refill {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    max_threads: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<dyn Work>>,
    looks: BinaryHeap<Reverse<Look>>,
    threads: usize,
    parked: usize,
    /// The instant for which one of the parked waits.
    timed: Option<Instant>,
    stop: bool,
}

struct Look {
    at: Instant,
    who: Weak<dyn Work>,
}

impl PartialEq for Look {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}
impl Eq for Look {}
impl PartialOrd for Look {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Look {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refill")
            .field("max_threads", &self.max_threads)
            .finish_non_exhaustive()
    }
}

impl Refill {
    pub(crate) fn new(max_threads: usize, clock: Clock) -> Self {
        let shared = Arc::new(Shared {
            clock: clock.clone(),
            max_threads: max_threads.max(1),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let moved = Arc::downgrade(&shared);
        clock.on_advance(move || {
            if let Some(shared) = moved.upgrade() {
                let _state = shared.state.lock();
                shared.changed.notify_all();
            }
        });
        Self { shared }
    }

    /// There is work to do for `who`, now.
    pub(crate) fn tell(&self, who: Arc<dyn Work>) {
        let mut state = self.shared.state.lock();
        if !self.shared.have_thread(&mut state) {
            drop(state);
            loop {
                match who.work() {
                    Next::More => {}
                    Next::LookAt(at) => return self.look_at(at, Arc::downgrade(&who)),
                    Next::Done => return,
                }
            }
        }
        state.queue.push_back(who);
        if state.parked > 0 {
            self.shared.changed.notify_one();
        }
    }

    /// There will be something to look at.
    pub(crate) fn look_at(&self, at: Instant, who: Weak<dyn Work>) {
        let mut state = self.shared.state.lock();
        let earlier = state
            .looks
            .peek()
            .is_none_or(|Reverse(first)| at < first.at);
        state.looks.push(Reverse(Look { at, who }));
        if self.shared.have_thread(&mut state) && earlier {
            self.shared.changed.notify_one();
        }
    }
}

impl Drop for Refill {
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.stop = true;
        state.looks.clear();
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Whether a thread will see what is put into `state`.
    fn have_thread(self: &Arc<Self>, state: &mut State) -> bool {
        if state.parked == 0 && state.threads < self.max_threads {
            let shared = Arc::clone(self);
            let spawned = thread::Builder::new()
                .name("prewarm-refill".into())
                .spawn(move || shared.run());
            match spawned {
                Ok(_) => state.threads += 1,
                Err(error) => tracing::warn!(
                    "no thread to make instances ahead, callers make their own: {error}"
                ),
            }
        }
        state.threads > 0
    }

    fn run(&self) {
        let mut state = self.state.lock();
        loop {
            let now = self.clock.now();
            if let Some(who) = state.queue.pop_front() {
                match MutexGuard::unlocked(&mut state, || who.work()) {
                    Next::More => {
                        state.queue.push_back(who);
                        continue;
                    }
                    Next::LookAt(at) => {
                        let who = Arc::downgrade(&who);
                        state.looks.push(Reverse(Look { at, who }));
                    }
                    Next::Done => {}
                }
                // The last owner of a pool drops its instances: not under the lock.
                MutexGuard::unlocked(&mut state, || drop(who));
            } else if state.stop {
                return;
            } else if state
                .looks
                .peek()
                .is_some_and(|Reverse(look)| look.at <= now)
            {
                if let Some(Reverse(look)) = state.looks.pop() {
                    let busy = MutexGuard::unlocked(&mut state, || {
                        look.who.upgrade().filter(|who| who.look())
                    });
                    state.queue.extend(busy);
                }
            } else {
                self.park(&mut state);
            }
        }
    }

    fn park(&self, state: &mut MutexGuard<'_, State>) {
        let until = state.looks.peek().map(|Reverse(look)| look.at);
        state.parked += 1;
        match until {
            Some(at) if !self.clock.is_manual() => {
                if state.timed.is_some_and(|timed| timed <= at) {
                    self.changed.wait_until(state, at + SPARE);
                } else {
                    state.timed = Some(at);
                    self.changed.wait_until(state, at);
                    state.timed = state.timed.filter(|timed| *timed != at);
                }
            }
            _ => self.changed.wait(state),
        }
        state.parked -= 1;
    }
}
