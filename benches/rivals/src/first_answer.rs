//! From `main` of a process to the first answer of a guest that was compiled before: prewarm with its
//! cache, wasmtime with its own, and wasmtime that maps a file without a look at it, which nothing can be
//! faster than that makes a component out of code on disk. Each answer is a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use prewarm::{Allocation, Host, HostConfig, Origin};
use serde_json::{Value, json};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::error::Context as _;
use wasmtime::{
    Cache, CacheConfig, Config, Engine, Result, Store, WasmBacktraceDetails, bail, ensure,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::bindings::direct::script::Script;
use crate::bindings::{Answers, Labels, add_labels};
use crate::job::{Answer, Job};
use crate::measure::median;
use crate::pools;
use crate::report::{Page, duration};
use crate::rival::Life;

/// The first argument of a child.
pub const CHILD: &str = "first-answer";

/// What is known by name of each guest.
const GUESTS: [(&str, &str); 3] = [
    ("rust", "rust.wasm"),
    ("quickjs", "javascript.wasm"),
    ("starlingmonkey", "starlingmonkey.wasm"),
];

/// prewarm's cache reads an entry in full that was written less than two seconds ago.
const SETTLE: Duration = Duration::from_millis(2100);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Mapped,
    WasmtimeCache,
    Prewarm,
}

impl Way {
    const ALL: [Self; 3] = [Self::Mapped, Self::WasmtimeCache, Self::Prewarm];

    fn name(self) -> &'static str {
        match self {
            Self::Mapped => "wasmtime-mapped",
            Self::WasmtimeCache => "wasmtime-cache",
            Self::Prewarm => "prewarm",
        }
    }

    fn settings(self) -> &'static str {
        match self {
            Self::Mapped => {
                "Component::deserialize_file of what precompile_component gave: nobody asks who wrote it"
            }
            Self::WasmtimeCache => "Component::from_file with Config::cache, as it comes",
            Self::Prewarm => {
                "Host::load_blocking with the cache on disk, Allocation::OnDemand; blocking::Pool"
            }
        }
    }

    /// The first answer to `job`, and whether it was compiled for that.
    fn answer(self, guest: &Path, folder: &Path, job: &Job) -> Result<(Answer, bool)> {
        match self {
            Self::Mapped => {
                let engine = Engine::new(&config())?;
                let component = mapped(&engine, &folder.join("guest.cwasm"))?;
                Ok((by_hand(&component, job)?, false))
            }
            Self::WasmtimeCache => {
                let mut cache = CacheConfig::new();
                cache.with_directory(folder.join(self.name()));
                let cache = Cache::new(cache)?;
                let mut config = config();
                config.cache(Some(cache.clone()));
                let component = Component::from_file(&Engine::new(&config)?, guest)?;
                Ok((by_hand(&component, job)?, cache.cache_hits() == 0))
            }
            Self::Prewarm => {
                let mut config = HostConfig::default();
                config.cache.dir = Some(folder.join(self.name()));
                config.allocation = Allocation::OnDemand;
                let component = Host::new(config)?.load_blocking(guest)?;
                let pool = pools::script_pool(&component, Life::Warm)?;
                let answer = pool.call(|guest, store| guest.answer(store, job))?;
                Ok((answer, component.origin() != Origin::Cache))
            }
        }
    }
}

/// What prewarm's engine compiles and keeps.
fn config() -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_backtrace_details(WasmBacktraceDetails::Enable);
    config
}

