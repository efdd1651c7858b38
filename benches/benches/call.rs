//! One call: a string there and back, of five bytes, of a page and of a mebibyte. On an instance that
//! serves call after call, on a fresh one for each, and by name with component values, WAVE and JSON;
//! from a thread (`sync`) and from a task (`async`).
//!
//! `bare-lane` is wasmtime tuned as prewarm tunes it and the limit of what a pool can reach;
//! `bare-default` and `bare-default-pooling` are wasmtime as it comes. Calls by name stand beside
//! bare calls with component values: bare wasmtime takes no text.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::cases::{criterion, measure, whole};
use prewarm_benches::echo::{self, Passed};
use prewarm_benches::guest::string_of;
use prewarm_benches::pools;
use tokio::runtime::Runtime;
use wasmtime::Result;

/// Bytes that go there and back.
const SIZES: [usize; 3] = [5, 4 << 10, 1 << 20];

/// What is needed for one size.
struct Setup {
    size: usize,
    text: String,
    component: prewarm::Component,
    lane: Bare,
    default: Bare,
    pooling: Bare,
}

impl Setup {
    fn new(size: usize) -> Result<Self> {
        Ok(Self {
            size,
            text: string_of(size),
            component: pools::tools_of(&pools::host(None)?, size)?,
            lane: Bare::with_room(bare::lane()?, size)?,
            default: Bare::with_room(bare::default_engine()?, size)?,
            pooling: Bare::with_room(bare::default_pooling()?, size)?,
        })
    }
}

fn calls(criterion: &mut Criterion) {
    run(criterion).expect("the guest of the benches runs");
}

fn run(criterion: &mut Criterion) -> Result<()> {
    let runtime = pools::runtime()?;
    let setups = SIZES.into_iter().map(Setup::new);
    let setups = setups.collect::<Result<Vec<_>>>()?;
    warm(criterion, &setups)?;
    warm_task(criterion, &setups, &runtime)?;
    fresh(criterion, &setups)?;
    fresh_task(criterion, &setups, &runtime)?;
    by_name(criterion, &setups)?;
    by_name_task(criterion, &setups, &runtime)
}

fn throughput(size: usize) -> Throughput {
    Throughput::Bytes(size as u64)
}

fn warm(criterion: &mut Criterion, setups: &[Setup]) -> Result<()> {
    let mut group = criterion.benchmark_group("call-warm-sync");
    for setup in setups {
        let text = &setup.text;
        let pool = pools::direct(&setup.component, pools::reused(4))?;
        let (mut lane_store, lane) = setup.lane.start()?;
        let (mut default_store, default) = setup.default.start()?;
        let cases = [
            whole("prewarm", |calls| echo::pool(&pool, text, calls)),
            whole("bare-lane", |calls| {
                echo::warm(&mut lane_store, &lane, text, calls)
            }),
            whole("bare-default", |calls| {
                echo::warm(&mut default_store, &default, text, calls)
            }),
        ];
        group.throughput(throughput(setup.size));
        measure(&mut group, setup.size, cases);
    }
    group.finish();
    Ok(())
}

fn warm_task(criterion: &mut Criterion, setups: &[Setup], runtime: &Runtime) -> Result<()> {
    let mut group = criterion.benchmark_group("call-warm-async");
    for setup in setups {
        let text = &setup.text;
        let pool = pools::task(&setup.component, pools::reused(4))?;
        let (mut lane_store, lane) = runtime.block_on(setup.lane.start_task())?;
        let (mut default_store, default) = runtime.block_on(setup.default.start_task())?;
        let cases = [
            whole("prewarm", |calls| {
                echo::pool_task(runtime, &pool, text, calls)
            }),
            whole("bare-lane", |calls| {
                echo::warm_task(runtime, &mut lane_store, &lane, text, calls)
            }),
            whole("bare-default", |calls| {
                echo::warm_task(runtime, &mut default_store, &default, text, calls)
            }),
        ];
        group.throughput(throughput(setup.size));
        measure(&mut group, setup.size, cases);
    }
    group.finish();
    Ok(())
}

