//! A list of what callers, guests and time do to a real pool, against a plain model of what they
//! must get. Time stands still but for what the list says.

mod bench;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use prewarm::{CallError, Clock, Lease, Pool, PoolConfig, Reuse, Val};

use self::bench::{AGE, BENCH, DEADLINE, Door, Gate, INSTANT, PATIENCE, TTL, Tag, lock, pool};
use crate::chain;
use crate::model::{Arrived, Model, Rules};

/// The host's clock is everybody's: one list at a time.
static ONE: Mutex<()> = Mutex::new(());

/// Settings, then what happens.
pub fn target(data: &[u8]) {
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let _runtime = runtime.enter();
    let _ = run(&mut Unstructured::new(data));
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut driver = Driver::new(u)?;
    for _ in 0..u.int_in_range(0..=60)? {
        driver.step(u)?;
        driver.settle();
    }
    driver.finish();
    Ok(())
}

/// How something ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Count(u32),
    Failed(u32),
    Trap,
    Host,
    Deadline,
    Busy,
    Closed,
    Retired,
    Held,
    Drained,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Next,
    Fail,
    Trap,
    Lease,
    Close,
}

impl What {
    fn export(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Trap => "trap",
            Self::Next | Self::Lease | Self::Close => "next",
        }
    }
}

enum Ended {
    Outcome(Outcome),
    Lease(Box<Lease<(), Tag>>),
}

/// Something that was begun and has not ended.
struct Flight {
    n: u32,
    what: What,
    arrived: Duration,
    /// `None` once it has ended, by the model or in truth.
    expected: Option<Outcome>,
    future: Option<Pin<Box<dyn Future<Output = Ended>>>>,
    got: Option<Outcome>,
}

struct Held {
    n: u32,
    sound: bool,
    lease: Box<Lease<(), Tag>>,
}

struct Driver {
    pool: Pool<(), Tag>,
    model: Model,
    door: Arc<Mutex<Door>>,
    alive: Arc<AtomicU64>,
    flights: Vec<Flight>,
    leases: Vec<Held>,
    /// The instances that the model made, by the number that the real ones have.
    ids: BTreeMap<u64, u64>,
    /// Which instance of the model served which call.
    tokens: BTreeMap<u32, u64>,
    next: u32,
    fresh: bool,
}

impl Driver {
    fn new(u: &mut Unstructured<'_>) -> Result<Self> {
        let uses = match u.ratio(3, 4)? {
            true => Some(u.int_in_range(1..=4)?),
            false => None,
        };
        let fresh = uses.is_none();
        let rules = Rules {
            max_instances: u.int_in_range(1..=4)?,
            max_queue: if fresh { 1000 } else { u.int_in_range(0..=4)? },
            uses,
            idle_ttl: TTL,
            max_age: if u.arbitrary()? { Some(AGE) } else { None },
        };
        let mut config = PoolConfig::new(rules.max_instances);
        config.max_queue = rules.max_queue;
        config.idle_ttl = rules.idle_ttl;
        config.max_age = rules.max_age;
        config.limits.deadline = DEADLINE;
        match uses {
            Some(uses) => config.reuse = Reuse::Calls(uses..=uses),
            None => config.min_warm = u.int_in_range(0..=config.max_instances.min(2))?,
        }
        let (door, alive) = (Arc::<Mutex<Door>>::default(), Arc::<AtomicU64>::default());
        let pool = pool(&BENCH.component, config, &door, &alive);
        Ok(Self {
            pool,
            model: Model::new(rules),
            door,
            alive,
            flights: Vec::new(),
            leases: Vec::new(),
            ids: BTreeMap::new(),
            tokens: BTreeMap::new(),
            next: 0,
            fresh,
        })
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        match u.int_in_range(0..=15)? {
            0..=5 => {
                let what = *u.choose(&[What::Next, What::Fail, What::Trap, What::Next])?;
                let gate = *u.choose(&[Gate::Open, Gate::Shut, Gate::Shut, Gate::Refuse])?;
                self.begin(what, gate);
            }
            6 => self.begin(What::Lease, Gate::Open),
            7 if !self.leases.is_empty() => {
                let at = u.choose_index(self.leases.len())?;
                let what = *u.choose(&[What::Next, What::Next, What::Fail, What::Trap])?;
                let gate = if u.ratio(1, 8)? {
                    Gate::Refuse
                } else {
                    Gate::Open
                };
                self.call_lease(at, what, gate);
            }
            8 | 9 if !self.leases.is_empty() => {
                let at = u.choose_index(self.leases.len())?;
                self.drop_lease(at);
            }
            10 | 11 if !self.flights.is_empty() => {
                let n = u.choose(&self.flights)?.n;
                let gate = if u.ratio(1, 8)? {
                    Gate::Refuse
                } else {
                    Gate::Open
                };
                lock(&self.door).gates.insert(n, gate);
            }
            12 if !self.flights.is_empty() => {
                let at = u.choose_index(self.flights.len())?;
                self.cancel(at);
            }
            13 => {
                let (ms, half) = (Duration::from_millis(1), TTL / 2);
                let by = *u.choose(&[ms, half, TTL - ms, TTL, AGE, AGE - TTL, DEADLINE])?;
                self.model.advance(by + INSTANT);
                BENCH.advance(by);
            }
            14 if !self.fresh && !self.leases.is_empty() && !self.model.queue.is_empty() => {
                // The first in the queue leaves with what it was granted and has not seen.
                let at = u.choose_index(self.leases.len())?;
                let first = self.model.queue[0];
                self.drop_lease(at);
                let at = self
                    .flights
                    .iter()
                    .position(|flight| flight.n == first)
                    .unwrap();
                self.flights.remove(at);
                self.model.cancel_granted(first);
            }
            15 if u.ratio(1, 6)? => {
                self.model.close();
                self.begin(What::Close, Gate::Open);
            }
            _ => {}
        }
        Ok(())
    }

