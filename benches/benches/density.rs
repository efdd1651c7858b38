//! Many at once: how long it takes to make so many instances and pools that all stay, and what an
//! instance takes of memory.
//!
//! `bare-lane` is wasmtime tuned as prewarm tunes it. What components take that nobody calls, and guests
//! in other languages, is in the report: criterion would weigh each of them some thirty times.

#![expect(
    clippy::print_stderr,
    reason = "says what takes long, or cannot be had"
)]

use std::cell::LazyCell;

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::cases::{criterion, each, measure, measuring};
use prewarm_benches::clock::time;
use prewarm_benches::guest::HELLO;
use prewarm_benches::memory::resident_anonymous;
use prewarm_benches::sample::count;
use prewarm_benches::{many, pools};
use wasmtime::Result;
use wasmtime::error::Context as _;

/// Live instances. The bare lane has slots for no more than a hundred.
const INSTANCES: [usize; 2] = [1, 64];

fn densities(criterion: &mut Criterion) {
    let run = |criterion: &mut Criterion| -> Result<()> {
        instances(criterion)?;
        pools_of_components(criterion)
    };
    run(criterion).expect("the guest of the benches runs");
}

/// From none until so many live.
fn instances(criterion: &mut Criterion) -> Result<()> {
    let component = pools::tools(&pools::host(None)?)?;
    let engines = [
        ("bare-lane", Bare::new(bare::lane()?)?),
        ("bare-default", Bare::new(bare::default_engine()?)?),
        ("bare-default-pooling", Bare::new(bare::default_pooling()?)?),
    ];
    let mut group = criterion.benchmark_group("density-instances");
    for instances in INSTANCES {
        let ours = each("prewarm", || {
            let pool = pools::direct(&component, pools::reused(instances))?;
            let lease = || (0..instances).map(|_| Ok(pool.lease()?)).collect();
            let (leases, took): (Result<Vec<_>>, _) = time(lease);
            leases.map(|_| took)
        });
        let bare = engines.iter().map(|(who, bare)| {
            each(who, move || {
                let start = || (0..instances).map(|_| bare.start()).collect();
                let (started, took): (Result<Vec<_>>, _) = time(start);
                started.map(|_| took)
            })
        });
        measure(&mut group, instances, [ours].into_iter().chain(bare));
    }
    group.finish();
    Ok(())
}

/// From loaded components to a pool of each, beside linking each by hand.
fn pools_of_components(criterion: &mut Criterion) -> Result<()> {
    let host = pools::host(None)?;
    let most = if measuring() { 10_000 } else { 100 };
    // Not before it is known that one of these is wanted.
    let all = LazyCell::new(|| {
        eprintln!("compiling {most} components");
        many::load(&host, 0..most).map_err(|error| format!("{error:#}"))
    });
    let first = |count: usize| match &*all {
        Ok(all) => Ok(&all[..all.len().min(count)]),
        Err(error) => Err(wasmtime::Error::msg(error.clone())),
    };
    let mut group = criterion.benchmark_group("density-pools");
    group.sample_size(10);
    for count in [1, 100, 10_000] {
        let cases = [
            each("prewarm", || {
                let (components, config) = (first(count)?, pools::fresh(8));
                let (pools, took) = time(|| many::Pools::new(components, &config));
                pools.map(|_| took)
            }),
            each("bare-lane", || {
                let components = first(count)?;
                let (linked, took) = time(|| many::Bare::new(components));
                linked.map(|_| took)
            }),
        ];
        measure(&mut group, count, cases);
    }
    group.finish();
    Ok(())
}

/// Resident bytes that no file stands behind, of each of so many live instances after a call. What the
/// process had freed before and takes again does not count.
fn weights(criterion: &mut Criterion<Bytes>) {
    const INSTANCES: usize = 64;
    type Turn = Box<dyn Fn() -> Result<f64>>;
    type Engine = fn() -> Result<wasmtime::Engine>;
    let ours: Turn = Box::new(|| {
        let component = pools::tools(&pools::host(None)?)?;
        let pool = pools::direct(&component, pools::reused(INSTANCES))?;
        weigh(INSTANCES, || {
            let mut lease = pool.lease()?;
            lease.call(|tools, store| tools.call_echo(store, HELLO))?;
            Ok(lease)
        })
    });
    let bare = |engine: Engine| -> Turn {
        Box::new(move || {
            let bare = Bare::new(engine()?)?;
            weigh(INSTANCES, || {
                let (mut store, tools) = bare.start()?;
                tools.call_echo(&mut store, HELLO)?;
                Ok((store, tools))
            })
        })
    };
    if resident_anonymous().is_none() {
        return eprintln!("this system does not tell how much memory is resident");
    }
    let mut group = criterion.benchmark_group("density-resident");
    group.sample_size(10);
    for (who, turn) in [
        ("prewarm", ours),
        ("bare-lane", bare(bare::lane)),
        ("bare-default", bare(bare::default_engine)),
        ("bare-default-pooling", bare(bare::default_pooling)),
    ] {
        group.bench_function(BenchmarkId::new(who, INSTANCES), |bencher| {
            bencher.iter_custom(|turns| {
                let weights = (0..turns).map(|_| turn().expect("the guest of the benches runs"));
                weights.sum()
            });
        });
    }
    group.finish();
}

/// What each of these takes while all are held. An engine was made for them, so their slots are new.
fn weigh<T>(instances: usize, mut hold: impl FnMut() -> Result<T>) -> Result<f64> {
    let weight = || resident_anonymous().context("the system does not tell");
    // What the first brings along is no matter of the others.
    let mut held = vec![hold()?];
    let before = weight()?;
    while held.len() < instances {
        held.push(hold()?);
    }
    let more = weight()?.saturating_sub(before);
    Ok(count(more) / count(instances as u64 - 1))
}

/// Bytes, and not time, for criterion to compare.
struct Bytes;

impl Measurement for Bytes {
    type Intermediate = ();
    type Value = f64;

    fn start(&self) {}

    fn end(&self, (): ()) -> f64 {
        unreachable!("each turn weighs itself")
    }

    fn add(&self, one: &f64, other: &f64) -> f64 {
        one + other
    }

    fn zero(&self) -> f64 {
        0.0
    }

    fn to_f64(&self, value: &f64) -> f64 {
        *value
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        self
    }
}

impl ValueFormatter for Bytes {
    fn scale_values(&self, _: f64, values: &mut [f64]) -> &'static str {
        for value in values {
            *value /= 1024.0;
        }
        "KiB"
    }

    fn scale_throughputs(&self, _: f64, _: &Throughput, _: &mut [f64]) -> &'static str {
        "none"
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "B"
    }
}

criterion_group! { name = times; config = criterion(); targets = densities }
criterion_group! {
    name = bytes;
    // Where all weigh the same, there is no density to draw.
    config = criterion().without_plots().with_measurement(Bytes);
    targets = weights
}
criterion_main!(times, bytes);
