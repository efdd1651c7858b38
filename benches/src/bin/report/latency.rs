//! How latencies are spread: cold, fresh for each call, warm.

use std::time::Duration;

use prewarm::Component;
use prewarm_benches::clock::time;
use prewarm_benches::load::{Latencies, independent, latencies};
use prewarm_benches::pools;
use serde_json::{Value, json};
use wasmtime::Result;

use crate::axis::Axis;
use crate::chapter::{Bench, Chapter, is_typical, range};
use crate::draw::{Key, Panel, Plot};
use crate::subject::{BareSubject, ECHO, Subject};
use crate::words;

/// The ways to meet an instance, in the order of the plot's keys.
const WAYS: usize = 5;
const COLD: usize = 0;
const BARE: usize = 1;
const FRESH: usize = 2;
const WARMED: usize = 3;
const WARM: usize = 4;

fn keys() -> Vec<Key> {
    vec![
        Key::ours(1, "cold: the pool is empty"),
        Key::bare(6, "tuned wasmtime: an instance made for each call"),
        Key::ours(0, "prewarm: a fresh instance for each call"),
        Key::ours(5, "the same with a warm-up call"),
        Key::ours(2, "prewarm: warm, instances reused"),
    ]
}

/// One guest.
struct Row {
    guest: &'static str,
    gap: Duration,
    ways: [Option<Latencies>; WAYS],
}

impl Row {
    fn at(&self, way: usize, percent: f64) -> f64 {
        self.ways[way]
            .as_ref()
            .map_or(f64::NAN, |it| it.at(percent))
    }
}

pub(crate) fn measure(bench: &Bench) -> Result<Chapter> {
    let host = bench.host()?;
    eprintln!("    {ECHO}");
    let mut rows = vec![row(bench, ECHO, &pools::tools(&host)?)?];
    let loads = loads(bench, &host)?;
    drop(host);
    for (name, file) in &bench.built.there {
        let host = bench.host()?;
        let component = bench.load(&host, name, file)?;
        rows.push(row(bench, name, &component)?);
    }
    Ok(Chapter {
        title: "Latency: cold, fresh for each call, warm",
        finding: finding(&rows),
        method: "Calls come at independent instants, a quarter as often as one thread could serve them by making, \
                 calling and dropping an instance for each (the second table has other shares), and each is timed from the instant it was due: a stall \
                 counts for everybody it holds up. A cold call is the first of an empty pool of a loaded component, one after the other without a pause, and \
                 so in warm caches; the others meet what calls that far apart meet. \
                 A warm-up call runs when the instance is made, before it is lent."
            .to_owned(),
        plot: Some(plot(&rows)),
        table: format!("{}\n{}", table(&rows), load_table(&loads)),
        numbers: json!({
            "guests": rows.iter().map(numbers).collect::<Vec<_>>(),
            "echo_by_load": loads.iter().map(Load::numbers).collect::<Vec<_>>(),
        }),
        ..Chapter::default()
    })
}

fn row(bench: &Bench, guest: &'static str, component: &Component) -> Result<Row> {
    let bare = BareSubject::new(component)?;
    let gap = inline(&bare)? * 4;
    let calls = bench.calls(gap, 40_000);
    let schedule = |seed| independent(gap, seed);
    let fresh = |subject: &Subject, seed| {
        latencies(schedule(seed), calls, || subject.call().map(drop)).map(Some)
    };
    let mut ways: [Option<Latencies>; WAYS] = Default::default();
    let mut cold = Latencies::default();
    for _ in 0..(calls / 10).clamp(100, 1000) {
        let subject = Subject::new(component, pools::reused(1))?;
        let (outcome, took) = time(|| subject.call());
        outcome?;
        cold.record(took);
    }
    ways[COLD] = Some(cold);
    ways[BARE] = Some(latencies(schedule(3), calls, || bare.first().map(drop))?);
    ways[FRESH] = fresh(&Subject::new(component, pools::fresh(32))?, 3)?;
    if let Some(subject) = Subject::warmed(component, pools::fresh(32))? {
        ways[WARMED] = fresh(&subject, 3)?;
    }
    ways[WARM] = fresh(&Subject::new(component, pools::reused(4))?, 3)?;
    Ok(Row { guest, gap, ways })
}

/// One share of what a thread can serve by making, calling and dropping an instance for each call.
struct Load {
    share: f64,
    gap: Duration,
    ready: f64,
    ours: Latencies,
    bare: Latencies,
}

impl Load {
    fn numbers(&self) -> Value {
        json!({
            "share": self.share, "mean_gap_ns": nanos(self.gap), "found_one_ready": self.ready,
            "prewarm_fresh": spread(&self.ours), "bare_tuned": spread(&self.bare),
        })
    }
}

/// The echo under more and more load.
fn loads(bench: &Bench, host: &prewarm::Host) -> Result<Vec<Load>> {
    let component = pools::tools(host)?;
    let bare = BareSubject::new(&component)?;
    let cost = inline(&bare)?;
    let mut loads = Vec::new();
    for share in [0.05, 0.125, 0.25, 0.5, 0.75] {
        let gap = cost.div_f64(share);
        let calls = bench.calls(gap, 40_000);
        let subject = Subject::new(&component, pools::fresh(32))?;
        let (mut ready, mut all) = (0_u32, 0_u32);
        let ours = latencies(independent(gap, 9), calls, || {
            ready += u32::from(subject.call()?.warm);
            all += 1;
            Ok(())
        })?;
        let bare = latencies(independent(gap, 9), calls, || bare.first().map(drop))?;
        loads.push(Load {
            share,
            gap,
            ready: f64::from(ready) / f64::from(all),
            ours,
            bare,
        });
    }
    Ok(loads)
}

