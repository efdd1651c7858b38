//! Measures what prewarm promises and says what is kept: one line a promise.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

mod report;
mod list;
mod warm;
mod fresh;
mod flood;
mod cores;
mod load;
mod scripts;
mod snapshot;
mod many;
mod extism;
mod hostile;
mod quiet;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::list::SECTIONS;
use crate::report::Report;

/// Measures what prewarm promises, against bare wasmtime in the same run. Wants a quiet machine.
#[derive(Parser)]
pub(crate) struct Settings {
    /// Measure only sections with a promise whose name contains one of these
    names: Vec<String>,
    /// Where to write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Fail if a promise is not kept
    #[arg(long)]
    strict: bool,
    /// The folder of the guests that `cargo xtask guests` built [default: $PREWARM_GUESTS]
    #[arg(long, value_name = "DIR")]
    guests: Option<PathBuf>,
    /// The program that measures the rivals
    #[arg(long, value_name = "PROGRAM", requires = "forms")]
    rivals: Option<PathBuf>,
    /// The folder of the rivals' work
    #[arg(long, value_name = "DIR")]
    forms: Option<PathBuf>,
}

impl Settings {
    /// A guest's component, if it is built.
    pub(crate) fn guest(&self, name: &str) -> Option<PathBuf> {
        let file = self.guests.as_ref()?.join(name);
        file.is_file().then_some(file)
    }
}

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1).as_deref() {
        // A child that is timed loses no time with arguments.
        Some(load::CHILD) => load::child().map(|()| true),
        _ => run(),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is as it must be.
fn run() -> Result<bool> {
    let mut settings = Settings::parse();
    settings.guests = settings
        .guests
        .or_else(|| std::env::var_os("PREWARM_GUESTS").map(PathBuf::from));
    let began = prewarm_benches::clock::now();
    let mut report = Report::default();
    println!("{}", Report::heading());
    for section in SECTIONS {
        let wanted = |name: &String| {
            let mut promises = section.promises.iter();
            promises.any(|promise| promise.name.contains(name.as_str()))
        };
        if !settings.names.is_empty() && !settings.names.iter().any(wanted) {
            continue;
        }
        let from = report.rows.len();
        report.add(section, (section.measure)(&settings));
        for row in &report.rows[from..] {
            println!("{row}");
        }
    }
    if let Some(file) = &settings.json {
        std::fs::write(file, format!("{:#}\n", report.json()))
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    eprintln!("measured in {:.0?}", began.elapsed());
    Ok(!settings.strict || report.all_kept())
}
