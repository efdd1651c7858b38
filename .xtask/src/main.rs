//! The one door to everything a person does here: `cargo xtask <verb>`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

mod time;
mod paths;
mod process;
mod guests;
mod tidy;
mod hardening;
mod pressure;
mod gate;
mod bench;
mod fuzz;
mod ab;
mod rivals;
mod audit;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::paths::Paths;

#[derive(Parser)]
#[command(about = "Builds, checks and shows prewarm")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Builds the guests and runs them through a pool on a log
    Demo {
        /// A log of dpkg, or any other text [default: the one in guest-examples/data]
        file: Option<PathBuf>,
    },
    /// Runs the whole gate
    Test,
    /// Builds guests into components
    Guests {
        /// Which ones [default: all]
        languages: Vec<String>,
    },
    /// Measures what each guest costs and where a cold start's time goes, and writes both tables
    Costs,
    /// Checks the rules that no compiler knows
    Tidy,
    /// Compares the library's public API with host/api.txt
    Api {
        /// Writes the file anew
        #[arg(long)]
        write: bool,
    },
    /// Runs cargo-deny: licences, sources and known faults of the dependencies
    Deny,
    /// Runs the tests of the floors without wasmtime, and tries every order of their threads
    Floors,
    /// Runs them under the address sanitizer, and under miri if it is installed
    Sanitize,
    /// Runs the benches
    Bench {
        /// Writes benches/REPORT.md with plots instead; takes --quick, --json FILE, --only CHAPTER
        #[arg(long, conflicts_with = "rivals")]
        report: bool,
        /// Measures prewarm beside its rivals instead: see `cargo xtask bench --rivals -- --help`
        #[arg(long)]
        rivals: bool,
        /// Passed on to `cargo bench`, or to the report, or to the program that measures the rivals
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Runs the fuzz targets: component, cache, values, pool
    Fuzz {
        /// How long each runs
        #[arg(long, default_value_t = 10.0)]
        minutes: f64,
        /// Which ones [default: all, one after the other]
        targets: Vec<String>,
    },
    /// Measures every promise of the README
    Promises {
        /// Put the table of the figures into the README
        #[arg(long)]
        readme: bool,
        /// Passed on: see `cargo xtask promises -- --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Runs every hostile guest, flood and misbehaving step, and tests that are short of memory, a line for each
    Hostile {
        /// Only these parts
        #[arg(value_parser = ["guests", "floods", "steps", "pressure"])]
        parts: Vec<String>,
    },
    /// Calls without a pause and says whether memory, descriptors, threads and mappings stay flat
    Soak {
        /// For how long
        #[arg(long, default_value_t = 60.0)]
        minutes: f64,
    },
    /// Compares the promises of the working tree with those of another revision
    Ab {
        /// What git calls it: a branch, a tag, a hash
        revision: String,
        /// Only promises whose name contains one of these
        promises: Vec<String>,
        /// How often each is measured
        #[arg(long, default_value_t = 12)]
        rounds: usize,
    },
}

fn main() -> ExitCode {
    if let Some(code) = audit::api::stand_in() {
        return code;
    }
    match run(Cli::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<()> {
    let paths = Paths::new()?;
    match verb {
        Verb::Demo { file } => bench::demo(&paths, file),
        Verb::Test => gate::run(&paths),
        Verb::Guests { languages } => guests::build(&paths, &languages),
        Verb::Costs => bench::costs(&paths),
        Verb::Tidy => tidy::run(&paths),
        Verb::Api { write } => audit::api::run(&paths, write),
        Verb::Deny => audit::deny::run(&paths),
        Verb::Floors => audit::floors::run(&paths),
        Verb::Sanitize => audit::floors::sanitize(&paths),
        Verb::Bench {
            report: true, args, ..
        } => bench::report(&paths, &args),
        Verb::Bench {
            rivals: true, args, ..
        } => rivals::run(&paths, &args),
        Verb::Bench { args, .. } => bench::bench(&paths, &args),
        Verb::Fuzz { minutes, targets } => fuzz::run(&paths, minutes, &targets),
        Verb::Promises { readme: true, args } => bench::promises_into_readme(&paths, &args),
        Verb::Promises { args, .. } => bench::promises(&paths, &args),
        Verb::Hostile { parts } => hardening::hostile(&paths, &parts),
        Verb::Soak { minutes } => hardening::soak(&paths, minutes),
        Verb::Ab {
            revision,
            rounds,
            promises,
        } => ab::run(&paths, &revision, rounds, &promises),
    }
}
