//! Many calls at one instant, as tasks on a runtime of as many threads as there are processors.

use std::time::Duration;

use tokio::runtime::Runtime;
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::bare::Bare;
use crate::clock::now;
use crate::guest::HELLO;
use crate::pools::{self, TaskPool};

/// What makes such calls.
#[derive(Debug)]
pub struct Burst(Runtime);

impl Burst {
    /// Starts its threads.
    ///
    /// # Errors
    ///
    /// Where the system refuses them.
    pub fn new() -> Result<Self> {
        let processors = std::thread::available_parallelism().map_or(2, Into::into);
        Ok(Self(pools::wide_runtime(processors)?))
    }

    /// Echoes through a pool: how long after the beginning each call was answered.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    pub fn pool(&self, pool: &TaskPool, calls: usize) -> Result<Vec<Duration>> {
        self.all(calls, || {
            let pool = pool.clone();
            async move {
                let call = pool.call(async |tools, store| tools.call_echo(store, HELLO).await);
                call.await?;
                Ok(())
            }
        })
    }

    /// Echoes with a bare instance for each call.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    pub fn bare(&self, bare: &Bare, calls: usize) -> Result<Vec<Duration>> {
        self.all(calls, || {
            let bare = bare.clone();
            async move {
                let (mut store, tools) = bare.start_task().await?;
                tools.call_echo(&mut store, HELLO).await?;
                Ok(())
            }
        })
    }

    fn all<F>(&self, calls: usize, call: impl Fn() -> F) -> Result<Vec<Duration>>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.0.block_on(async {
            let began = now();
            let tasks: Vec<_> = (0..calls)
                .map(|_| {
                    let call = call();
                    tokio::spawn(async move { call.await.map(|()| began.elapsed()) })
                })
                .collect();
            let mut answered = Vec::with_capacity(calls);
            for task in tasks {
                answered.push(task.await.ok().context("a call panicked")??);
            }
            answered.sort();
            Ok(answered)
        })
    }
}

/// When the last call was answered.
///
/// # Errors
///
/// Where there was none.
pub fn last(answered: &[Duration]) -> Result<Duration> {
    answered.last().copied().context("a burst of no calls")
}
