//! What a pool must do, written down as plainly as it can be: no thread, no lock, no guest.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use prewarm::PoolStats;

/// The settings that matter.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) max_instances: usize,
    pub(crate) max_queue: usize,
    /// How many leases an instance serves. `None` for a fresh one each, made ahead too: then only
    /// what cannot depend on the refill thread is compared.
    pub(crate) uses: Option<u32>,
    pub(crate) idle_ttl: Duration,
    pub(crate) max_age: Option<Duration>,
}

/// One instance.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    /// Which of those that the model made.
    pub(crate) token: u64,
    /// How often it was called.
    pub(crate) calls: u32,
    /// Whether it was given back before, and not made for who has it.
    used: bool,
    uses_left: u32,
    born: Duration,
    since: Duration,
}

/// What a caller gets on arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrived {
    Lent,
    Waits,
    Busy,
    Closed,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Model {
    rules: Rules,
    pub(crate) now: Duration,
    /// Last used last.
    idle: Vec<Guest>,
    pub(crate) out: BTreeMap<u32, Guest>,
    pub(crate) queue: VecDeque<u32>,
    pub(crate) closed: bool,
    made: u64,
    counts: PoolStats,
    /// Of those retired, how many were too old, or stood idle too long.
    gone: u64,
}

impl Model {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: Duration::ZERO,
            idle: Vec::new(),
            out: BTreeMap::new(),
            queue: VecDeque::new(),
            closed: false,
            made: 0,
            counts: PoolStats::default(),
            gone: 0,
        }
    }

    pub(crate) fn arrive(&mut self, caller: u32) -> Arrived {
        if self.closed {
            return Arrived::Closed;
        }
        let before = self.idle.len();
        let (now, age) = (self.now, self.rules.max_age);
        self.idle.retain(|guest| !is_aged(guest, now, age));
        self.gone += (before - self.idle.len()) as u64;
        if self.queue.is_empty() {
            if let Some(guest) = self.idle.pop() {
                self.counts.warm += 1;
                self.out.insert(caller, guest);
                return Arrived::Lent;
            }
            if self.out.len() < self.rules.max_instances {
                self.make(caller);
                return Arrived::Lent;
            }
        }
        if self.queue.len() < self.rules.max_queue {
            self.counts.queued += 1;
            self.queue.push_back(caller);
            return Arrived::Waits;
        }
        self.counts.busy += 1;
        Arrived::Busy
    }

    fn make(&mut self, caller: u32) {
        self.counts.cold += 1;
        self.made += 1;
        let guest = Guest {
            token: self.made,
            calls: 0,
            used: false,
            uses_left: self.rules.uses.unwrap_or(1),
            born: self.now,
            since: self.now,
        };
        self.out.insert(caller, guest);
    }

    /// A lease ends, well or not.
    pub(crate) fn end(&mut self, caller: u32, sound: bool) {
        let Some(mut guest) = self.out.remove(&caller) else {
            panic!("{caller} has no instance")
        };
        guest.since = self.now;
        guest.used = true;
        if !sound {
            self.counts.retired_faulty += 1;
        } else if guest.uses_left <= 1 {
            self.counts.retired_used += 1;
        } else if is_aged(&guest, self.now, self.rules.max_age) {
            self.gone += 1;
        } else {
            guest.uses_left -= 1;
            return self.keep(guest);
        }
        if !self.closed
            && let Some(next) = self.queue.pop_front()
        {
            self.make(next);
        }
    }

    /// To the first in the queue, or to the idle ones.
    fn keep(&mut self, guest: Guest) {
        if self.closed {
            return;
        }
        match self.queue.pop_front() {
            Some(next) => {
                self.counts.warm += 1;
                self.out.insert(next, guest);
            }
            None => self.idle.push(guest),
        }
    }

    /// A caller goes away, out of the queue or in the middle of a call.
    pub(crate) fn cancel(&mut self, caller: u32) {
        match self.queue.iter().position(|it| *it == caller) {
            Some(at) => {
                self.queue.remove(at);
                self.counts.left_queue += 1;
            }
            None => self.end(caller, false),
        }
    }

    /// A caller goes away to whom an instance was granted that it has not looked at.
    pub(crate) fn cancel_granted(&mut self, caller: u32) {
        self.counts.left_queue += 1;
        let Some(guest) = self.out.remove(&caller) else {
            panic!("{caller} has no instance")
        };
        if guest.used {
            self.counts.warm -= 1;
            return self.keep(guest);
        }
        // It was the right to make one, and nobody did.
        self.counts.cold -= 1;
        if let Some(next) = self.queue.pop_front() {
            self.make(next);
        }
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now += by;
        let (now, ttl, before) = (self.now, self.rules.idle_ttl, self.idle.len());
        self.idle.retain(|guest| now < guest.since + ttl);
        self.gone += (before - self.idle.len()) as u64;
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.idle.clear();
        self.queue.clear();
    }

    /// What is not as it must be, once everything has come to rest.
    pub(crate) fn differs(&self, real: &PoolStats) -> Option<String> {
        let used = real.idle + real.leased + real.starting + real.dying;
        let ours = &self.counts;
        let mut rows = vec![
            (
                "max_instances",
                real.max_instances,
                self.rules.max_instances,
            ),
            ("leased", real.leased, self.out.len()),
            ("waiting", real.waiting, self.queue.len()),
            (
                "more than there may be",
                used.max(real.max_instances),
                real.max_instances,
            ),
            ("closed", usize::from(real.closed), usize::from(self.closed)),
        ];
        let mut counts = vec![
            ("leases", real.warm + real.cold, ours.warm + ours.cold),
            ("start_failures", real.start_failures, 0),
            ("retired_faulty", real.retired_faulty, ours.retired_faulty),
            ("retired_used", real.retired_used, ours.retired_used),
        ];
        if self.rules.uses.is_some() {
            let (now, age) = (self.now, self.rules.max_age);
            let fit = self.idle.iter().filter(|guest| !is_aged(guest, now, age));
            // An instance that is too old may stand there until somebody looks.
            let (least, most) = (fit.count(), self.idle.len());
            rows.push(("idle", real.idle, real.idle.clamp(least, most)));
            rows.push(("starting", real.starting, 0));
            rows.push(("dying", real.dying, 0));
            counts.extend([
                ("warm", real.warm, ours.warm),
                ("cold", real.cold, ours.cold),
                ("queued", real.queued, ours.queued),
                ("busy", real.busy, ours.busy),
                ("left_queue", real.left_queue, ours.left_queue),
                ("started", real.started, ours.cold),
                ("refilled", real.refilled, 0),
            ]);
            if !self.closed {
                let real = real.idle as u64 + real.retired_idle + real.retired_aged;
                counts.push(("idle or gone", real, self.idle.len() as u64 + self.gone));
            }
        }
        let rows = rows
            .into_iter()
            .map(|(name, a, b)| (name, a as u64, b as u64));
        let mut wrong = rows.chain(counts).filter(|(_, real, ours)| real != ours);
        let (name, is, must) = wrong.next()?;
        Some(format!("{name} is {is} and must be {must}"))
    }
}

fn is_aged(guest: &Guest, now: Duration, age: Option<Duration>) -> bool {
    age.is_some_and(|age| now >= guest.born + age)
}
