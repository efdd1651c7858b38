//! The host, whose clock stands still, and the guest of the pools that are tried.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use prewarm::{
    Allocation, Clock, Component, Host, HostConfig, Pool, PoolConfig, Reuse, State, Val,
};
use wasmtime::component::Linker;

/// Imports `enter`, which every function calls with its parameter before it counts the call.
const GUEST: &str = r#"(component
    (import "enter" (func $enter (param "n" u32)))
    (core func $enter (canon lower (func $enter)))
    (core module $m
        (import "" "enter" (func $enter (param i32)))
        (memory (export "memory") 1)
        (global $calls (mut i32) (i32.const 0))
        (func $next (export "next") (param i32) (result i32)
            (call $enter (local.get 0))
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (global.get $calls))
        (func (export "fail") (param i32) (result i32)
            (i32.store (i32.const 16) (i32.const 1))
            (i32.store (i32.const 20) (call $next (local.get 0)))
            (i32.const 16))
        (func (export "trap") (param i32) (result i32)
            (call $enter (local.get 0))
            unreachable))
    (core instance $i (instantiate $m (with "" (instance (export "enter" (func $enter))))))
    (func (export "next") (param "n" u32) (result u32) (canon lift (core func $i "next")))
    (func (export "trap") (param "n" u32) (result u32) (canon lift (core func $i "trap")))
    (func (export "fail") (param "n" u32) (result (result (error u32)))
        (canon lift (core func $i "fail") (memory (core memory $i "memory")))))"#;

pub(super) const DEADLINE: Duration = Duration::from_secs(3600);
pub(super) const TTL: Duration = Duration::from_millis(100);
pub(super) const AGE: Duration = Duration::from_millis(250);

pub(super) const INSTANT: Duration = Duration::from_nanos(1);

/// Longer than anything takes that another thread does.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Bench {
    pub(super) clock: Clock,
    pub(super) component: Component,
    /// A pool whose instances go as soon as time moves.
    pub(super) canary: Pool<(), Tag>,
}

/// One host for all inputs; each has a pool of its own.
pub(super) static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let clock = Clock::manual();
    // Ahead of the real time, in which the timers of tokio run.
    clock.advance(24 * DEADLINE);
    let mut config = HostConfig::default();
    config.cache.enabled = false;
    config.allocation = Allocation::OnDemand;
    config.clock = clock.clone();
    config.refill_threads = 1;
    // No call runs so long that it would have to look at the time.
    config.tick = DEADLINE;
    let host = Host::new(config).unwrap();
    let component = host.load_blocking(prewarm::Wasm::wat(GUEST)).unwrap();
    let mut config = PoolConfig::new(1);
    config.reuse = Reuse::Calls(2..=2);
    config.idle_ttl = INSTANT;
    let door = Arc::<Mutex<Door>>::default();
    lock(&door).gates.insert(0, Gate::Open);
    let canary = pool(&component, config, &door, &Arc::default());
    Bench {
        clock,
        component,
        canary,
    }
});

impl Bench {
    /// Lets time pass, and waits until the refill thread, which looks at all pools in the order of
    /// time, has looked at what that brought. While it looks, a caller may get another instance
    /// than the one used last.
    pub(super) fn advance(&self, by: Duration) {
        self.clock.advance(by);
        let mut call = Box::pin(self.canary.invoke("next", &[Val::U32(0)]));
        patiently("the canary has no slot", || {
            let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            matches!(polled, Poll::Ready(Ok(_)))
        });
        self.clock.advance(INSTANT);
        patiently("refill does not look", || self.canary.stats().idle == 0);
    }
}

/// Waits for what another thread does.
fn patiently(what: &str, mut reached: impl FnMut() -> bool) {
    let clock = Clock::system();
    let (end, mut looks) = (clock.now() + PATIENCE, 0);
    while !reached() {
        // A machine that stood still for long gets a second chance.
        looks += 1;
        assert!(looks < 1000 || clock.now() < end, "{what}");
        std::thread::yield_now();
    }
}

/// How `enter` answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    Open,
    Shut,
    /// By an error, which ends the call.
    Refuse,
}

/// What callers and host functions share.
#[derive(Default)]
pub(super) struct Door {
    pub(super) gates: BTreeMap<u32, Gate>,
    /// Which instance served which call.
    pub(super) served: BTreeMap<u32, u64>,
}

/// The embedder's value of one instance: its number, and a count of those that live.
pub(super) struct Tag {
    pub(super) id: u64,
    pub(super) alive: Arc<AtomicU64>,
}

impl Drop for Tag {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(super) fn lock(door: &Mutex<Door>) -> MutexGuard<'_, Door> {
    door.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A pool of the guest, whose instances are numbered as they are made.
pub(super) fn pool(
    component: &Component,
    config: PoolConfig,
    door: &Arc<Mutex<Door>>,
    alive: &Arc<AtomicU64>,
) -> Pool<(), Tag> {
    let (door, alive, made) = (door.clone(), alive.clone(), AtomicU64::new(0));
    let tag = move || {
        alive.fetch_add(1, Ordering::SeqCst);
        Tag {
            id: made.fetch_add(1, Ordering::SeqCst),
            alive: alive.clone(),
        }
    };
    let imports = move |linker: &mut Linker<State<Tag>>| {
        let door = door.clone();
        linker
            .root()
            .func_wrap_async("enter", move |store, (n,): (u32,)| {
                lock(&door).served.insert(n, store.data().embedder().id);
                let door = door.clone();
                Box::new(poll_fn(move |_| pass(&door, n)))
            })
    };
    let builder = Pool::builder(component, config, tag).imports(imports);
    builder.build().unwrap()
}

/// Whether the call `n` may go on.
fn pass(door: &Mutex<Door>, n: u32) -> Poll<wasmtime::Result<()>> {
    match lock(door).gates.get(&n) {
        Some(Gate::Open) => Poll::Ready(Ok(())),
        Some(Gate::Refuse) => Poll::Ready(Err(wasmtime::Error::msg("refused"))),
        Some(Gate::Shut) | None => Poll::Pending,
    }
}
