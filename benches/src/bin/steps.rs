//! Where the time of a cold start goes, step by step, as the Markdown table of the page on cold
//! starts. Each start is a process of its own: this program, started again.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use prewarm::Origin;
use prewarm_benches::clock::{let_cache_settle, page_faults, time};
use prewarm_benches::logs::Reader;
use prewarm_benches::pools;
use prewarm_benches::sample::{count, nanos, percentile};
use wasmtime::error::Context as _;
use wasmtime::{Result, ensure};

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

/// The first argument of a child.
const CHILD: &str = "start-once";

/// Instances in a slot before it counts as used, and those that are counted then.
const ONSET: usize = 5;
const USED: usize = 5;

/// Later calls of an instance.
const LATER: usize = 100;

/// A call that is short, so that its costs are seen.
const LINE: &str = "2026-05-09 10:20:30 status installed gzip:amd64 1.12-1";

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some(CHILD) => child(),
        _ => run(&Settings::parse()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What a child measures: nanoseconds of each step, and counts of page faults.
#[derive(Clone, Copy)]
enum Step {
    Engine,
    Map,
    Link,
    Start,
    First,
    Faults,
    Later,
    /// Making an instance and its first call in a slot that was used before.
    Used,
    UsedFaults,
}

const STEPS: usize = 9;

/// The medians of all children, and what compiling took.
struct Steps {
    compile: f64,
    medians: [f64; STEPS],
}

impl Steps {
    fn of(&self, step: Step) -> f64 {
        self.medians[step as usize]
    }

    /// Of the first call, what a later one does not take.
    fn first_beyond(&self) -> f64 {
        self.of(Step::First) - self.of(Step::Later)
    }

    /// All that a process with a full cache does before its first call is like a later one.
    fn whole(&self) -> f64 {
        let steps = [Step::Engine, Step::Map, Step::Link, Step::Start];
        steps.map(|step| self.of(step)).iter().sum::<f64>() + self.first_beyond()
    }

    fn part(&self, nanos: f64) -> String {
        let share = nanos / self.whole() * 100.0;
        format!("{} ({share:.0} %)", shown(nanos))
    }
}

type Row = (&'static str, fn(&Steps, f64) -> String);

const ROWS: [Row; 11] = [
    ("compile", |steps, _| shown(steps.compile)),
    ("engine, with 1000 slots", |steps, _| {
        steps.part(steps.of(Step::Engine))
    }),
    ("map from the cache", |steps, _| {
        steps.part(steps.of(Step::Map))
    }),
    ("link and make a pool", |steps, _| {
        steps.part(steps.of(Step::Link))
    }),
    ("instantiate", |steps, _| steps.part(steps.of(Step::Start))),
    ("first call, beyond a later one", |steps, _| {
        steps.part(steps.first_beyond())
    }),
    ("page faults of the last two", |steps, _| {
        format!("{:.0}", steps.of(Step::Faults))
    }),
    ("what they take, about", |steps, fault| {
        let both = steps.of(Step::Start) + steps.first_beyond();
        steps.part((steps.of(Step::Faults) * fault).min(both))
    }),
    ("the last two, in a used slot", |steps, _| {
        shown(steps.of(Step::Used) - steps.of(Step::Later))
    }),
    ("page faults of these", |steps, _| {
        format!("{:.0}", steps.of(Step::UsedFaults))
    }),
    ("a later call", |steps, _| shown(steps.of(Step::Later))),
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
    let_cache_settle();
    drop(pools::host(Some(cache.path()))?.load_blocking(file)?);
    // A tiny component brings the engine, and then the guest is only mapped.
    pools::tools(&pools::host(Some(cache.path()))?)?;
    let mut children: [Vec<f64>; STEPS] = Default::default();
    for _ in 0..ROUNDS {
        for (all, one) in children.iter_mut().zip(start_once(file, cache.path())?) {
            all.push(one);
        }
    }
    Ok(Steps {
        compile: nanos(took),
        medians: children.map(|mut all| percentile(&mut all, 50.0)),
    })
}

/// What one child measures.
fn start_once(file: &Path, cache: &Path) -> Result<[f64; STEPS]> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.arg(CHILD).arg(file).arg(cache).output()?;
    ensure!(
        output.status.success(),
        "the child failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    let mut steps = [f64::NAN; STEPS];
    let mut told = text.split_whitespace();
    for step in &mut steps {
        *step = told.next().context("the child says too little")?.parse()?;
    }
    Ok(steps)
}

/// What the child does, in the order of [`Step`].
fn child() -> Result<()> {
    let mut args = std::env::args_os().skip(2).map(PathBuf::from);
    let file = args.next().context("the child needs a component")?;
    let cache = args.next().context("the child needs a cache")?;
    let host = pools::host(Some(&cache))?;
    let (tiny, engine) = time(|| pools::tools(&host));
    let _tiny = tiny?;
    let (component, map) = time(|| host.load_blocking(file.as_path()));
    let component = component?;
    let (pool, link) = time(|| Reader::new(&component, pools::reused(1)));
    let pool = pool?;
    let faults = || page_faults().map_or(f64::NAN, count);
    let before = faults();
    let receipt = pool.redact(LINE)?.1;
    let first_faults = faults() - before;
    let mut later = Vec::new();
    for _ in 0..LATER {
        later.push(nanos(pool.redact(LINE)?.1.wall));
    }
    drop(pool);
    let (mut used, mut used_faults) = (Vec::new(), Vec::new());
    for round in 0..ONSET + USED {
        let pool = Reader::new(&component, pools::reused(1))?;
        let before = faults();
        let wall = nanos(pool.redact(LINE)?.1.wall);
        if round >= ONSET {
            used.push(wall);
            used_faults.push(faults() - before);
        }
    }
    let median = |mut values: Vec<f64>| percentile(&mut values, 50.0);
    let steps: [f64; STEPS] = [
        nanos(engine),
        nanos(map),
        nanos(link),
        nanos(receipt.start),
        nanos(receipt.wall.saturating_sub(receipt.start)),
        first_faults,
        median(later),
        median(used),
        median(used_faults),
    ];
    println!("{}", steps.map(|step| step.to_string()).join(" "));
    Ok(())
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
