//! The engines: one lane for components that use component-model async, one for all the rest.
//!
//! Knows how to tune wasmtime; knows nothing of pools. An engine is made when the first component
//! of its lane is loaded, because the machinery for concurrent tasks makes every call dearer: on a
//! two-core x86-64 machine a warm synchronous call took 638 ns with it and 188 ns without.

use std::sync::OnceLock;

use parking_lot::Mutex;
use wasmparser::{
    CanonicalFunction, ComponentDefinedType, ComponentType, ComponentTypeDeclaration,
    InstanceTypeDeclaration, Parser, Payload,
};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    WasmBacktraceDetails,
};

use crate::config::{Allocation, HostConfig};
use crate::reset::Reset;

/// The kind of engine a component runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lane {
    /// Without support for concurrent tasks: several times cheaper calls. For every component that
    /// uses no component-model async feature.
    Plain,
    /// With it: for components that use async functions, streams, futures or tasks.
    Concurrent,
}

impl Lane {
    /// Every lane, the likelier first.
    pub(crate) const ALL: [Self; 2] = [Self::Plain, Self::Concurrent];

    /// The lane that `binary` needs.
    pub(crate) fn of(binary: &[u8]) -> Self {
        if uses_async(binary) {
            Self::Concurrent
        } else {
            Self::Plain
        }
    }
}

/// Most linear memories, and most tables, that an average instance may have. Script guests built
/// with componentize-qjs have three of each.
const MEMORIES_PER_INSTANCE: u32 = 4;

/// Core instances that an average instance may have; a Python guest has 38.
const CORE_INSTANCES_PER_INSTANCE: u32 = 64;

/// Elements that a table's slot has room for: 1 MiB of address space.
pub(crate) const TABLE_SLOT_ELEMENTS: u32 = 1 << 17;

/// Bytes of a linear memory that are reset in place rather than given back to the system, where the
/// kernel tells which pages are dirty, and where it does not and all of them are written.
const KEEP_WITH_PAGEMAP: usize = 2 << 20;
const KEEP_WITHOUT_PAGEMAP: usize = 128 << 10;

/// The same where all of it is rewritten, dirty or not.
const KEEP_WHOLE: usize = 16 << 20;

/// The engines of one host.
#[derive(Debug)]
pub(crate) struct Engines {
    config: HostConfig,
    plain: Pair,
    concurrent: Pair,
    making: Mutex<()>,
}

/// The engines of one lane. The second is made for the first component that wants it.
#[derive(Debug, Default)]
struct Pair {
    dirty: OnceLock<Engine>,
    whole: OnceLock<Engine>,
}

impl Pair {
    fn of(&self, reset: Reset) -> &OnceLock<Engine> {
        match reset {
            Reset::Dirty => &self.dirty,
            Reset::Whole => &self.whole,
        }
    }
}

impl Engines {
    pub(crate) fn new(config: HostConfig) -> Self {
        Self {
            config,
            plain: Pair::default(),
            concurrent: Pair::default(),
            making: Mutex::new(()),
        }
    }

    fn lane(&self, lane: Lane) -> &Pair {
        match lane {
            Lane::Plain => &self.plain,
            Lane::Concurrent => &self.concurrent,
        }
    }

    /// The engine of a lane whose slots are reset so, made now if this is its first component.
    pub(crate) fn get(&self, lane: Lane, reset: Reset) -> wasmtime::Result<&Engine> {
        let cell = self.lane(lane).of(reset);
        if let Some(engine) = cell.get() {
            return Ok(engine);
        }
        let _making = self.making.lock();
        if let Some(engine) = cell.get() {
            return Ok(engine);
        }
        let engine = self.make(lane, reset)?;
        Ok(cell.get_or_init(|| engine))
    }

    /// Whether the instances of a lane that has an engine live in slots.
    pub(crate) fn has_slots(&self, lane: Lane) -> bool {
        let engine = self.lane(lane).dirty.get().or(self.lane(lane).whole.get());
        engine.is_some_and(|engine| engine.pooling_allocator_metrics().is_some())
    }

