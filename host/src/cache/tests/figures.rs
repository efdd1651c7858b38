//! Not tests but measurements, of a component that is named: one whose export `shout` takes and returns a string.
//!
//! `PREWARM_FIGURES=guest.wasm cargo test -p prewarm --lib figures -- --ignored --nocapture`

#![expect(
    clippy::disallowed_methods,
    reason = "measuring is what this file does"
)]
#![expect(clippy::print_stdout, reason = "and telling")]

use std::process::Command;
use std::time::Instant;

use super::*;

const COMPONENT: &str = "PREWARM_FIGURES";
const HOME: &str = "PREWARM_FIGURES_HOME";
const RECHECK: &str = "PREWARM_FIGURES_RECHECK";
const ROUNDS: usize = 31;

fn component() -> PathBuf {
    PathBuf::from(std::env::var_os(COMPONENT).expect("the component's path in PREWARM_FIGURES"))
}

fn lane() -> Engine {
    Engine::new(Config::new().concurrency_support(false)).expect("an engine")
}

fn shout(engine: &Engine, component: &Component) -> String {
    let mut store = Store::new(engine, ());
    let linker = wasmtime::component::Linker::new(engine);
    let instance = linker
        .instantiate(&mut store, component)
        .expect("an instance");
    let shout = instance
        .get_typed_func::<(&str,), (String,)>(&mut store, "shout")
        .expect("the export");
    shout.call(&mut store, ("hi",)).expect("an answer").0
}

fn stock(home: &Path) -> Cache {
    let recheck = std::env::var_os(RECHECK).is_some();
    let config = CacheConfig {
        dir: Some(home.to_owned()),
        recheck,
        ..CacheConfig::default()
    };
    Cache::open(&config).expect("a cache")
}

fn middle<R>(what: &str, mut step: impl FnMut() -> R) {
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let result = step();
            let time = start.elapsed();
            drop(result);
            time
        })
        .collect();
    times.sort();
    let (least, median) = (times[0], times[ROUNDS / 2]);
    println!("{what:44} least {least:>10.1?}  median {median:>10.1?}");
}

#[test]
#[ignore = "a measurement"]
fn steps() {
    let (path, home) = (component(), tempfile::tempdir().expect("a folder"));
    let (engine, cache) = (lane(), stock(home.path()));
    let source = Source::file_at(&path, later()).expect("opened");
    let bytes = source.bytes().expect("read");
    let start = Instant::now();
    let compiled = Component::new(&engine, bytes).expect("compiles");
    println!("compiling {} bytes: {:.1?}", bytes.len(), start.elapsed());
    let start = Instant::now();
    let artefact = compiled.serialize().expect("serialises").len();
    println!("serialising {artefact} bytes: {:.1?}", start.elapsed());
    let start = Instant::now();
    drop(cache.store_at(&engine, &source, NOTE, compiled, later()));
    println!(
        "storing, syncing, checking, mapping: {:.1?}",
        start.elapsed()
    );

    let read = |recheck: bool| {
        let cache = Cache {
            recheck,
            ..stock(home.path())
        };
        let source = Source::file(&path).expect("opened");
        cache.recall(&source);
        source
    };
    let load = |recheck: bool, source: &Source<'_>| {
        let cache = Cache {
            recheck,
            ..stock(home.path())
        };
        cache
            .load_at(&engine, source, NOTE, later())
            .expect("found")
    };
    middle("making an engine", lane);
    middle("engine's identity", || {
        Identity::new(blake3::hash(b""), &engine)
    });
    middle("opening the cache", || stock(home.path()));
    middle("recalling the source, by stamp", || read(false));
    middle("recalling the source, by reading", || read(true));
    let source = read(false);
    load(false, &source);
    middle("loading, sealed or small", || load(false, &source));
    middle("loading, checked in full", || load(true, &source));
    let name = Identity::new(source.content().expect("known"), &engine).file_name();
    let (file, _) = cache
        .folder
        .open_file(&name)
        .expect("readable")
        .expect("there");
    let entry = cache.entries.unchanged(&file).expect("can be mapped");
    middle("of that, mapping", || {
        crate::cache::deserialize(&engine, &entry)
    });
    let mapped = load(false, &source);
    middle("instance and first call", || shout(&engine, &mapped));
}

/// Not a measurement of its own: what each process of the next one runs.
#[test]
#[ignore = "run by `from_start_to_answer`"]
fn process() {
    let Some(home) = std::env::var_os(HOME).map(PathBuf::from) else {
        return;
    };
    let cache = stock(&home);
    let source = Source::file_at(&component(), later()).expect("opened");
    let note = cache.recall(&source).unwrap_or(NOTE);
    let engine = lane();
    let component = cache
        .load_at(&engine, &source, note, later())
        .unwrap_or_else(|| {
            let compiled =
                Component::new(&engine, source.bytes().expect("read")).expect("compiles");
            cache.store_at(&engine, &source, note, compiled, later())
        });
    assert_eq!(shout(&engine, &component), "HI!");
    // Leave as a server would not: without taking everything down.
    std::process::exit(0);
}

#[test]
#[ignore = "a measurement"]
fn from_start_to_answer() {
    let home = tempfile::tempdir().expect("a folder");
    let this = std::env::current_exe().expect("this program");
    let run = |recheck: bool, args: &[&str]| {
        let mut command = Command::new(&this);
        command.args(args).env(HOME, home.path());
        if recheck {
            command.env(RECHECK, "");
        }
        assert!(command.output().expect("ran").status.success());
    };
    let child = [
        "--exact",
        "cache::tests::figures::process",
        "--ignored",
        "--test-threads=1",
    ];
    run(false, &child); // compiles and stores
    run(false, &child); // checks and seals
    middle("a process that does nothing", || {
        run(false, &["--exact", "none"])
    });
    middle("start to answer, sealed", || run(false, &child));
    middle("start to answer, checked in full", || run(true, &child));
}
