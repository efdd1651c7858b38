//! From the bytes of a component to its first answer.

use prewarm::{Origin, Wasm};
use prewarm_benches::clock::{let_cache_settle, time};
use prewarm_benches::guest::TOOLS;
use prewarm_benches::pools;
use prewarm_benches::sample::{nanos, percentile};
use serde_json::json;
use wasmtime::{Result, bail};

use crate::chapter::{Bench, Chapter, range};
use crate::subject::{BareSubject, ECHO, Subject};
use crate::words;

/// What one guest needs, in nanoseconds.
struct Row {
    guest: &'static str,
    size: f64,
    compile: f64,
    load: f64,
    start: f64,
    first: f64,
    later: f64,
    bare_start: f64,
    bare_first: f64,
}

impl Row {
    fn compiled(&self) -> f64 {
        self.compile + self.start + self.first
    }

    fn cached(&self) -> f64 {
        self.load + self.start + self.first
    }
}

pub(crate) fn measure(bench: &Bench) -> Result<Chapter> {
    let echo = bench.cache().join("echo.wasm");
    std::fs::write(&echo, wat::parse_str(TOOLS)?)?;
    let mut rows = vec![row(bench, ECHO, &echo)?];
    for (name, file) in &bench.built.there {
        eprintln!("    {name}");
        rows.push(row(bench, name, file)?);
    }
    let_cache_settle();
    let files = bench.built.there.iter().map(|(_, file)| file);
    for (row, file) in rows.iter_mut().zip(std::iter::once(&echo).chain(files)) {
        row.load = load(bench, file)?;
    }
    let sooner = range(rows.iter().map(|row| row.compiled() / row.cached()));
    let cached = range(rows.iter().map(Row::cached));
    let finding = format!(
        "A component that was compiled before gives its first answer after {}, {} sooner than one that must be \
         compiled.",
        words::from_to(cached.0, cached.1, words::time),
        words::from_to(sooner.0, sooner.1, words::times),
    );
    let cells = |row: &Row| {
        vec![
            row.guest.to_owned(),
            words::bytes(row.size),
            words::time(row.compile),
            words::time(row.load),
            format!(
                "{} ({})",
                words::time(row.start),
                words::time(row.bare_start)
            ),
            format!(
                "{} ({})",
                words::time(row.first),
                words::time(row.bare_first)
            ),
            words::time(row.later),
            words::time(row.cached()),
        ]
    };
    let heads = [
        "guest",
        "component",
        "compile",
        "or load from cache",
        "make an instance (bare)",
        "first call (bare)",
        "later call",
        "first answer, cached",
    ];
    let numbers = rows.iter().map(|row| {
        json!({
            "guest": row.guest, "component_bytes": row.size, "compile_ns": row.compile,
            "cached_load_ns": row.load, "instance_ns": row.start, "first_call_ns": row.first,
            "later_call_ns": row.later, "bare_instance_ns": row.bare_start,
            "bare_first_call_ns": row.bare_first,
        })
    });
    Ok(Chapter {
        title: "From bytes to the first answer",
        finding,
        method: "Compiled once with an empty cache; all else is the median of many, in a process whose engine is \
                 made. In brackets the same by hand on tuned wasmtime. The call hides the secrets of one line of a \
                 log."
            .to_owned(),
        table: words::table(&heads, &rows.iter().map(cells).collect::<Vec<_>>()),
        numbers: numbers.collect(),
        ..Chapter::default()
    })
}

/// How long a load from the cache takes, in nanoseconds.
fn load(bench: &Bench, file: &std::path::Path) -> Result<f64> {
    let host = bench.host()?;
    host.load_blocking(Wasm::wat("(component)"))?;
    // The first one reads it in full, and takes note that the next need not.
    host.load_blocking(file)?;
    let mut load = Vec::new();
    for _ in 0..bench.or_quick(20, 8) {
        let (loaded, took) = time(|| host.load_blocking(file));
        loaded?;
        load.push(nanos(took));
    }
    Ok(percentile(&mut load, 50.0))
}

fn row(bench: &Bench, guest: &'static str, file: &std::path::Path) -> Result<Row> {
    let host = bench.host()?;
    // The engine is made before anything is timed.
    host.load_blocking(Wasm::wat("(component)"))?;
    let component = host.load_blocking(file)?;
    let Origin::Compiled { took: compile, .. } = component.origin() else {
        bail!("the cache of this run already held {guest}");
    };
    let (mut start, mut first, mut later) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.or_quick(40, 15) {
        let receipt = Subject::new(&component, pools::reused(1))?.call()?;
        start.push(nanos(receipt.start));
        first.push(nanos(receipt.wall.saturating_sub(receipt.start)));
    }
    let reused = Subject::new(&component, pools::reused(1))?;
    for _ in 0..bench.or_quick(500, 200) {
        later.push(nanos(reused.call()?.wall));
    }
    drop(reused);
    let bare = BareSubject::new(&component)?;
    let (mut bare_start, mut bare_first) = (Vec::new(), Vec::new());
    for _ in 0..bench.or_quick(40, 15) {
        let [start, first] = bare.first()?;
        bare_start.push(nanos(start));
        bare_first.push(nanos(first));
    }
    let median = |mut values: Vec<f64>| percentile(&mut values, 50.0);
    let size = u32::try_from(std::fs::metadata(file)?.len())?;
    Ok(Row {
        guest,
        size: f64::from(size),
        compile: nanos(compile),
        load: f64::NAN,
        start: median(start),
        first: median(first),
        later: median(later),
        bare_start: median(bare_start),
        bare_first: median(bare_first),
    })
}
