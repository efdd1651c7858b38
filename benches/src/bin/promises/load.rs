//! From the start of a process to the first answer of a guest whose code is in the cache: measured
//! by starting this program again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use prewarm::{Origin, Val};
use prewarm_benches::clock::{since_1970, time};
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

pub(crate) fn rust(settings: &Settings) -> Result<Vec<Figure>> {
    guest(settings, "rust.wasm")
}

pub(crate) fn quickjs(settings: &Settings) -> Result<Vec<Figure>> {
    guest(settings, "javascript.wasm")
}

fn guest(settings: &Settings, name: &str) -> Result<Vec<Figure>> {
    let Some(folder) = &settings.guests else {
        return Ok(vec![Figure::missing("needs --guests DIR")]);
    };
    let file = folder.join(name);
    if !file.is_file() {
        return Ok(vec![Figure::missing(format!("{name} is not built"))]);
    }
    Ok(vec![measure(&file, "redact")?])
}

pub(crate) fn javascript(settings: &Settings) -> Result<Vec<Figure>> {
    Ok(vec![match &settings.javascript {
        Some(file) => measure(file, "shout")?,
        None => Figure::missing("needs --javascript FILE, made by componentize-js"),
    }])
}

fn measure(file: &Path, function: &str) -> Result<Figure> {
    let cache = tempfile::tempdir()?;
    let host = pools::host(Some(cache.path()))?;
    let (component, compiled) = time(|| host.load_blocking(file));
    let component = component?;
    let mut phases: [Vec<f64>; 5] = Default::default();
    for _ in 0..CHILDREN {
        let instants = child_of(cache.path(), file, function)?;
        for (phase, pair) in phases.iter_mut().zip(instants.windows(2)) {
            phase.push(milliseconds(pair[1].saturating_sub(pair[0])));
        }
        phases[4].push(milliseconds(instants[4].saturating_sub(instants[1])));
    }
    let best = percentile(&mut phases[4], 0.0);
    let [exec, load, pool, call, value] = phases.map(|mut phase| percentile(&mut phase, 50.0));
    let compiled = milliseconds(compiled);
    let note = format!(
        "{:.1} MB of code; from main: load {load:.2}, pool {pool:.2}, call {call:.2}, best {best:.2}; \
         exec and loader {exec:.2} more; compiling takes {compiled:.0}, {:.0} times as long",
        megabytes(component.code_bytes()),
        compiled / value,
    );
    Ok(Figure::new(value, note))
}

fn megabytes(bytes: usize) -> f64 {
    u32::try_from(bytes).map_or(f64::NAN, f64::from) / 1e6
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// When the child was asked for, reached main, had loaded, had a pool, and had its answer.
fn child_of(cache: &Path, file: &Path, function: &str) -> Result<[Duration; 5]> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([CHILD, function]).arg(file).arg(cache);
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
    let (Some(function), Some(file), Some(cache)) = (args.next(), args.next(), args.next()) else {
        bail!("the child needs a function, a component and a cache");
    };
    let component = pools::host(Some(&cache))?.load_blocking(file)?;
    let loaded = since_1970();
    let config = pools::reused(1);
    let pooled;
    if function == Path::new("redact") {
        let pool = logs::pool(&component, config)?;
        pooled = since_1970();
        let answer = pool.call(|logs, store| {
            logs.call_redact(store, "from 10.0.0.1", Secrets::ADDRESSES, '*')
        })?;
        ensure!(answer.text == "from ********", "it says {:?}", answer.text);
    } else {
        let pool = prewarm::blocking::Pool::<()>::new(&component, config)?;
        pooled = since_1970();
        let answer = pool.invoke("shout", &[Val::String("hello".into())])?;
        ensure!(answer.is_some(), "it says nothing");
    }
    let answer = since_1970();
    ensure!(
        component.origin() == Origin::Cache,
        "the component was compiled"
    );
    let instants = [main, loaded, pooled, answer].map(|instant| instant.as_nanos().to_string());
    println!("{}", instants.join(" "));
    std::process::exit(0);
}
