//! wasmtime without anything around it: as it comes, with its pool as it comes, and tuned by hand as
//! prewarm tunes it.

use std::path::Path;

use wasmtime::component::{Component, Linker};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result, Store,
};

use crate::bindings::direct::work::{Work, WorkPre};
use crate::bindings::{Answers, Labels};
use crate::job::{Answer, Job};
use crate::rival::{Caller, Life, Rival};

/// A guest on a bare engine, with everything done once that can be done once.
pub struct Bare {
    name: &'static str,
    settings: &'static str,
    engine: Engine,
    pre: WorkPre<Labels>,
}

/// All three.
///
/// # Errors
///
/// Where the address space does not allow the pools.
pub fn all(file: &Path) -> Result<[Bare; 3]> {
    Ok([on_demand(file)?, pooling(file)?, tuned(file)?])
}

fn on_demand(file: &Path) -> Result<Bare> {
    Bare::new(
        "wasmtime",
        "wasmtime 48, Config::new(): on-demand, concurrency support on, no epochs, no limits",
        &Config::new(),
        file,
    )
}

fn pooling(file: &Path) -> Result<Bare> {
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::pooling());
    Bare::new(
        "wasmtime-pooling",
        "wasmtime 48, pooling as it comes: nothing kept resident, concurrency support on, no epochs, no limits",
        &config,
        file,
    )
}

/// The engine that prewarm's lane for components without component-model async has.
fn tuned(file: &Path) -> Result<Bare> {
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
    Bare::new(
        "wasmtime-tuned",
        "wasmtime 48, pooling for 100, 2 MiB kept resident with pagemap scan where swap is off (else 128 KiB), \
         concurrency support off, epochs compiled in and never bumped, no limits",
        &config,
        file,
    )
}

fn swap_is_off() -> bool {
    std::fs::read_to_string("/proc/swaps")
        .is_ok_and(|swaps| swaps.lines().skip(1).all(|line| line.trim().is_empty()))
}

impl Bare {
    fn new(
        name: &'static str,
        settings: &'static str,
        config: &Config,
        file: &Path,
    ) -> Result<Self> {
        let engine = Engine::new(config)?;
        let component = Component::from_file(&engine, file)?;
        component.initialize_copy_on_write_image()?;
        let pre = Linker::new(&engine).instantiate_pre(&component)?;
        Ok(Self {
            name,
            settings,
            engine,
            pre: WorkPre::new(pre)?,
        })
    }

    fn start(&self) -> Result<Live> {
        let mut store = Store::new(&self.engine, Labels);
        // Nobody bumps the epoch here.
        store.set_epoch_deadline(1);
        let guest = self.pre.instantiate(&mut store)?;
        Ok(Live { store, guest })
    }
}

impl Rival for Bare {
    fn name(&self) -> &'static str {
        self.name
    }

    fn settings(&self) -> String {
        self.settings.to_owned()
    }

    fn caller(&self, life: Life) -> Result<Box<dyn Caller + '_>> {
        Ok(match life {
            Life::Warm => Box::new(self.start()?),
            Life::Fresh => Box::new(Starts(self)),
        })
    }
}

struct Live {
    store: Store<Labels>,
    guest: Work,
}

impl Caller for Live {
    #[inline]
    fn call(&mut self, job: &Job) -> Result<Answer> {
        self.guest.answer(&mut self.store, job)
    }
}

struct Starts<'a>(&'a Bare);

impl Caller for Starts<'_> {
    #[inline]
    fn call(&mut self, job: &Job) -> Result<Answer> {
        self.0.start()?.call(job)
    }
}
