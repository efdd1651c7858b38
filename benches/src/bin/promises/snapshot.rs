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

/// Instances that stand ready, warmed up.
const READY: usize = 8;

/// Bytes that push everything else out of the processor's caches.
const BEYOND_CACHES: usize = 128 << 20;

const ROUNDS: usize = 20;

/// Calls after the first.
const LATER: usize = 10;

struct Calls {
    /// Without a snapshot, and with one.
    first: [f64; 2],
    /// The first on a snapshot's instance that was warmed up.
    warmed: f64,
    /// Later ones on the same instances.
    later: f64,
    /// The first call, and later ones, on an instance that this thread has just made and warmed up.
    just_made: [f64; 2],
    /// The same without a pause, so that the caches have all of it.
    at_once: f64,
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
        "first call {:.0} ms, of a snapshot {:.0} us; warmed up and out of the caches {:.1} us, later and out of \
         them {:.1} us, later at once {:.1} us",
        before / 1e6,
        after / 1e3,
        calls.warmed / 1e3,
        calls.later / 1e3,
        calls.at_once / 1e3
    );
    let [first, then] = calls.just_made;
    let just = format!(
        "first call {:.1} us, later ones {:.1} us",
        first / 1e3,
        then / 1e3
    );
    Ok(vec![
        Figure::new(first / then, just),
        Figure::new(calls.warmed / calls.later, note),
    ])
}

fn measure(settings: &Settings, name: &str) -> Result<Option<Calls>> {
    let Some(file) = settings.guest(name) else {
        return Ok(None);
    };
    let source = pools::user_host()?.load_blocking(file)?;
    let snapshot = pools::snapshot(&source, "prepare")?;
    let mut at_once = Vec::new();
    let pool = pools::by_name(&snapshot, pools::reused(1))?;
    for _ in 0..1000 {
        at_once.push(look_up(|params| pool.invoke("look-up", params))?);
    }
    let mut first = [Vec::new(), Vec::new()];
    let (mut warmed, mut later, mut just_made) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
    for _ in 0..ROUNDS {
        for (component, first) in [&source, &snapshot].into_iter().zip(&mut first) {
            let pool = pools::by_name(component, slow(pools::reused(1)))?;
            first.push(look_up(|params| pool.invoke("look-up", params))?);
        }
        ready(&snapshot, &mut warmed, &mut later)?;
    }
    // Apart, as the above leaves nothing in the caches of what calls any guest.
    for _ in 0..=ROUNDS {
        just_warmed(&snapshot, &mut just_made)?;
    }
    let median = |mut values: Vec<f64>| percentile(&mut values, 50.0);
    Ok(Some(Calls {
        first: first.map(median),
        warmed: median(warmed),
        later: median(later),
        just_made: just_made.map(median),
        at_once: median(at_once),
    }))
}

/// First calls on instances that were warmed up, all of them before the first is called, and later
/// ones on the same. Each finds the caches full of something else, as in a service that does more
/// than this: otherwise the later ones would find what they need there, which no first one can.
fn ready(component: &Component, first: &mut Vec<f64>, later: &mut Vec<f64>) -> Result<()> {
    let config = slow(pools::fresh(READY));
    let word = [Val::String(WORD.into())];
    let pool = pools::by_name_warmed(component, config, "look-up", &word)?;
    let ready: Result<Vec<_>, _> = (0..READY).map(|_| pool.lease()).collect();
    let mut leases = ready?;
    let mut other = vec![0_u64; BEYOND_CACHES / size_of::<u64>()];
    for took in [first, later] {
        for lease in &mut leases {
            other.iter_mut().for_each(|word| *word += 1);
            std::hint::black_box(&mut other);
            took.push(look_up(|params| lease.invoke("look-up", params))?);
        }
    }
    Ok(())
}

/// The first call on an instance that the caller's thread made and warmed up when it was asked for, and
/// later ones.
fn just_warmed(component: &Component, took: &mut [Vec<f64>; 2]) -> Result<()> {
    let word = [Val::String(WORD.into())];
    let pool = pools::by_name_warmed(component, slow(pools::reused(1)), "look-up", &word)?;
    let mut lease = pool.lease()?;
    let mut call = || look_up(|params| lease.invoke("look-up", params));
    let [first, later] = took;
    first.push(call()?);
    for _ in 0..LATER {
        later.push(call()?);
    }
    Ok(())
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
