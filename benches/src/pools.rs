//! prewarm as the benches use it.

use std::path::Path;

use prewarm::{
    Allocation, Component, Host, HostConfig, PoolConfig, Reuse, SnapshotConfig, Val, Wasm,
};
use wasmtime::Result;

use crate::guest::{self, TOOLS, tools_with_room};

/// A pool for threads.
pub type DirectPool = prewarm::blocking::Pool<guest::direct::Tools>;

/// A pool for tasks.
pub type TaskPool = prewarm::Pool<guest::task::Tools>;

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

/// One for a process that answers and ends: no slots are reserved, memory is mapped on demand.
///
/// # Errors
///
/// Where its settings cannot hold.
pub fn brief_host(cache: &Path) -> Result<Host> {
    let mut config = HostConfig::default();
    config.cache.dir = Some(cache.to_owned());
    config.allocation = Allocation::OnDemand;
    Ok(Host::new(config)?)
}

/// One with room for so many instances, or as many as it has room for as it comes.
///
/// # Errors
///
/// Where its settings cannot hold.
pub fn small_host(cache: &Path, max_instances: Option<u32>) -> Result<Host> {
    let mut config = HostConfig::default();
    config.cache.dir = Some(cache.to_owned());
    config.max_instances = max_instances.unwrap_or(config.max_instances);
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

/// One that echoes texts of so many bytes.
///
/// # Errors
///
/// Where the engine cannot be made.
pub fn tools_of(host: &Host, bytes: usize) -> Result<Component> {
    Ok(host.load_blocking(Wasm::wat(tools_with_room(bytes)))?)
}

// Pools are made here and not where they are used: what links WASI takes a minute to compile, once
// for each program otherwise.

/// A pool for threads.
///
/// # Errors
///
/// Where the component is another.
pub fn direct(component: &Component, config: PoolConfig) -> Result<DirectPool> {
    Ok(DirectPool::new(component, config)?)
}

/// A pool for tasks.
///
/// # Errors
///
/// Where the component is another.
pub fn task(component: &Component, config: PoolConfig) -> Result<TaskPool> {
    Ok(component.pool(config)?)
}

/// A pool of any component, for calls by name from threads.
///
/// # Errors
///
/// Where it imports more than WASI.
pub fn by_name(component: &Component, config: PoolConfig) -> Result<prewarm::blocking::Pool> {
    Ok(prewarm::blocking::Pool::new(component, config)?)
}

/// A pool of any component, for calls by name from tasks.
///
/// # Errors
///
/// Where it imports more than WASI.
pub fn by_name_task(component: &Component, config: PoolConfig) -> Result<prewarm::Pool> {
    Ok(component.pool(config)?)
}

/// The same, whose instances have called `name` before they are lent.
///
/// # Errors
///
/// Where the component is another.
pub fn by_name_warmed(
    component: &Component,
    config: PoolConfig,
    name: &str,
    params: &[Val],
) -> Result<prewarm::blocking::Pool> {
    let builder = prewarm::blocking::Pool::builder(component, config, || ());
    Ok(builder.warm_up_invoke(name, params)?.build()?)
}

/// The component after `init`.
///
/// # Errors
///
/// Where it cannot be had.
pub fn snapshot(component: &Component, init: &str) -> Result<Component> {
    Ok(component.snapshot_blocking(SnapshotConfig::new(init))?)
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

/// A runtime with so many threads.
///
/// # Errors
///
/// Where the system refuses them.
pub fn wide_runtime(threads: usize) -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
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