fn load_table(loads: &[Load]) -> String {
    let spread = |it: &Latencies| {
        let percents = [50.0, 99.0, 99.9, 100.0].map(|percent| words::time(it.at(percent)));
        percents.join(" / ")
    };
    let row = |load: &Load| {
        vec![
            format!("{:.0} %", load.share * 100.0),
            words::time(nanos(load.gap)),
            format!("{:.0} %", load.ready * 100.0),
            spread(&load.ours),
            spread(&load.bare),
        ]
    };
    let heads = format!("{ECHO}: load");
    words::table(
        &[
            &heads,
            "a call every",
            "found one ready",
            "prewarm, fresh: median / p99 / p99.9 / max",
            "tuned wasmtime, made for each",
        ],
        &loads.iter().map(row).collect::<Vec<_>>(),
    )
}

/// What one call costs that makes its instance and drops it.
fn inline(bare: &BareSubject) -> Result<Duration> {
    bare.first()?;
    let (mut calls, began) = (0, prewarm_benches::clock::now());
    while calls < 20 || began.elapsed() < Duration::from_millis(50) {
        bare.first()?;
        calls += 1;
    }
    Ok(began.elapsed() / calls)
}

fn finding(rows: &[Row]) -> String {
    // With the warm-up where it pays.
    let own = |row: &Row| row.at(FRESH, 50.0).min(row.at(WARMED, 50.0));
    let told = |row: &&Row| [ECHO, "rust", "python"].contains(&row.guest);
    let parts = rows.iter().filter(told).map(|row| {
        format!(
            "{} for {} ({} cold, {} warm)",
            words::time(own(row)),
            row.guest,
            words::time(row.at(COLD, 50.0)),
            words::time(row.at(WARM, 50.0)),
        )
    });
    let (least, most) = range(rows.iter().map(|row| own(row) / row.at(COLD, 50.0)));
    format!(
        "With a fresh instance for each call, made ahead, the median caller waits {}: {} of a cold call's latency, \
         over {} guests.",
        parts.collect::<Vec<_>>().join(", "),
        words::from_to(least, most, words::times),
        rows.len(),
    )
}

fn plot(rows: &[Row]) -> Plot {
    let shown: Vec<&Row> = rows
        .iter()
        .filter(|row| row.guest == ECHO || is_typical(row.guest))
        .collect();
    let all = || {
        let ways = shown.iter().flat_map(|row| row.ways.iter().flatten());
        ways.flat_map(shown_of)
    };
    let y = Axis::time("latency", all().map(|(_, nanos)| nanos));
    let x = Axis::percentiles("share of calls that are faster");
    let panel = |row: &&Row| Panel {
        title: row.guest.to_owned(),
        x: x.clone(),
        y: y.clone(),
        lines: (0..WAYS)
            .filter_map(|way| Some((way, shown_of(row.ways[way].as_ref()?))))
            .collect(),
        marks: false,
    };
    Plot {
        title: "How long a caller waits, by guest (lower is better)".to_owned(),
        columns: 3,
        panel: (370, 330),
        keys: keys(),
        panels: shown.iter().map(panel).collect(),
    }
}

/// The points that the axis has room for.
fn shown_of(latencies: &Latencies) -> Vec<(f64, f64)> {
    let mut points = latencies.curve();
    points.retain(|(percent, _)| *percent <= Axis::MOST_PERCENT);
    points
}

fn table(rows: &[Row]) -> String {
    let cell = |row: &Row, way: usize| match &row.ways[way] {
        Some(latencies) => format!(
            "{} / {}",
            words::time(latencies.at(50.0)),
            words::time(latencies.at(99.0))
        ),
        None => "–".to_owned(),
    };
    let cells = |row: &Row| {
        let mut cells = vec![row.guest.to_owned(), words::time(nanos(row.gap))];
        cells.extend((0..WAYS).map(|way| cell(row, way)));
        cells
    };
    words::table(
        &[
            "median / p99",
            "a call every",
            "cold",
            "tuned wasmtime, made for each",
            "fresh",
            "fresh, warmed up",
            "warm",
        ],
        &rows.iter().map(cells).collect::<Vec<_>>(),
    )
}

fn nanos(duration: Duration) -> f64 {
    prewarm_benches::sample::nanos(duration)
}

fn numbers(row: &Row) -> Value {
    let way = |way: usize| row.ways[way].as_ref().map_or(Value::Null, spread);
    json!({
        "guest": row.guest, "mean_gap_ns": nanos(row.gap), "cold": way(COLD), "bare_tuned": way(BARE),
        "fresh": way(FRESH), "fresh_warmed_up": way(WARMED), "warm": way(WARM),
    })
}

fn spread(latencies: &Latencies) -> Value {
    json!({
        "calls": latencies.calls(), "p50_ns": latencies.at(50.0), "p99_ns": latencies.at(99.0),
        "p99_9_ns": latencies.at(99.9), "max_ns": latencies.at(100.0),
        "curve_percent_ns": latencies.curve(),
    })
}
