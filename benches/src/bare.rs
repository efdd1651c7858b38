//! wasmtime without prewarm, to compare with: tuned by hand like prewarm's lane, and as it comes.

use wasmtime::Result;
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
};

use crate::guest::{TOOLS, direct, task, tools_with_room};

/// An engine tuned as prewarm tunes its lane for components without component-model async.
///
/// # Errors
///
/// Where the address space does not allow it.
pub fn lane() -> Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(100)
        .total_core_instances(100)
        .total_memories(100)
        .total_tables(100)
        .total_stacks(100)
        .table_keep_resident(64 << 10);
    if swap_is_off() && PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(2 << 20);
    } else {
        pool.linear_memory_keep_resident(128 << 10);
    }
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

/// An engine as it comes.
///
/// # Errors
///
/// None on a machine that wasmtime supports.
pub fn default_engine() -> Result<Engine> {
    Engine::new(&Config::new())
}

/// An engine as it comes, with the pooling allocator as it comes.
///
/// # Errors
///
/// Where the address space does not allow it.
pub fn default_pooling() -> Result<Engine> {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    Engine::new(&config)
}

fn swap_is_off() -> bool {
    std::fs::read_to_string("/proc/swaps")
        .is_ok_and(|swaps| swaps.lines().skip(1).all(|line| line.trim().is_empty()))
}

/// The guest of the benches on an engine, with everything done once that can be done once.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the bindings have none")]
pub struct Bare {
    engine: Engine,
    by_name: InstancePre<()>,
    direct: direct::ToolsPre<()>,
    task: task::ToolsPre<()>,
}

impl Bare {
    /// Compiles it.
    ///
    /// # Errors
    ///
    /// None on a machine that wasmtime supports.
    pub fn new(engine: Engine) -> Result<Self> {
        Self::of(engine, TOOLS)
    }

    /// One that echoes texts of so many bytes.
    ///
    /// # Errors
    ///
    /// None on a machine that wasmtime supports.
    pub fn with_room(engine: Engine, bytes: usize) -> Result<Self> {
        Self::of(engine, &tools_with_room(bytes))
    }

    fn of(engine: Engine, text: &str) -> Result<Self> {
        let component = Component::new(&engine, wat::parse_str(text)?)?;
        component.initialize_copy_on_write_image()?;
        let pre = Linker::new(&engine).instantiate_pre(&component)?;
        Ok(Self {
            direct: direct::ToolsPre::new(pre.clone())?,
            task: task::ToolsPre::new(pre.clone())?,
            by_name: pre,
            engine,
        })
    }

    fn store(&self) -> Store<()> {
        let mut store = Store::new(&self.engine, ());
        store.set_epoch_deadline(1);
        store
    }

    /// Makes an instance for a thread.
    ///
    /// # Errors
    ///
    /// Where the engine has no room for it.
    pub fn start(&self) -> Result<(Store<()>, direct::Tools)> {
        let mut store = self.store();
        let tools = self.direct.instantiate(&mut store)?;
        Ok((store, tools))
    }

    /// Makes an instance for a task.
    ///
    /// # Errors
    ///
    /// Where the engine has no room for it.
    pub async fn start_task(&self) -> Result<(Store<()>, task::Tools)> {
        let mut store = self.store();
        let tools = self.task.instantiate_async(&mut store).await?;
        Ok((store, tools))
    }

    /// Makes an instance for a thread, whose functions are found by name.
    ///
    /// # Errors
    ///
    /// Where the engine has no room for it.
    pub fn start_by_name(&self) -> Result<(Store<()>, Instance)> {
        let mut store = self.store();
        let instance = self.by_name.instantiate(&mut store)?;
        Ok((store, instance))
    }

    /// Makes an instance for a task, whose functions are found by name.
    ///
    /// # Errors
    ///
    /// Where the engine has no room for it.
    pub async fn start_task_by_name(&self) -> Result<(Store<()>, Instance)> {
        let mut store = self.store();
        let instance = self.by_name.instantiate_async(&mut store).await?;
        Ok((store, instance))
    }
}
