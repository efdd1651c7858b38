//! What must hold in whichever order the threads run.
//!
//! A model that waits for what will never come ends as a deadlock, which loom reports. Each is
//! explored with at most so many switches of threads that did not have to be: what that finds is a
//! real fault, and nearly all faults need no more.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use loom::thread::{JoinHandle, spawn};

use crate::component::{Component, HostParts};
use crate::engine::Engines;
use crate::instance::{Binding, Maker, Terms};
use crate::library::clock::Clock;
use crate::library::config::{PoolConfig, Reuse};
use crate::library::error::CallError;
use crate::library::lending::{Guard, Lending, Owner};
use crate::library::loads::{Load, Loads};
use crate::library::park;
use crate::library::pockets::Pockets;
use crate::library::refill::{Next, Refill, Work};
use crate::library::registry::{Gone, Loaded, Registry};
use crate::library::room::Room;
use crate::library::ticker::Ticker;
use crate::sync;
use crate::sync::thread::refuse;

/// What a ticker does before it parks: the fewer, the more orders can be tried.
const PATIENCE: u32 = 1;

/// Tries all orders with at most so many preemptions, and says how many there were.
fn explore(preemptions: usize, model: impl Fn() + Send + Sync + 'static) -> usize {
    // Threads count their pockets over the whole process.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let orders = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&orders);
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 20_000;
    builder.preemption_bound.get_or_insert(preemptions);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    orders.load(Ordering::Relaxed)
}

type Pool = Owner<(), ()>;

/// A host on which no time passes.
struct Desk {
    host: Arc<HostParts>,
    clock: Clock,
    slots: usize,
}

impl Desk {
    /// One whose engine has so many slots, on a machine that starts none of these threads.
    fn new(slots: usize, refused: &'static [&'static str]) -> Self {
        refuse(refused);
        // Or the models would be of pools without pockets.
        assert!(Pockets::new(1).put(Box::new(())).is_ok());
        let clock = Clock::manual();
        let engines = Arc::new(Engines::new(slots));
        let host = HostParts {
            ticker: Ticker::parking_after(
                PATIENCE,
                Arc::clone(&engines),
                Duration::ZERO,
                clock.clone(),
            ),
            refill: Refill::new(1, clock.clone()),
            room: Room::new(slots),
            engines,
        };
        assert_eq!(
            host.ticker.start().is_err(),
            refused.contains(&"prewarm-ticker")
        );
        Self {
            host: Arc::new(host),
            clock,
            slots,
        }
    }

    fn pool(&self, max_instances: usize, reuse: Reuse) -> Pool {
        let mut config = PoolConfig::new(max_instances);
        config.limits.deadline = Duration::MAX;
        let maker = Maker {
            binding: Binding(Component::new()),
            clock: self.clock.clone(),
            max_age: None,
            direct: true,
            engines: Arc::clone(&self.host.engines),
            calls: match reuse {
                Reuse::Never => 1,
                Reuse::Calls(_) => u32::MAX,
            },
            state: Box::new(|| ()),
            terms: Terms(config.limits.clone()),
            world: PhantomData,
        };
        config.reuse = reuse;
        Lending::owned(maker, Arc::clone(&self.host), &config, None)
    }

    /// Closes the pools, and finds nothing left.
    fn end(self, pools: Vec<Pool>) {
        for pool in pools {
            pool.close();
            pool.drained_direct();
            let stats = pool.stats();
            let held = stats.idle + stats.leased + stats.starting + stats.dying;
            assert_eq!((held, stats.waiting), (0, 0));
        }
        assert_eq!(self.host.engines.free(), self.slots);
    }
}

fn again() -> Reuse {
    Reuse::Calls(u32::MAX..=u32::MAX)
}

