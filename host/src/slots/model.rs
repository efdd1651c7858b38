//! A property-based test of [`Slots`]: any order of events, invariants after each step, nothing lost.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Arrive,
    /// The holder of a turn to start makes it, or fails.
    Start {
        at: usize,
        works: bool,
    },
    /// A lease ends.
    End {
        at: usize,
        retire: Option<Retire>,
    },
    /// Somebody in the queue looks, or gives up.
    Poll {
        at: usize,
    },
    Leave {
        at: usize,
    },
    Dropped {
        at: usize,
    },
    /// The refill thread does one thing.
    Refill {
        ends: Ends,
    },
    Look,
    Shed {
        in_use_micros: Option<u64>,
    },
    Wait {
        micros: u64,
    },
    Close,
}

fn step() -> impl Strategy<Value = Step> {
    let retire = prop_oneof![
        Just(None),
        Just(Some(Retire::Used)),
        Just(Some(Retire::Faulty)),
        Just(Some(Retire::Aged))
    ];
    prop_oneof![
        8 => Just(Step::Arrive),
        6 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(at, works)| Step::Start { at, works }),
        8 => (any::<usize>(), retire).prop_map(|(at, retire)| Step::End { at, retire }),
        6 => any::<usize>().prop_map(|at| Step::Poll { at }),
        2 => any::<usize>().prop_map(|at| Step::Leave { at }),
        6 => any::<usize>().prop_map(|at| Step::Dropped { at }),
        6 => prop_oneof![8 => Just(Ends::Made), 1 => Just(Ends::Failed), 1 => Just(Ends::NoSlot)]
            .prop_map(|ends| Step::Refill { ends }),
        1 => Just(Step::Look),
        1 => prop::option::of(0u64..200_000).prop_map(|in_use_micros| Step::Shed { in_use_micros }),
        6 => (0u64..200_000).prop_map(|micros| Step::Wait { micros }),
        1 => prop::bool::weighted(0.1).prop_map(|close| if close { Step::Close } else { Step::Look }),
    ]
}

/// How it ends that refill makes an instance.
#[derive(Clone, Copy, Debug)]
enum Ends {
    Made,
    Failed,
    NoSlot,
}

/// Everybody who holds something, as the pool's callers and its refill thread would.
#[derive(Debug)]
struct World {
    slots: Slots<u32>,
    now: Instant,
    born: u32,
    alive: BTreeSet<u32>,
    tainted: BTreeSet<u32>,
    leases: Vec<u32>,
    starts: Vec<()>,
    queue: Vec<Ticket>,
    to_drop: Vec<u32>,
    refilling: usize,
}

impl World {
    fn new(config: &PoolConfig) -> Self {
        Self {
            slots: Slots::new(config),
            now: crate::clock::Clock::system().now(),
            born: 0,
            alive: BTreeSet::new(),
            tainted: BTreeSet::new(),
            leases: Vec::new(),
            starts: Vec::new(),
            queue: Vec::new(),
            to_drop: Vec::new(),
            refilling: 0,
        }
    }

    fn make(&mut self) -> u32 {
        self.born += 1;
        self.alive.insert(self.born);
        self.born
    }

    fn turn(&mut self, turn: Turn<u32>) {
        match turn {
            Turn::Warm(instance) => {
                assert!(
                    self.alive.contains(&instance),
                    "a dropped instance was lent"
                );
                assert!(
                    !self.tainted.contains(&instance),
                    "a retired instance was lent"
                );
                assert!(
                    !self.leases.contains(&instance),
                    "an instance was lent twice"
                );
                self.leases.push(instance);
            }
            Turn::Start => self.starts.push(()),
            Turn::DropThenStart(instance) => {
                assert!(self.alive.remove(&instance), "dropped twice");
                self.starts.push(());
            }
        }
    }