    /// Lets every guest look at its deadline.
    pub(crate) fn tick(&self) {
        for lane in Lane::ALL {
            for reset in [Reset::Dirty, Reset::Whole] {
                if let Some(engine) = self.lane(lane).of(reset).get() {
                    engine.increment_epoch();
                }
            }
        }
    }

    fn make(&self, lane: Lane, reset: Reset) -> wasmtime::Result<Engine> {
        match self.config.allocation {
            Allocation::OnDemand => Engine::new(&self.base(lane)),
            Allocation::Pooling => Engine::new(&self.pooling(lane, reset)),
            // Who wants the second engine can go on with the first.
            Allocation::Auto if reset == Reset::Whole => Engine::new(&self.pooling(lane, reset)),
            Allocation::Auto => Engine::new(&self.pooling(lane, reset)).or_else(|error| {
                tracing::warn!("instances get their memory on demand, which is slower, because slots cannot be reserved: {error:#}");
                Engine::new(&self.base(lane))
            }),
        }
    }

    fn base(&self, lane: Lane) -> Config {
        let mut config = Config::new();
        config.concurrency_support(lane == Lane::Concurrent);
        if lane == Lane::Concurrent {
            config.wasm_component_model_async_stackful(true);
            config.wasm_component_model_more_async_builtins(true);
        }
        config.epoch_interruption(true);
        config.consume_fuel(self.config.fuel);
        config.max_wasm_stack(self.config.stack_bytes);
        // As much again for host functions: wasmtime's own proportion is a quarter to three.
        config.async_stack_size(self.config.stack_bytes + (1536 << 10));
        config.wasm_backtrace_details(WasmBacktraceDetails::Enable);
        config
    }

    fn pooling(&self, lane: Lane, reset: Reset) -> Config {
        let instances = self.config.max_instances;
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(instances);
        pool.total_core_instances(instances.saturating_mul(CORE_INSTANCES_PER_INSTANCE));
        pool.total_memories(instances.saturating_mul(MEMORIES_PER_INSTANCE));
        pool.total_tables(instances.saturating_mul(MEMORIES_PER_INSTANCE));
        pool.total_stacks(instances);
        // What a single instance may have is for the limits of its pool to say.
        pool.max_component_instance_size(16 << 20);
        pool.max_core_instance_size(16 << 20);
        pool.max_core_instances_per_component(10_000);
        pool.max_memories_per_component(10_000);
        pool.max_tables_per_component(10_000);
        pool.max_memories_per_module(16);
        pool.max_tables_per_module(16);
        pool.table_elements(TABLE_SLOT_ELEMENTS as usize);
        pool.table_keep_resident(64 << 10);
        // A page that was dirty when it was swapped out looks clean to the scan, and the next
        // instance could read it (open report: bytecodealliance/wasmtime#14357).
        let scans = reset == Reset::Dirty
            && swap_is_off()
            && PoolingAllocationConfig::is_pagemap_scan_available();
        if scans {
            pool.pagemap_scan(Enabled::Yes);
        }
        pool.linear_memory_keep_resident(match reset {
            Reset::Dirty if scans => KEEP_WITH_PAGEMAP,
            Reset::Dirty => KEEP_WITHOUT_PAGEMAP,
            Reset::Whole => KEEP_WHOLE,
        });
        let mut config = self.base(lane);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        config
    }
}

fn swap_is_off() -> bool {
    std::fs::read_to_string("/proc/swaps")
        .is_ok_and(|swaps| swaps.lines().skip(1).all(|line| line.trim().is_empty()))
}

/// Deepest nesting of components in components. Composed ones have a few levels; what the compiler
/// does takes the square of it.
const MAX_DEPTH: u32 = 100;

/// Why a component is not given to the compiler.
#[derive(Debug, thiserror::Error)]
#[error("components are nested more than {MAX_DEPTH} deep")]
pub(crate) struct TooDeep;

