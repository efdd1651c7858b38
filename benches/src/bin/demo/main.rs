//! Shows what a pool does: guests in several languages read the same log, agree on what it says,
//! and are timed from the file on disk to a fresh instance for each call.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

mod words;
mod page;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use prewarm_benches::logs::GUESTS;
use prewarm_benches::pools;
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::run::{Log, Spinner};

/// Runs guests in several languages over a log.
#[derive(Parser)]
struct Settings {
    /// The folder of the guests that `cargo xtask guests` built
    #[arg(long, value_name = "DIR")]
    guests: PathBuf,
    /// A log of dpkg, or any other file
    file: PathBuf,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let settings = Settings::parse();
    let bytes = std::fs::read(&settings.file)
        .with_context(|| format!("{} cannot be read", settings.file.display()))?;
    let log = Log::new(&settings.file, &bytes);
    let host = pools::user_host()?;

    let mut outcomes = Vec::new();
    for language in GUESTS {
        let file = settings.guests.join(format!("{language}.wasm"));
        if !file.is_file() {
            continue;
        }
        let spinner = Spinner::new(language);
        let outcome = run::guest(&host, &file, &log, &spinner);
        spinner.done(&outcome);
        outcomes.push((language, outcome));
    }
    if outcomes.is_empty() {
        wasmtime::bail!("{} holds no guest", settings.guests.display());
    }
    page::print(&log, &outcomes);
    Ok(())
}
