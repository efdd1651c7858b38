//! Ten thousand components of which few are in use, and a burst of first calls.

use prewarm_benches::clock::time;
use prewarm_benches::scale::{Figures, Fleet};
use serde_json::{Value, json};
use wasmtime::Result;

use crate::chapter::{Bench, Chapter};
use crate::words;

pub(crate) fn measure(bench: &Bench) -> Result<Chapter> {
    let components = bench.or_quick(10_000, 1000);
    let calls = bench.or_quick(1000, 100);
    eprintln!("    {components} components are compiled");
    let (fleet, compiling) = time(|| Fleet::new(components));
    let fleet = fleet?;
    let runtime = tokio::runtime::Runtime::new()?;
    // The burst first: what was freed before would hide what it takes.
    eprintln!("    {calls} first calls at once");
    let burst = fleet.burst(&runtime, calls)?;
    eprintln!("    each is loaded and called");
    let rest = fleet.rest(&runtime)?;
    let get = |name: &str| {
        let mut found = [&burst, &rest].into_iter();
        found.find_map(|one| one.get(name)).unwrap_or(f64::NAN)
    };
    Ok(Chapter {
        title: "Many components",
        finding: finding(get),
        method: "Tiny components, each with a code of its own, compiled into a cache before and registered by \
                 file. The burst comes at once, each call for another component and from a task of its own, to a \
                 host that keeps a tenth of them loaded and has as many instances; out of turn is a load that was \
                 linked earlier or later than it was asked for, as two are under way at a time; then each component of all is called in \
                 turn on a host that keeps them loaded, and what is resident is read when no instance is left."
            .to_owned(),
        plot: None,
        table: table(get, compiling.as_secs_f64()),
        numbers: numbers(&[&burst, &rest]),
        ..Chapter::default()
    })
}

fn finding(get: impl Fn(&str) -> f64) -> String {
    format!(
        "Of {} components each takes {} when it is registered, and {} more when it is loaded and has no instance, \
         beside {} of mapped code; {} first calls at once, on a host with room for a tenth of them, are served within \
         {} and {}, and no load is more than {} places out of turn.",
        words::amount(get("components")),
        words::growth(get("registered-kib") * 1024.0),
        words::bytes(get("loaded-kib") * 1024.0),
        words::bytes(get("loaded-mapped-kib") * 1024.0),
        words::amount(get("burst-calls")),
        words::time(get("burst-ms") * 1e6),
        words::bytes(get("burst-peak-mib") * 1024.0 * 1024.0),
        words::amount(get("burst-loads-out-of-order")),
    )
}

fn table(get: impl Fn(&str) -> f64, compiling_s: f64) -> String {
    let rows = [
        ("all are compiled", words::time(compiling_s * 1e9)),
        (
            "a first call, one after the other",
            words::time(get("first-call-in-turn-ms") * 1e6),
        ),
        (
            "burst: the median caller is answered after",
            words::time(get("burst-p50-ms") * 1e6),
        ),
        ("burst: 99 of 100", words::time(get("burst-p99-ms") * 1e6)),
        (
            "`Host::stats` with one component",
            words::time(get("stats-of-one-ns")),
        ),
        (
            "`Host::stats` with all",
            words::time(get("stats-of-all-ns")),
        ),
        ("unloading one", words::time(get("unload-us") * 1e3)),
        (
            "processor used by all, idle",
            format!("{:.2} %", get("idle-cpu-percent")),
        ),
    ];
    let rows: Vec<_> = rows
        .map(|(name, value)| vec![name.to_owned(), value])
        .into();
    words::table(&["many components", "measured"], &rows)
}

fn numbers(all: &[&Figures]) -> Value {
    let figures = all.iter().flat_map(|figures| &figures.0);
    figures
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect()
}