fn call_with(pool: &Pool, guest: impl FnOnce(&Engines)) -> Result<(), CallError> {
    // As a pool's own calls do.
    let mut guard = match pool.ready(false, None) {
        Some((instance, _)) => Guard::new(&**pool, instance),
        None => Lending::lend_direct(&**pool, false, None)?.0,
    };
    let (_, instance) = guard.begin()?;
    instance.touch();
    guest(instance.engines());
    guard.ended_well();
    Ok(())
}

fn call(pool: &Pool) -> Result<(), CallError> {
    call_with(pool, |_| {})
}

fn in_thread(pool: &Pool, calls: usize) -> JoinHandle<()> {
    let pool = pool.clone();
    spawn(move || (0..calls).for_each(|_| call(&pool).unwrap()))
}

const NO_REFILL: &[&str] = &["prewarm-refill"];
const NO_THREADS: &[&str] = &["prewarm-ticker", "prewarm-refill"];

/// Somebody queues while the only instance goes into a pocket.
pub fn who_waits_gets_what_would_go_into_a_pocket() -> usize {
    explore(3, || {
        let desk = Desk::new(1, NO_THREADS);
        let pool = desk.pool(1, again());
        let other = in_thread(&pool, 1);
        call(&pool).unwrap();
        call(&pool).unwrap();
        other.join().unwrap();
        desk.end(vec![pool]);
    })
}

/// Three callers share two instances, and take them out of each other's pockets.
pub fn callers_share_the_instances_in_pockets() -> usize {
    explore(2, || {
        let desk = Desk::new(2, NO_THREADS);
        let pool = desk.pool(2, again());
        call(&pool).unwrap();
        let others = [in_thread(&pool, 1), in_thread(&pool, 1)];
        call(&pool).unwrap();
        others.into_iter().for_each(|other| other.join().unwrap());
        desk.end(vec![pool]);
    })
}

/// A caller shares the pocket that the instance goes into for one who queues: it does not get ahead.
pub fn who_shares_a_pocket_waits_for_who_came_before() -> usize {
    let late_ones = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&late_ones);
    let orders = explore(3, move || {
        let desk = Desk::new(1, NO_THREADS);
        let pool = desk.pool(1, again());
        let served = Arc::new(Mutex::new(Vec::new()));
        let caller = |name: &'static str| {
            let (pool, served) = (pool.clone(), Arc::clone(&served));
            move || call_with(&pool, |_| served.lock().unwrap().push(name)).unwrap()
        };
        let (first, late) = (spawn(caller("first")), caller("late"));
        let moved = pool.clone();
        let other = spawn(move || {
            let came_late = moved.stats().waiting > 0;
            late();
            came_late
        });
        call(&pool).unwrap();
        first.join().unwrap();
        if other.join().unwrap() {
            counted.fetch_add(1, Ordering::Relaxed);
            assert_eq!(*served.lock().unwrap(), ["first", "late"]);
        }
        desk.end(vec![pool]);
    });
    assert!(late_ones.load(Ordering::Relaxed) > 0, "it was never late");
    orders
}

/// A pool is closed while its instance goes into a pocket.
pub fn a_closed_pool_keeps_nothing_in_a_pocket() -> usize {
    explore(3, || {
        let desk = Desk::new(1, NO_THREADS);
        let pool = desk.pool(1, again());
        call(&pool).unwrap();
        let moved = pool.clone();
        let closer = spawn(move || moved.close());
        for _ in 0..2 {
            match call(&pool) {
                Ok(()) | Err(CallError::Closed) => {}
                Err(error) => panic!("{error}"),
            }
        }
        closer.join().unwrap();
        desk.end(vec![pool]);
    })
}

/// The engine's only slot is wanted by two pools at a time, and nobody looks again after a while.
pub fn who_waits_for_room_gets_what_another_pool_gives_up() -> usize {
    explore(4, || {
        let desk = Desk::new(1, NO_THREADS);
        let (one, two) = (desk.pool(1, again()), desk.pool(1, again()));
        call(&one).unwrap();
        let other = in_thread(&two, 1);
        call(&one).unwrap();
        other.join().unwrap();
        desk.end(vec![one, two]);
    })
}

