//! prewarm beside its rivals: the same work, the same machine, in one run.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the terminal"
)]

mod clock;
mod memory;
mod job;
mod turn;
mod rival;
mod bindings;
mod native;
mod pools;
mod bare;
mod plugins;
mod proxy;
mod process;
mod quickjs;
mod measure;
mod report;
mod promise;
mod first_answer;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use serde_json::{Value, json};
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::job::Job;
use crate::measure::{Effort, Mode};
use crate::report::{Outcome, Page, duration};
use crate::rival::Rival;

/// Measures prewarm beside its rivals. Wants a quiet machine.
#[derive(Parser)]
struct Settings {
    /// Measure only rivals whose name contains one of these
    names: Vec<String>,
    /// Only the jobs whose name contains one of these, with commas between
    #[arg(long, value_delimiter = ',')]
    work: Vec<String>,
    /// Fewer and shorter rounds: minutes
    #[arg(long)]
    quick: bool,
    /// Only what prewarm promises against Extism's pool, as ratios: 20 seconds
    #[arg(long)]
    extism_only: bool,
    /// Only what a process takes from `main` to its first answer, compiled before: a minute
    #[arg(long, conflicts_with = "extism_only")]
    first_answer_only: bool,
    /// Where to write the figures, a line of JSON each
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where to write what is printed, as a page of Markdown
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// The folder with the rivals' forms of the work, that `cargo xtask bench --rivals` builds
    #[arg(long, value_name = "DIR")]
    forms: PathBuf,
    /// The folder of the guests that `cargo xtask guests` builds
    #[arg(long, value_name = "DIR", required_unless_present = "extism_only")]
    guests: Option<PathBuf>,
    /// The repository
    #[arg(long, value_name = "DIR")]
    root: PathBuf,
}

const QUICK: Effort = Effort {
    rounds: 5,
    turn: Duration::from_millis(60),
};
const LONG: Effort = Effort {
    rounds: 15,
    turn: Duration::from_millis(250),
};

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some(first_answer::CHILD) => first_answer::child(),
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

fn run(settings: &Settings) -> Result<()> {
    let mut jobs = Job::all(&settings.root.join("guest-examples/data/dpkg.log"))?;
    let lines = if settings.extism_only {
        against_extism(settings, &jobs[0])?
    } else if settings.first_answer_only {
        first_answers(settings, &mut Page::new())?
    } else {
        jobs.retain(|job| wanted(&settings.work, job.name));
        against_all(settings, &jobs)?
    };
    if let Some(file) = &settings.json {
        let lines: String = lines.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(file, lines)
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    Ok(())
}

fn wanted(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|part| name.contains(part.as_str()))
}

fn against_extism(settings: &Settings, job: &Job) -> Result<Vec<Value>> {
    let (host, component) = (pools::host()?, settings.form("component.wasm"));
    let prewarm = pools::rust(&host, &component)?;
    let warmed = pools::rust_warmed(&host, &component)?;
    let extism = plugins::Extism::new(&settings.form("extism.wasm"))?;
    measure::check(&[&prewarm, &warmed, &extism], job)?;
    let ratios = promise::measure(&prewarm, &warmed, &extism, job)?;
    for ratio in &ratios {
        println!("{}", ratio.line());
    }
    Ok(ratios.iter().map(promise::Ratio::json).collect())
}