    /// A caller comes, or somebody closes the pool.
    fn begin(&mut self, what: What, gate: Gate) {
        let n = self.number(gate);
        let pool = self.pool.clone();
        let future: Pin<Box<dyn Future<Output = Ended>>> = match what {
            What::Close => Box::pin(async move {
                pool.close().await;
                Ended::Outcome(Outcome::Drained)
            }),
            What::Lease => Box::pin(async move {
                match pool.lease().await {
                    Ok(lease) => Ended::Lease(Box::new(lease)),
                    Err(error) => Ended::Outcome(outcome(Err(error))),
                }
            }),
            What::Next | What::Fail | What::Trap => Box::pin(async move {
                Ended::Outcome(outcome(pool.invoke(what.export(), &[Val::U32(n)]).await))
            }),
        };
        let expected = match what {
            What::Close => None,
            _ => match self.model.arrive(n) {
                Arrived::Lent | Arrived::Waits => None,
                Arrived::Busy => Some(Outcome::Busy),
                Arrived::Closed => Some(Outcome::Closed),
            },
        };
        self.flights.push(Flight {
            n,
            what,
            arrived: self.model.now,
            expected,
            future: Some(future),
            got: None,
        });
    }

    fn number(&mut self, gate: Gate) -> u32 {
        self.next += 1;
        lock(&self.door).gates.insert(self.next, gate);
        self.next
    }

