//! A fresh instance for each call, from one caller that never rests.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::{loops, pools};
use wasmtime::Result;

fn fresh_calls(criterion: &mut Criterion) {
    measure(criterion).expect("the guest of the benches runs");
}

fn measure(criterion: &mut Criterion) -> Result<()> {
    let runtime = pools::runtime()?;
    let host = pools::host(None)?;
    let component = pools::tools(&host)?;
    let engines = [
        ("bare-lane", Bare::new(bare::lane()?)?),
        ("bare-default", Bare::new(bare::default_engine()?)?),
        ("bare-default-pooling", Bare::new(bare::default_pooling()?)?),
    ];

    let mut group = criterion.benchmark_group("fresh-call");
    let pool = pools::DirectPool::new(&component, pools::fresh(32))?;
    group.bench_function(BenchmarkId::new("sync", "prewarm"), |bencher| {
        bencher.iter_custom(|calls| timed(|| loops::pool(&pool, calls)));
    });
    for (name, bare) in &engines {
        group.bench_function(BenchmarkId::new("sync", name), |bencher| {
            bencher.iter_custom(|calls| timed(|| loops::fresh(bare, calls)));
        });
    }

    let pool = component.pool(pools::fresh(32))?;
    group.bench_function(BenchmarkId::new("async", "prewarm"), |bencher| {
        bencher.iter_custom(|calls| timed(|| loops::pool_task(&runtime, &pool, calls)));
    });
    for (name, bare) in &engines {
        group.bench_function(BenchmarkId::new("async", name), |bencher| {
            bencher.iter_custom(|calls| timed(|| loops::fresh_task(&runtime, bare, calls)));
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

criterion_group!(benches, fresh_calls);
criterion_main!(benches);
