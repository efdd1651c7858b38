//! How the slots of one component had better be reset, learned from the page faults of its first
//! lives: an instance's start and its call.
//!
//! Knows faults and calls; knows nothing of engines and pools. What follows from the figures is for
//! `policy` to say.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use parking_lot::Mutex;

use crate::policy::{self, Dirt};
use crate::reset::Reset;

/// Calls that only bring slots into use, whose pages all fault, and calls that are counted.
const SKIPPED: u32 = 32;
const COUNTED: u32 = 32;

/// See the module.
#[derive(Debug)]
pub(crate) struct Learner {
    /// Mirrors whether `state` is settled, for who calls.
    settled: AtomicBool,
    /// Mirrors whether `state.reset` is the whole, for who starts.
    whole: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    reset: Reset,
    /// What was seen with the other reset, once this one is on trial.
    before: Option<Dirt>,
    calls: u32,
    starts: u32,
    call_faults: u64,
    start_faults: u64,
    bytes: u64,
}

impl State {
    fn new(reset: Reset, before: Option<Dirt>) -> Self {
        Self {
            reset,
            before,
            calls: 0,
            starts: 0,
            call_faults: 0,
            start_faults: 0,
            bytes: 0,
        }
    }

    fn dirt(&self) -> Dirt {
        let mean = |sum: u64, count: u32| sum / u64::from(count.max(1));
        Dirt {
            faults: mean(self.call_faults, self.calls.saturating_sub(SKIPPED))
                + mean(self.start_faults, self.starts),
            bytes: self.bytes,
        }
    }
}

/// The page faults of this thread before something that is watched.
#[derive(Debug)]
pub(crate) struct Watch {
    thread: ThreadId,
    faults: u64,
}

impl Watch {
    fn begin() -> Option<Self> {
        Some(Self {
            faults: page_faults()?,
            thread: std::thread::current().id(),
        })
    }

    /// Those since, if it all happened on one thread.
    pub(crate) fn end(self) -> Option<u64> {
        let same = std::thread::current().id() == self.thread;
        page_faults()
            .filter(|_| same)
            .map(|faults| faults.saturating_sub(self.faults))
    }
}

impl Learner {
    /// `known` was learned before.
    pub(crate) fn new(known: Option<Reset>, learns: bool) -> Self {
        Self {
            settled: AtomicBool::new(known.is_some() || !learns),
            whole: AtomicBool::new(known == Some(Reset::Whole)),
            state: Mutex::new(State::new(known.unwrap_or(Reset::Dirty), None)),
        }
    }

    /// How slots are to be reset, as far as one knows.
    #[inline]
    pub(crate) fn reset(&self) -> Reset {
        match self.whole.load(Ordering::Relaxed) {
            true => Reset::Whole,
            false => Reset::Dirty,
        }
    }

    fn enter(&self, state: &mut State, reset: Reset, before: Option<Dirt>) {
        *state = State::new(reset, before);
        self.whole.store(reset == Reset::Whole, Ordering::Relaxed);
    }

    /// Whether it is known.
    #[inline]
    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    /// There is no other way than this, so it is settled.
    pub(crate) fn keep(&self, reset: Reset) {
        self.enter(&mut self.state.lock(), reset, None);
        self.settled.store(true, Ordering::Relaxed);
    }

    /// Begins to watch a start or a call, unless all is known.
    #[inline]
    pub(crate) fn watch(&self) -> Option<Watch> {
        if self.is_settled() {
            return None;
        }
        Watch::begin()
    }

    /// An instance in a slot that is reset so was started.
    #[inline]
    pub(crate) fn started(&self, faults: Option<u64>, reset: Reset) {
        let Some(faults) = faults else { return };
        let mut state = self.state.lock();
        if state.reset == reset && state.calls >= SKIPPED {
            state.starts += 1;
            state.start_faults += faults;
        }
    }

    /// A call of such an instance ended, whose memories are so large. Gives what is thereby known,
    /// the first time it is.
    pub(crate) fn called(&self, faults: u64, reset: Reset, bytes: u64) -> Option<Reset> {
        let mut state = self.state.lock();
        if state.reset != reset || self.is_settled() {
            return None;
        }
        state.calls += 1;
        if state.calls > SKIPPED {
            state.call_faults += faults;
            state.bytes = state.bytes.max(bytes);
        }
        if state.calls < SKIPPED + COUNTED || state.starts == 0 {
            return None;
        }
        let dirt = state.dirt();
        let known = match state.before {
            None if policy::try_whole(dirt) => {
                self.enter(&mut state, Reset::Whole, Some(dirt));
                return None;
            }
            None => Reset::Dirty,
            Some(before) if policy::whole_pays(before, dirt) => Reset::Whole,
            Some(_) => Reset::Dirty,
        };
        self.enter(&mut state, known, None);
        self.settled.store(true, Ordering::Relaxed);
        Some(known)
    }
}

/// Page faults of this thread that needed no disk.
fn page_faults() -> Option<u64> {
    if cfg!(not(target_os = "linux")) {
        return None;
    }
    let stat = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
    // The name of the thread, in parentheses, may hold anything; the count is the eighth after it.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(7)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known after so many lives with these faults.
    fn lives(learner: &Learner, reset: Reset, faults: u64, bytes: u64) -> Option<Reset> {
        (0..SKIPPED + COUNTED).find_map(|_| {
            learner.started(Some(faults), reset);
            learner.called(0, reset, bytes)
        })
    }

    #[test]
    fn scattered_dirt_is_tried_whole_and_kept_where_that_pays() {
        let learner = Learner::new(None, true);
        assert_eq!(lives(&learner, Reset::Dirty, 120, 1 << 20), None);
        assert_eq!(learner.reset(), Reset::Whole);
        assert!(!learner.is_settled());
        // Calls of instances from before tell nothing of it.
        assert_eq!(lives(&learner, Reset::Dirty, 120, 1 << 20), None);
        assert_eq!(
            lives(&learner, Reset::Whole, 0, 1 << 20),
            Some(Reset::Whole)
        );
        assert!(learner.is_settled());
        assert!(learner.watch().is_none());
    }

    #[test]
    fn faults_that_stay_were_not_the_resets() {
        let learner = Learner::new(None, true);
        assert_eq!(lives(&learner, Reset::Dirty, 120, 1 << 20), None);
        assert_eq!(
            lives(&learner, Reset::Whole, 120, 1 << 20),
            Some(Reset::Dirty)
        );
        assert_eq!(learner.reset(), Reset::Dirty);
    }

    #[test]
    fn few_faults_and_large_memories_need_no_trial() {
        for (faults, bytes) in [(3, 1 << 20), (400, 24 << 20), (2000, 64 << 20)] {
            let learner = Learner::new(None, true);
            assert_eq!(
                lives(&learner, Reset::Dirty, faults, bytes),
                Some(Reset::Dirty)
            );
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn faults_of_this_thread_are_counted() {
        let before = page_faults().unwrap();
        let pages = std::hint::black_box(vec![1_u8; 4 << 20]);
        assert!(page_faults().unwrap() > before + 100);
        drop(pages);
    }
}
