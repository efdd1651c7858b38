//! Calls a second against the number of callers.

use prewarm_benches::bare::{self, Bare};
use prewarm_benches::load::{Caller, rate};
use prewarm_benches::sample::percentile;
use prewarm_benches::{loops, pools};
use serde_json::json;
use std::time::Duration;
use wasmtime::Result;

use crate::axis::Axis;
use crate::chapter::{Bench, Chapter};
use crate::draw::{Key, Panel, Plot};
use crate::words;

const CALLERS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// The lines of the plot: those that make an instance for each call, then those that do not.
const NAMES: [&str; 6] = [
    "prewarm, fresh",
    "tuned wasmtime, fresh",
    "default pooling, fresh",
    "default wasmtime, fresh",
    "prewarm, reused",
    "tuned wasmtime, an instance for each caller",
];
const FRESH: usize = 4;

pub(crate) fn measure(bench: &Bench) -> Result<Chapter> {
    let component = pools::tools(&pools::host(None)?)?;
    let tuned = Bare::new(bare::lane()?)?;
    let pooling = Bare::new(bare::default_pooling()?)?;
    let default = Bare::new(bare::default_engine()?)?;
    let rounds = bench.or_quick(5, 2);
    let turn = bench.or_quick(Duration::from_millis(200), Duration::from_millis(60));
    let mut lines: [Vec<(f64, f64)>; 6] = Default::default();
    for callers in CALLERS {
        eprintln!("    {callers} callers");
        let many = usize::try_from(callers)?;
        let fresh = pools::direct(&component, pools::fresh(many + 32))?;
        let reused = pools::direct(&component, pools::reused(many))?;
        let pool = |pool| {
            move || -> Result<Caller<'_>> { Ok(Box::new(move |calls| loops::pool(pool, calls))) }
        };
        let each = |bare| {
            move || -> Result<Caller<'_>> { Ok(Box::new(move |calls| loops::fresh(bare, calls))) }
        };
        let own = || -> Result<Caller<'_>> {
            let (mut store, tools) = tuned.start()?;
            Ok(Box::new(move |calls| {
                loops::warm(&mut store, &tools, calls)
            }))
        };
        let mut rates: [Vec<f64>; 6] = Default::default();
        for _ in 0..rounds {
            rates[0].push(rate(many, turn, &pool(&fresh))?);
            rates[1].push(rate(many, turn, &each(&tuned))?);
            rates[2].push(rate(many, turn, &each(&pooling))?);
            rates[3].push(rate(many, turn, &each(&default))?);
            rates[4].push(rate(many, turn, &pool(&reused))?);
            rates[5].push(rate(many, turn, &own)?);
        }
        for (line, rates) in lines.iter_mut().zip(&mut rates) {
            line.push((f64::from(callers), percentile(rates, 50.0)));
        }
    }
    Ok(Chapter {
        title: "Throughput: callers that never rest",
        finding: finding(&lines),
        method:
            "Each caller is a thread that echoes five bytes; the median of several rounds in turns."
                .to_owned(),
        plot: Some(plot(&lines)),
        table: table(&lines),
        numbers: NAMES
            .iter()
            .zip(&lines)
            .map(|(name, line)| json!({ "name": name, "callers_calls_per_s": line }))
            .collect(),
        ..Chapter::default()
    })
}

fn last(line: &[(f64, f64)]) -> f64 {
    line.last().map_or(f64::NAN, |(_, rate)| *rate)
}

fn finding(lines: &[Vec<(f64, f64)>; 6]) -> String {
    let [fresh, tuned, pooling, default, reused, own] = lines.each_ref().map(|line| last(line));
    format!(
        "With {} callers prewarm serves {} calls a second with a fresh instance each, {} of tuned wasmtime, {} of \
         default pooling and {} of wasmtime as it comes; with instances reused {}, {} of a bare instance for each \
         caller.",
        CALLERS[CALLERS.len() - 1],
        words::amount(fresh),
        words::times(fresh / tuned),
        words::times(fresh / pooling),
        words::times(fresh / default),
        words::amount(reused),
        words::times(reused / own),
    )
}

fn plot(lines: &[Vec<(f64, f64)>; 6]) -> Plot {
    let panel = |title: &str, from: usize, to: usize| Panel {
        title: title.to_owned(),
        x: Axis::steps("callers", &CALLERS),
        y: Axis::linear(
            "calls a second",
            lines[from..to].iter().flatten().map(|(_, rate)| *rate),
            words::amount,
        ),
        lines: (from..to).map(|line| (line, lines[line].clone())).collect(),
        marks: true,
    };
    Plot {
        title: "Calls a second (higher is better)".to_owned(),
        columns: 2,
        panel: (480, 380),
        keys: vec![
            Key::ours(0, NAMES[0]),
            Key::bare(6, NAMES[1]),
            Key::bare(1, NAMES[2]),
            Key::bare(3, NAMES[3]),
            Key::ours(2, NAMES[4]),
            Key::bare(4, NAMES[5]),
        ],
        panels: vec![
            panel("a fresh instance for each call", 0, FRESH),
            panel("instances that serve call after call", FRESH, NAMES.len()),
        ],
    }
}

fn table(lines: &[Vec<(f64, f64)>; 6]) -> String {
    let row = |(name, line): (&&str, &Vec<(f64, f64)>)| {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(line.iter().map(|(_, rate)| words::amount(*rate)));
        cells
    };
    let callers = CALLERS.map(|callers| callers.to_string());
    let mut heads = vec!["calls a second, by callers"];
    heads.extend(callers.iter().map(|callers| &**callers));
    words::table(
        &heads,
        &NAMES.iter().zip(lines).map(row).collect::<Vec<_>>(),
    )
}
