//! What prewarm does about guests that do not end, and when there is nothing to do.

use std::time::Duration;

use prewarm::CallError;
use prewarm_benches::clock::{cpu_time, rest, time};
use prewarm_benches::sample::percentile;
use prewarm_benches::{loops, pools};
use wasmtime::{Result, bail};

use crate::Settings;
use crate::report::Figure;

/// How far behind its deadline an endless call ends, in ticks.
pub(crate) fn stop(_: &Settings) -> Result<Vec<Figure>> {
    let host = pools::host(None)?;
    let component = pools::tools(&host)?;
    let tick = host.config().tick;
    let mut config = pools::fresh(4);
    config.limits.deadline = Duration::from_millis(10);
    let deadline = config.limits.deadline;
    let pool = pools::DirectPool::new(&component, config)?;
    let mut late = Vec::new();
    for _ in 0..100 {
        let (outcome, took) = time(|| pool.call(|tools, store| tools.call_spin(store)));
        match outcome {
            Err(CallError::Deadline { .. }) => {}
            other => bail!("an endless call ended otherwise: {other:?}"),
        }
        let over = took.saturating_sub(deadline);
        late.push(over.as_secs_f64() / tick.as_secs_f64());
    }
    let note = format!(
        "p95 of {} endless calls; median {:.2}, worst {:.2}",
        late.len(),
        percentile(&mut late, 50.0),
        percentile(&mut late, 100.0)
    );
    Ok(vec![Figure::new(percentile(&mut late, 95.0), note)])
}

/// The processor's time that a host takes when nobody calls, and what it still keeps ready.
pub(crate) fn idle(_: &Settings) -> Result<Vec<Figure>> {
    let host = pools::host(None)?;
    let component = pools::tools(&host)?;
    let mut config = pools::fresh(32);
    config.min_warm = 2;
    config.idle_ttl = Duration::from_millis(100);
    let (min_warm, idle_ttl) = (config.min_warm, config.idle_ttl);
    let pool = pools::DirectPool::new(&component, config)?;
    loops::pool(&pool, 20_000)?;
    rest(5 * idle_ttl);
    let ready = pool.stats().idle;
    let above = u32::try_from(ready.saturating_sub(min_warm)).unwrap_or(u32::MAX);
    let instances = Figure::new(
        above.into(),
        format!("{ready} stand ready, min_warm is {min_warm}, idle_ttl {idle_ttl:?}"),
    );
    let Some(before) = cpu_time() else {
        return Ok(vec![
            Figure::missing("this system does not tell"),
            instances,
        ]);
    };
    let watched = Duration::from_secs(2);
    rest(watched);
    let used = cpu_time().unwrap_or_default().saturating_sub(before);
    let percent = used.as_secs_f64() / watched.as_secs_f64() * 100.0;
    let note = format!(
        "{used:?} in {watched:?}, the measuring included, from half a second after the last call"
    );
    // To a ten-thousandth: looking at the clock takes time too.
    let cpu = Figure::new((percent * 100.0).round() / 100.0, note);
    Ok(vec![cpu, instances])
}
