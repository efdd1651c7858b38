//! From `main` of a process to the first answer of a guest whose code is in the cache: measured
//! by starting this program again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use prewarm::Origin;
use prewarm_benches::clock::{let_cache_settle, since_1970, time};
use prewarm_benches::logs::{self, types::Secrets};
use prewarm_benches::pools;
use prewarm_benches::sample::percentile;
use wasmtime::error::Context as _;
use wasmtime::{Result, bail, ensure};

use crate::Settings;
use crate::report::Figure;

/// The first argument of a child.
pub(crate) const CHILD: &str = "first-answer";

const CHILDREN: usize = 25;

/// Instances that a process which runs few functions has room for. Each slot takes 2 to 3 µs to
/// reserve.
const FEW: &str = "16";

/// In its place: no slots, as a process had better that runs one function and ends.
const NONE: &str = "none";

pub(crate) fn rust(settings: &Settings) -> Result<Vec<Figure>> {
    guest(settings, "rust.wasm")
}

pub(crate) fn quickjs(settings: &Settings) -> Result<Vec<Figure>> {
    guest(settings, "javascript.wasm")
}

fn guest(settings: &Settings, name: &str) -> Result<Vec<Figure>> {
    let Some(file) = settings.guest(name) else {
        let missing = || Figure::missing(format!("{name} is not built"));
        return Ok(vec![missing(), missing()]);
    };
    measure(&file)
}

pub(crate) fn javascript(settings: &Settings) -> Result<Vec<Figure>> {
    guest(settings, "starlingmonkey.wasm")
}

fn measure(file: &Path) -> Result<Vec<Figure>> {
    let cache = tempfile::tempdir()?;
    let host = pools::host(Some(cache.path()))?;
    let (component, compiled) = time(|| host.load_blocking(file));
    let component = component?;
    let_cache_settle();
    let best = |mut phase: Vec<f64>| percentile(&mut phase, 0.0);
    let median = |mut phase: Vec<f64>| percentile(&mut phase, 50.0);
    let [.., default] = children(cache.path(), file, None)?;
    let [.., few] = children(cache.path(), file, Some(FEW))?;
    let [exec, load, pool, call, whole] = children(cache.path(), file, Some(NONE))?;
    let (value, least) = (median(whole.clone()), best(whole));
    let compiled = milliseconds(compiled);
    let note = format!(
        "{:.1} MB of code; from main: load {:.2}, pool {:.2}, call {:.2}, best {least:.2}; with slots \
         for {FEW} instances and not on demand {:.2}, for 1000 {:.2}; exec and loader {:.2} more",
        megabytes(component.code_bytes()),
        median(load),
        median(pool),
        median(call),
        median(few),
        median(default),
        median(exec),
    );
    let over_compiled = Figure::new(
        compiled / value,
        format!("compiling takes {compiled:.0} ms"),
    );
    Ok(vec![Figure::new(value, note), over_compiled])
}

/// How long each phase took, and all from main on.
fn children(cache: &Path, file: &Path, slots: Option<&str>) -> Result<[Vec<f64>; 5]> {
    // The first takes note that the entry is known without being read.
    child_of(cache, file, slots)?;
    let mut phases: [Vec<f64>; 5] = Default::default();
    for _ in 0..CHILDREN {
        let instants = child_of(cache, file, slots)?;
        for (phase, pair) in phases.iter_mut().zip(instants.windows(2)) {
            phase.push(milliseconds(pair[1].saturating_sub(pair[0])));
        }
        phases[4].push(milliseconds(instants[4].saturating_sub(instants[1])));
    }
    Ok(phases)
}

fn megabytes(bytes: usize) -> f64 {
    u32::try_from(bytes).map_or(f64::NAN, f64::from) / 1e6
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// When the child was asked for, reached main, had loaded, had a pool, and had its answer.
fn child_of(cache: &Path, file: &Path, slots: Option<&str>) -> Result<[Duration; 5]> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(CHILD).arg(file).arg(cache);
    command.args(slots);
    let asked = since_1970();
    let output = command.output().context("the child does not start")?;
    ensure!(
        output.status.success(),
        "the child failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout)?;
    let mut instants = [asked; 5];
    let mut nanos = text.split_whitespace().map(str::parse);
    for instant in &mut instants[1..] {
        let Some(Ok(nanos)) = nanos.next() else {
            bail!("the child says {text:?}");
        };
        *instant = Duration::from_nanos(nanos);
    }
    Ok(instants)
}

/// What the child does: answers once, and says when it was how far.
pub(crate) fn child() -> Result<()> {
    let main = since_1970();
    let mut args = std::env::args_os().skip(2).map(PathBuf::from);
    let (Some(file), Some(cache)) = (args.next(), args.next()) else {
        bail!("the child needs a component and a cache");
    };
    let slots = args.next();
    let host = match slots.as_ref().and_then(|slots| slots.to_str()) {
        Some(NONE) => pools::brief_host(&cache)?,
        slots => pools::small_host(&cache, slots.and_then(|slots| slots.parse().ok()))?,
    };
    let component = host.load_blocking(file)?;
    let loaded = since_1970();
    let pool = logs::pool(&component, pools::reused(1))?;
    let pooled = since_1970();
    let answer =
        pool.call(|logs, store| logs.call_redact(store, "from 10.0.0.1", Secrets::ADDRESSES, '*'))?;
    ensure!(answer.text == "from ********", "it says {:?}", answer.text);
    let answer = since_1970();
    ensure!(
        component.origin() == Origin::Cache,
        "the component was compiled"
    );
    let instants = [main, loaded, pooled, answer].map(|instant| instant.as_nanos().to_string());
    println!("{}", instants.join(" "));
    std::process::exit(0);
}
