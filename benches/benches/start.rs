//! From the bytes of a component to its first answer, step by step: compile it, or load it from the
//! cache; make an instance; call it for the first time. For the guest of the benches (`echo`) and for
//! each guest that `cargo xtask guests` built.
//!
//! `bare-lane` is wasmtime tuned as prewarm tunes it; the bare instances of the built guests are made
//! from the very code that prewarm loaded. To load compiled code is unsafe in bare wasmtime, so what
//! stands beside a cached load is its limit: to read the component's file and do nothing with it.

#![expect(
    clippy::print_stderr,
    reason = "says what it leaves out, or what takes long"
)]

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use prewarm::{Component, Host, HostConfig};
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::built::{Built, LINE};
use prewarm_benches::cases::{criterion, each, measure, whole};
use prewarm_benches::clock::time;
use prewarm_benches::guest::{HELLO, TOOLS};
use prewarm_benches::logs::{BareReader, Reader};
use prewarm_benches::pools;
use wasmtime::Result;

/// Larger components take seconds to compile: the report does that once.
const COMPILED_OFTEN: usize = 1 << 20;

const ECHO: &str = "echo";

fn starts(criterion: &mut Criterion) {
    run(criterion).expect("the guests of the benches load");
}

fn run(criterion: &mut Criterion) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let echo = folder.path().join("echo.wasm");
    std::fs::write(&echo, wat::parse_str(TOOLS)?)?;
    let built = Built::find(None);
    if !built.missing.is_empty() {
        eprintln!("not built, so not measured: {}", built.missing.join(", "));
    }
    let mut guests = vec![(ECHO, echo)];
    guests.extend(built.there);
    // What this user has compiled once is not compiled again.
    let cached = pools::user_host()?;
    let components = guests.iter().map(|(_, file)| cached.load_blocking(&**file));
    let components = components.collect::<Result<Vec<_>, _>>()?;

    compile(criterion, &guests)?;
    for (step, name) in ["start-instantiate", "start-first-call"].iter().enumerate() {
        let mut group = criterion.benchmark_group(*name);
        for ((guest, _), component) in guests.iter().zip(&components) {
            if *guest == ECHO {
                measure_echo(&mut group, step, component)?;
            } else {
                measure_built(&mut group, step, guest, component)?;
            }
        }
        group.finish();
    }
    drop(components);
    let mut config = HostConfig::default();
    config.cache.recheck = true;
    load(criterion, &cached, &Host::new(config)?, &guests);
    Ok(())
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;
type Guests = [(&'static str, std::path::PathBuf)];

fn compile(criterion: &mut Criterion, guests: &Guests) -> Result<()> {
    let uncached = pools::host(None)?;
    let engines = [
        ("bare-lane", bare::lane()?),
        ("bare-default", bare::default_engine()?),
    ];
    let mut group = criterion.benchmark_group("start-compile");
    group.sample_size(10);
    for (guest, file) in guests {
        let binary = std::fs::read(file)?;
        if binary.len() > COMPILED_OFTEN {
            continue;
        }
        // The engine is made once; each time the component is let go, or it would be found loaded.
        let ours = whole("prewarm", |turns| {
            for _ in 0..turns {
                drop(uncached.load_blocking(&*binary)?);
            }
            Ok(())
        });
        let bare = engines.iter().map(|(who, engine)| {
            whole(who, |turns| {
                (0..turns).try_for_each(|_| {
                    wasmtime::component::Component::new(engine, &binary).map(drop)
                })
            })
        });
        measure(&mut group, guest, [ours].into_iter().chain(bare));
    }
    group.finish();
    Ok(())
}

fn load(criterion: &mut Criterion, cached: &Host, rechecked: &Host, guests: &Guests) {
    let mut group = criterion.benchmark_group("start-cached-load");
    for (guest, file) in guests {
        let file: &Path = file;
        let cases = [
            whole("prewarm", |turns| {
                for _ in 0..turns {
                    drop(cached.load_blocking(file)?);
                }
                Ok(())
            }),
            whole("prewarm-recheck", |turns| {
                for _ in 0..turns {
                    drop(rechecked.load_blocking(file)?);
                }
                Ok(())
            }),
            whole("bare-read", |turns| {
                for _ in 0..turns {
                    drop(std::fs::read(file)?);
                }
                Ok(())
            }),
        ];
        measure(&mut group, guest, cases);
    }
    group.finish();
}

/// Step 0 makes the instance, step 1 is its first call.
fn measure_echo(group: &mut Group<'_>, step: usize, component: &Component) -> Result<()> {
    let engines = [
        ("bare-lane", Bare::new(bare::lane()?)?),
        ("bare-default", Bare::new(bare::default_engine()?)?),
        ("bare-default-pooling", Bare::new(bare::default_pooling()?)?),
    ];
    // One slot and nothing in it: the first call makes its instance.
    let ours = each("prewarm", || {
        let pool = pools::direct(component, pools::reused(1))?;
        let (_, receipt) = pool.call_with_receipt(|tools, store| tools.call_echo(store, HELLO))?;
        Ok([receipt.start, receipt.wall.saturating_sub(receipt.start)][step])
    });
    let bare = engines.iter().map(|(who, bare)| {
        each(who, move || {
            let (started, start) = time(|| bare.start());
            let (mut store, tools) = started?;
            let (answer, call) = time(|| tools.call_echo(&mut store, HELLO));
            answer?;
            Ok([start, call][step])
        })
    });
    measure(group, ECHO, [ours].into_iter().chain(bare));
    Ok(())
}

fn measure_built(
    group: &mut Group<'_>,
    step: usize,
    guest: &str,
    component: &Component,
) -> Result<()> {
    let bare = BareReader::new(component)?;
    let cases = [
        each("prewarm", || {
            let (_, receipt) = Reader::new(component, pools::reused(1))?.redact(LINE)?;
            Ok([receipt.start, receipt.wall.saturating_sub(receipt.start)][step])
        }),
        each("bare-lane", || Ok(bare.first(LINE)?[step])),
    ];
    measure(group, guest, cases);
    Ok(())
}

criterion_group! { name = benches; config = criterion(); targets = starts }
criterion_main!(benches);
