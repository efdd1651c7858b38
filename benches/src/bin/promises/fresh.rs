//! A fresh instance for each call: what the caller waits at half load, and the rate without a pause.

use std::hint::black_box;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use prewarm_benches::bare::{self, Bare};
use prewarm_benches::clock::{Jitter, now, spin_until, time};
use prewarm_benches::guest::{HELLO, direct};
use prewarm_benches::sample::{in_turns, nanos, percentile};
use prewarm_benches::{loops, pools};
use wasmtime::Result;

use crate::Settings;
use crate::report::Figure;

/// Calls of each kind before it is the next kind's turn, and how often each has its turn.
const TURN: usize = 1000;
const TURNS: usize = 30;

/// Bare instances that are made before the first of them is called, and how often.
const BATCH: usize = 16;
const BATCHES: usize = 64;

/// Calls at the start of a turn that only bring the load about.
const ONSET: usize = TURN / 10;

pub(crate) fn half_load(_: &Settings) -> Result<Vec<Figure>> {
    let component = pools::tools(&pools::host(None)?)?;
    let fresh = pools::direct(&component, pools::fresh(32))?;
    let warm = pools::direct(&component, pools::reused(4))?;
    let bare = Bare::new(bare::lane()?)?;
    let mut jitter = Jitter::new(7);
    let (mut fresh_ns, mut warm_ns, mut start_ns) = (Vec::new(), Vec::new(), Vec::new());
    // The p99 of each turn: one stall of the machine delays more than one in a hundred of a turn, and
    // so of all.
    let (mut fresh_late, mut warm_late) = (Vec::new(), Vec::new());
    let mut cold = 0;
    let called = |pool| move || loops::pool(pool, 1).map(|()| now());
    for _ in 0..TURNS {
        at_half_load(&mut jitter, ONSET, called(&warm))?;
        let mut turn = at_half_load(&mut jitter, TURN, called(&warm))?;
        warm_late.push(percentile(&mut turn, 99.0));
        warm_ns.extend(turn);
        at_half_load(&mut jitter, ONSET, called(&fresh))?;
        let before = fresh.stats().cold;
        let mut turn = at_half_load(&mut jitter, TURN, called(&fresh))?;
        fresh_late.push(percentile(&mut turn, 99.0));
        fresh_ns.extend(turn);
        cold += fresh.stats().cold - before;
        let start = || bare.start().map(|_instance| now());
        at_half_load(&mut jitter, ONSET, start)?;
        start_ns.extend(at_half_load(&mut jitter, TURN, start)?);
    }
    let of = |values: &mut Vec<f64>, percent| percentile(values, percent) / 1000.0;
    let (warm50, warm99) = (of(&mut warm_ns, 50.0), of(&mut warm_late, 50.0));
    let (fresh50, fresh99) = (of(&mut fresh_ns, 50.0), of(&mut fresh_late, 50.0));
    let all99 = of(&mut fresh_ns, 99.0);
    let (fresh75, fresh90) = (of(&mut fresh_ns, 75.0), of(&mut fresh_ns, 90.0));
    let (start50, start99) = (of(&mut start_ns, 50.0), of(&mut start_ns, 99.0));
    let (own50, others50) = (
        of(&mut called_bare(&bare, false)?, 50.0),
        of(&mut called_bare(&bare, true)?, 50.0),
    );
    let note = format!(
        "a call every 20 to 50 us: fresh {fresh50:.2} us, warm {warm50:.2} us; {cold} of {} found none ready; \
         without a pool, the first call of an instance that this thread made {own50:.2} us, another {others50:.2}",
        TURN * TURNS
    );
    let note99 = format!(
        "in the median turn of {TURN} calls fresh {fresh99:.2} us, warm {warm99:.2}; fresh p75 {fresh75:.2}, p90 \
         {fresh90:.2}, p99 of all {all99:.2}; goal: the median of an inline start, whose own p99 is {start99:.2} us"
    );
    Ok(vec![
        Figure::new(fresh50 - warm50, note),
        Figure::bounded(fresh99 - warm99, start50, note99),
    ])
}

/// Calls that come every 20 to 50 µs by a schedule, and how many nanoseconds after it was due each had
/// its answer: a stall counts for everybody it holds up. The call says when that was.
fn at_half_load(
    jitter: &mut Jitter,
    calls: usize,
    call: impl Fn() -> Result<Instant>,
) -> Result<Vec<f64>> {
    let mut due = now();
    let mut took_ns = Vec::with_capacity(calls);
    for _ in 0..calls {
        due += jitter.micros(20, 50);
        spin_until(due);
        took_ns.push(nanos(call()? - due));
    }
    Ok(took_ns)
}

/// How many nanoseconds the first call of each bare instance takes that this thread made just before, or
/// `another` has just made. The difference is what it takes to have memory come from the other
/// processor's cache, which whoever makes instances ahead lets its callers pay.
fn called_bare(bare: &Bare, another: bool) -> Result<Vec<f64>> {
    let made = || (0..BATCH).map(|_| bare.start()).collect::<Result<Vec<_>>>();
    let mut took_ns = Vec::with_capacity(BATCH * BATCHES);
    let mut call = |made: Vec<(_, direct::Tools)>| {
        made.into_iter().try_for_each(|(mut store, tools)| {
            let (answer, took) = time(|| tools.call_echo(&mut store, black_box(HELLO)));
            took_ns.push(nanos(took));
            answer.map(drop)
        })
    };
    std::thread::scope(|scope| {
        if !another {
            return (0..BATCHES).try_for_each(|_| call(made()?));
        }
        let (give, take) = mpsc::sync_channel(0);
        scope.spawn(move || (0..BATCHES).try_for_each(|_| give.send(made())));
        take.iter().try_for_each(|made| call(made?))
    })?;
    Ok(took_ns)
}

pub(crate) fn saturated(_: &Settings) -> Result<Vec<Figure>> {
    let component = pools::tools(&pools::host(None)?)?;
    let pool = pools::direct(&component, pools::fresh(32))?;
    let bare = Bare::new(bare::lane()?)?;
    let rounds = in_turns(
        &mut [&mut |calls| loops::pool(&pool, calls), &mut |calls| {
            loops::fresh(&bare, calls)
        }],
        50,
        // Long enough for what refill made in the pause to count for little.
        Duration::from_millis(20),
    )?;
    let note = format!(
        "pool {:.2} us a call, bare store, instance, call and drop {:.2} us",
        rounds.median(|round| round[0]) / 1000.0,
        rounds.median(|round| round[1]) / 1000.0
    );
    Ok(vec![Figure::new(
        rounds.median(|round| round[1] / round[0]),
        note,
    )])
}
