//! Hosts, pools of both faces, and waiting without sleeping.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use prewarm::{
    CallError, Clock, Component, Host, HostConfig, Pool, PoolConfig, PoolError, PoolStats, Reuse,
    State, Val, Wasm, World, blocking,
};
use wasmtime::component::Linker;

/// Longer than anything takes that ends at all.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A deadline that no call meets, however slow the machine.
pub const LONG: Duration = Duration::from_mins(10);

/// The runtime of tests that are not themselves asynchronous.
pub static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Runtime::new().unwrap());

/// A host without a cache, and so small that many fit the address space.
pub fn host() -> Host {
    host_with(|_| {})
}

/// The same, set otherwise.
pub fn host_with(set: impl FnOnce(&mut HostConfig)) -> Host {
    let mut config = HostConfig::default();
    config.cache.enabled = false;
    config.max_instances = 40;
    set(&mut config);
    Host::new(config).unwrap()
}

/// A host whose time stands still, and its clock.
pub fn still_host() -> (Host, Clock) {
    let clock = Clock::manual();
    let host = host_with(|config| config.clock = clock.clone());
    (host, clock)
}

/// Loads text that must be a component.
pub fn load(host: &Host, wat: &str) -> Component {
    host.load_blocking(Wasm::wat(wat))
        .unwrap_or_else(|error| panic!("{:#?}", chain(&error)))
}

/// What an error says, from the outside in.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect()
}

/// So many instances, lent once or again.
pub fn config(max_instances: usize, reuse: Reuse) -> PoolConfig {
    let mut config = PoolConfig::new(max_instances);
    config.reuse = reuse;
    config
}

/// Every call on one instance, as far as the tests go.
pub fn always() -> Reuse {
    Reuse::Calls(1000..=1000)
}

/// How callers call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// From tasks.
    Async,
    /// From threads.
    Blocking,
}

/// Both.
pub const FACES: [Face; 2] = [Face::Async, Face::Blocking];

/// A pool of either face, called from a thread by the names of exports.
#[derive(Debug)]
pub enum AnyPool<S: Send + 'static = ()> {
    /// Of tasks.
    Async(Pool<(), S>),
    /// Of threads.
    Blocking(blocking::Pool<(), S>),
}

impl AnyPool {
    /// One whose guest imports nothing.
    pub fn new(face: Face, component: &Component, config: PoolConfig) -> Self {
        Self::with(face, component, config, || (), |_| Ok(())).unwrap()
    }
}