/// The host's only slot is given back while one caller waits for it and another gives up its place.
pub fn a_slot_goes_to_who_waits_and_not_to_who_left() -> usize {
    explore(3, || {
        let room = Room::new(1);
        let tenant = room.tenant(3);
        let held = tenant.take();
        let (one, other) = (Arc::clone(&tenant), Arc::clone(&tenant));
        let waits = spawn(move || {
            let mut asked = one.take_or_line_up();
            while let Err(place) = asked {
                asked = place.granted();
                if let Err(place) = &asked {
                    park::wait(place.told(), None, &Clock::manual());
                }
            }
        });
        let leaves = spawn(move || drop(other.take_or_line_up()));
        drop(held);
        waits.join().unwrap();
        leaves.join().unwrap();
        assert_eq!(tenant.taken_by_all(), 0);
    })
}

/// The ticker looks into the pockets while the only instance goes into one and somebody queues.
pub fn who_waits_is_served_while_the_ticker_counts() -> usize {
    explore(3, || {
        let desk = Desk::new(1, NO_REFILL);
        let pool = desk.pool(1, again());
        let other = in_thread(&pool, 1);
        call(&pool).unwrap();
        other.join().unwrap();
        desk.end(vec![pool]);
    })
}

/// The ticker looks into the pockets while the pool is closed.
pub fn a_pool_is_closed_while_the_ticker_counts() -> usize {
    explore(4, || {
        let desk = Desk::new(1, NO_REFILL);
        let pool = desk.pool(1, again());
        call_with(&pool, Engines::run_until_tick).unwrap();
        desk.end(vec![pool]);
    })
}

/// A guest runs that only a tick will stop, as the ticker is about to park.
pub fn a_guest_that_runs_is_never_without_ticks() -> usize {
    guests_see_ticks(again())
}

/// The same with a pool that the ticker forgets between its calls.
pub fn a_pool_that_was_forgotten_gets_ticks_again() -> usize {
    guests_see_ticks(Reuse::Never)
}

/// Two callers want the only instance, and each runs until a tick, as the ticker is about to park.
pub fn who_had_to_wait_gets_ticks() -> usize {
    who_waits_for(again())
}

/// The same where each gets an instance of its own, when the last is gone.
pub fn who_waited_for_a_slot_gets_ticks() -> usize {
    who_waits_for(Reuse::Never)
}

fn who_waits_for(reuse: Reuse) -> usize {
    explore(2, move || {
        let desk = Desk::new(1, NO_REFILL);
        let pool = desk.pool(1, reuse.clone());
        let moved = pool.clone();
        let other = spawn(move || call_with(&moved, Engines::run_until_tick).unwrap());
        call_with(&pool, Engines::run_until_tick).unwrap();
        other.join().unwrap();
        desk.end(vec![pool]);
    })
}

/// A pool is called for the first time as the ticker, which ran for another, is about to park.
pub fn a_new_pool_gets_ticks() -> usize {
    explore(3, || {
        let desk = Desk::new(2, NO_REFILL);
        let (old, new) = (desk.pool(1, again()), desk.pool(1, again()));
        call_with(&old, Engines::run_until_tick).unwrap();
        call_with(&new, Engines::run_until_tick).unwrap();
        desk.end(vec![old, new]);
    })
}

fn guests_see_ticks(reuse: Reuse) -> usize {
    explore(3, move || {
        let desk = Desk::new(1, NO_REFILL);
        let pool = desk.pool(1, reuse.clone());
        for _ in 0..2 {
            call_with(&pool, Engines::run_until_tick).unwrap();
        }
        desk.end(vec![pool]);
    })
}

/// Work that says, through loom, when it was done.
struct Errand {
    left: sync::Mutex<usize>,
    done: sync::Condvar,
}

impl Errand {
    fn new(times: usize) -> Arc<Self> {
        Arc::new(Self {
            left: sync::Mutex::new(times),
            done: sync::Condvar::new(),
        })
    }