fn fresh(criterion: &mut Criterion, setups: &[Setup]) -> Result<()> {
    let mut group = criterion.benchmark_group("call-fresh-sync");
    for setup in setups {
        let text = &setup.text;
        let pool = pools::direct(&setup.component, pools::fresh(32))?;
        let cases = [
            whole("prewarm", |calls| echo::pool(&pool, text, calls)),
            whole("bare-lane", |calls| echo::fresh(&setup.lane, text, calls)),
            whole("bare-default", |calls| {
                echo::fresh(&setup.default, text, calls)
            }),
            whole("bare-default-pooling", |calls| {
                echo::fresh(&setup.pooling, text, calls)
            }),
        ];
        group.throughput(throughput(setup.size));
        measure(&mut group, setup.size, cases);
    }
    group.finish();
    Ok(())
}

fn fresh_task(criterion: &mut Criterion, setups: &[Setup], runtime: &Runtime) -> Result<()> {
    let mut group = criterion.benchmark_group("call-fresh-async");
    for setup in setups {
        let text = &setup.text;
        let pool = pools::task(&setup.component, pools::fresh(32))?;
        let cases = [
            whole("prewarm", |calls| {
                echo::pool_task(runtime, &pool, text, calls)
            }),
            whole("bare-lane", |calls| {
                echo::fresh_task(runtime, &setup.lane, text, calls)
            }),
            whole("bare-default", |calls| {
                echo::fresh_task(runtime, &setup.default, text, calls)
            }),
            whole("bare-default-pooling", |calls| {
                echo::fresh_task(runtime, &setup.pooling, text, calls)
            }),
        ];
        group.throughput(throughput(setup.size));
        measure(&mut group, setup.size, cases);
    }
    group.finish();
    Ok(())
}

fn by_name(criterion: &mut Criterion, setups: &[Setup]) -> Result<()> {
    let mut group = criterion.benchmark_group("call-by-name-sync");
    for setup in setups {
        let text = &setup.text;
        let pool = pools::by_name(&setup.component, pools::reused(4))?;
        let (mut lane_store, lane) = setup.lane.start_by_name()?;
        let (mut default_store, default) = setup.default.start_by_name()?;
        let passed = Passed::all(text);
        let ours = passed
            .iter()
            .map(|(form, text)| whole(form, |calls| echo::by_name(&pool, text, calls)));
        let bare = [
            whole("bare-lane-val", |calls| {
                echo::warm_by_name(&mut lane_store, &lane, text, calls)
            }),
            whole("bare-default-val", |calls| {
                echo::warm_by_name(&mut default_store, &default, text, calls)
            }),
        ];
        group.throughput(throughput(setup.size));
        measure(&mut group, setup.size, ours.chain(bare));
    }
    group.finish();
    Ok(())
}

fn by_name_task(criterion: &mut Criterion, setups: &[Setup], runtime: &Runtime) -> Result<()> {
    let mut group = criterion.benchmark_group("call-by-name-async");
    for setup in setups {
        let text = &setup.text;
        let pool = pools::by_name_task(&setup.component, pools::reused(4))?;
        let (mut lane_store, lane) = runtime.block_on(setup.lane.start_task_by_name())?;
        let (mut default_store, default) = runtime.block_on(setup.default.start_task_by_name())?;
        let passed = Passed::all(text);
        let ours = passed.iter().map(|(form, text)| {
            whole(form, |calls| {
                echo::by_name_task(runtime, &pool, text, calls)
            })
        });
        let bare = [
            whole("bare-lane-val", |calls| {
                echo::warm_task_by_name(runtime, &mut lane_store, &lane, text, calls)
            }),
            whole("bare-default-val", |calls| {
                echo::warm_task_by_name(runtime, &mut default_store, &default, text, calls)
            }),
        ];
        group.throughput(throughput(setup.size));
        measure(&mut group, setup.size, ours.chain(bare));
    }
    group.finish();
    Ok(())
}

criterion_group! { name = benches; config = criterion(); targets = calls }
criterion_main!(benches);
