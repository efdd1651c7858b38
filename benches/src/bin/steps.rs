//! Where the time of a cold start goes, step by step, as the Markdown table of the page on cold
//! starts.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use prewarm::Origin;
use prewarm_benches::clock::{page_faults, rest, time};
use prewarm_benches::logs::Reader;
use prewarm_benches::pools;
use prewarm_benches::sample::{count, nanos, percentile};
use wasmtime::Result;

/// Measures the steps of a cold start.
#[derive(Parser)]
struct Settings {
    /// The folder of the guests that `cargo xtask guests` built
    #[arg(long, value_name = "DIR")]
    guests: PathBuf,
}

const GUESTS: [(&str, &str); 4] = [
    ("rust", "Rust"),
    ("javascript", "QuickJS"),
    ("starlingmonkey", "StarlingMonkey"),
    ("python", "Python"),
];

const ROUNDS: usize = 25;

/// Instances before those that are counted: they bring the slot into use.
const ONSET: usize = 5;

/// A call that is short, so that its costs are seen.
const LINE: &str = "2026-05-09 10:20:30 status installed gzip:amd64 1.12-1";

fn main() -> ExitCode {
    match run(&Settings::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Nanoseconds of each step, and counts of page faults.
struct Steps {
    compile: f64,
    engine: f64,
    map: f64,
    link: f64,
    start: f64,
    first: f64,
    later: f64,
    faults: f64,
}

impl Steps {
    /// Of the first call, what a later one does not take.
    fn first_beyond(&self) -> f64 {
        self.first - self.later
    }

    /// All that a process with a full cache does before its first call is like a later one.
    fn whole(&self) -> f64 {
        self.engine + self.map + self.link + self.start + self.first_beyond()
    }

    fn part(&self, nanos: f64) -> String {
        let share = nanos / self.whole() * 100.0;
        format!("{} ({share:.0} %)", shown(nanos))
    }
}

type Row = (&'static str, fn(&Steps, f64) -> String);

const ROWS: [Row; 9] = [
    ("compile", |steps, _| shown(steps.compile)),
    ("engine, with 1000 slots", |steps, _| {
        steps.part(steps.engine)
    }),
    ("map from the cache", |steps, _| steps.part(steps.map)),
    ("link and make a pool", |steps, _| steps.part(steps.link)),
    ("instantiate", |steps, _| steps.part(steps.start)),
    ("first call, beyond a later one", |steps, _| {
        steps.part(steps.first_beyond())
    }),
    ("page faults of the last two", |steps, _| {
        format!("{:.0}", steps.faults)
    }),
    ("what they take, about", |steps, fault| {
        let both = steps.start + steps.first_beyond();
        steps.part((steps.faults * fault).min(both))
    }),
    ("a later call", |steps, _| shown(steps.later)),
];

fn run(settings: &Settings) -> Result<()> {
    let mut columns = Vec::new();
    for (name, title) in GUESTS {
        let file = settings.guests.join(format!("{name}.wasm"));
        if file.is_file() {
            columns.push((title, measure(&file)?));
        }
    }
    let fault = fault_ns();
    let cells = |cells: Vec<String>| cells.join(" | ");
    let titles = columns.iter().map(|(title, _)| (*title).to_owned());
    println!("| step | {} |", cells(titles.collect()));
    println!("| --- | {} |", cells(vec!["---".to_owned(); columns.len()]));
    for (row, show) in ROWS {
        let shown = columns.iter().map(|(_, steps)| show(steps, fault));
        println!("| {row} | {} |", cells(shown.collect()));
    }
    println!("\nA page fault took {:.1} us.", fault / 1e3);
    Ok(())
}

fn measure(file: &Path) -> Result<Steps> {
    let cache = tempfile::tempdir()?;
    let component = pools::host(Some(cache.path()))?.load_blocking(file)?;
    let Origin::Compiled { took, .. } = component.origin() else {
        wasmtime::bail!("an empty cache held {}", file.display());
    };
    // The cache reads an entry in full that was written less than two seconds ago.
    rest(Duration::from_millis(2100));
    drop(pools::host(Some(cache.path()))?.load_blocking(file)?);
    // A tiny component brings the engine, and then the guest is only mapped.
    pools::tools(&pools::host(Some(cache.path()))?)?;
    let (mut engine, mut map, mut link) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let host = pools::host(Some(cache.path()))?;
        let (tiny, took) = time(|| pools::tools(&host));
        tiny?;
        engine.push(nanos(took));
        let (component, took) = time(|| host.load_blocking(file));
        map.push(nanos(took));
        let component = component?;
        let (pool, took) = time(|| Reader::new(&component, pools::reused(1)));
        pool?;
        link.push(nanos(took));
    }
    let (mut start, mut first, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ONSET + ROUNDS {
        let pool = Reader::new(&component, pools::reused(1))?;
        let before = page_faults();
        let receipt = pool.redact(LINE)?.1;
        let after = page_faults();
        if round >= ONSET {
            start.push(nanos(receipt.start));
            first.push(nanos(receipt.wall.saturating_sub(receipt.start)));
            let since = after.zip(before).map_or(f64::NAN, |(after, before)| {
                count(after.saturating_sub(before))
            });
            faults.push(since);
        }
    }
    let reused = Reader::new(&component, pools::reused(1))?;
    let mut later = Vec::new();
    for _ in 0..1000 {
        later.push(nanos(reused.redact(LINE)?.1.wall));
    }
    let median = |mut values: Vec<f64>| percentile(&mut values, 50.0);
    Ok(Steps {
        compile: nanos(took),
        engine: median(engine),
        map: median(map),
        link: median(link),
        start: median(start),
        first: median(first),
        later: median(later),
        faults: median(faults),
    })
}

/// What a page fault takes: one byte in each page of an allocation so large that it is always new.
fn fault_ns() -> f64 {
    let mut each = Vec::new();
    for _ in 0..3 {
        let mut pages: Vec<u8> = Vec::with_capacity(64 << 20);
        let before = page_faults();
        let ((), took) = time(|| {
            for page in pages.spare_capacity_mut().chunks_mut(4096) {
                page[0].write(1);
            }
        });
        std::hint::black_box(&pages);
        let faults = page_faults().zip(before);
        let faults = faults.map_or(0, |(after, before)| after.saturating_sub(before));
        each.push(nanos(took) / count(faults));
    }
    percentile(&mut each, 50.0)
}

fn shown(nanos: f64) -> String {
    match nanos {
        nanos if nanos < 1e4 => format!("{:.1} us", nanos / 1e3),
        nanos if nanos < 1e6 => format!("{:.0} us", nanos / 1e3),
        nanos => format!("{:.1} ms", nanos / 1e6),
    }
}
