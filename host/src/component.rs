//! A compiled component, shared by all its pools.
//!
//! Knows what was compiled and where it came from; knows nothing of pools and instances.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::cache::Cache;
use crate::config::{HostConfig, processors};
use crate::engine::{Engines, Lane};
use crate::exports::{Exports, Wit};
use crate::loads::Loads;
use crate::refill::{Next, Refill, Work};
use crate::registry::Registry;
use crate::room::Room;
use crate::ticker::Ticker;

/// What all components and pools of one host share.
#[derive(Debug)]
pub(crate) struct HostParts {
    pub(crate) config: HostConfig,
    pub(crate) engines: Arc<Engines>,
    pub(crate) cache: Option<Cache>,
    pub(crate) ticker: Ticker,
    pub(crate) refill: Refill,
    plain_room: Room,
    concurrent_room: Room,
    pub(crate) loads: Loads,
    pub(crate) registry: Registry,
}

impl HostParts {
    pub(crate) fn new(config: HostConfig) -> Self {
        let engines = Arc::new(Engines::new(config.clone()));
        let clock = config.clock.clone();
        Self {
            cache: Cache::open(&config.cache),
            ticker: Ticker::new(Arc::clone(&engines), config.tick, clock.clone()),
            refill: Refill::new(config.refill_threads, clock.clone()),
            plain_room: Room::default(),
            concurrent_room: Room::default(),
            loads: Loads::new(processors()),
            registry: Registry::new(config.max_loaded, config.max_code_bytes, clock.now()),
            engines,
            config,
        }
    }

    /// The line of those for whom the engine of `lane` has no room.
    pub(crate) fn room(&self, lane: Lane) -> &Room {
        match lane {
            Lane::Plain => &self.plain_room,
            Lane::Concurrent => &self.concurrent_room,
        }
    }
}

/// Unloads what must go, when somebody stopped using it.
impl Work for HostParts {
    fn work(&self) -> Next {
        self.registry.tidy(self.config.clock.now());
        Next::Done
    }

    fn look(&self) -> bool {
        false
    }
}

/// A compiled component. Cheap to clone; clones share the code.
///
/// Made by [`Host::load`](crate::Host::load). Holds no instance: those live in pools.
#[derive(Clone)]
pub struct Component(pub(crate) Arc<Parts>);

pub(crate) struct Parts {
    pub(crate) host: Arc<HostParts>,
    pub(crate) raw: wasmtime::component::Component,
    pub(crate) lane: Lane,
    pub(crate) origin: Origin,
    pub(crate) id: String,
    exports: OnceLock<Exports>,
}

/// Where the machine code of a component came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The cache on disk; the code is mapped, not copied.
    Cache,
    /// It was compiled now.
    #[non_exhaustive]
    Compiled {
        /// How long that took.
        took: Duration,
    },
}

/// What wasmtime's pooling allocator must hold for one instance of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// Linear memories.
    pub memories: u32,
    /// Tables.
    pub tables: u32,
    /// Bytes of the largest memory at its start.
    pub memory_bytes: u64,
    /// Elements of the largest table at its start.
    pub table_elements: u64,
}

impl Component {
    pub(crate) fn new(
        host: Arc<HostParts>,
        raw: wasmtime::component::Component,
        lane: Lane,
        origin: Origin,
        id: String,
    ) -> Self {
        Self(Arc::new(Parts {
            host,
            raw,
            lane,
            origin,
            id,
            exports: OnceLock::new(),
        }))
    }

    /// The functions it exports, by name and type.
    #[must_use]
    pub fn exports(&self) -> &Exports {
        self.0.exports.get_or_init(|| Exports::of(&self.0.raw))
    }

    /// Everything it imports and exports, as WIT. Made anew at each call.
    #[must_use]
    pub fn wit(&self) -> Wit {
        Wit::of(&self.0.raw)
    }

    /// Whether it imports nothing at all, so that nothing it does can wait.
    pub(crate) fn is_closed(&self) -> bool {
        self.0
            .raw
            .component_type()
            .imports(self.0.raw.engine())
            .len()
            == 0
    }

    /// The kind of engine it runs on.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.0.lane
    }

    /// Where its machine code came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.0.origin
    }

    /// The BLAKE3 hash of its bytes, in hexadecimal: the same for the same component everywhere.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Bytes of its machine code and data, mapped once for all instances.
    #[must_use]
    pub fn code_bytes(&self) -> usize {
        let range = self.0.raw.image_range();
        (range.end as usize).saturating_sub(range.start as usize)
    }

    /// What one instance takes of the host's slots. `None` where it imports or exports modules or
    /// components, which makes that unknown before it is linked.
    #[must_use]
    pub fn needs(&self) -> Option<Needs> {
        let required = self.0.raw.resources_required()?;
        Some(Needs {
            memories: required.num_memories,
            tables: required.num_tables,
            memory_bytes: required.max_initial_memory_size.unwrap_or(0) * 65_536,
            table_elements: required.max_initial_table_size.unwrap_or(0),
        })
    }

    /// wasmtime's own component, for what this crate does not wrap.
    #[must_use]
    pub fn as_wasmtime(&self) -> &wasmtime::component::Component {
        &self.0.raw
    }
}

impl fmt::Debug for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Component")
            .field("id", &self.0.id)
            .field("lane", &self.0.lane)
            .field("origin", &self.0.origin)
            .finish_non_exhaustive()
    }
}
