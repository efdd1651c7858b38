//! A guest that prepares itself for long: its first call, as it is and as a snapshot, and a later call.
//!
//! `other-word` warms up with another word than the one that is then looked up. `bare` is the same code
//! linked and instantiated by hand.
//!
//! The guests are those that `cargo xtask guests` built, or those in the folder `PREWARM_GUESTS`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use prewarm::blocking::Pool;
use prewarm::{Component, Val};
use prewarm_benches::clock::time;
use prewarm_benches::pools;
use prewarm_benches::words::{BareGuest, WORD};
use wasmtime::Result;

const LANGUAGES: [&str; 3] = ["rust", "javascript", "python"];

/// The last word of all.
const OTHER: &str = "tenalofeki";

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
        let snapshot = pools::snapshot(&source, "prepare")?;

        for (name, component) in [("first-call", &source), ("first-call-snapshot", &snapshot)] {
            group.bench_function(BenchmarkId::new(name, language), |bencher| {
                bencher.iter_custom(|calls| first(component, calls).expect("it answers"));
            });
            let bare = BareGuest::new(component)?;
            let name = format!("{name}-bare");
            group.bench_function(BenchmarkId::new(name, language), |bencher| {
                bencher.iter_custom(|calls| bare.first(calls).expect("it answers"));
            });
        }
        for (name, word) in [
            ("first-call-warmed", WORD),
            ("first-call-other-word", OTHER),
        ] {
            group.bench_function(BenchmarkId::new(name, language), |bencher| {
                bencher.iter_custom(|calls| warmed(&snapshot, word, calls).expect("it answers"));
            });
        }
        let pool = pools::by_name(&snapshot, pools::reused(1))?;
        look_up(&pool)?;
        group.bench_function(BenchmarkId::new("later-call", language), |bencher| {
            bencher.iter(|| look_up(&pool).expect("it answers"));
        });
        let bare = BareGuest::new(&snapshot)?;
        let mut instance = bare.start()?;
        group.bench_function(BenchmarkId::new("later-call-bare", language), |bencher| {
            bencher.iter(|| instance.look_up().expect("it answers"));
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

/// What `calls` take that are the first on their instance, beyond its warm-up: with `warm_up`, a word
/// that is looked up.
fn warmed(component: &Component, warm_up: &str, calls: u64) -> Result<Duration> {
    let mut total = Duration::ZERO;
    let mut left = calls;
    while left > 0 {
        let warm_up = [Val::String(warm_up.into())];
        let pool = pools::by_name_warmed(component, pools::fresh(READY), "look-up", &warm_up)?;
        // All at once, so that nobody makes another while a call is timed.
        let ready: Result<Vec<_>, _> = (0..READY).map(|_| pool.lease()).collect();
        for mut lease in ready?.into_iter().take(usize::try_from(left)?) {
            let word = [Val::String(WORD.into())];
            let (answer, took) = time(|| lease.invoke("look-up", &word));
            is_found(answer?)?;
            total += took;
            left -= 1;
        }
    }
    Ok(total)
}

fn look_up(pool: &Pool) -> Result<()> {
    is_found(pool.invoke("look-up", &[Val::String(WORD.into())])?)
}

fn is_found(answer: Option<Val>) -> Result<()> {
    match answer {
        Some(Val::Option(Some(_))) => Ok(()),
        other => wasmtime::bail!("the word stands for {other:?}"),
    }
}

fn guests() -> PathBuf {
    std::env::var_os("PREWARM_GUESTS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/guests"),
        PathBuf::from,
    )
}

criterion_group!(benches, snapshots);
criterion_main!(benches);