/// Refuses components that are nested too deep. What is malformed the compiler tells better.
pub(crate) fn check_depth(binary: &[u8]) -> Result<(), TooDeep> {
    let mut depth: u32 = 0;
    for payload in Parser::new(0).parse_all(binary) {
        match payload {
            Ok(Payload::ComponentSection { .. } | Payload::ModuleSection { .. }) => depth += 1,
            Ok(Payload::End(_)) => depth = depth.saturating_sub(1),
            Ok(_) => {}
            Err(_) => return Ok(()),
        }
        if depth > MAX_DEPTH {
            return Err(TooDeep);
        }
    }
    Ok(())
}

/// Whether a component, or one inside it, uses anything of component-model async.
fn uses_async(binary: &[u8]) -> bool {
    Parser::new(0)
        .parse_all(binary)
        .any(|payload| match payload {
            Ok(Payload::ComponentCanonicalSection(section)) => section
                .into_iter()
                .flatten()
                .any(|f| is_async_canonical(&f)),
            Ok(Payload::ComponentTypeSection(section)) => {
                section.into_iter().flatten().any(|ty| is_async_type(&ty))
            }
            _ => false,
        })
}

fn is_async_canonical(function: &CanonicalFunction) -> bool {
    let options = match function {
        CanonicalFunction::Lift { options, .. } | CanonicalFunction::Lower { options, .. } => {
            options
        }
        CanonicalFunction::ResourceNew { .. }
        | CanonicalFunction::ResourceDrop { .. }
        | CanonicalFunction::ResourceRep { .. } => return false,
        _ => return true,
    };
    options.iter().any(|option| {
        matches!(
            option,
            wasmparser::CanonicalOption::Async | wasmparser::CanonicalOption::Callback(_)
        )
    })
}

fn is_async_type(ty: &ComponentType<'_>) -> bool {
    match ty {
        ComponentType::Defined(ty) => is_async_defined(ty),
        ComponentType::Func(ty) => ty.async_,
        ComponentType::Component(declarations) => {
            declarations.iter().any(|declaration| match declaration {
                ComponentTypeDeclaration::Type(ty) => is_async_type(ty),
                _ => false,
            })
        }
        ComponentType::Instance(declarations) => {
            declarations.iter().any(|declaration| match declaration {
                InstanceTypeDeclaration::Type(ty) => is_async_type(ty),
                _ => false,
            })
        }
        ComponentType::Resource { .. } => false,
    }
}

fn is_async_defined(ty: &ComponentDefinedType<'_>) -> bool {
    matches!(
        ty,
        ComponentDefinedType::Future(_) | ComponentDefinedType::Stream(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lane_follows_the_component() {
        let cases = [
            ("(component)", Lane::Plain),
            ("(component (type (func)))", Lane::Plain),
            ("(component (type (func async)))", Lane::Concurrent),
            ("(component (type (stream u8)))", Lane::Concurrent),
            ("(component (component (type (future))))", Lane::Concurrent),
            (
                "(component (type (component (type (func async)))))",
                Lane::Concurrent,
            ),
            (
                "(component (core func (canon task.cancel)))",
                Lane::Concurrent,
            ),
            (
                "(component (type $r (resource (rep i32))) (core func (canon resource.drop $r)))",
                Lane::Plain,
            ),
        ];
        for (text, lane) in cases {
            assert_eq!(Lane::of(&wat::parse_str(text).unwrap()), lane, "{text}");
        }
    }

    #[test]
    fn engines_are_made_once() {
        let engines = Engines::new(HostConfig::default());
        let first = engines.get(Lane::Plain, Reset::Dirty).unwrap();
        let again = engines.get(Lane::Plain, Reset::Dirty).unwrap();
        assert!(Engine::same(first, again));
        assert!(engines.plain.whole.get().is_none());
        assert!(engines.concurrent.dirty.get().is_none());
    }

    #[test]
    fn what_one_engine_compiled_the_other_of_its_lane_takes() {
        use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
        let engines = Engines::new(HostConfig::default());
        let hash = |reset| {
            let engine = engines.get(Lane::Plain, reset).unwrap();
            BuildHasherDefault::<DefaultHasher>::new()
                .hash_one(engine.precompile_compatibility_hash())
        };
        assert_eq!(hash(Reset::Dirty), hash(Reset::Whole));
    }
}
