//! All state of a pool: which slot is idle, leased, being filled or being dropped, and who waits.
//!
//! Applies the decisions of `policy`; knows no lock, no clock and no wasmtime, so that the model
//! test drives the same code that runs. `I` is an instance. A method that frees something returns
//! the [`Waker`] of the caller who gets it, to be woken when the lock is released.
//!
//! ```text
//!            arrive                    give_back, kept
//!   idle ───────────────► leased ─────────────────────────► idle, or the first waiter
//!    │  ▲                   │ give_back, retired
//!    │  │ refilled          ▼
//!    │  └── starting     dying ──► dropping ──► free ──► the first waiter
//!    └──────────────────────▲
//!       expire, shed
//! ```
//!
//! Invariants, checked by [`Slots::assert_invariants`] after every step of the model test:
//!
//! 1. `idle + leased + starting + dying + dropping <= max_instances`.
//! 2. Nobody waits while an instance is idle or dying, or a slot is free.
//! 3. Waiters are served in arrival order, and are never more than `max_queue`.
//! 4. Every turn that was granted is counted as leased or starting until it is taken or given up.
//! 5. A closed pool holds no idle instance and no waiter.

mod ahead;
mod words;

use std::collections::VecDeque;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use crate::config::{PoolConfig, Reuse};
use crate::policy::{self, Age, Arrival, Counts, Load, Return};
use crate::stats::PoolStats;

pub(crate) use self::words::{Arrived, Notice, Refilled, Retire, Returned, Ticket, Turn};

#[derive(Debug)]
struct Idle<I> {
    instance: I,
    born: Instant,
    since: Instant,
}

#[derive(Debug)]
struct Waiter {
    ticket: Ticket,
    waker: Option<Waker>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Slots<I> {
    max_instances: usize,
    min_warm: usize,
    max_queue: usize,
    fresh: bool,
    idle_ttl: Duration,
    max_age: Option<Duration>,
    /// Last used at the back.
    idle: VecDeque<Idle<I>>,
    dying: Vec<I>,
    leased: usize,
    /// How many of the leased stood idle in a pocket when refill was last thought of.
    pocketed: usize,
    starting: usize,
    dropping: usize,
    waiters: VecDeque<Waiter>,
    granted: Vec<(Ticket, Turn<I>)>,
    next_ticket: u64,
    closed: bool,
    drained: Vec<Waker>,
    load: Load,
    /// How many instances were dropped.
    drops: u64,
    refill: Refilling,
    counters: PoolStats,
}

/// What the refill threads have in mind for the pool.
#[derive(Clone, Copy, Debug, Default)]
enum Mode {
    /// Nothing: callers tell them when there is work.
    #[default]
    Parked,
    /// They were told that there is work and have not finished it.
    Told,
    /// They come back then, unless a caller cannot wait for it.
    Napping(Instant),
}

/// What refill owes the pool.
#[derive(Clone, Copy, Debug, Default)]
struct Refilling {
    mode: Mode,
    /// When the last caller had come, the last time it had nothing to do.
    seen: Option<Instant>,
    /// When it was told to look at what expires or is owed.
    looking: Option<Instant>,
    /// The same, when [`Slots::new_look`] was last asked.
    shown: Option<Instant>,
    /// Failures in a row, and the instant before which it does not try again.
    failures: u32,
    not_before: Option<Instant>,
    /// Whether that is so because the host had no slot.
    put_off: bool,
}

impl<I> Slots<I> {
    pub(crate) fn new(config: &PoolConfig) -> Self {
        Self {
            max_instances: config.max_instances,
            min_warm: config.min_warm.min(config.max_instances),
            max_queue: config.max_queue,
            fresh: config.reuse == Reuse::Never,
            idle_ttl: config.idle_ttl,
            max_age: config.max_age,
            idle: VecDeque::new(),
            dying: Vec::new(),
            leased: 0,
            pocketed: 0,
            starting: 0,
            dropping: 0,
            waiters: VecDeque::new(),
            granted: Vec::new(),
            next_ticket: 0,
            closed: false,
            drained: Vec::new(),
            load: Load::default(),
            drops: 0,
            refill: Refilling::default(),
            counters: PoolStats::default(),
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            max_instances: self.max_instances,
            min_warm: self.min_warm - self.pocketed.min(self.min_warm),
            max_queue: self.max_queue,
            fresh: self.fresh,
            idle_ttl: self.idle_ttl,
            idle: self.idle.len(),
            leased: self.leased,
            starting: self.starting,
            dying: self.dying.len(),
            dropping: self.dropping,
            waiting: self.waiters.len(),
            closed: self.closed,
        }
    }

    // ---- callers

