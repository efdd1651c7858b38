//! Latency against the pages that a call dirties.

use std::time::Duration;

use prewarm::Reset;
use prewarm_benches::bare;
use prewarm_benches::dirt::{BareDirty, Dirty, Layout};
use prewarm_benches::load::{independent, latencies};
use prewarm_benches::pools;
use prewarm_benches::sample::in_turns;
use serde_json::json;
use wasmtime::Result;

use crate::axis::Axis;
use crate::chapter::{Bench, Chapter};
use crate::draw::{Key, Panel, Plot};
use crate::words;

/// The lines of a panel.
const NAMES: [&str; 5] = [
    "prewarm: what the caller waits at a quarter load",
    "prewarm: a call, without a pause",
    "tuned wasmtime",
    "default pooling",
    "default wasmtime",
];
const WAITS: usize = 0;

/// The numbers of pages in the table.
const SHOWN: [u32; 6] = [0, 16, 64, 128, 256, 1000];

/// Nanoseconds of each line, for each number of pages.
struct Measured {
    layout: Layout,
    rows: Vec<[f64; 5]>,
    /// How prewarm reset the slots in the end, for each number of pages.
    resets: Vec<Option<Reset>>,
}

impl Measured {
    fn at(&self, pages: u32, line: usize) -> f64 {
        let index = self.layout.pages().iter().position(|it| *it == pages);
        index.map_or(f64::NAN, |index| self.rows[index][line])
    }
}

pub(crate) fn measure(bench: &Bench) -> Result<Chapter> {
    let rounds = bench.or_quick(12, 4);
    let mut all = Vec::new();
    for layout in Layout::ALL {
        let (mut rows, mut resets) = (Vec::new(), Vec::new());
        for &pages in layout.pages() {
            eprintln!("    {pages} pages {}", title(layout));
            // New for each case: a slot remembers how much was once dirty in it.
            let pool = Dirty::new(&pools::host(None)?, layout, pools::fresh(32))?;
            let tuned = BareDirty::new(bare::lane()?, layout)?;
            let pooling = BareDirty::new(bare::default_pooling()?, layout)?;
            let default = BareDirty::new(bare::default_engine()?, layout)?;
            let turns = in_turns(
                &mut [
                    &mut |calls| pool.run(pages, calls),
                    &mut |calls| tuned.run(pages, calls),
                    &mut |calls| pooling.run(pages, calls),
                    &mut |calls| default.run(pages, calls),
                ],
                rounds,
                Duration::from_millis(10),
            )?;
            let line = |line: usize| turns.median(|round| round[line]);
            let gap = Duration::from_secs_f64(line(1) * 4.0 / 1e9);
            let waits = latencies(independent(gap, 5), bench.calls(gap, 2000), || {
                pool.run(pages, 1)
            })?;
            rows.push([waits.at(50.0), line(0), line(1), line(2), line(3)]);
            resets.push(pool.reset());
        }
        all.push(Measured {
            layout,
            rows,
            resets,
        });
    }
    let numbers = all.iter().map(|measured| {
        let rows = measured.layout.pages().iter().zip(&measured.rows).zip(&measured.resets);
        let rows = rows.map(|((pages, row), reset)| {
            json!({ "pages": pages, "ns": row, "reset": reset.map(|reset| format!("{reset:?}")) })
        });
        json!({ "layout": measured.layout.name(), "lines": NAMES, "rows": rows.collect::<Vec<_>>() })
    });
    Ok(Chapter {
        title: "Dirty memory",
        finding: finding(&all),
        method: "A fresh instance for each call, which writes a word to each page, one after the other or every \
                 eighth in a memory of 32 MiB, or every other of a memory of 1 MiB; making, calling, resetting and dropping are all in it. What the caller waits is the median \
                 of calls that come a quarter as often as tuned wasmtime could serve them on one thread."
            .to_owned(),
        plot: Some(plot(&all)),
        table: table(&all),
        numbers: numbers.collect(),
        ..Chapter::default()
    })
}

fn title(layout: Layout) -> &'static str {
    match layout {
        Layout::Row => "in a row",
        Layout::Small => "scattered over 1 MiB",
        _ => "scattered",
    }
}

fn finding(all: &[Measured]) -> String {
    let parts = all.iter().map(|measured| {
        let of = |pages| {
            format!(
                "{} for {pages} pages ({} with default pooling)",
                words::time(measured.at(pages, WAITS)),
                words::time(measured.at(pages, 3)),
            )
        };
        let most = measured.layout.pages().last().copied().unwrap_or_default();
        format!("{} {} and {}", title(measured.layout), of(64), of(most))
    });
    format!(
        "The median caller of a fresh instance waits, where a call dirties pages {}.",
        parts.collect::<Vec<_>>().join(", and ")
    )
}

fn plot(all: &[Measured]) -> Plot {
    let y = Axis::time(
        "latency",
        all.iter().flat_map(|it| it.rows.iter().flatten().copied()),
    );
    let panel = |measured: &Measured| Panel {
        title: title(measured.layout).to_owned(),
        x: Axis::steps(
            "pages of 4 KiB that a call writes to",
            measured.layout.pages(),
        ),
        y: y.clone(),
        lines: (0..NAMES.len())
            .map(|line| {
                let pages = measured.layout.pages().iter().copied().map(f64::from);
                (
                    line,
                    pages
                        .zip(measured.rows.iter().map(|row| row[line]))
                        .collect(),
                )
            })
            .collect(),
        marks: true,
    };
    Plot {
        title: "A fresh instance for each call, by the pages it dirties (lower is better)"
            .to_owned(),
        columns: 3,
        panel: (400, 360),
        keys: vec![
            Key::ours(0, NAMES[0]),
            Key::ours(5, NAMES[1]),
            Key::bare(6, NAMES[2]),
            Key::bare(1, NAMES[3]),
            Key::bare(3, NAMES[4]),
        ],
        panels: all.iter().map(panel).collect(),
    }
}

fn table(all: &[Measured]) -> String {
    let mut rows = Vec::new();
    for measured in all {
        let resets = measured.layout.pages().iter().zip(&measured.resets);
        for (&pages, reset) in resets.filter(|(pages, _)| SHOWN.contains(pages)) {
            let mut cells = vec![format!("{pages} {}", title(measured.layout))];
            cells.extend((0..NAMES.len()).map(|line| words::time(measured.at(pages, line))));
            cells.push(reset.map_or("–".into(), |reset| format!("`{reset:?}`")));
            rows.push(cells);
        }
    }
    let mut heads = vec!["pages"];
    heads.extend(NAMES);
    heads.push("prewarm's reset");
    words::table(&heads, &rows)
}
