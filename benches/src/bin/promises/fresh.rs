//! A fresh instance for each call: what the caller waits at half load, and the rate without a pause.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use prewarm_benches::bare::{self, Bare};
use prewarm_benches::clock::{Jitter, now, spin_until, time};
use prewarm_benches::sample::{in_turns, nanos, percentile};
use prewarm_benches::{loops, pools};
use wasmtime::Result;

use crate::Settings;
use crate::report::Figure;

/// Calls of each kind before it is the next kind's turn, and how often each has its turn.
const TURN: usize = 1000;
const TURNS: usize = 30;

/// Calls at the start of a turn that only bring the load about.
const ONSET: usize = TURN / 10;

/// A caller who comes this late or later was held up.
const HELD: Duration = Duration::from_micros(1);

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
    // How far apart the processors were in each turn, and its median.
    let mut by_way = Vec::new();
    let (mut cold, mut fresh_held, mut warm_held) = (0, 0, 0);
    let called = |pool| move || loops::pool(pool, 1).map(|()| now());
    for _ in 0..TURNS {
        at_half_load(&mut jitter, ONSET, called(&warm))?;
        let (mut turn, held) = at_half_load(&mut jitter, TURN, called(&warm))?;
        warm_held += held;
        warm_late.push(percentile(&mut turn, 99.0));
        warm_ns.extend(turn);
        let apart = apart_ns();
        at_half_load(&mut jitter, ONSET, called(&fresh))?;
        let before = fresh.stats().cold;
        let (mut turn, held) = at_half_load(&mut jitter, TURN, called(&fresh))?;
        fresh_held += held;
        by_way.push((apart, percentile(&mut turn, 50.0)));
        fresh_late.push(percentile(&mut turn, 99.0));
        fresh_ns.extend(turn);
        cold += fresh.stats().cold - before;
        let start = || bare.start().map(|_instance| now());
        at_half_load(&mut jitter, ONSET, start)?;
        start_ns.extend(at_half_load(&mut jitter, TURN, start)?.0);
    }
    let of = |values: &mut Vec<f64>, percent| percentile(values, percent) / 1000.0;
    let (warm50, warm99) = (of(&mut warm_ns, 50.0), of(&mut warm_late, 50.0));
    let (fresh50, fresh99) = (of(&mut fresh_ns, 50.0), of(&mut fresh_late, 50.0));
    let all99 = of(&mut fresh_ns, 99.0);
    let (fresh75, fresh90) = (of(&mut fresh_ns, 75.0), of(&mut fresh_ns, 90.0));
    let (start50, start99) = (of(&mut start_ns, 50.0), of(&mut start_ns, 99.0));
    by_way.sort_by(|one, other| one.0.total_cmp(&other.0));
    let third = |turns: &[(f64, f64)]| {
        let (mut ways, mut waits): (Vec<_>, Vec<_>) = turns.iter().copied().unzip();
        (percentile(&mut ways, 50.0), of(&mut waits, 50.0))
    };
    let (near, near50) = third(&by_way[..TURNS / 3]);
    let (far, far50) = third(&by_way[TURNS - TURNS / 3..]);
    let note = format!(
        "a call every 20 to 50 us: fresh {fresh50:.2} us, warm {warm50:.2} us; {cold} of {} found none ready; fresh \
         {near50:.2} us in the third of the turns with the nearest processors, where a write reached the other one in \
         {near:.0} ns; {far50:.2} us in the third with the farthest, where it took {far:.0}",
        TURN * TURNS
    );
    let note99 = format!(
        "in the median turn of {TURN} calls fresh {fresh99:.2} us, warm {warm99:.2}; fresh p75 {fresh75:.2}, p90 \
         {fresh90:.2}, p99 of all {all99:.2}; held up for {HELD:?} or more before their call and timed only from when \
         they came: fresh {fresh_held} of {}, warm {warm_held}; goal: the median of an inline start, whose own p99 is {start99:.2} us",
        TURN * TURNS
    );
    Ok(vec![
        Figure::new(fresh50 - warm50, note),
        Figure::bounded(fresh99 - warm99, start50, note99),
    ])
}

/// Calls that come every 20 to 50 µs by a schedule, and how many nanoseconds after it was due each had
/// its answer: a call that is held up counts for everybody whom it keeps waiting. Where the machine holds
/// a caller up who only waits for its time, nobody waits for an answer, and the call comes later. So does
/// one from whom a thread of prewarm's took the processor meanwhile; that is why it also gives how many
/// came [`HELD`] or more late, to be compared. The call says when it was done.
fn at_half_load(
    jitter: &mut Jitter,
    calls: usize,
    call: impl Fn() -> Result<Instant>,
) -> Result<(Vec<f64>, usize)> {
    let mut held = 0;
    let (mut due, mut done) = (now(), now());
    let mut took_ns = Vec::with_capacity(calls);
    for _ in 0..calls {
        due += jitter.micros(20, 50);
        let waits = done < due;
        spin_until(due);
        if waits {
            let came = now();
            held += usize::from(came - due >= HELD);
            due = came;
        }
        done = call()?;
        took_ns.push(nanos(done - due));
    }
    Ok((took_ns, held))
}

/// How many nanoseconds after one thread writes another sees it, while both do nothing else. That is
/// how far apart the machine has put its processors just now: memory that refill wrote last comes to its
/// caller that way.
fn apart_ns() -> f64 {
    const ROUNDS: u32 = 1000;
    let word = AtomicU32::new(0);
    // Each in turn makes an odd number of an even one, or the other way round.
    let answer = |parity| {
        for tries in 1_u64.. {
            let last = word.load(Ordering::Acquire);
            if last % 2 == parity {
                return word.store(last + 1, Ordering::Release);
            }
            // Where both share a processor.
            if tries.is_multiple_of(1000) {
                std::thread::yield_now();
            }
            std::hint::spin_loop();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| (0..=ROUNDS).for_each(|_| answer(1)));
        // The first waits until the other runs.
        (0..2).for_each(|_| answer(0));
        let ((), took) = time(|| (1..ROUNDS).for_each(|_| answer(0)));
        nanos(took) / f64::from(2 * (ROUNDS - 1))
    })
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