    fn returned(&mut self, returned: Returned<u32>) {
        self.to_drop.extend(returned.drop_now);
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Arrive => match self.slots.arrive(self.now) {
                Arrived::Turn(turn) => self.turn(turn),
                Arrived::Wait(ticket) => self.queue.push(ticket),
                Arrived::Busy | Arrived::Closed => {}
            },
            Step::Start { at, works } if !self.starts.is_empty() => {
                self.starts.swap_remove(at % self.starts.len());
                if works {
                    let instance = self.make();
                    self.slots.started(Duration::from_micros(10));
                    self.leases.push(instance);
                } else {
                    self.slots.start_failed();
                }
            }
            Step::End { at, retire } if !self.leases.is_empty() => {
                let instance = self.leases.swap_remove(at % self.leases.len());
                if retire.is_some() {
                    self.tainted.insert(instance);
                }
                let returned = self
                    .slots
                    .give_back(instance, |_| age(self.now), self.now, retire);
                self.returned(returned);
            }
            Step::Poll { at } if !self.queue.is_empty() => {
                let at = at % self.queue.len();
                let ticket = self.queue[at];
                match self.slots.poll_turn(ticket, Waker::noop()) {
                    Poll::Pending => {}
                    Poll::Ready(turn) => {
                        self.queue.remove(at);
                        match turn {
                            Some(turn) => {
                                let first = self.queue.iter().filter(|t| t.0 < ticket.0);
                                assert!(
                                    first.into_iter().all(|t| self
                                        .slots
                                        .granted
                                        .iter()
                                        .any(|(g, _)| g == t)),
                                    "served before an earlier one"
                                );
                                self.turn(turn);
                            }
                            None => assert!(self.slots.is_closed()),
                        }
                    }
                }
            }
            Step::Leave { at } if !self.queue.is_empty() => {
                let ticket = self.queue.remove(at % self.queue.len());
                let returned = self.slots.leave(ticket, self.now, |_| age(self.now));
                self.returned(returned);
            }
            Step::Dropped { at } if !self.to_drop.is_empty() => {
                let instance = self.to_drop.swap_remove(at % self.to_drop.len());
                assert!(self.alive.remove(&instance), "dropped twice");
                self.slots.dropped();
            }
            Step::Refill { ends } => {
                if self.refilling > 0 {
                    self.refilling -= 1;
                    match ends {
                        Ends::Made => {
                            let instance = self.make();
                            let cost = Duration::from_micros(10);
                            let returned = self.slots.refilled(instance, self.now, cost);
                            self.returned(returned);
                        }
                        Ends::Failed => {
                            self.slots.refill_failed(self.now);
                        }
                        Ends::NoSlot => {
                            self.slots.refill_put_off(self.now);
                        }
                    }
                } else {
                    match self.slots.refill(self.now) {
                        Refilled::Drop(dying) => self.to_drop.extend(dying),
                        Refilled::Start => self.refilling += 1,
                        Refilled::Nap(_) | Refilled::Done => {}
                    }
                }
            }
            Step::Look => {
                self.slots.look(self.now);
            }
            Step::Shed { in_use_micros } => {
                let in_use = in_use_micros.map(Duration::from_micros);
                let unless_since = in_use.and_then(|in_use| self.now.checked_sub(in_use));
                self.slots.shed(unless_since);
                let stays = |since| unless_since.is_some_and(|at| since > at);
                assert!(
                    self.slots.idle.len() <= self.slots.min_warm
                        || self.slots.idle.iter().all(|idle| stays(idle.since))
                );
            }
            Step::Wait { micros } => self.now += Duration::from_micros(micros),
            Step::Close => {
                self.slots.close();
            }
            _ => {}
        }
        self.slots.assert_invariants();
        assert_eq!(
            self.slots.leased,
            self.leases.len()
                + self
                    .slots
                    .granted
                    .iter()
                    .filter(|(_, turn)| matches!(turn, Turn::Warm(_)))
                    .count()
        );
    }

    /// Everybody finishes. Nothing may be left over.
    fn finish(mut self) {
        self.apply(Step::Close);
        for _ in 0..10_000 {
            let stats = self.slots.stats(0, 0);
            if stats.leased + stats.starting + stats.dying + self.queue.len() == 0 {
                break;
            }
            for step in [
                Step::Poll { at: 0 },
                Step::Start { at: 0, works: true },
                Step::End {
                    at: 0,
                    retire: None,
                },
                Step::Refill { ends: Ends::Made },
                Step::Dropped { at: 0 },
            ] {
                self.apply(step);
            }
        }
        let stats = self.slots.stats(0, 0);
        assert_eq!(
            (stats.idle, stats.leased, stats.starting, stats.dying),
            (0, 0, 0, 0)
        );
        assert!(self.alive.is_empty(), "instances left: {:?}", self.alive);
        assert!(self.queue.is_empty());
        assert!(self.slots.poll_drained(Waker::noop()).is_ready());
    }
}

fn age(now: Instant) -> Age {
    Age {
        born: now,
        since: now,
    }
}

fn config(max_instances: usize, min_warm: usize, max_queue: usize, reuse: bool) -> PoolConfig {
    let mut config = PoolConfig::new(max_instances);
    config.min_warm = min_warm;
    config.max_queue = max_queue;
    config.max_age = Some(Duration::from_millis(300));
    config.idle_ttl = Duration::from_millis(100);
    if reuse {
        config.reuse = Reuse::Calls(2..=3);
    }
    config
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_events_keeps_the_invariants(
        max_instances in 1usize..6,
        min_warm in 0usize..4,
        max_queue in 0usize..5,
        reuse in any::<bool>(),
        steps in prop::collection::vec(step(), 0..400),
    ) {
        let mut world = World::new(&config(max_instances, min_warm, max_queue, reuse));
        for step in steps {
            world.apply(step);
        }
        world.finish();
    }
}

#[test]
fn waiters_are_served_in_order_of_arrival() {
    let mut slots: Slots<u32> = Slots::new(&config(1, 0, 3, true));
    let now = crate::clock::Clock::system().now();
    assert!(matches!(slots.arrive(now), Arrived::Turn(Turn::Start)));
    slots.started(Duration::ZERO);
    let tickets: Vec<Ticket> = (0..3)
        .map(|_| match slots.arrive(now) {
            Arrived::Wait(ticket) => ticket,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(matches!(slots.arrive(now), Arrived::Busy));
    for ticket in tickets {
        slots.give_back(7, |_| age(now), now, None);
        assert!(matches!(
            slots.poll_turn(ticket, Waker::noop()),
            Poll::Ready(Some(Turn::Warm(7)))
        ));
    }
}

#[test]
fn an_idle_pool_shrinks_to_min_warm() {
    let mut slots: Slots<u32> = Slots::new(&config(4, 1, 0, true));
    let now = crate::clock::Clock::system().now();
    for _ in 0..3 {
        slots.arrive(now);
        slots.started(Duration::ZERO);
    }
    for instance in 0..3 {
        slots.give_back(instance, |_| age(now), now, None);
    }
    let at = now + Duration::from_millis(100);
    assert_eq!(slots.notice(now, 0), Notice::LookAt(at));
    assert_eq!(slots.notice(now, 0), Notice::Nothing);
    slots.look(at);
    assert_eq!((slots.stats(0, 0).idle, slots.stats(0, 0).dying), (1, 2));
    assert_eq!(slots.take_dying(usize::MAX), [0, 1], "last used is kept");
    assert_eq!(
        slots.notice(at, 0),
        Notice::LookAt(now + Duration::from_millis(300))
    );
}
