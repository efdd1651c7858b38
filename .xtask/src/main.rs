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
mod gate;
mod bench;
mod rivals;

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
    /// Measures what each guest costs, and writes that into guest-examples/README.md
    Costs,
    /// Checks the rules that no compiler knows
    Tidy,
    /// Runs the benches
    Bench {
        /// Measures prewarm beside its rivals instead: see `cargo xtask bench --rivals -- --help`
        #[arg(long)]
        rivals: bool,
        /// Passed on to `cargo bench`, or to the program that measures the rivals
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Measures every promise of the README
    Promises {
        /// Passed on: see `cargo xtask promises -- --help`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
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
        Verb::Bench { rivals: true, args } => rivals::run(&paths, &args),
        Verb::Bench {
            rivals: false,
            args,
        } => bench::bench(&paths, &args),
        Verb::Promises { args } => bench::promises(&paths, &args),
    }
}