    fn call_lease(&mut self, at: usize, what: What, gate: Gate) {
        let n = self.number(gate);
        let held = &mut self.leases[at];
        let expected = match (held.sound, gate, self.model.out.get_mut(&held.n)) {
            (false, ..) => Outcome::Retired,
            (true, Gate::Open, Some(guest)) if what != What::Trap => {
                guest.calls += 1;
                match what {
                    What::Fail => Outcome::Failed(guest.calls),
                    _ => Outcome::Count(guest.calls),
                }
            }
            (true, Gate::Open, _) => Outcome::Trap,
            (true, ..) => Outcome::Host,
        };
        let lease = &mut held.lease;
        let params = [Val::U32(n)];
        let mut call = Box::pin(async { outcome(lease.invoke(what.export(), &params).await) });
        let Poll::Ready(got) = call.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("a call of a lease waits for nothing")
        };
        assert_eq!(got, expected, "a call of a lease");
        held.sound &= matches!(got, Outcome::Count(_) | Outcome::Failed(_));
    }

    fn drop_lease(&mut self, at: usize) {
        let held = self.leases.remove(at);
        drop(held.lease);
        self.model.end(held.n, held.sound);
    }

    fn cancel(&mut self, at: usize) {
        let flight = self.flights.remove(at);
        drop(flight.future);
        if flight.what != What::Close {
            self.model.cancel(flight.n);
        }
    }

    /// What the model says that happens next, in the order in which the flights are looked at.
    fn foresee(&mut self) {
        let mut moved = true;
        while std::mem::take(&mut moved) {
            for at in 0..self.flights.len() {
                let expected = self.foresee_one(at);
                moved |= expected.is_some();
                if expected.is_some() {
                    self.flights[at].expected = expected;
                }
            }
        }
    }

    fn foresee_one(&mut self, at: usize) -> Option<Outcome> {
        let Flight {
            n,
            what,
            arrived,
            ref expected,
            ..
        } = self.flights[at];
        if expected.is_some() {
            return None;
        }
        if what == What::Close {
            return self.model.out.is_empty().then_some(Outcome::Drained);
        }
        let Some(guest) = self.model.out.get_mut(&n) else {
            let waits = self.model.queue.contains(&n);
            return (!waits).then_some(Outcome::Closed);
        };
        self.tokens.insert(n, guest.token);
        if what == What::Lease {
            return Some(Outcome::Held);
        }
        let gate = lock(&self.door).gates[&n];
        let (outcome, sound) = match gate {
            Gate::Shut if self.model.now < arrived + DEADLINE => return None,
            Gate::Shut => (Outcome::Deadline, false),
            Gate::Refuse => (Outcome::Host, false),
            Gate::Open if what == What::Trap => (Outcome::Trap, false),
            Gate::Open => {
                guest.calls += 1;
                match what {
                    What::Fail => (Outcome::Failed(guest.calls), true),
                    _ => (Outcome::Count(guest.calls), true),
                }
            }
        };
        self.model.end(n, sound);
        Some(outcome)
    }

    /// Lets everything happen that can, until it is as the model says.
    fn settle(&mut self) {
        self.foresee();
        let clock = Clock::system();
        let (end, mut looks) = (clock.now() + PATIENCE, 0);
        while let Some(difference) = self.look() {
            looks += 1;
            let (model, stats) = (&self.model, self.pool.stats());
            let patient = looks < 1000 || clock.now() < end;
            assert!(patient, "{difference}: {model:#?}\n{stats:?}");
            std::thread::yield_now();
        }
        self.flights.retain(|flight| flight.got.is_none());
    }

    fn look(&mut self) -> Option<String> {
        let mut moved = true;
        while std::mem::take(&mut moved) {
            for at in 0..self.flights.len() {
                moved |= self.poll(at);
            }
        }
        for flight in &self.flights {
            if flight.got != flight.expected {
                let Flight {
                    n,
                    what,
                    expected,
                    got,
                    ..
                } = flight;
                return Some(format!("{what:?} {n} got {got:?} and not {expected:?}"));
            }
        }
        self.model
            .differs(&self.pool.stats())
            .or_else(|| self.differs_in_instances())
    }

    /// Whether it moved.
    fn poll(&mut self, at: usize) -> bool {
        let flight = &mut self.flights[at];
        let Some(future) = &mut flight.future else {
            return false;
        };
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(ended) = polled else {
            return false;
        };
        flight.future = None;
        flight.got = Some(match ended {
            Ended::Outcome(outcome) => outcome,
            Ended::Lease(lease) => {
                let id = lease.embedder().map(|tag| tag.id).unwrap();
                lock(&self.door).served.insert(flight.n, id);
                self.leases.push(Held {
                    n: flight.n,
                    sound: true,
                    lease,
                });
                Outcome::Held
            }
        });
        true
    }

    /// Callers met the instances that the model lent them.
    fn differs_in_instances(&mut self) -> Option<String> {
        let door = lock(&self.door);
        for (n, token) in &self.tokens {
            let Some(id) = door.served.get(n) else {
                return Some(format!("{n} met no instance"));
            };
            let known = self.ids.get(token).copied();
            let first = known.is_none() && self.ids.values().all(|other| other != id);
            if known != Some(*id) && !first {
                return Some(format!("{n} met instance {id} and not {known:?}"));
            }
            self.ids.insert(*token, *id);
        }
        self.tokens.clear();
        None
    }

    /// Everybody goes. Nothing may be left over.
    fn finish(mut self) {
        loop {
            if !self.leases.is_empty() {
                self.drop_lease(0);
            } else if !self.flights.is_empty() {
                self.cancel(0);
            } else {
                break;
            }
            self.settle();
        }
        self.model.close();
        self.begin(What::Close, Gate::Open);
        self.settle();
        let stats = self.pool.stats();
        let used = stats.idle + stats.leased + stats.starting + stats.dying;
        let alive = self.alive.load(Ordering::SeqCst);
        assert_eq!((used, alive), (0, 0), "{stats:?}");
        let seen: BTreeSet<_> = self.ids.values().collect();
        assert_eq!(seen.len(), self.ids.len(), "{:?}", self.ids);
    }
}

fn outcome(answer: std::result::Result<Option<Val>, CallError>) -> Outcome {
    match answer {
        Ok(Some(Val::U32(count))) => Outcome::Count(count),
        Ok(Some(Val::Result(Err(Some(count))))) => match *count {
            Val::U32(count) => Outcome::Failed(count),
            other => panic!("{other:?}"),
        },
        Ok(other) => panic!("{other:?}"),
        Err(CallError::Trap(_)) => Outcome::Trap,
        Err(CallError::Host(_)) => Outcome::Host,
        Err(CallError::Deadline { .. }) => Outcome::Deadline,
        Err(CallError::Busy { .. }) => Outcome::Busy,
        Err(CallError::Closed) => Outcome::Closed,
        Err(CallError::Retired) => Outcome::Retired,
        Err(other) => panic!("{}", chain(&other)),
    }
}
