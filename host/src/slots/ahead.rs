//! What refill does for a pool: instances made ahead, dropped behind, and retired when idle.

use std::task::Waker;
use std::time::{Duration, Instant};

use super::{Idle, Mode, Notice, Refilled, Returned, Slots};
use crate::policy::{self, Age, Counts};

/// After this long a pool looks again that did not refill, because its callers came too fast or the
/// host had no slot.
const OWED: Duration = Duration::from_millis(10);

/// Of how many drops one is measured.
const MEASURED: u64 = 8;

/// Refill drops no more at once before it looks whether too few are left.
const DROPS: usize = 16;

impl<I> Slots<I> {
    /// What refill is to be told of this pool, if anything; it then counts as told.
    ///
    /// `pocketed` of the leased instances stand idle beside a thread.
    pub(crate) fn notice(&mut self, now: Instant, pocketed: usize) -> Notice {
        self.pocketed = pocketed.min(self.leased);
        let counts = self.counts();
        let goal = self.goal(&counts, now);
        let work = match self.refill.mode {
            Mode::Parked => policy::wake_refill(&counts, goal),
            Mode::Napping(_) => policy::wake_early(&counts, goal),
            Mode::Told => false,
        };
        if work {
            self.refill.mode = Mode::Told;
            return Notice::Work;
        }
        match self.next_look(&counts, now) {
            Some(at) => self.look_at(at),
            None => Notice::Nothing,
        }
    }

    fn goal(&self, counts: &Counts, now: Instant) -> usize {
        match self.refill.not_before {
            Some(at) if now < at => 0,
            _ => policy::goal(counts, &self.load, now),
        }
    }

    /// When [`Slots::look`] will have something to do.
    fn next_look(&self, counts: &Counts, now: Instant) -> Option<Instant> {
        let oldest = self.idle.front();
        let aged = oldest.and_then(|idle| Some(idle.born + self.max_age?));
        let expired = oldest
            .filter(|_| counts.idle > self.min_warm)
            .map(|idle| idle.since + self.idle_ttl);
        let lacks = counts.dying > 0 || policy::may_refill(counts, counts.min_warm);
        // Of those that stand idle beside a thread nobody knows here when they expire.
        let beside = self.pocketed > 0 && counts.idle > 0 && counts.idle <= self.min_warm;
        let crowded = (beside && counts.idle + self.pocketed > self.min_warm)
            .then(|| now.checked_add(self.idle_ttl))
            .flatten();
        let parked = matches!(self.refill.mode, Mode::Parked);
        let owed = (lacks && parked && !self.closed).then(|| {
            self.refill
                .not_before
                .map_or(now + OWED, |at| at.max(now + OWED))
        });
        [aged, expired, crowded, owed].into_iter().flatten().min()
    }

    /// The look that was due by now is under way: what falls idle from here on needs another.
    pub(crate) fn begin_look(&mut self, now: Instant) {
        self.refill.looking = self.refill.looking.filter(|at| now < *at);
    }

    /// Retires what stood idle too long or is too old, when the instant to look has come. Whether
    /// refill has work now, however little; it then counts as told.
    pub(crate) fn look(&mut self, now: Instant) -> bool {
        self.begin_look(now);
        self.retire_aged(now);
        while self.idle.len() > self.min_warm
            && self
                .idle
                .front()
                .is_some_and(|idle| now >= idle.since + self.idle_ttl)
        {
            self.retire_oldest();
        }
        let counts = self.counts();
        let work = match self.refill.mode {
            Mode::Parked => {
                counts.dying > 0 || policy::may_refill(&counts, self.goal(&counts, now))
            }
            Mode::Napping(until) => until <= now,
            Mode::Told => false,
        };
        if work {
            self.refill.mode = Mode::Told;
        }
        work
    }

    /// What a refill thread does next. `Done` lasts until it is told of this pool again.
    ///
    /// While callers come, it keeps time by itself: a caller who tells it pays for a wake-up.
    pub(crate) fn refill(&mut self, now: Instant) -> Refilled<I> {
        let counts = self.counts();
        let goal = self.goal(&counts, now);
        let start = match counts.dying {
            0 => policy::may_refill(&counts, goal),
            _ => policy::make_first(&counts, goal),
        };
        if start {
            self.starting += 1;
            return Refilled::Start;
        }
        if counts.dying > 0 {
            return Refilled::Drop(self.take_dying(DROPS));
        }
        let came = self.load.last_arrival();
        let nap = policy::nap(&counts, &self.load).filter(|_| came != self.refill.seen);
        self.refill.seen = came;
        match nap {
            Some(nap) => {
                self.refill.mode = Mode::Napping(now + nap);
                Refilled::Nap(now + nap)
            }
            None => {
                self.refill.mode = Mode::Parked;
                Refilled::Done
            }
        }
    }

    /// At most so many instances to drop. Each holds its slot until [`Slots::dropped`].
    pub(crate) fn take_dying(&mut self, at_most: usize) -> Vec<I> {
        let taken = self.dying.len().min(at_most);
        let rest = self.dying.split_off(taken);
        self.dropping += taken;
        std::mem::replace(&mut self.dying, rest)
    }

    /// Refill made an instance.
    pub(crate) fn refilled(&mut self, instance: I, now: Instant, cost: Duration) -> Returned<I> {
        self.started(cost);
        self.counters.refilled += 1;
        self.refill.failures = 0;
        self.refill.not_before = None;
        self.refill.put_off = false;
        self.give_back(
            instance,
            |_| Age {
                born: now,
                since: now,
            },
            now,
            None,
        )
    }

    /// The host has no slot for it now.
    pub(crate) fn refill_put_off(&mut self, now: Instant) -> Option<Waker> {
        self.refill.not_before = Some(now + OWED);
        self.refill.put_off = true;
        self.counters.put_off += 1;
        self.starting -= 1;
        self.grant_free()
    }

    /// Refill could not. Callers find out why when they make their own; refill tries again later.
    pub(crate) fn refill_failed(&mut self, now: Instant) -> Option<Waker> {
        let wait = policy::retry_after(self.refill.failures);
        self.refill.failures += 1;
        self.refill.not_before = Some(now + wait);
        self.refill.put_off = false;
        self.start_failed()
    }

    /// Whether it is to be told the [cost](Slots::drop_cost) of the next drop.
    pub(crate) fn measures_drop(&self) -> bool {
        self.drops.is_multiple_of(MEASURED)
    }

    pub(crate) fn drop_cost(&mut self, cost: Duration) {
        self.load.dropped(cost);
    }

    /// Retires idle instances beyond `min_warm`, where `unless_since` says since when they must
    /// not stand idle to stay: the host needs their room.
    pub(crate) fn shed(&mut self, unless_since: Option<Instant>) {
        let stays = |idle: &Idle<I>| unless_since.is_some_and(|since| idle.since > since);
        while self.idle.len() > self.min_warm && !self.idle.front().is_some_and(stays) {
            self.retire_oldest();
        }
    }

    fn retire_oldest(&mut self) {
        if let Some(idle) = self.idle.pop_front() {
            self.counters.retired_idle += 1;
            self.dying.push(idle.instance);
        }
    }

    pub(super) fn retire_aged(&mut self, now: Instant) {
        let Some(age) = self.max_age else { return };
        let mut at = 0;
        while at < self.idle.len() {
            if now >= self.idle[at].born + age {
                if let Some(idle) = self.idle.remove(at) {
                    self.counters.retired_aged += 1;
                    self.dying.push(idle.instance);
                }
            } else {
                at += 1;
            }
        }
    }
}