impl<S: Send + 'static> AnyPool<S> {
    /// One with imports and a value per instance.
    pub fn with(
        face: Face,
        component: &Component,
        config: PoolConfig,
        state: impl Fn() -> S + Send + Sync + 'static,
        imports: impl Fn(&mut Linker<State<S>>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Result<Self, PoolError> {
        let _runtime = RUNTIME.enter();
        Ok(match face {
            Face::Async => Self::Async(
                Pool::builder(component, config, state)
                    .imports(imports)
                    .build()?,
            ),
            Face::Blocking => Self::Blocking(
                blocking::Pool::builder(component, config, state)
                    .imports(imports)
                    .build()?,
            ),
        })
    }

    /// Another handle of the same pool.
    pub fn share(&self) -> Self {
        match self {
            Self::Async(pool) => Self::Async(pool.clone()),
            Self::Blocking(pool) => Self::Blocking(pool.clone()),
        }
    }

    /// Calls an export.
    pub fn invoke(&self, name: &str, params: &[Val]) -> Result<Option<Val>, CallError> {
        match self {
            Self::Async(pool) => RUNTIME.block_on(pool.invoke(name, params)),
            Self::Blocking(pool) => pool.invoke(name, params),
        }
    }

    /// Calls a function without parameters that answers a number.
    pub fn number(&self, name: &str) -> Result<u32, CallError> {
        self.invoke(name, &[]).map(number)
    }

    /// What it holds and has done.
    pub fn stats(&self) -> PoolStats {
        match self {
            Self::Async(pool) => pool.stats(),
            Self::Blocking(pool) => pool.stats(),
        }
    }

    /// Holds one instance until the answer is dropped.
    pub fn hold(&self) -> Box<dyn Send> {
        self.try_hold().unwrap()
    }

    /// The same, where there may be none.
    pub fn try_hold(&self) -> Result<Box<dyn Send>, CallError> {
        Ok(match self {
            Self::Async(pool) => Box::new(RUNTIME.block_on(pool.lease())?),
            Self::Blocking(pool) => Box::new(pool.lease()?),
        })
    }

    /// Closes it.
    pub fn close(&self) {
        match self {
            Self::Async(pool) => RUNTIME.block_on(pool.close()),
            Self::Blocking(pool) => pool.close(),
        }
    }

    /// Waits for what other threads do to the pool.
    #[track_caller]
    pub fn until(&self, what: &str, reached: impl Fn(&PoolStats) -> bool) -> PoolStats {
        until(what, || {
            let stats = self.stats();
            if reached(&stats) {
                Ok(stats)
            } else {
                Err(stats)
            }
        })
    }
}

/// The number that was answered.
pub fn number(answer: Option<Val>) -> u32 {
    match answer {
        Some(Val::U32(number)) => number,
        other => panic!("no number: {other:?}"),
    }
}

/// Calls `reached` until it is, giving way to other threads meanwhile.
#[track_caller]
pub fn until<R, E: std::fmt::Debug>(what: &str, mut reached: impl FnMut() -> Result<R, E>) -> R {
    let clock = Clock::system();
    let end = clock.now() + PATIENCE;
    loop {
        match reached() {
            Ok(answer) => return answer,
            Err(seen) if clock.now() > end => panic!("never: {what}; last seen {seen:?}"),
            Err(_) => std::thread::yield_now(),
        }
    }
}

/// The same in a task.
pub async fn until_stats<W: World, S: Send + 'static>(
    pool: &Pool<W, S>,
    what: &str,
    reached: impl Fn(&PoolStats) -> bool,
) -> PoolStats {
    let clock = Clock::system();
    let end = clock.now() + PATIENCE;
    loop {
        let stats = pool.stats();
        if reached(&stats) {
            return stats;
        }
        assert!(clock.now() < end, "never: {what}; last seen {stats:?}");
        tokio::task::yield_now().await;
    }
}

/// Polls a future once, with nobody to wake.
pub fn poll_once<F: Future + ?Sized>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets time pass while other threads do what they do.
pub fn pass(time: Duration) {
    let clock = Clock::system();
    let end = clock.now() + time;
    while let Some(left) = end.checked_duration_since(clock.now()) {
        std::thread::park_timeout(left);
    }
}

/// Runs a call that does not end, until something else has.
pub async fn until_then<F: Future, R>(
    call: std::pin::Pin<&mut F>,
    something: impl Future<Output = R>,
) -> R {
    tokio::select! {
        _ = call => panic!("the call ended"),
        answer = something => answer,
    }
}

/// Runs a test of this program again, in a process of its own set up so, which must pass. Says
/// `false` in that process.
pub fn alone(module: &str, test: &str, set_up: impl FnOnce(&mut Command)) -> bool {
    const ALONE: &str = "PREWARM_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return false;
    }
    let (_, module) = module.split_once("::").unwrap();
    // Not by its path, which another user may not walk.
    let mut child = Command::new("/proc/self/exe");
    child
        .args(["--exact", &format!("{module}::{test}"), "--nocapture"])
        .env(ALONE, "1");
    set_up(&mut child);
    let started = child.output();
    let child = started.unwrap_or_else(|error| panic!("{child:?} does not start: {error}"));
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{}: {said}{}",
        child.status,
        String::from_utf8_lossy(&child.stderr)
    );
    true
}

/// Slots in use.
pub fn used(stats: &PoolStats) -> usize {
    stats.idle + stats.leased + stats.starting + stats.dying
}

/// Counts what lives: as the embedder's value of each instance.
#[derive(Debug)]
pub struct Alive(&'static AtomicUsize);

impl Alive {
    /// One more.
    pub fn new(count: &'static AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A counter that lives as long as the process.
pub fn counter() -> &'static AtomicUsize {
    Box::leak(Box::default())
}

/// Numbers without a pattern, the same for the same seed: splitmix64.
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// One of those below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

/// All files below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
