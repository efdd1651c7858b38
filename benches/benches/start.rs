//! From a component to an instance: compiling it, loading it from the cache, instantiating it.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::guest::{HELLO, TOOLS};
use prewarm_benches::pools;
use wasmtime::Result;
use wasmtime::component::Component;

fn starts(criterion: &mut Criterion) {
    measure(criterion).expect("the guest of the benches loads");
}

fn measure(criterion: &mut Criterion) -> Result<()> {
    let binary = wat::parse_str(TOOLS)?;
    let folder = tempfile::tempdir()?;
    let uncached = pools::host(None)?;
    let cached = pools::host(Some(folder.path()))?;
    pools::tools(&cached)?;
    let engines = [
        ("bare-lane", bare::lane()?),
        ("bare-default", bare::default_engine()?),
        ("bare-default-pooling", bare::default_pooling()?),
    ];

    // The engine is made once; each time the component is let go, or it would be found loaded.
    let mut group = criterion.benchmark_group("start");
    group.sample_size(20);
    group.bench_function(BenchmarkId::new("compile", "prewarm"), |bencher| {
        bencher.iter(|| uncached.load_blocking(&*binary));
    });
    for (name, engine) in &engines {
        group.bench_function(BenchmarkId::new("compile", name), |bencher| {
            bencher.iter(|| Component::new(engine, &binary));
        });
    }
    group.bench_function(BenchmarkId::new("cached-load", "prewarm"), |bencher| {
        bencher.iter(|| cached.load_blocking(&*binary));
    });

    // One slot and no time to stand idle: each call makes its instance.
    let component = pools::tools(&uncached)?;
    group.bench_function(BenchmarkId::new("first-call", "prewarm"), |bencher| {
        bencher.iter(|| {
            let pool = pools::DirectPool::new(&component, pools::reused(1))?;
            pool.call(|tools, store| tools.call_echo(store, HELLO))
                .map_err(wasmtime::Error::from)
        });
    });
    for (name, engine) in &engines {
        let bare = Bare::new(engine.clone())?;
        group.bench_function(BenchmarkId::new("instantiate", name), |bencher| {
            bencher.iter(|| bare.start());
        });
    }
    group.finish();
    Ok(())
}

criterion_group!(benches, starts);
criterion_main!(benches);