    pub(crate) fn arrive(&mut self, now: Instant) -> Arrived<I> {
        self.load.arrived(now);
        self.retire_aged(now);
        match policy::arrival(&self.counts()) {
            Arrival::TakeIdle => match self.idle.pop_back() {
                Some(idle) => {
                    self.leased += 1;
                    self.counters.warm += 1;
                    Arrived::Turn(Turn::Warm(idle.instance))
                }
                None => Arrived::Busy,
            },
            Arrival::Start => {
                self.starting += 1;
                self.counters.cold += 1;
                Arrived::Turn(Turn::Start)
            }
            Arrival::DropThenStart => match self.dying.pop() {
                Some(instance) => {
                    self.starting += 1;
                    self.counters.cold += 1;
                    Arrived::Turn(Turn::DropThenStart(instance))
                }
                None => Arrived::Busy,
            },
            Arrival::Wait => {
                let ticket = Ticket(self.next_ticket);
                self.next_ticket += 1;
                self.counters.queued += 1;
                self.waiters.push_back(Waiter {
                    ticket,
                    waker: None,
                });
                Arrived::Wait(ticket)
            }
            Arrival::Busy => {
                self.counters.busy += 1;
                Arrived::Busy
            }
            Arrival::Closed => Arrived::Closed,
        }
    }

    /// Whether the holder of `ticket` has its turn; `None` where the pool was closed first.
    pub(crate) fn poll_turn(&mut self, ticket: Ticket, waker: &Waker) -> Poll<Option<Turn<I>>> {
        if let Some(at) = self
            .granted
            .iter()
            .position(|(granted, _)| *granted == ticket)
        {
            let turn = self.granted.swap_remove(at).1;
            match turn {
                Turn::Warm(_) => self.counters.warm += 1,
                Turn::Start | Turn::DropThenStart(_) => self.counters.cold += 1,
            }
            return Poll::Ready(Some(turn));
        }
        match self
            .waiters
            .iter_mut()
            .find(|waiter| waiter.ticket == ticket)
        {
            Some(waiter) => {
                match &mut waiter.waker {
                    Some(old) => old.clone_from(waker),
                    none => *none = Some(waker.clone()),
                }
                Poll::Pending
            }
            None => Poll::Ready(None),
        }
    }

    /// Gives up a place in the queue, or the turn granted meanwhile.
    pub(crate) fn leave(
        &mut self,
        ticket: Ticket,
        now: Instant,
        age: impl FnOnce(&I) -> Age,
    ) -> Returned<I> {
        self.counters.left_queue += 1;
        if let Some(at) = self
            .waiters
            .iter()
            .position(|waiter| waiter.ticket == ticket)
        {
            self.waiters.remove(at);
        } else if let Some(at) = self
            .granted
            .iter()
            .position(|(granted, _)| *granted == ticket)
        {
            match self.granted.swap_remove(at).1 {
                Turn::Warm(instance) => return self.give_back(instance, age, now, None),
                Turn::Start | Turn::DropThenStart(_) => {
                    self.starting -= 1;
                    let wake = self.grant_free();
                    return Returned {
                        drop_now: None,
                        wake,
                    };
                }
            }
        }
        Returned {
            drop_now: None,
            wake: None,
        }
    }

    /// The instance that a [`Turn::Start`] was for is made, and leased.
    pub(crate) fn started(&mut self, cost: Duration) {
        self.starting -= 1;
        self.leased += 1;
        self.load.started(cost);
        self.counters.started += 1;
    }

    /// It could not be made, or whoever made it gave up.
    pub(crate) fn start_failed(&mut self) -> Option<Waker> {
        self.starting -= 1;
        self.counters.start_failures += 1;
        self.grant_free()
    }

    /// Ends a lease. `retire` says why the instance is not to be lent again.
    pub(crate) fn give_back(
        &mut self,
        instance: I,
        age: impl FnOnce(&I) -> Age,
        now: Instant,
        retire: Option<Retire>,
    ) -> Returned<I> {
        match retire {
            None => {}
            Some(Retire::Used) => self.counters.retired_used += 1,
            Some(Retire::Aged) => self.counters.retired_aged += 1,
            Some(Retire::Idle) => self.counters.retired_idle += 1,
            Some(Retire::Faulty) => self.counters.retired_faulty += 1,
        }
        let pays = retire.is_some() && self.load.refill_pays(now);
        match policy::giving_back(&self.counts(), retire.is_none(), pays) {
            Return::ToWaiter => Returned {
                drop_now: None,
                wake: self.grant(Turn::Warm(instance)),
            },
            Return::ToIdle => {
                self.leased -= 1;
                let Age { born, since } = age(&instance);
                // An instance that comes out of a pocket stood idle there before.
                let later = self.idle.iter().rev().take_while(|idle| idle.since > since);
                let at = self.idle.len() - later.count();
                let idle = Idle {
                    instance,
                    born,
                    since,
                };
                self.idle.insert(at, idle);
                Returned {
                    drop_now: None,
                    wake: None,
                }
            }
            Return::DropNow => {
                self.leased -= 1;
                self.dropping += 1;
                Returned {
                    drop_now: Some(instance),
                    wake: None,
                }
            }
            Return::DropLater => {
                self.leased -= 1;
                self.dying.push(instance);
                Returned {
                    drop_now: None,
                    wake: None,
                }
            }
        }
    }

