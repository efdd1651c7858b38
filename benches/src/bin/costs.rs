//! What each guest costs, as the Markdown table of `guest-examples/README.md`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use prewarm::{Component, Origin, PoolConfig};
use prewarm_benches::clock::{let_cache_settle, time};
use prewarm_benches::logs::types::Options;
use prewarm_benches::logs::{GUESTS, Reader};
use prewarm_benches::pools;
use prewarm_benches::sample::{nanos, percentile};
use wasmtime::Result;
use wasmtime::error::Context as _;

/// Measures what each guest costs.
#[derive(Parser)]
struct Settings {
    /// The folder of the guests that `cargo xtask guests` built
    #[arg(long, value_name = "DIR")]
    guests: PathBuf,
    /// A log of dpkg
    file: PathBuf,
}

/// Instances that are made, and those that live at once when memory is measured.
const STARTS: usize = 20;
const LIVE: usize = 16;
const LATER: usize = 1000;

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

fn run(settings: &Settings) -> Result<()> {
    let log = std::fs::read_to_string(&settings.file)
        .with_context(|| format!("{} cannot be read", settings.file.display()))?;
    println!(
        "| guest | size | compile | cached load | instantiate | first call | later call | resident | memory limit |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    );
    for name in GUESTS {
        let file = settings.guests.join(format!("{name}.wasm"));
        if file.is_file() {
            println!("| {name} | {} |", measure(&file, &log)?.join(" | "));
        }
    }
    Ok(())
}

fn measure(file: &Path, log: &str) -> Result<[String; 8]> {
    let cache = tempfile::tempdir()?;
    let component = pools::host(Some(cache.path()))?.load_blocking(file)?;
    let Origin::Compiled { took: compile, .. } = component.origin() else {
        wasmtime::bail!("an empty cache held {}", file.display());
    };
    let_cache_settle();
    drop(pools::host(Some(cache.path()))?.load_blocking(file)?);
    let mut load = Vec::new();
    for _ in 0..STARTS {
        let host = pools::host(Some(cache.path()))?;
        // Brings the engine, which is no matter of this guest.
        pools::tools(&host)?;
        let (loaded, took) = time(|| host.load_blocking(file));
        loaded?;
        load.push(nanos(took));
    }
    let (mut start, mut first) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let receipt = Reader::new(&component, pools::reused(1))?.redact(LINE)?.1;
        start.push(nanos(receipt.start));
        first.push(nanos(receipt.wall.saturating_sub(receipt.start)));
    }
    let reused = Reader::new(&component, pools::reused(1))?;
    let mut later = Vec::new();
    for _ in 0..LATER {
        later.push(nanos(reused.redact(LINE)?.1.wall));
    }
    drop(reused);
    let size = std::fs::metadata(file)?.len();
    Ok([
        kib(size),
        milliseconds(nanos(compile)),
        milliseconds(percentile(&mut load, 50.0)),
        microseconds(percentile(&mut start, 50.0)),
        microseconds(percentile(&mut first, 50.0)),
        microseconds(percentile(&mut later, 50.0)),
        resident(&component)?.map_or("-".to_owned(), kib),
        kib(smallest_limit(&component, log)?),
    ])
}

/// Resident memory that one more live instance takes, where the system tells it.
fn resident(component: &Component) -> Result<Option<u64>> {
    let pool = Reader::new(component, pools::reused(LIVE + 1))?;
    drop(pool.hold(LINE)?);
    let before = resident_bytes();
    let held = (0..LIVE)
        .map(|_| pool.hold(LINE))
        .collect::<Result<Vec<_>, _>>()?;
    let after = resident_bytes();
    drop(held);
    Ok(after
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before) / LIVE as u64))
}

fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// The smallest `memory_bytes`, to 64 KiB, with which the log is summed up and redacted.
fn smallest_limit(component: &Component, log: &str) -> Result<u64> {
    let does = |pages: u64| {
        let mut config = PoolConfig::new(1);
        config.limits.memory_bytes = pages << 16;
        config.limits.deadline = Duration::from_secs(600);
        let Ok(pool) = Reader::new(component, config) else {
            return false;
        };
        let options = Options {
            skip: 0,
            since: None,
            top: 5,
            quiet: 60.0,
            strict: false,
        };
        pool.analyze(log, options).is_ok() && pool.redact(log).is_ok()
    };
    let (mut low, mut high) = (0, 256 << 4);
    wasmtime::ensure!(does(high), "256 MiB do not suffice");
    while low + 1 < high {
        let middle = u64::midpoint(low, high);
        if does(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high << 16)
}

fn kib(bytes: u64) -> String {
    format!("{} KiB", bytes.div_ceil(1024))
}

fn milliseconds(nanos: f64) -> String {
    format!("{:.1} ms", nanos / 1e6)
}

fn microseconds(nanos: f64) -> String {
    format!("{:.0} us", nanos / 1e3)
}
