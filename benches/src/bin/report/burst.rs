//! From zero: many calls at once, and calls that begin to come where there is no instance.

use std::time::Duration;

use prewarm::Component;
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::burst::Burst;
use prewarm_benches::clock::now;
use prewarm_benches::load::{open_loop, regular};
use prewarm_benches::pools;
use prewarm_benches::sample::{nanos, percentile};
use serde_json::json;
use wasmtime::Result;

use crate::axis::Axis;
use crate::chapter::{Bench, Chapter};
use crate::draw::{Key, Panel, Plot};
use crate::subject::{BareSubject, ECHO, Subject};
use crate::words;

/// The numbers of calls that come at once.
const AT_ONCE: [usize; 4] = [1, 10, 100, 1000];

/// Points of one line: milliseconds or calls, and nanoseconds.
type Points = Vec<(f64, f64)>;

/// Calls that begin to come, of one guest.
struct Onset {
    guest: &'static str,
    gap: Duration,
    ours: Points,
    bare: Points,
}

pub(crate) fn measure(bench: &Bench) -> Result<Chapter> {
    let component = pools::tools(&pools::host(None)?)?;
    eprintln!("    calls at once");
    let at_once = at_once(bench, &component)?;
    eprintln!("    {ECHO}, calls that begin to come");
    let mut onsets = vec![onset(
        bench,
        ECHO,
        &component,
        bench.or_quick((200, 40), (200, 10)),
    )?];
    let dear = ["python", "starlingmonkey", "javascript", "go", "rust"];
    let there = |name: &&str| bench.built.there.iter().find(|(it, _)| it == name);
    if let Some((name, file)) = dear.iter().find_map(there) {
        let component = bench.load(&bench.host()?, name, file)?;
        let size = bench.or_quick((60, 15), (60, 5));
        onsets.push(onset(bench, name, &component, size)?);
    }
    Ok(Chapter {
        title: "From zero: a burst",
        finding: finding(&at_once, &onsets),
        method: "Left: so many tasks at once call an empty pool of 64 slots on as many threads as there are \
                 processors, and the time from that instant to the answer of each, in their order. Right: one call \
                 after each gap, a quarter as often as one thread could serve them by making, calling and dropping an \
                 instance for each, timed from the instant it was due. Medians of many repeats, each with a new pool."
            .to_owned(),
        plot: Some(plot(&at_once, &onsets)),
        table: table(&at_once, &onsets),
        numbers: json!({
            "at_once": at_once.iter().map(|(name, bursts)| json!({ "name": name, "answered_ns": bursts })).collect::<Vec<_>>(),
            "onset": onsets.iter().map(|onset| json!({
                "guest": onset.guest, "gap_ns": nanos(onset.gap),
                "prewarm_ms_ns": onset.ours, "bare_tuned_ms_ns": onset.bare,
            })).collect::<Vec<_>>(),
        }),
        ..Chapter::default()
    })
}

/// For each who: when the calls of each burst were answered, in their order.
type Bursts = Vec<(&'static str, Vec<Vec<f64>>)>;

fn at_once(bench: &Bench, component: &Component) -> Result<Bursts> {
    let burst = Burst::new()?;
    let tuned = Bare::new(bare::lane()?)?;
    let pooling = Bare::new(bare::default_pooling()?)?;
    let repeats = bench.or_quick(30, 8);
    let mut all: Bursts = vec![
        ("prewarm", Vec::new()),
        ("tuned wasmtime", Vec::new()),
        ("default pooling", Vec::new()),
    ];
    for calls in AT_ONCE {
        let mut runs: [Vec<Vec<Duration>>; 3] = Default::default();
        for _ in 0..repeats {
            let pool = pools::task(component, pools::fresh(64))?;
            runs[0].push(burst.pool(&pool, calls)?);
            drop(pool);
            runs[1].push(burst.bare(&tuned, calls)?);
            runs[2].push(burst.bare(&pooling, calls)?);
        }
        for ((_, bursts), runs) in all.iter_mut().zip(&runs) {
            bursts.push((0..calls).map(|call| median(runs, call)).collect());
        }
    }
    Ok(all)
}

/// The median of what all runs have at one place.
fn median(runs: &[Vec<Duration>], place: usize) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(|run| nanos(run[place])).collect();
    percentile(&mut values, 50.0)
}

fn onset(
    bench: &Bench,
    guest: &'static str,
    component: &Component,
    (calls, repeats): (usize, usize),
) -> Result<Onset> {
    let bare = BareSubject::new(component)?;
    bare.first()?;
    let (tries, began) = (bench.or_quick(100, 30), now());
    for _ in 0..tries {
        bare.first()?;
    }
    let gap = began.elapsed() / tries * 4;
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    for _ in 0..repeats {
        let subject = Subject::new(component, pools::fresh(32))?;
        let timed = open_loop(regular(gap).take(calls), || subject.call().map(drop))?;
        ours.push(timed.into_iter().map(|(_, took)| took).collect());
        let timed = open_loop(regular(gap).take(calls), || bare.first().map(drop))?;
        others.push(timed.into_iter().map(|(_, took)| took).collect());
    }
    let points = |runs: &[Vec<Duration>]| -> Points {
        let at = regular(gap).take(calls).map(|at| nanos(at) / 1e6);
        at.zip((0..calls).map(|call| median(runs, call))).collect()
    };
    Ok(Onset {
        guest,
        gap,
        ours: points(&ours),
        bare: points(&others),
    })
}

