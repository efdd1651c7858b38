//! What a snapshot saves a guest that prepares itself for long.

use std::time::Duration;

use prewarm::{Component, PoolConfig, Val};
use prewarm_benches::clock::time;
use prewarm_benches::pools;
use prewarm_benches::sample::{nanos, percentile};
use wasmtime::{Result, ensure};

use crate::Settings;
use crate::report::Figure;

/// The first word that the dictionary makes up.
const WORD: &str = "petudu";

/// Instances that stand ready, warmed up, and are each called once.
const READY: usize = 8;

const ROUNDS: usize = 20;

struct Calls {
    /// Without a snapshot, and with one.
    first: [f64; 2],
    /// The first on a snapshot's instance that was warmed up.
    warmed: f64,
    later: f64,
}

pub(crate) fn rust(settings: &Settings) -> Result<Vec<Figure>> {
    let Some(calls) = measure(settings, "rust-dictionary.wasm")? else {
        return Ok(vec![Figure::missing("rust-dictionary.wasm is not built")]);
    };
    let [before, after] = calls.first;
    let note = format!(
        "first call {:.1} ms, of a snapshot {:.1} us",
        before / 1e6,
        after / 1e3
    );
    Ok(vec![Figure::new(before / after, note)])
}

pub(crate) fn python(settings: &Settings) -> Result<Vec<Figure>> {
    let Some(calls) = measure(settings, "python-dictionary.wasm")? else {
        return Ok(vec![Figure::missing("python-dictionary.wasm is not built")]);
    };
    let [before, after] = calls.first;
    let note = format!(
        "first call {:.0} ms, of a snapshot {:.0} us, of one that was warmed up {:.1} us, later {:.1} us",
        before / 1e6,
        after / 1e3,
        calls.warmed / 1e3,
        calls.later / 1e3
    );
    Ok(vec![Figure::new(calls.warmed / calls.later, note)])
}

fn measure(settings: &Settings, name: &str) -> Result<Option<Calls>> {
    let Some(file) = settings.guest(name) else {
        return Ok(None);
    };
    let source = pools::user_host()?.load_blocking(file)?;
    let snapshot = pools::snapshot(&source, "prepare")?;
    let mut later = Vec::new();
    let pool = pools::by_name(&snapshot, pools::reused(1))?;
    for _ in 0..1000 {
        later.push(look_up(|params| pool.invoke("look-up", params))?);
    }
    let (mut first, mut warmed) = ([Vec::new(), Vec::new()], Vec::new());
    for _ in 0..ROUNDS {
        for (component, first) in [&source, &snapshot].into_iter().zip(&mut first) {
            let pool = pools::by_name(component, slow(pools::reused(1)))?;
            first.push(look_up(|params| pool.invoke("look-up", params))?);
        }
        warmed.extend(ready(&snapshot)?);
    }
    let median = |mut values: Vec<f64>| percentile(&mut values, 50.0);
    Ok(Some(Calls {
        first: first.map(median),
        warmed: median(warmed),
        later: median(later),
    }))
}

/// First calls on instances that were warmed up, all of them before the first is called.
fn ready(component: &Component) -> Result<Vec<f64>> {
    let config = slow(pools::fresh(READY));
    let word = [Val::String(WORD.into())];
    let pool = pools::by_name_warmed(component, config, "look-up", &word)?;
    let ready: Result<Vec<_>, _> = (0..READY).map(|_| pool.lease()).collect();
    let mut leases = ready?.into_iter();
    leases.try_fold(Vec::new(), |mut took, mut lease| {
        took.push(look_up(|params| lease.invoke("look-up", params))?);
        Ok(took)
    })
}

/// A first call without a snapshot takes a quarter of a second.
fn slow(mut config: PoolConfig) -> PoolConfig {
    config.limits.deadline = Duration::from_secs(30);
    config
}

/// How long a call takes that must find the word.
fn look_up<E: std::error::Error + Send + Sync + 'static>(
    call: impl FnOnce(&[Val]) -> Result<Option<Val>, E>,
) -> Result<f64> {
    let params = [Val::String(WORD.into())];
    let (answer, took) = time(|| call(&params));
    let answer = answer?;
    let found = matches!(answer, Some(Val::Option(Some(_))));
    ensure!(found, "the word stands for {answer:?}");
    Ok(nanos(took))
}