    fn run(&self) {
        *self.left.lock() -= 1;
        self.done.notify_all();
    }

    fn wait(&self) {
        let mut left = self.left.lock();
        while *left > 0 {
            self.done.wait(&mut left);
        }
    }
}

impl Work for Errand {
    fn work(&self) -> Next {
        self.run();
        Next::Done
    }

    fn look(&self) -> bool {
        self.run();
        false
    }
}

impl Load for Errand {
    fn load(self: Arc<Self>) {
        self.run();
    }
}

/// Two threads have work to do while the refill thread starts or parks.
pub fn refill_does_what_it_was_told() -> usize {
    explore(3, || {
        refuse(&[]);
        let refill = Arc::new(Refill::new(1, Clock::manual()));
        let errand = Errand::new(2);
        let (moved, who) = (Arc::clone(&refill), Arc::clone(&errand));
        let other = spawn(move || moved.tell(who));
        refill.tell(Arc::clone(&errand) as Arc<_>);
        errand.wait();
        other.join().unwrap();
    })
}

/// The time to look comes while the refill thread is about to wait for it.
pub fn refill_looks_when_it_is_time() -> usize {
    explore(3, || {
        refuse(&[]);
        let clock = Clock::manual();
        let at: Instant = clock.now() + Duration::from_secs(1);
        let refill = Refill::new(1, clock.clone());
        let errand = Errand::new(1);
        let who: Arc<dyn Work> = Arc::clone(&errand) as Arc<_>;
        refill.look_at(at, Arc::downgrade(&who));
        clock.advance(Duration::from_secs(1));
        errand.wait();
    })
}

/// A load is asked for while the thread that waited for one goes away.
pub fn every_load_is_done() -> usize {
    explore(3, || {
        refuse(&[]);
        let loads = Arc::new(Loads::new(1));
        let errand = Errand::new(2);
        let (moved, who) = (Arc::clone(&loads), Arc::clone(&errand));
        let other = spawn(move || moved.submit(who));
        loads.submit(Arc::clone(&errand) as Arc<_>);
        errand.wait();
        other.join().unwrap();
    })
}

/// A registered component, and how many calls use it.
struct InUse {
    users: sync::AtomicUsize,
    used: sync::AtomicU64,
    unloaded: sync::AtomicBool,
}

impl Loaded for InUse {
    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn unload(&self, now: u64) -> Option<Gone> {
        if self.users.load(Ordering::Relaxed) > 0 {
            self.used.fetch_max(now, Ordering::Relaxed);
            return None;
        }
        self.unloaded.store(true, Ordering::Relaxed);
        Some(Box::new(()))
    }
}

/// The last call of a component ends while another is loaded, for which it has to go.
pub fn what_has_to_go_goes_when_its_use_ends() -> usize {
    explore(5, || {
        let now = Clock::manual().now();
        let registry = Arc::new(Registry::new(1, u64::MAX, now));
        let load = || {
            let one = Arc::new(InUse {
                users: sync::AtomicUsize::new(1),
                used: sync::AtomicU64::new(0),
                unloaded: sync::AtomicBool::new(false),
            });
            let id = registry.register();
            registry.begin_load(now);
            let who: Arc<dyn Loaded> = Arc::clone(&one) as Arc<_>;
            let code = usize::try_from(id).unwrap();
            registry.loaded(id, Arc::downgrade(&who) as Weak<_>, now, (code, 1));
            one
        };
        let first = load();
        let (moved, its) = (Arc::clone(&registry), Arc::clone(&first));
        let call = spawn(move || {
            // As the last handle of a pool is dropped.
            its.users.fetch_sub(1, Ordering::Release);
            if moved.is_over() && moved.tell() {
                moved.tidy(now);
            }
        });
        let _second = load();
        call.join().unwrap();
        assert!(first.unloaded.load(Ordering::Relaxed));
    })
}