fn against_all(settings: &Settings, jobs: &[Job]) -> Result<Vec<Value>> {
    let all_began = clock::now();
    let mut page = Page::new();
    let rivals = rivals(settings, &mut page)?;
    let effort = if settings.quick { QUICK } else { LONG };
    let mut lines = Vec::new();
    page.say(&format!(
        "{} rounds of {:?} each; a look at the clock takes {:?} and is in every latency.\n",
        effort.rounds,
        effort.turn,
        clock::cost()
    ));
    for rival in &rivals {
        page.say(&format!("- {}: {}", rival.name(), rival.settings()));
        lines.push(
            json!({ "rival": rival.name(), "mode": "settings", "settings": rival.settings() }),
        );
    }
    for job in jobs {
        let doing: Vec<&dyn Rival> = rivals
            .iter()
            .map(AsRef::as_ref)
            .filter(|rival| rival::Life::BOTH.iter().any(|life| rival.does(job, *life)))
            .collect();
        measure::check(&doing, job)?;
        let columns: Vec<_> = (Mode::ALL.iter())
            .flat_map(|mode| doing.iter().map(|rival| (*rival, *mode)))
            .collect();
        let began = clock::now();
        let resident = doing.iter().map(|rival| rival.resident(job));
        let outcome = Outcome {
            job,
            resident: resident.collect::<Result<_>>()?,
            rounds: measure::in_turns(&columns, job, effort)?,
            rivals: doing,
        };
        page.say(&format!("\n## {}", outcome.table()));
        page.say(&format!(
            "Measured in {}.",
            duration(began.elapsed().as_secs_f64() * 1e9)
        ));
        lines.extend(outcome.lines());
    }
    if settings.names.is_empty() && settings.work.is_empty() {
        lines.extend(first_answers(settings, &mut page)?);
    }
    page.say(&format!(
        "\nAll of it took {}.",
        duration(all_began.elapsed().as_secs_f64() * 1e9)
    ));
    if let Some(file) = &settings.page {
        page.write(file, settings.quick)?;
    }
    Ok(lines)
}

fn first_answers(settings: &Settings, page: &mut Page) -> Result<Vec<Value>> {
    let rounds = if settings.quick { 15 } else { 31 };
    first_answer::measure(settings.guests()?, rounds, page)
}

/// All that were asked for and can be had here.
fn rivals(settings: &Settings, page: &mut Page) -> Result<Vec<Box<dyn Rival>>> {
    let component = settings.form("component.wasm");
    let host = pools::host()?;
    let guests = settings.guests()?;
    let mut all: Vec<Box<dyn Rival>> = vec![Box::new(native::Native)];
    all.push(Box::new(pools::rust(&host, &component)?));
    all.push(Box::new(pools::rust_warmed(&host, &component)?));
    all.push(Box::new(pools::Tasks::new(&host, &component)?));
    for (name, file) in [
        ("prewarm-quickjs", "javascript.wasm"),
        ("prewarm-python", "python.wasm"),
    ] {
        let file = guests.join(file);
        if !settings.wants(name) {
            // Compiling takes long.
        } else if file.is_file() {
            all.push(Box::new(pools::script(&host, name, &file)?));
        } else {
            page.say(&format!(
                "{name} is left out: {} is not built\n",
                file.display()
            ));
        }
    }
    for bare in bare::all(&component)? {
        all.push(Box::new(bare));
    }
    all.push(Box::new(plugins::Extism::new(
        &settings.form("extism.wasm"),
    )?));
    all.push(Box::new(proxy::Proxy::new(&settings.form("http.wasm"))?));
    all.push(Box::new(quickjs::QuickJs::new()));
    let process = format!("process{}", std::env::consts::EXE_SUFFIX);
    all.push(Box::new(process::Native::new(settings.form(&process))?));
    let script = settings.root.join("benches/rivals/python/serve.py");
    match process::Python::new(script, settings.root.join("guest-examples/python")) {
        Ok(python) => all.push(Box::new(python)),
        Err(error) => page.say(&format!("python-process is left out: {error:#}\n")),
    }
    all.retain(|rival| settings.wants(rival.name()));
    Ok(all)
}

impl Settings {
    fn wants(&self, name: &str) -> bool {
        wanted(&self.names, name)
    }

    fn guests(&self) -> Result<&Path> {
        let guests = self.guests.as_deref();
        guests.context("the folder of the guests is not named")
    }

    fn form(&self, file: &str) -> PathBuf {
        self.forms.join(file)
    }
}
