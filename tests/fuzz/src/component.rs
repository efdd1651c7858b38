//! Component bytes through load: a component or a clear error, and what loads is pooled and called
//! under small limits.
//!
//! Input that begins as WebAssembly does, binary or text, is loaded as it is. Any other is a recipe
//! for a component, some of whose bytes may be changed.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use prewarm::{
    CallError, Component, ExportedFunc, Handles, Host, HostConfig, LoadError, Pool, PoolConfig,
    PoolError, Reuse, Val, blocking,
};

use crate::{chain, guest, vals};

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let mut config = HostConfig::default();
    config.cache.enabled = false;
    config.max_instances = 16;
    Host::new(config).unwrap()
});

thread_local! {
    static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
}

/// Bytes of a component, or a recipe for one.
pub fn target(data: &[u8]) {
    if data.starts_with(b"\0asm") || data.trim_ascii_start().starts_with(b"(") {
        load(data.to_vec(), &mut Unstructured::new(data));
        return;
    }
    let mut u = Unstructured::new(data);
    if let Ok(bytes) = made(&mut u) {
        load(bytes, &mut u);
    }
}

fn made(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    if u.ratio(1, 32)? {
        return Ok(u.bytes(u.len())?.to_vec());
    }
    let text = guest::any(u)?;
    let mut bytes = text.clone().into_bytes();
    if u.ratio(1, 3)? {
        match wat::parse_str(&text) {
            Ok(binary) => bytes = binary,
            Err(_) => return Ok(bytes),
        }
        for _ in 0..u.int_in_range(1..=4)? {
            spoil(&mut bytes, u)?;
        }
    }
    Ok(bytes)
}

fn spoil(bytes: &mut Vec<u8>, u: &mut Unstructured<'_>) -> Result<()> {
    let at = u.int_in_range(0..=bytes.len().saturating_sub(1))?;
    let end = bytes.len().min(at + u.int_in_range(0..=16)?);
    match u.int_in_range(0..=4)? {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        3 => bytes.insert(at, u.arbitrary()?),
        _ => match bytes.get_mut(at) {
            Some(byte) => *byte = u.arbitrary()?,
            None => bytes.push(0),
        },
    }
    Ok(())
}

fn load(bytes: Vec<u8>, u: &mut Unstructured<'_>) {
    match HOST.load_blocking(bytes) {
        Ok(component) => {
            let _ = try_it(&component, u);
        }
        Err(error) => {
            let text = chain(&error);
            assert!(!text.is_empty());
            let _ = error.fault();
            match error {
                LoadError::Text(_)
                | LoadError::CoreModule
                | LoadError::NotWasm { .. }
                | LoadError::Compile(_) => {}
                other => panic!("{}", chain(&other)),
            }
        }
    }
}

fn try_it(component: &Component, u: &mut Unstructured<'_>) -> Result<()> {
    let _ = (
        component.wit().wit(),
        component.needs(),
        component.code_bytes(),
    );
    for function in component.exports().iter() {
        let _ = (
            function.wit(),
            function.params_schema(),
            function.result_schema(),
        );
        let _ = function.positional_params_schema();
        let found = component.exports().find(function.full_name());
        assert!(
            found.is_ok_and(|it| Arc::ptr_eq(it, function)),
            "{}",
            function.wit()
        );
    }
    let config = config(u)?;
    if u.arbitrary()? {
        let pool = match blocking::Pool::<()>::new(component, config) {
            Ok(pool) => pool,
            Err(error) => return no_pool(&error),
        };
        calls(component, u, |name, params| pool.invoke(name, params))?;
        pool.close();
        let stats = pool.stats();
        assert_eq!(
            (stats.idle, stats.leased, stats.starting, stats.dying),
            (0, 0, 0, 0)
        );
    } else {
        RUNTIME.with(|runtime| {
            let _runtime = runtime.enter();
            let pool: Pool = match component.pool(config) {
                Ok(pool) => pool,
                Err(error) => return no_pool(&error),
            };
            calls(component, u, |name, params| {
                runtime.block_on(async { pool.invoke(name, params).await })
            })?;
            runtime.block_on(pool.close());
            let stats = pool.stats();
            assert_eq!(
                (stats.idle, stats.leased, stats.starting, stats.dying),
                (0, 0, 0, 0)
            );
            Ok(())
        })?;
    }
    Ok(())
}

/// Small limits, so that whatever a guest does is over soon.
fn config(u: &mut Unstructured<'_>) -> Result<PoolConfig> {
    let mut config = PoolConfig::new(u.int_in_range(1..=2)?);
    if u.arbitrary()? {
        config.reuse = Reuse::Calls(2..=2);
    }
    config.limits.deadline = Duration::from_millis(10);
    config.limits.memory_bytes = 4 << 20;
    config.limits.table_elements = 5_000;
    config.limits.instances = 16;
    config.limits.hostcall_bytes = 100_000;
    config.limits.output_bytes = 1000;
    config.limits.handles = 20;
    Ok(config)
}

fn no_pool(error: &PoolError) -> Result<()> {
    match error {
        PoolError::MissingImports { missing, .. } => assert!(!missing.is_empty()),
        PoolError::World(_) | PoolError::Link(_) | PoolError::Config { .. } => {
            assert!(!chain(error).is_empty())
        }
        other => panic!("{}", chain(other)),
    }
    Ok(())
}

fn calls(
    component: &Component,
    u: &mut Unstructured<'_>,
    call: impl Fn(&str, &[Val]) -> std::result::Result<Option<Val>, CallError>,
) -> Result<()> {
    for function in component.exports().iter().take(4) {
        let mut params = Vec::new();
        let mut left = 200;
        for (_, ty) in function.ty().params() {
            params.extend(vals::any(u, &ty, &mut left)?);
        }
        if params.len() < function.params().len() {
            continue;
        }
        match call(function.full_name(), &params) {
            Ok(answer) => answered(function, answer),
            Err(error) => failed(&error),
        }
    }
    Ok(())
}

/// What a function answered can be written.
fn answered(function: &ExportedFunc, answer: Option<Val>) {
    let vals: Vec<Val> = answer.into_iter().collect();
    for written in [
        function
            .results_to_json(vals.clone(), &mut Handles::new())
            .map(drop),
        function
            .results_to_wave(vals, &mut Handles::new())
            .map(drop),
    ] {
        match written {
            Ok(()) | Err(prewarm::ValueError::Unsupported { .. }) => {}
            Err(error) => panic!("{error}: {}", function.wit()),
        }
    }
}

fn failed(error: &CallError) {
    assert!(!chain(error).is_empty());
    match error {
        CallError::Start(source) => failed(source),
        CallError::Trap(_)
        | CallError::Limit(_)
        | CallError::Exit { .. }
        | CallError::Deadline { .. } => {}
        other => panic!("{}", chain(other)),
    }
}
