//! The loops that echo a string of any length, by each way there is to pass it.

use std::hint::black_box;

use prewarm::Val;
use serde_json::Value;
use tokio::runtime::Runtime;
use wasmtime::component::{Func, Instance};
use wasmtime::error::Context as _;
use wasmtime::{Result, Store};

use crate::bare::Bare;
use crate::guest::{direct, task};
use crate::pools::{DirectPool, TaskPool};

/// Calls through a pool from a thread.
///
/// # Errors
///
/// That of the first call that fails.
pub fn pool(pool: &DirectPool, text: &str, calls: u64) -> Result<()> {
    for _ in 0..calls {
        black_box(pool.call(|tools, store| tools.call_echo(store, black_box(text)))?);
    }
    Ok(())
}

/// The same from a task.
///
/// # Errors
///
/// That of the first call that fails.
pub fn pool_task(runtime: &Runtime, pool: &TaskPool, text: &str, calls: u64) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            let call =
                pool.call(async |tools, store| tools.call_echo(store, black_box(text)).await);
            black_box(call.await?);
        }
        Ok(())
    })
}

/// Calls of one bare instance from a thread.
///
/// # Errors
///
/// That of the first call that fails.
pub fn warm(store: &mut Store<()>, tools: &direct::Tools, text: &str, calls: u64) -> Result<()> {
    for _ in 0..calls {
        black_box(tools.call_echo(&mut *store, black_box(text))?);
    }
    Ok(())
}

/// The same from a task.
///
/// # Errors
///
/// That of the first call that fails.
pub fn warm_task(
    runtime: &Runtime,
    store: &mut Store<()>,
    tools: &task::Tools,
    text: &str,
    calls: u64,
) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            black_box(tools.call_echo(&mut *store, black_box(text)).await?);
        }
        Ok(())
    })
}

/// A bare instance for each call from a thread.
///
/// # Errors
///
/// That of the first call that fails.
pub fn fresh(bare: &Bare, text: &str, calls: u64) -> Result<()> {
    for _ in 0..calls {
        let (mut store, tools) = bare.start()?;
        black_box(tools.call_echo(&mut store, black_box(text))?);
    }
    Ok(())
}

/// The same from a task.
///
/// # Errors
///
/// That of the first call that fails.
pub fn fresh_task(runtime: &Runtime, bare: &Bare, text: &str, calls: u64) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            let (mut store, tools) = bare.start_task().await?;
            black_box(tools.call_echo(&mut store, black_box(text)).await?);
        }
        Ok(())
    })
}

/// The text as it is passed to a call by name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Passed {
    /// As a component value.
    Val([Val; 1]),
    /// As WAVE.
    Wave(String),
    /// As JSON.
    Json(Value),
}

impl Passed {
    /// Every way to pass it, with the name that its bench has.
    #[must_use]
    pub fn all(text: &str) -> [(&'static str, Self); 3] {
        [
            ("prewarm-val", Self::Val([Val::String(text.to_owned())])),
            ("prewarm-wave", Self::Wave(format!("\"{text}\""))),
            ("prewarm-json", Self::Json(serde_json::json!([text]))),
        ]
    }
}

/// Calls by name through a pool from a thread.
///
/// # Errors
///
/// That of the first call that fails.
pub fn by_name(pool: &prewarm::blocking::Pool, text: &Passed, calls: u64) -> Result<()> {
    for _ in 0..calls {
        match black_box(text) {
            Passed::Val(vals) => drop(black_box(pool.invoke("echo", vals)?)),
            Passed::Wave(text) => drop(black_box(pool.invoke_wave("echo", text)?)),
            Passed::Json(json) => drop(black_box(pool.invoke_json("echo", json)?)),
        }
    }
    Ok(())
}

/// The same from a task.
///
/// # Errors
///
/// That of the first call that fails.
pub fn by_name_task(
    runtime: &Runtime,
    pool: &prewarm::Pool,
    text: &Passed,
    calls: u64,
) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            match black_box(text) {
                Passed::Val(vals) => drop(black_box(pool.invoke("echo", vals).await?)),
                Passed::Wave(text) => drop(black_box(pool.invoke_wave("echo", text).await?)),
                Passed::Json(json) => drop(black_box(pool.invoke_json("echo", json).await?)),
            }
        }
        Ok(())
    })
}

fn echo_of(store: &mut Store<()>, instance: &Instance) -> Result<Func> {
    let func = instance.get_func(store, "echo");
    func.context("the guest of the benches has no `echo`")
}

/// Calls with component values of one bare instance from a thread.
///
/// # Errors
///
/// That of the first call that fails.
pub fn warm_by_name(
    store: &mut Store<()>,
    instance: &Instance,
    text: &str,
    calls: u64,
) -> Result<()> {
    let echo = echo_of(store, instance)?;
    let params = [Val::String(text.to_owned())];
    for _ in 0..calls {
        let mut answers = [Val::Bool(false)];
        echo.call(&mut *store, black_box(&params), &mut answers)?;
        black_box(answers);
    }
    Ok(())
}

/// The same from a task.
///
/// # Errors
///
/// That of the first call that fails.
pub fn warm_task_by_name(
    runtime: &Runtime,
    store: &mut Store<()>,
    instance: &Instance,
    text: &str,
    calls: u64,
) -> Result<()> {
    let echo = echo_of(store, instance)?;
    let params = [Val::String(text.to_owned())];
    runtime.block_on(async {
        for _ in 0..calls {
            let mut answers = [Val::Bool(false)];
            let call = echo.call_async(&mut *store, black_box(&params), &mut answers);
            call.await?;
            black_box(answers);
        }
        Ok(())
    })
}
