//! A guest that prepares itself for long: its first call, as it is and as a snapshot, and a later call.
//!
//! The guests are those that `cargo xtask guests` built, or those in the folder `PREWARM_GUESTS`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use prewarm::blocking::Pool;
use prewarm::{Component, SnapshotConfig, Val};
use prewarm_benches::clock::{now, time};
use prewarm_benches::pools;
use wasmtime::Result;

const LANGUAGES: [&str; 3] = ["rust", "javascript", "python"];

/// Instances that stand ready, warmed up, and are each called once.
const READY: usize = 8;

fn snapshots(criterion: &mut Criterion) {
    measure(criterion).expect("the dictionaries run");
}

fn measure(criterion: &mut Criterion) -> Result<()> {
    let cache = tempfile::tempdir()?;
    let host = pools::host(Some(cache.path()))?;
    let mut group = criterion.benchmark_group("dictionary");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(100));
    group.measurement_time(Duration::from_secs(2));
    for language in LANGUAGES {
        let file = guests().join(format!("{language}-dictionary.wasm"));
        if !file.is_file() {
            continue;
        }
        let source = host.load_blocking(file.as_path())?;
        let snapshot = source.snapshot_blocking(SnapshotConfig::new("prepare"))?;

        for (name, component) in [("first-call", &source), ("first-call-snapshot", &snapshot)] {
            group.bench_function(BenchmarkId::new(name, language), |bencher| {
                bencher.iter_custom(|calls| first(component, calls).expect("it answers"));
            });
        }
        group.bench_function(BenchmarkId::new("first-call-warmed", language), |bencher| {
            bencher.iter_custom(|calls| warmed(&snapshot, calls).expect("it answers"));
        });
        let pool = pools::by_name(&snapshot, pools::reused(1))?;
        look_up(&pool)?;
        group.bench_function(BenchmarkId::new("later-call", language), |bencher| {
            bencher.iter(|| look_up(&pool).expect("it answers"));
        });
    }
    group.finish();
    Ok(())
}

/// What `calls` take whose instance is made for them.
fn first(component: &Component, calls: u64) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for _ in 0..calls {
        let pool = pools::by_name(component, pools::reused(1))?;
        let (answer, took) = time(|| look_up(&pool));
        answer?;
        total += took;
    }
    Ok(total)
}

/// What `calls` take that are the first on their instance, beyond its warm-up.
fn warmed(component: &Component, calls: u64) -> Result<Duration> {
    let mut total = Duration::ZERO;
    let mut left = calls;
    while left > 0 {
        let mut config = pools::fresh(2 * READY);
        config.min_warm = READY;
        let pool = Pool::<()>::builder(component, config, || ())
            .warm_up_invoke("look-up", &[other_word()])?
            .build()?;
        let end = now() + Duration::from_secs(60);
        while pool.stats().idle < READY {
            wasmtime::ensure!(now() < end, "the instances do not become ready");
            std::thread::sleep(Duration::from_millis(1));
        }
        for _ in 0..left.min(READY as u64) {
            let (answer, took) = time(|| look_up(&pool));
            answer?;
            total += took;
            left -= 1;
        }
    }
    Ok(total)
}

fn look_up(pool: &Pool) -> Result<()> {
    let word = Val::String("petudu".into());
    match pool.invoke("look-up", &[word])? {
        Some(Val::Option(Some(_))) => Ok(()),
        other => wasmtime::bail!("the first word stands for {other:?}"),
    }
}

/// A word that is not looked up later.
fn other_word() -> Val {
    Val::String("nothing".into())
}

fn guests() -> PathBuf {
    std::env::var_os("PREWARM_GUESTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guests"),
        PathBuf::from,
    )
}

criterion_group!(benches, snapshots);
criterion_main!(benches);