/// JUSTIFICATION: this is what a cache is measured against, and wasmtime maps compiled code in no other
/// way.
#[expect(unsafe_code, reason = "wasmtime maps compiled code in no other way")]
fn mapped(engine: &Engine, file: &Path) -> Result<Component> {
    // SAFETY: `prepare` wrote the file into a folder of this user's own a moment ago, from
    // `precompile_component`, and nobody changes it. A child is told the folder by its parent and trusts it.
    unsafe { Component::deserialize_file(engine, file) }
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
    labels: Labels,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

fn by_hand(component: &Component, job: &Job) -> Result<Answer> {
    let engine = component.engine();
    let mut linker = Linker::<State>::new(engine);
    wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
    add_labels(&mut linker, |state| &mut state.labels)?;
    let state = State {
        wasi: WasiCtx::builder().build(),
        table: ResourceTable::new(),
        labels: Labels,
    };
    let mut store = Store::new(engine, state);
    // Nobody bumps the epoch here.
    store.set_epoch_deadline(1);
    Script::instantiate(&mut store, component, &linker)?.answer(&mut store, job)
}

/// What the child does: answers once, and says how many nanoseconds that took.
///
/// # Errors
///
/// Where it gives no answer, or another.
#[expect(clippy::print_stdout, reason = "what its parent reads")]
pub fn child() -> Result<()> {
    let main = since_1970();
    let args: Vec<PathBuf> = std::env::args_os().skip(2).map(PathBuf::from).collect();
    let [way, guest, folder] = &args[..] else {
        bail!("the child needs a way, a guest and a folder");
    };
    let way = Way::ALL
        .into_iter()
        .find(|known| way.as_os_str() == known.name());
    let job = Job::address();
    let (answer, compiled) = way.context("no such way")?.answer(guest, folder, &job)?;
    let took = since_1970() - main;
    ensure!(answer == job.expected()?, "the answer is {answer:?}");
    println!("{} {compiled}", took.as_nanos());
    // What the process leaves behind is not waited for, as the answer has been given.
    std::process::exit(0);
}

fn since_1970() -> Duration {
    SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default()
}

/// Measures all ways, in turns, for each guest that is built.
///
/// # Errors
///
/// That of the first child that fails.
pub fn measure(guests: &Path, rounds: usize, page: &mut Page) -> Result<Vec<Value>> {
    page.say("\n## First answer of a process, compiled before\n");
    for way in Way::ALL {
        page.say(&format!("- {}: {}", way.name(), way.settings()));
    }
    page.say(&format!(
        "\nFrom `main` to the answer, {rounds} processes each, in turns (alone: `--first-answer-only`); memory on demand, \
         WASI linked.\n\n\
         | guest | wasmtime compiles | {} |\n| --- | --- | --- | --- | --- |",
        Way::ALL.map(|way| format!("{}, p50 (best)", way.name())).join(" | ")
    ));
    let mut lines = Vec::new();
    for (name, file) in GUESTS {
        let guest = guests.join(file);
        if !guest.is_file() {
            page.say(&format!("| {name} | not built | - | - | - |"));
            continue;
        }
        let (folder, compiled) = prepare(&guest)?;
        let mut took: [Vec<f64>; 3] = Default::default();
        for _ in 0..rounds {
            for (took, way) in took.iter_mut().zip(Way::ALL) {
                let (nanos, compiled) = spawn(way, &guest, folder.path())?;
                ensure!(!compiled, "{} compiled {name} again", way.name());
                took.push(nanos);
            }
        }
        let cells = took.each_mut().map(|took| {
            let p50 = median(took);
            format!("{} ({})", duration(p50), duration(took[0]))
        });
        let compiled = compiled.as_secs_f64() * 1e9;
        page.say(&format!(
            "| {name} | {} | {} |",
            duration(compiled),
            cells.join(" | ")
        ));
        lines.push(
            json!({ "work": name, "rival": "wasmtime", "mode": "compile", "p50_ns": compiled }),
        );
        for (took, way) in took.iter_mut().zip(Way::ALL) {
            lines.push(json!({
                "work": name,
                "rival": way.name(),
                "mode": "first-answer",
                "rounds": rounds,
                "p50_ns": median(took),
                "min_ns": took[0],
            }));
        }
    }
    Ok(lines)
}

/// A folder in which all have been compiled, and how long wasmtime took for that.
fn prepare(guest: &Path) -> Result<(tempfile::TempDir, Duration)> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::new(&config())?;
    let bytes = std::fs::read(guest)?;
    let began = crate::clock::now();
    let code = engine.precompile_component(&bytes)?;
    let compiled = began.elapsed();
    std::fs::write(folder.path().join("guest.cwasm"), code)?;
    for way in [Way::WasmtimeCache, Way::Prewarm] {
        spawn(way, guest, folder.path())?;
    }
    std::thread::park_timeout(SETTLE);
    // prewarm's first takes note that the entry is known without being read.
    spawn(Way::Prewarm, guest, folder.path())?;
    Ok((folder, compiled))
}

/// The nanoseconds of one child, and whether it compiled.
fn spawn(way: Way, guest: &Path, folder: &Path) -> Result<(f64, bool)> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([CHILD, way.name()]).arg(guest).arg(folder);
    let output = command.output().context("the child does not start")?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        way.name(),
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    let (nanos, compiled) = text
        .trim()
        .split_once(' ')
        .context("the child says nothing")?;
    Ok((nanos.parse()?, compiled.parse()?))
}
