//! Measures cold starts and writes what came of it as a page with plots.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

mod words;
mod axis;
mod draw;
mod machine;
mod chapter;
mod subject;
mod start;
mod latency;
mod callers;
mod dirt;
mod memory;
mod burst;
mod scale;
mod page;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use prewarm_benches::clock::time;
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::chapter::{Bench, CHAPTERS, Chapter};

/// Measures cold starts, against bare wasmtime in the same run, and writes REPORT.md with plots. Wants a quiet machine.
#[derive(Parser, Debug)]
pub(crate) struct Settings {
    /// Fewer guests and shorter rounds
    #[arg(long)]
    quick: bool,
    /// Only these chapters, printed and not written to REPORT.md: start, latency, callers, dirt,
    /// memory, burst, scale
    #[arg(long, value_name = "CHAPTER", value_delimiter = ',')]
    only: Vec<String>,
    /// Where to write every number as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The folder for REPORT.md and report/*.svg
    #[arg(long, value_name = "DIR", default_value = "benches")]
    out: PathBuf,
    /// The folder of the guests that `cargo xtask guests` built [default: $PREWARM_GUESTS]
    #[arg(long, value_name = "DIR")]
    guests: Option<PathBuf>,
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
    for name in &settings.only {
        wasmtime::ensure!(
            CHAPTERS.iter().any(|(known, _)| known == name),
            "there is no chapter `{name}`"
        );
    }
    let bench = Bench::new(settings)?;
    let wanted = |name: &str| settings.only.is_empty() || settings.only.iter().any(|it| it == name);
    let chosen: Vec<_> = CHAPTERS.iter().filter(|(name, _)| wanted(name)).collect();
    let plots = settings.out.join("report");
    std::fs::create_dir_all(&plots)
        .with_context(|| format!("{} cannot be made", plots.display()))?;
    let mut chapters: Vec<Chapter> = Vec::new();
    let (outcome, took) = time(|| -> Result<()> {
        for (index, (name, measure)) in chosen.iter().enumerate() {
            eprintln!("[{}/{}] {name}", index + 1, chosen.len());
            let (chapter, took) = time(|| measure(&bench));
            let mut chapter = chapter.with_context(|| format!("{name} cannot be measured"))?;
            chapter.name = name;
            if let Some(plot) = &chapter.plot {
                let file = plots.join(format!("{name}.svg"));
                std::fs::write(&file, plot.svg()?)
                    .with_context(|| format!("{} cannot be written", file.display()))?;
            }
            eprintln!("    {} {:.0?}", chapter.finding, took);
            chapters.push(chapter);
        }
        Ok(())
    });
    outcome?;
    if let Some(file) = &settings.json {
        let json = page::json(&bench, &chapters);
        std::fs::write(file, format!("{json:#}\n"))
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    let text = page::markdown(&bench, &chapters, took);
    if settings.only.is_empty() {
        let file = settings.out.join("REPORT.md");
        std::fs::write(&file, text)
            .with_context(|| format!("{} cannot be written", file.display()))?;
        println!("{}", file.display());
    } else {
        println!("{text}");
    }
    Ok(())
}
