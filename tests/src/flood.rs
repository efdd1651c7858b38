//! A pool that gets ten times the calls that it can serve, beside a neighbour of the same host.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prewarm::{CallError, Clock, Host, Pool, PoolStats, Reuse, State};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use crate::hostile::{Neighbour, Served};
use crate::support::{config, host_with, load, pass};

/// `wait` waits in a host function, `work` computes, each until its time is over.
const GUEST: &str = r#"(component
    (import "rest" (func $rest))
    (import "is-over" (func $over (result bool)))
    (core func $rest (canon lower (func $rest)))
    (core func $over (canon lower (func $over)))
    (core module $m
        (import "" "rest" (func $rest))
        (import "" "is-over" (func $over (result i32)))
        (func (export "wait") (result i32) (call $rest) (i32.const 1))
        (func (export "work") (result i32) (local $n i32)
            (loop $again
                (local.set $n (i32.const 0))
                (loop $more
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br_if $more (i32.lt_u (local.get $n) (i32.const 100000))))
                (br_if $again (i32.eqz (call $over))))
            (i32.const 1)))
    (core instance $i (instantiate $m (with "" (instance
        (export "rest" (func $rest))
        (export "is-over" (func $over))))))
    (func (export "wait") (result u32) (canon lift (core func $i "wait")))
    (func (export "work") (result u32) (canon lift (core func $i "work"))))"#;

/// How long a call of the flooded pool takes at least.
const CALL: Duration = Duration::from_millis(4);
/// Slots of a host that a flood can take all of.
const SLOTS: u32 = 16;

/// Callers come in between any two turns of guests. By default tokio looks for new tasks after some
/// thirty turns, and what is too much would wait there, where no pool can refuse it.
static CALLERS: LazyLock<Runtime> = LazyLock::new(|| {
    let mut callers = tokio::runtime::Builder::new_multi_thread();
    callers.global_queue_interval(1).enable_all();
    callers.build().unwrap()
});

/// What there is too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Calls that wait, for a quarter of the host's slots.
    Waits,
    /// Calls that wait, for all slots of the host.
    Slots,
    /// Calls that compute, for all processors.
    Work,
}

/// All of them.
pub const KINDS: [Kind; 3] = [Kind::Waits, Kind::Slots, Kind::Work];

/// What became of the calls.
#[derive(Debug)]
pub struct Told {
    /// Answered.
    pub served: usize,
    /// Refused at once.
    pub busy: usize,
    /// Anything else.
    pub other: Vec<CallError>,
    /// The flooded pool after it.
    pub stats: PoolStats,
}

/// When a call that computes first asked whether its time is over.
type Began = Option<Instant>;

fn host_functions(linker: &mut Linker<State<Began>>) -> wasmtime::Result<()> {
    let mut root = linker.root();
    root.func_wrap_async("rest", |_, (): ()| {
        Box::new(async {
            tokio::time::sleep(CALL).await;
            Ok(())
        })
    })?;
    let clock = Clock::system();
    root.func_wrap(
        "is-over",
        move |mut store: StoreContextMut<'_, State<Began>>, (): ()| {
            let began = *store.data_mut().embedder_mut().get_or_insert(clock.now());
            Ok((clock.now() >= began + CALL,))
        },
    )
}

struct Flood {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Told>,
}

impl Flood {
    fn begin(host: &Host, kind: Kind) -> Self {
        let (instances, function) = match kind {
            Kind::Waits => (SLOTS as usize / 4, "wait"),
            Kind::Slots => (SLOTS as usize, "wait"),
            Kind::Work => (SLOTS as usize / 4, "work"),
        };
        let mut config = config(instances, Reuse::Never);
        config.max_queue = 2 * instances;
        let component = load(host, GUEST);
        let pool = {
            let _runtime = CALLERS.enter();
            let builder = Pool::<(), Began>::builder(&component, config, || None);
            builder.imports(host_functions).build().unwrap()
        };
        let stop = Arc::new(AtomicBool::new(false));
        let told = {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || CALLERS.block_on(flood(pool, instances, function, &stop)))
        };
        Self { stop, thread: told }
    }

    fn end(self) -> Told {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

/// Ten times as many calls as the instances can serve, whatever becomes of them.
async fn flood(
    pool: Pool<(), Began>,
    instances: usize,
    function: &'static str,
    stop: &AtomicBool,
) -> Told {
    let (served, busy) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut calls: JoinSet<Option<CallError>> = JoinSet::new();
    let mut other = Vec::new();
    let mut beat = tokio::time::interval(CALL);
    while !stop.load(Ordering::SeqCst) {
        beat.tick().await;
        for _ in 0..10 * instances {
            let (pool, served, busy) = (pool.clone(), Arc::clone(&served), Arc::clone(&busy));
            calls.spawn(async move {
                match pool.invoke(function, &[]).await {
                    Ok(_) => served.fetch_add(1, Ordering::Relaxed),
                    Err(CallError::Busy { .. }) => busy.fetch_add(1, Ordering::Relaxed),
                    Err(error) => return Some(error),
                };
                None
            });
        }
        while let Some(ended) = calls.try_join_next() {
            other.extend(ended.unwrap());
        }
    }
    while let Some(ended) = calls.join_next().await {
        other.extend(ended.unwrap());
    }
    pool.close().await;
    Told {
        served: served.load(Ordering::Relaxed),
        busy: busy.load(Ordering::Relaxed),
        other,
        stats: pool.stats(),
    }
}

/// A neighbour without a flood, then beside one, each for `time`. How processors are shared is the
/// kernel's: where the flood computes, the neighbour without it stands beside as many threads that
/// compute for themselves.
pub fn beside(kind: Kind, time: Duration) -> (Served, Served, Told) {
    let host = host_with(|config| config.max_instances = SLOTS);
    let stop = AtomicBool::new(false);
    let without = std::thread::scope(|scope| {
        if kind == Kind::Work {
            for _ in 0..CALLERS.metrics().num_workers() {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                });
            }
        }
        let neighbour = Neighbour::begin(&host);
        pass(time);
        let without = neighbour.end();
        stop.store(true, Ordering::Relaxed);
        without
    });
    let flood = Flood::begin(&host, kind);
    let neighbour = Neighbour::begin(&host);
    pass(time);
    let served = neighbour.end();
    (without, served, flood.end())
}
