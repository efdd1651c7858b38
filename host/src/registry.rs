//! Which registered components are loaded, and which of them goes when they are too many.
//!
//! Knows when each was last used; knows nothing of components and pools. One that is only
//! registered is a number here, so that ten thousand of them cost nothing. A call writes the time
//! into its own component and takes no lock: the order is put right when somebody has to go.
//!
//! Invariants, checked by [`State::assert_invariants`] after every step of the tests:
//!
//! 1. `order` and `loaded` hold the same components, each under the same time.
//! 2. A component stands in `order` under no later time than it was used at.
//! 3. Code that several components share is counted once.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Weak;
use std::time::Instant;

use crate::policy;
use crate::stats::HostStats;
use crate::sync::{AtomicBool, AtomicU64, Mutex, Ordering, fence};

/// A registered component that is loaded.
pub(crate) trait Loaded: Send + Sync {
    /// When it was last used, in nanoseconds as [`Registry::time`] counts them.
    fn used(&self) -> u64;

    /// Gives up what it holds, to be dropped. Where somebody uses it, notes that it was used now.
    fn unload(&self, now: u64) -> Option<Gone>;
}

/// What a component held.
pub(crate) type Gone = Box<dyn Send>;

/// See the module. One per host.
#[derive(Debug)]
pub(crate) struct Registry {
    max_loaded: usize,
    max_code_bytes: u64,
    start: Instant,
    next_id: AtomicU64,
    /// Whether something must go as soon as it is not used any more.
    over: AtomicBool,
    /// Whether somebody was told to see to that.
    told: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By when each was used, as far as is known: see invariant 2.
    order: BTreeSet<(u64, u64)>,
    loaded: HashMap<u64, Entry>,
    code: HashMap<usize, Shared>,
    stats: HostStats,
    /// Whether somebody looks again, and how often in a row there still was too much.
    will_look: bool,
    looks: u32,
}

struct Entry {
    who: Weak<dyn Loaded>,
    listed: u64,
    code: usize,
}

/// Code, and how many loaded components use it.
struct Shared {
    bytes: u64,
    users: usize,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.stats.fmt(f)
    }
}