/// The first latency, and the median of the last half.
fn settled(points: &Points) -> (f64, f64) {
    let first = points.first().map_or(f64::NAN, |(_, nanos)| *nanos);
    let mut rest: Vec<f64> = points[points.len() / 2..]
        .iter()
        .map(|(_, it)| *it)
        .collect();
    (first, percentile(&mut rest, 50.0))
}

fn last_of(bursts: &[Vec<f64>], which: usize) -> f64 {
    let burst = bursts.get(which).and_then(|burst| burst.last());
    burst.copied().unwrap_or(f64::NAN)
}

fn finding(at_once: &Bursts, onsets: &[Onset]) -> String {
    let most = AT_ONCE.len() - 1;
    let last: Vec<f64> = at_once.iter().map(|(_, it)| last_of(it, most)).collect();
    let parts = onsets.iter().map(|onset| {
        let (first, later) = settled(&onset.ours);
        format!(
            "with one call every {} {}'s first caller waits {} and later ones {}",
            words::time(nanos(onset.gap)),
            onset.guest,
            words::time(first),
            words::time(later)
        )
    });
    format!(
        "Of {} calls at once where there is no instance the last is answered after {}, {} as long as on tuned \
         wasmtime and {} as long as with default pooling; {}.",
        AT_ONCE[most],
        words::time(last[0]),
        words::times(last[0] / last[1]),
        words::times(last[0] / last[2]),
        parts.collect::<Vec<_>>().join("; "),
    )
}

fn plot(at_once: &Bursts, onsets: &[Onset]) -> Plot {
    let lines: Vec<(usize, Points)> = at_once
        .iter()
        .enumerate()
        .filter_map(|(key, (_, bursts))| {
            let answered = bursts.last()?.iter();
            let points = (1_u32..).map(f64::from).zip(answered.copied());
            Some((key, points.collect()))
        })
        .collect();
    let all = |lines: &[(usize, Points)], x: bool| -> Vec<f64> {
        let points = lines.iter().flat_map(|(_, points)| points);
        points
            .map(|(call, nanos)| if x { *call } else { *nanos })
            .collect()
    };
    let first = Panel {
        title: format!("{} calls at once, {ECHO}", AT_ONCE[AT_ONCE.len() - 1]),
        x: Axis::linear("calls answered", all(&lines, true), words::amount),
        y: Axis::linear("time since the burst", all(&lines, false), words::time),
        lines,
        marks: false,
    };
    let rest = onsets.iter().map(|onset| {
        let lines = vec![(0, onset.ours.clone()), (1, onset.bare.clone())];
        Panel {
            title: format!(
                "a call every {}, {}",
                words::time(nanos(onset.gap)),
                onset.guest
            ),
            x: Axis::linear("time since the first call", all(&lines, true), |ms| {
                words::time(ms * 1e6)
            }),
            y: Axis::time("latency", all(&lines, false)),
            lines,
            marks: false,
        }
    });
    Plot {
        title: "From zero instances: a fresh one for each call (lower is better)".to_owned(),
        columns: 3,
        panel: (390, 340),
        keys: vec![
            Key::ours(0, at_once[0].0),
            Key::bare(6, at_once[1].0),
            Key::bare(1, at_once[2].0),
        ],
        panels: [first].into_iter().chain(rest).collect(),
    }
}

fn table(at_once: &Bursts, onsets: &[Onset]) -> String {
    let counts = AT_ONCE.map(|calls| format!("{calls} at once"));
    let mut heads = vec!["until the last answer"];
    heads.extend(counts.iter().map(|it| &**it));
    let rows = at_once.iter().map(|(name, bursts)| {
        let mut cells = vec![(*name).to_owned()];
        let last = (0..AT_ONCE.len()).map(|which| words::time(last_of(bursts, which)));
        cells.extend(last);
        cells
    });
    let bursts = words::table(&heads, &rows.collect::<Vec<_>>());
    let mut rows = Vec::new();
    for onset in onsets {
        for (who, points) in [("prewarm", &onset.ours), ("tuned wasmtime", &onset.bare)] {
            let (first, later) = settled(points);
            let gap = words::time(nanos(onset.gap));
            let name = format!("{}, {who}, a call every {gap}", onset.guest);
            rows.push(vec![name, words::time(first), words::time(later)]);
        }
    }
    let onsets = words::table(
        &["calls that begin to come", "the first", "later ones"],
        &rows,
    );
    format!("{bursts}\n{onsets}")
}
