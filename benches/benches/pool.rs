//! Many callers, and many components. All of it is a throughput or a mean: how latencies are spread
//! under load is for `cargo xtask bench --report`, since criterion waits for one call before it makes
//! the next and so never sees a queue.
//!
//! `bare-lane` is wasmtime tuned as prewarm tunes it, with an instance for each thread where
//! instances serve call after call, and an instance for each call elsewhere.

#![expect(
    clippy::print_stderr,
    reason = "says what it leaves out, or what takes long"
)]

use std::sync::Mutex;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::burst::{self, Burst};
use prewarm_benches::cases::{Case, Turns, criterion, each, measure, measuring, whole};
use prewarm_benches::clock::time;
use prewarm_benches::load::{independent, open_loop, together};
use prewarm_benches::{loops, many, pools};
use wasmtime::Result;
use wasmtime::error::Context as _;

const CALLERS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];

fn all(criterion: &mut Criterion) {
    let run = |criterion: &mut Criterion| -> Result<()> {
        warm(criterion)?;
        fresh(criterion)?;
        half_load(criterion)?;
        queue(criterion)?;
        bursts(criterion)?;
        refill(criterion)?;
        components(criterion)
    };
    run(criterion).expect("the guest of the benches runs");
}

/// Turns that `callers` threads share.
fn shared<'a>(callers: usize, run: impl Fn(u64) -> Result<()> + Sync + 'a) -> Turns<'a> {
    Box::new(move |turns| together(callers, turns, &|| Ok(Box::new(&run))))
}

fn warm(criterion: &mut Criterion) -> Result<()> {
    let component = pools::tools(&pools::host(None)?)?;
    let bare = Bare::new(bare::lane()?)?;
    let mut group = criterion.benchmark_group("pool-warm-callers");
    for callers in CALLERS {
        let pool = pools::direct(&component, pools::reused(callers))?;
        let cases = [
            (
                "prewarm",
                shared(callers, |calls| loops::pool(&pool, calls)),
            ),
            (
                "bare-lane",
                Box::new(|turns| {
                    together(callers, turns, &|| {
                        let (mut store, tools) = bare.start()?;
                        Ok(Box::new(move |calls| {
                            loops::warm(&mut store, &tools, calls)
                        }))
                    })
                }),
            ),
        ];
        measure(&mut group, callers, cases);
    }
    group.finish();
    Ok(())
}

fn fresh(criterion: &mut Criterion) -> Result<()> {
    let component = pools::tools(&pools::host(None)?)?;
    let engines = [
        ("bare-lane", Bare::new(bare::lane()?)?),
        ("bare-default", Bare::new(bare::default_engine()?)?),
        ("bare-default-pooling", Bare::new(bare::default_pooling()?)?),
    ];
    let mut group = criterion.benchmark_group("pool-fresh-callers");
    for callers in CALLERS {
        let pool = pools::direct(&component, pools::fresh(callers + 32))?;
        let ours = (
            "prewarm",
            shared(callers, |calls| loops::pool(&pool, calls)),
        );
        let bare = engines
            .iter()
            .map(|(who, bare)| (*who, shared(callers, |calls| loops::fresh(bare, calls))));
        measure(&mut group, callers, [ours].into_iter().chain(bare));
    }
    group.finish();
    Ok(())
}

/// The mean time from when a call is due to its answer, while calls come half as fast as one thread
/// could make, call and drop an instance for each.
fn half_load(criterion: &mut Criterion) -> Result<()> {
    let component = pools::tools(&pools::host(None)?)?;
    let bare = Bare::new(bare::lane()?)?;
    let fresh = pools::direct(&component, pools::fresh(32))?;
    let warm = pools::direct(&component, pools::reused(4))?;
    loops::fresh(&bare, 1000)?;
    let (outcome, took) = time(|| loops::fresh(&bare, 10_000));
    outcome?;
    let gap = took / 10_000 * 2;
    let waits = |run: &dyn Fn() -> Result<()>, turns: u64| -> Result<Duration> {
        let turns = usize::try_from(turns)?;
        let calls = open_loop(independent(gap, 7).take(turns), run)?;
        Ok(calls.into_iter().map(|(_, took)| took).sum())
    };
    let mut group = criterion.benchmark_group("pool-half-load");
    let cases: [Case<'_>; 3] = [
        (
            "prewarm-fresh",
            Box::new(|turns| waits(&|| loops::pool(&fresh, 1), turns)),
        ),
        (
            "prewarm-warm",
            Box::new(|turns| waits(&|| loops::pool(&warm, 1), turns)),
        ),
        (
            "bare-lane-fresh",
            Box::new(|turns| waits(&|| loops::fresh(&bare, 1), turns)),
        ),
    ];
    measure(&mut group, "mean", cases);
    group.finish();
    Ok(())
}

