//! The loops that are compared: so many calls, of a pool and of bare wasmtime, from a thread and
//! from a task.

use std::hint::black_box;

use tokio::runtime::Runtime;
use wasmtime::Result;
use wasmtime::Store;

use crate::bare::Bare;
use crate::guest::{HELLO, direct, task};
use crate::pools::{DirectPool, TaskPool};

/// Calls through a pool. Whether instances are fresh is the pool's to say.
///
/// # Errors
///
/// That of the first call that fails.
pub fn pool(pool: &DirectPool, calls: u64) -> Result<()> {
    for _ in 0..calls {
        black_box(pool.call(|tools, store| tools.call_echo(store, black_box(HELLO)))?);
    }
    Ok(())
}

/// Calls through a pool that pass two numbers and get one.
///
/// # Errors
///
/// That of the first call that fails.
pub fn pool_add(pool: &DirectPool, calls: u64) -> Result<()> {
    for _ in 0..calls {
        black_box(pool.call(|tools, store| tools.call_add(store, black_box(2), black_box(3)))?);
    }
    Ok(())
}

/// The same from a task.
///
/// # Errors
///
/// That of the first call that fails.
pub fn pool_task(runtime: &Runtime, pool: &TaskPool, calls: u64) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            let call =
                pool.call(async |tools, store| tools.call_echo(store, black_box(HELLO)).await);
            black_box(call.await?);
        }
        Ok(())
    })
}

/// The same from a task.
///
/// # Errors
///
/// That of the first call that fails.
pub fn pool_task_add(runtime: &Runtime, pool: &TaskPool, calls: u64) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            let call = pool
                .call(async |tools, store| tools.call_add(store, black_box(2), black_box(3)).await);
            black_box(call.await?);
        }
        Ok(())
    })
}

/// Calls on one bare instance.
///
/// # Errors
///
/// That of the first call that fails.
pub fn warm(store: &mut Store<()>, tools: &direct::Tools, calls: u64) -> Result<()> {
    for _ in 0..calls {
        black_box(tools.call_echo(&mut *store, black_box(HELLO))?);
    }
    Ok(())
}

/// Such calls on one bare instance.
///
/// # Errors
///
/// That of the first call that fails.
pub fn warm_add(store: &mut Store<()>, tools: &direct::Tools, calls: u64) -> Result<()> {
    for _ in 0..calls {
        black_box(tools.call_add(&mut *store, black_box(2), black_box(3))?);
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
    calls: u64,
) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            black_box(tools.call_echo(&mut *store, black_box(HELLO)).await?);
        }
        Ok(())
    })
}

/// The same from a task.
///
/// # Errors
///
/// That of the first call that fails.
pub fn warm_task_add(
    runtime: &Runtime,
    store: &mut Store<()>,
    tools: &task::Tools,
    calls: u64,
) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            black_box(
                tools
                    .call_add(&mut *store, black_box(2), black_box(3))
                    .await?,
            );
        }
        Ok(())
    })
}

/// A bare instance for each call.
///
/// # Errors
///
/// That of the first call that fails.
pub fn fresh(bare: &Bare, calls: u64) -> Result<()> {
    for _ in 0..calls {
        let (mut store, tools) = bare.start()?;
        black_box(tools.call_echo(&mut store, black_box(HELLO))?);
    }
    Ok(())
}

/// The same from a task.
///
/// # Errors
///
/// That of the first call that fails.
pub fn fresh_task(runtime: &Runtime, bare: &Bare, calls: u64) -> Result<()> {
    runtime.block_on(async {
        for _ in 0..calls {
            let (mut store, tools) = bare.start_task().await?;
            black_box(tools.call_echo(&mut store, black_box(HELLO)).await?);
        }
        Ok(())
    })
}
