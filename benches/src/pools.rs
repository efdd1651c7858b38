//! prewarm as the benches use it.

use std::path::Path;

use prewarm::{Component, Host, HostConfig, PoolConfig, Reuse, Wasm};
use wasmtime::Result;

use crate::guest::{TOOLS, direct, task};

/// A pool for threads.
pub type DirectPool = prewarm::blocking::Pool<direct::Tools>;

/// A pool for tasks.
pub type TaskPool = prewarm::Pool<task::Tools>;

/// A host that keeps compiled components in `cache`, or nowhere.
///
/// # Errors
///
/// Where its settings cannot hold.
pub fn host(cache: Option<&Path>) -> Result<Host> {
    let mut config = HostConfig::default();
    config.cache.enabled = cache.is_some();
    config.cache.dir = cache.map(Path::to_owned);
    Ok(Host::new(config)?)
}

/// The guest of the benches.
///
/// # Errors
///
/// Where the engine cannot be made.
pub fn tools(host: &Host) -> Result<Component> {
    Ok(host.load_blocking(Wasm::wat(TOOLS))?)
}

/// Instances that serve call after call.
#[must_use]
pub fn reused(max_instances: usize) -> PoolConfig {
    let mut config = PoolConfig::new(max_instances);
    config.reuse = Reuse::Calls(u32::MAX..=u32::MAX);
    config
}

/// A fresh instance for each call.
#[must_use]
pub fn fresh(max_instances: usize) -> PoolConfig {
    PoolConfig::new(max_instances)
}

/// A runtime on this thread.
///
/// # Errors
///
/// Where the system refuses it.
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// A host as it comes, with the cache of this user.
///
/// # Errors
///
/// Where its settings cannot hold.
pub fn user_host() -> Result<Host> {
    Ok(Host::new(HostConfig::default())?)
}