impl Registry {
    pub(crate) fn new(max_loaded: usize, max_code_bytes: u64, start: Instant) -> Self {
        Self {
            max_loaded,
            max_code_bytes,
            start,
            next_id: AtomicU64::new(0),
            over: AtomicBool::new(false),
            told: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    pub(crate) fn stats(&self) -> HostStats {
        self.state.lock().stats
    }

    pub(crate) fn time(&self, now: Instant) -> u64 {
        policy::nanos_between(self.start, now)
    }

    /// Whether something is to go as soon as it can: whoever stops using a component then sees to
    /// it that somebody calls [`Registry::tidy`]. To be asked when the use has ended: either this
    /// sees the flag, or whoever set it sees that the component is not used any more.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        fence(Ordering::SeqCst);
        self.over.load(Ordering::Relaxed)
    }

    /// Whether that is still to be told to somebody; it then counts as told.
    pub(crate) fn tell(&self) -> bool {
        !self.told.swap(true, Ordering::AcqRel)
    }

    /// When to look again, where something is still to go: whoever only holds a pool does not say when
    /// that ends. Once for each [`Registry::look`].
    pub(crate) fn look_at(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state.lock();
        if !self.over.load(Ordering::Relaxed) || std::mem::replace(&mut state.will_look, true) {
            return None;
        }
        let at = now + policy::retry_after(state.looks);
        state.looks = state.looks.saturating_add(1);
        Some(at)
    }

    /// The instant has come. Whether something is still to go.
    pub(crate) fn look(&self) -> bool {
        self.state.lock().will_look = false;
        self.over.load(Ordering::Relaxed)
    }

    /// One more is registered, under the number that it gets.
    pub(crate) fn register(&self) -> u64 {
        self.state.lock().stats.registered += 1;
        self.next_id.fetch_add(1, Ordering::Relaxed)
    }

    /// It is registered no more.
    pub(crate) fn forget(&self, id: u64) {
        let mut state = self.state.lock();
        state.stats.registered -= 1;
        state.remove(id);
    }

    /// A load begins: there is to be room for one more.
    pub(crate) fn begin_load(&self, now: Instant) {
        self.state.lock().stats.loading += 1;
        self.tidy(now);
    }

    pub(crate) fn load_failed(&self) {
        let stats = &mut self.state.lock().stats;
        stats.loading -= 1;
        stats.load_failures += 1;
    }

    /// It is loaded, with so many bytes of code, at an address that tells shared code.
    pub(crate) fn loaded(&self, id: u64, who: Weak<dyn Loaded>, now: Instant, code: (usize, u64)) {
        let listed = self.time(now);
        let (at, bytes) = code;
        {
            let mut state = self.state.lock();
            state.stats.loading -= 1;
            state.stats.loads += 1;
            state.stats.loaded += 1;
            let shared = state.code.entry(at).or_insert(Shared { bytes, users: 0 });
            shared.users += 1;
            if shared.users == 1 {
                state.stats.code_bytes += bytes;
            }
            state.order.insert((listed, id));
            let entry = Entry {
                who,
                listed,
                code: at,
            };
            state.loaded.insert(id, entry);
        }
        self.tidy(now);
    }

    /// Unloads what was least recently used and is not in use, until the rest is within bounds.
    pub(crate) fn tidy(&self, now: Instant) {
        self.told.store(false, Ordering::Release);
        while let Some(gone) = self.unload_one(now) {
            drop(gone);
        }
    }

    fn unload_one(&self, now: Instant) -> Option<Gone> {
        // One of these may turn out to be the last owner, and then takes the lock itself.
        let mut seen = Vec::new();
        let mut state = self.state.lock();
        let over = state.is_over(self.max_loaded, self.max_code_bytes);
        self.over.store(over, Ordering::Relaxed);
        if !over {
            state.looks = 0;
            return None;
        }
        fence(Ordering::SeqCst); // see `is_over`
        let mut busy = HashSet::new();
        // Each may be seen twice: under an old time, and under its own.
        loop {
            let mut oldest = state.order.iter().copied();
            let Some((listed, id)) = oldest.find(|(_, id)| !busy.contains(id)) else {
                break;
            };
            let Some(who) = state.loaded.get(&id).and_then(|entry| entry.who.upgrade()) else {
                state.remove(id);
                continue;
            };
            if who.used() <= listed {
                if let Some(gone) = who.unload(self.time(now)) {
                    state.remove(id);
                    state.stats.unloads += 1;
                    drop(state);
                    return Some(gone);
                }
                busy.insert(id);
            }
            state.relist(id, who.used());
            seen.push(who);
        }
        drop(state);
        None
    }
}

impl State {
    fn is_over(&self, max_loaded: usize, max_code_bytes: u64) -> bool {
        let stats = &self.stats;
        stats.loaded > 0
            && (stats.loaded + stats.loading > max_loaded || stats.code_bytes > max_code_bytes)
    }

    fn relist(&mut self, id: u64, used: u64) {
        if let Some(entry) = self.loaded.get_mut(&id) {
            self.order.remove(&(entry.listed, id));
            entry.listed = used;
            self.order.insert((used, id));
        }
    }

    fn remove(&mut self, id: u64) {
        let Some(entry) = self.loaded.remove(&id) else {
            return;
        };
        self.order.remove(&(entry.listed, id));
        self.stats.loaded -= 1;
        if let Some(shared) = self.code.get_mut(&entry.code) {
            shared.users -= 1;
            if shared.users == 0 {
                self.stats.code_bytes -= shared.bytes;
                self.code.remove(&entry.code);
            }
        }
    }

    #[cfg(test)]
    fn assert_invariants(&self) {
        let order: Vec<_> = self.order.iter().copied().collect();
        let mut loaded: Vec<_> = self.loaded.iter().map(|(id, e)| (e.listed, *id)).collect();
        loaded.sort_unstable();
        assert_eq!(order, loaded, "1");
        for entry in self.loaded.values() {
            let used = entry.who.upgrade().map(|who| who.used());
            assert!(used.is_none_or(|used| entry.listed <= used), "2");
        }
        let bytes: u64 = self.code.values().map(|shared| shared.bytes).sum();
        let users: usize = self.code.values().map(|shared| shared.users).sum();
        assert_eq!(
            (bytes, users),
            (self.stats.code_bytes, self.loaded.len()),
            "3"
        );
    }
}

#[cfg(test)]
mod tests;
