//! Measures what many components cost, of which few are in use: one `name value` a line.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use prewarm_benches::clock::now;
use prewarm_benches::scale::Fleet;
use wasmtime::Result;
use wasmtime::error::Context as _;

/// Measures what many registered components cost. Wants Linux and a quiet machine.
#[derive(Parser)]
struct Settings {
    /// How many components; each takes about 40 KiB of disk while this runs
    #[arg(long, default_value_t = 10_000)]
    components: u32,
    /// How many of them are called for the first time at once
    #[arg(long, default_value_t = 1000)]
    burst: usize,
    /// Where to write the figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

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
    let burst = u32::try_from(settings.burst).unwrap_or(u32::MAX - 1);
    let began = now();
    let fleet = Fleet::new(settings.components.max(burst + 1))?;
    let compiled = began.elapsed().as_secs_f64();
    let runtime = tokio::runtime::Runtime::new()?;
    // The burst first: what was freed before would hide what it takes.
    let mut figures = fleet.burst(&runtime, settings.burst)?.0;
    figures.extend(fleet.rest(&runtime)?.0);
    figures.push(("compile-s", compiled));
    for (name, value) in &figures {
        println!("{name} {value:.3}");
    }
    if let Some(file) = &settings.json {
        let figures = figures
            .into_iter()
            .map(|(name, value)| (name, value.into()));
        let json = serde_json::Value::Object(
            figures
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        );
        std::fs::write(file, format!("{json:#}\n"))
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}