/// One instance for all callers: all but one stand in the queue.
fn queue(criterion: &mut Criterion) -> Result<()> {
    let component = pools::tools(&pools::host(None)?)?;
    let bare = Bare::new(bare::lane()?)?;
    let mut group = criterion.benchmark_group("pool-queue-callers");
    for callers in [2, 8, 64] {
        let pool = pools::direct(&component, pools::reused(1))?;
        let instance = Mutex::new(bare.start()?);
        let cases = [
            (
                "prewarm",
                shared(callers, |calls| loops::pool(&pool, calls)),
            ),
            (
                "bare-lane-mutex",
                shared(callers, |calls| {
                    for _ in 0..calls {
                        let mut instance = instance.lock().ok().context("a caller panicked")?;
                        let (store, tools) = &mut *instance;
                        loops::warm(store, tools, 1)?;
                    }
                    Ok(())
                }),
            ),
        ];
        measure(&mut group, callers, cases);
    }
    group.finish();
    Ok(())
}

/// So many calls at once where there is no instance, until the last is answered.
fn bursts(criterion: &mut Criterion) -> Result<()> {
    let component = pools::tools(&pools::host(None)?)?;
    let burst = Burst::new()?;
    let lane = Bare::new(bare::lane()?)?;
    let pooling = Bare::new(bare::default_pooling()?)?;
    let mut group = criterion.benchmark_group("pool-burst-from-zero");
    for calls in [1, 16, 256] {
        let cases = [
            each("prewarm", || {
                let pool = pools::task(&component, pools::fresh(64))?;
                burst::last(&burst.pool(&pool, calls)?)
            }),
            each("bare-lane", || burst::last(&burst.bare(&lane, calls)?)),
            each("bare-default-pooling", || {
                burst::last(&burst.bare(&pooling, calls)?)
            }),
        ];
        measure(&mut group, calls, cases);
    }
    group.finish();
    Ok(())
}

/// From a pool with nothing in it until so many instances stand ready, beside a loop that makes as
/// many and keeps them.
fn refill(criterion: &mut Criterion) -> Result<()> {
    let component = pools::tools(&pools::host(None)?)?;
    let bare = Bare::new(bare::lane()?)?;
    let mut group = criterion.benchmark_group("pool-refill");
    for instances in [1, 16, 64] {
        let cases = [
            each("prewarm", || {
                let mut config = pools::reused(instances);
                config.min_warm = instances;
                let pool = pools::direct(&component, config)?;
                let wait = || {
                    while pool.stats().idle < instances {
                        std::thread::yield_now();
                    }
                };
                Ok(time(wait).1)
            }),
            each("bare-lane", || {
                let start = || (0..instances).map(|_| bare.start()).collect();
                let (started, took): (Result<Vec<_>>, _) = time(start);
                started.map(|_| took)
            }),
        ];
        measure(&mut group, instances, cases);
    }
    group.finish();
    Ok(())
}

/// One caller who calls a component, then the next, each time on a fresh instance.
fn components(criterion: &mut Criterion) -> Result<()> {
    let host = pools::host(None)?;
    let most = if measuring() { 10_000 } else { 100 };
    eprintln!("compiling {most} components");
    let components = many::load(&host, 0..most)?;
    let mut group = criterion.benchmark_group("pool-components");
    for count in [1, 100, 10_000] {
        let components = &components[..components.len().min(count)];
        // Bare instances have the slots for themselves: the pools come after.
        let bare = many::Bare::new(components)?;
        let mut at = 0;
        let case = whole("bare-lane", |calls| {
            at += calls;
            bare.run(at, calls)
        });
        measure(&mut group, count, [case]);
        let pools = many::Pools::new(components, &pools::fresh(8))?;
        let mut at = 0;
        let case = whole("prewarm", |calls| {
            at += calls;
            pools.run(at, calls)
        });
        measure(&mut group, count, [case]);
    }
    group.finish();
    Ok(())
}

criterion_group! { name = benches; config = criterion(); targets = all }
criterion_main!(benches);
