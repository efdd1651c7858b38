//! The tables that a person reads, and the lines that a program does.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::job::Job;
use crate::measure::{Mode, Rounds};
use crate::rival::{Life, Rival};

/// What is printed, and kept as it is printed.
pub struct Page(String);

impl Page {
    /// With the machine that all of it was measured on.
    pub fn new() -> Self {
        let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let facts = read("/proc/cpuinfo");
        let named = facts
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(key, _)| key.trim() == "model name");
        let processor = named.map_or("unknown", |(_, name)| name);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let release = read("/proc/sys/kernel/osrelease");
        let kernel = match release.trim() {
            "" => std::env::consts::OS,
            release => release,
        };
        let mut page = Self(String::new());
        page.say(&format!(
            "Processor {processor}, {threads} threads at a time, kernel {kernel}.\n"
        ));
        page
    }

    pub fn say(&mut self, text: &str) {
        println!("{text}");
        self.0 += text;
        self.0.push('\n');
    }

    /// Writes it under a title.
    pub fn write(&self, file: &Path, quick: bool) -> Result<()> {
        let quick = if quick { " --quick" } else { "" };
        let text = format!(
            "# prewarm beside its rivals, measured\n\nWritten by `cargo xtask bench --rivals{quick}`; with `--work` \
             and a name, one of the tables is taken alone. What the columns are is said \
             [beside it](README.md#how).\n\n{}",
            self.0
        );
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }
}

/// What came of one job.
pub struct Outcome<'a> {
    pub job: &'a Job,
    pub rivals: Vec<&'a dyn Rival>,
    pub rounds: Vec<Rounds>,
    /// Resident bytes of one more live instance, of each rival.
    pub resident: Vec<Option<u64>>,
}

const HEAD: &str = "\
| rival | warm p50 | p99 | p99.9 | max | fresh p50 | p99 | busy fresh p50 | p99 | warm calls/s, 1 thread | 2 threads | fresh calls/s, 1 thread | 2 threads | resident |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
";

impl Outcome<'_> {
    fn of(&self, rival: &dyn Rival, mode: Mode) -> Option<&Rounds> {
        let mut rounds = self.rounds.iter();
        rounds.find(|rounds| rounds.rival == rival.name() && rounds.mode == mode)
    }

    /// The table, in Markdown.
    pub fn table(&self) -> String {
        let mut table = format!("{}, {} bytes\n\n{HEAD}", self.job.name, self.job.text.len());
        for (rival, resident) in self.rivals.iter().zip(&self.resident) {
            let cells = self.cells(*rival, *resident);
            writeln!(table, "| {} | {} |", rival.name(), cells.join(" | "))
                .expect("writing to a String does not fail");
        }
        table
    }

    fn cells(&self, rival: &dyn Rival, resident: Option<u64>) -> Vec<String> {
        let time = |mode, percent| {
            let nanos = self.of(rival, mode).and_then(|rounds| match percent {
                100.0 => rounds.most(),
                percent => rounds.nanos(percent),
            });
            nanos.map_or("-".to_owned(), duration)
        };
        let rate = |life, threads| {
            let rounds = self.of(rival, Mode::Rate(life, threads));
            rounds.map_or("-".to_owned(), |rounds| {
                count(rounds.median(|found| found.rate))
            })
        };
        let mut cells: Vec<String> = [50.0, 99.0, 99.9, 100.0]
            .map(|percent| time(Mode::Warm, percent))
            .into();
        for mode in [Mode::FreshPaced, Mode::FreshBusy] {
            cells.extend([50.0, 99.0].map(|percent| time(mode, percent)));
        }
        for life in Life::BOTH {
            cells.extend([1, 2].map(|threads| rate(life, threads)));
        }
        cells.push(resident.map_or("-".to_owned(), |bytes| {
            format!("{} KiB", bytes.div_ceil(1024))
        }));
        cells
    }

    /// A value for each rival and mode, and one for each rival's memory.
    pub fn lines(&self) -> Vec<Value> {
        let line = |rounds: &Rounds| {
            json!({
                "work": self.job.name,
                "rival": rounds.rival,
                "mode": rounds.mode.name(),
                "rounds": rounds.found.len(),
                "calls": rounds.calls(),
                "p50_ns": rounds.nanos(50.0),
                "p99_ns": rounds.nanos(99.0),
                "p999_ns": rounds.nanos(99.9),
                "max_ns": rounds.most(),
                "calls_per_second": rounds.median(|found| found.rate),
            })
        };
        let mut lines: Vec<Value> = self.rounds.iter().map(line).collect();
        for (rival, resident) in self.rivals.iter().zip(&self.resident) {
            lines.push(json!({
                "work": self.job.name,
                "rival": rival.name(),
                "mode": "resident",
                "bytes": resident,
            }));
        }
        lines
    }
}

/// Nanoseconds as a person reads them.
pub fn duration(nanos: f64) -> String {
    match nanos {
        ..1e3 => format!("{nanos:.0} ns"),
        ..1e5 => format!("{:.2} us", nanos / 1e3),
        ..1e6 => format!("{:.0} us", nanos / 1e3),
        ..1e9 => format!("{:.2} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}

/// A count as a person reads it.
fn count(count: f64) -> String {
    match count {
        ..1e4 => format!("{count:.0}"),
        ..1e6 => format!("{:.0}k", count / 1e3),
        _ => format!("{:.2}M", count / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let shown = [250.0, 1234.0, 250_000.0, 20e6, 2e9].map(duration);
        assert_eq!(shown, ["250 ns", "1.23 us", "250 us", "20.00 ms", "2.00 s"]);
        assert_eq!([900.0, 12_345.0, 4.2e6].map(count), ["900", "12k", "4.20M"]);
    }
}
