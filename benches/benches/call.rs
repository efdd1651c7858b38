//! A warm call: a string of five bytes there and back, on an instance that serves call after call.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::guest::HELLO;
use prewarm_benches::{loops, pools};
use wasmtime::Result;

fn warm_calls(criterion: &mut Criterion) {
    measure(criterion).expect("the guest of the benches runs");
}

fn measure(criterion: &mut Criterion) -> Result<()> {
    let runtime = pools::runtime()?;
    let host = pools::host(None)?;
    let component = pools::tools(&host)?;
    let engines = [
        ("bare-lane", Bare::new(bare::lane()?)?),
        ("bare-default", Bare::new(bare::default_engine()?)?),
    ];

    let mut group = criterion.benchmark_group("warm-call");
    let pool = pools::DirectPool::new(&component, pools::reused(4))?;
    group.bench_function(BenchmarkId::new("sync", "prewarm"), |bencher| {
        bencher.iter(|| pool.call(|tools, store| tools.call_echo(store, HELLO)));
    });
    for (name, bare) in &engines {
        let (mut store, tools) = bare.start()?;
        group.bench_function(BenchmarkId::new("sync", name), |bencher| {
            bencher.iter(|| tools.call_echo(&mut store, HELLO));
        });
    }

    // Criterion's own executor would be a part of what is measured: one `block_on` for many calls.
    let pool = component.pool(pools::reused(4))?;
    group.bench_function(BenchmarkId::new("async", "prewarm"), |bencher| {
        bencher.iter_custom(|calls| timed(|| loops::pool_task(&runtime, &pool, calls)));
    });
    for (name, bare) in &engines {
        let (mut store, tools) = runtime.block_on(bare.start_task())?;
        group.bench_function(BenchmarkId::new("async", name), |bencher| {
            bencher.iter_custom(|calls| {
                timed(|| loops::warm_task(&runtime, &mut store, &tools, calls))
            });
        });
    }
    group.finish();
    Ok(())
}

fn timed(run: impl FnOnce() -> Result<()>) -> std::time::Duration {
    let (outcome, took) = prewarm_benches::clock::time(run);
    outcome.expect("the guest of the benches runs");
    took
}

criterion_group!(benches, warm_calls);
criterion_main!(benches);