    /// An instance counted as dropping is gone, and its slot free.
    pub(crate) fn dropped(&mut self) -> Option<Waker> {
        self.dropping -= 1;
        self.drops += 1;
        if std::mem::take(&mut self.refill.put_off) {
            // What the host lacked may be what this held.
            self.refill.not_before = None;
        }
        self.grant_free()
    }

    // ---- the end

    /// Refuses callers from now on. Returns what is to be woken.
    pub(crate) fn close(&mut self) -> Vec<Waker> {
        self.closed = true;
        self.dying
            .extend(self.idle.drain(..).map(|idle| idle.instance));
        self.waiters
            .drain(..)
            .filter_map(|waiter| waiter.waker)
            .collect()
    }

    /// Ready when a closed pool holds nothing any more.
    pub(crate) fn poll_drained(&mut self, waker: &Waker) -> Poll<()> {
        if self.used() == 0 {
            return Poll::Ready(());
        }
        self.drained.push(waker.clone());
        Poll::Pending
    }

    #[cfg(test)]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether a caller who comes now had better look for an instance in the pockets.
    pub(crate) fn lacks_idle(&self) -> bool {
        !self.closed && !self.fresh && self.idle.is_empty() && self.waiters.is_empty()
    }

    /// A caller found one there.
    pub(crate) fn stolen(&mut self) {
        self.counters.warm += 1;
    }

    /// Whether instances must come back here and into no pocket.
    pub(crate) fn wants_back(&self) -> bool {
        self.closed || !self.waiters.is_empty()
    }

    /// When refill will look at what expires, where that changed since this was last asked.
    pub(crate) fn new_look(&mut self) -> Option<Option<Instant>> {
        let looking = self.refill.looking;
        (std::mem::replace(&mut self.refill.shown, looking) != looking).then_some(looking)
    }

    /// Has refill look at `at`, unless it will look by then anyway.
    pub(crate) fn look_at(&mut self, at: Instant) -> Notice {
        if self.refill.looking.is_some_and(|told| told <= at) {
            return Notice::Nothing;
        }
        self.refill.looking = Some(at);
        Notice::LookAt(at)
    }

    /// How many of `pocketed` idle instances are not needed for `min_warm`.
    pub(crate) fn spare(&self, pocketed: usize) -> usize {
        (self.idle.len() + pocketed)
            .saturating_sub(self.min_warm)
            .min(pocketed)
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiters.len()
    }

    /// `pocketed` of the leased instances stand idle beside a thread; threads lent what they found
    /// there `lent` times.
    pub(crate) fn stats(&self, pocketed: usize, lent: u64) -> PoolStats {
        let pocketed = pocketed.min(self.leased);
        PoolStats {
            max_instances: self.max_instances,
            idle: self.idle.len() + pocketed,
            leased: self.leased - pocketed,
            starting: self.starting,
            dying: self.dying.len() + self.dropping,
            waiting: self.waiters.len(),
            closed: self.closed,
            warm: self.counters.warm + lent,
            ..self.counters
        }
    }

    fn used(&self) -> usize {
        self.counts().used()
    }

    /// Gives a free slot to the first waiter, or tells who waits for the end that it has come.
    fn grant_free(&mut self) -> Option<Waker> {
        if self.closed && self.used() == 0 {
            self.drained.drain(..).for_each(Waker::wake);
        }
        if self.waiters.is_empty() || self.used() >= self.max_instances {
            return None;
        }
        self.starting += 1;
        self.grant(Turn::Start)
    }

    fn grant(&mut self, turn: Turn<I>) -> Option<Waker> {
        let waiter = self.waiters.pop_front()?;
        self.granted.push((waiter.ticket, turn));
        waiter.waker
    }

    #[cfg(test)]
    pub(crate) fn assert_invariants(&self) {
        let counts = self.counts();
        assert!(counts.used() <= self.max_instances, "1: {counts:?}");
        if !self.waiters.is_empty() {
            assert!(
                self.idle.is_empty() && self.dying.is_empty(),
                "2: {counts:?}"
            );
            assert_eq!(counts.used(), self.max_instances, "2: {counts:?}");
        }
        assert!(self.waiters.len() <= self.max_queue, "3: {counts:?}");
        assert!(
            self.waiters.iter().map(|w| w.ticket.0).is_sorted(),
            "3: tickets out of order"
        );
        let warm = self
            .granted
            .iter()
            .filter(|(_, turn)| matches!(turn, Turn::Warm(_)))
            .count();
        assert!(
            warm <= self.leased && self.granted.len() - warm <= self.starting,
            "4: {counts:?}"
        );
        assert!(
            !self.closed || (self.idle.is_empty() && self.waiters.is_empty()),
            "5: {counts:?}"
        );
    }
}

#[cfg(test)]
mod model;
