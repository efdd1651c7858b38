//! A compiled component, shared by all its pools.
//!
//! Knows what was compiled and where it came from; knows nothing of pools and instances.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use wasmtime::component::ComponentExportIndex;

use crate::cache::{self, Cache};
use crate::config::{HostConfig, processors};
use crate::dirt::Learner;
use crate::engine::{Engines, Lane};
use crate::exports::{Exports, Wit};
use crate::loads::Loads;
use crate::refill::{Next, Refill, Work};
use crate::registry::Registry;
use crate::reset::Reset;
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
    pub(crate) loading: Loading,
    plain_room: Arc<Room>,
    concurrent_room: Arc<Room>,
    pub(crate) loads: Loads,
    pub(crate) registry: Registry,
}

impl HostParts {
    pub(crate) fn new(config: HostConfig) -> Self {
        let engines = Arc::new(Engines::new(config.clone()));
        let clock = config.clock.clone();
        let slots = usize::try_from(config.max_instances).unwrap_or(usize::MAX);
        Self {
            cache: Cache::open(&config.cache),
            ticker: Ticker::new(Arc::clone(&engines), config.tick, clock.clone()),
            refill: Refill::new(config.refill_threads, clock.clone()),
            plain_room: Room::new(slots),
            concurrent_room: Room::new(slots),
            loads: Loads::new(processors()),
            loading: Loading::default(),
            registry: Registry::new(config.max_loaded, config.max_code_bytes, clock.now()),
            engines,
            config,
        }
    }

    /// Who may have instances in `lane`.
    pub(crate) fn room(&self, lane: Lane) -> &Arc<Room> {
        match lane {
            Lane::Plain => &self.plain_room,
            Lane::Concurrent => &self.concurrent_room,
        }
    }

    /// Has a refill thread unload what must go: dropping a pool and unmapping its code is nothing for
    /// a caller to wait for.
    pub(crate) fn unload_behind(self: &Arc<Self>) {
        if self.registry.is_over() && self.registry.tell() {
            self.refill.tell(Arc::clone(self) as Arc<_>);
        }
    }
}

/// Unloads what must go, when somebody stopped using it or may have.
impl Work for HostParts {
    fn work(&self) -> Next {
        let now = self.config.clock.now();
        self.registry.tidy(now);
        self.registry.look_at(now).map_or(Next::Done, Next::LookAt)
    }

    fn look(&self) -> bool {
        self.registry.look()
    }
}

/// What is loaded, by the hash of its bytes, so that it is loaded once. Whoever loads it holds the
/// inner lock meanwhile.
pub(crate) type Loading = Mutex<HashMap<[u8; 32], Arc<Mutex<Weak<Parts>>>>>;

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
    /// The file that it was loaded from, once it was loaded from one.
    path: OnceLock<PathBuf>,
    exports: OnceLock<Exports>,
    /// How the slots of the engine are reset that `raw` is on.
    home: Reset,
    away: OnceLock<Option<Away>>,
    pub(crate) learner: Learner,
}

/// The same code on the engine whose slots are reset the other way.
pub(crate) struct Away {
    pub(crate) raw: wasmtime::component::Component,
    /// Where the functions are in it, in the order of the exports.
    pub(crate) indices: Arc<[ComponentExportIndex]>,
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
        known: Option<Reset>,
    ) -> Self {
        let slots = host.engines.has_slots(lane);
        Self(Arc::new(Parts {
            home: known.unwrap_or(Reset::Dirty),
            away: OnceLock::new(),
            learner: Learner::new(known, slots),
            host,
            raw,
            lane,
            origin,
            id,
            path: OnceLock::new(),
            exports: OnceLock::new(),
        }))
    }

    /// Notes where its bytes can be read again. The first file stays.
    pub(crate) fn set_path(&self, path: &Path) {
        if self.0.path.get().is_none()
            && let Ok(path) = std::path::absolute(path)
        {
            let _ = self.0.path.set(path); // another thread's file will do
        }
    }

    /// A file whose bytes it was made of.
    #[cfg(feature = "snapshot")]
    pub(crate) fn path(&self) -> Option<&Path> {
        self.0.path.get().map(PathBuf::as_path)
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

    /// How the slots of its instances are reset, where the host has learned that: from the page
    /// faults of the first 64 calls with a fresh instance each, on Linux, and once more with the
    /// other way if that looks better. Kept in the cache, so the next process knows it at once.
    #[must_use]
    pub fn reset(&self) -> Option<Reset> {
        let learner = &self.0.learner;
        let slots = self.0.host.engines.has_slots(self.0.lane);
        (slots && learner.is_settled()).then(|| learner.reset())
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

impl Parts {
    /// The code on the engine whose slots are reset so; where that is not the one that it was
    /// loaded for, with where its functions are there. `None` where that engine cannot be had.
    pub(crate) fn on(
        &self,
        reset: Reset,
    ) -> Option<(&wasmtime::component::Component, Option<&Away>)> {
        if reset == self.home {
            return Some((&self.raw, None));
        }
        let away = self.away.get_or_init(|| match self.make_away(reset) {
            Ok(away) => Some(away),
            Err(error) => {
                tracing::warn!("slots of {} are reset as before: {error:#}", self.id);
                None
            }
        });
        let away = away.as_ref()?;
        Some((&away.raw, Some(away)))
    }

    fn make_away(&self, reset: Reset) -> wasmtime::Result<Away> {
        let engine = self.host.engines.get(self.lane, reset)?;
        let cached = self.host.cache.as_ref();
        let content = blake3::Hash::from_hex(&self.id)?;
        let raw = match cached.and_then(|cache| cache.load_content(engine, content)) {
            Some(raw) => raw,
            None => cache::copy(&self.raw, engine)?,
        };
        raw.initialize_copy_on_write_image()?;
        let indices = Exports::of(&raw)
            .iter()
            .map(|function| *function.index())
            .collect();
        Ok(Away { raw, indices })
    }

    /// A call showed how slots are to be reset: the next process need not learn it.
    pub(crate) fn learned(&self, reset: Reset) {
        tracing::debug!("the slots of {} are reset so: {reset:?}", self.id);
        if let Some(cache) = &self.host.cache {
            cache.note(&self.id, note(self.lane, Some(reset)));
        }
    }
}

/// What the cache remembers of a component: the lane it needs, and the reset once it is known.
pub(crate) fn note(lane: Lane, reset: Option<Reset>) -> u8 {
    let lane = match lane {
        Lane::Plain => 0,
        Lane::Concurrent => 1,
    };
    let reset = match reset {
        None => 0,
        Some(Reset::Dirty) => 2,
        Some(Reset::Whole) => 4,
    };
    lane | reset
}

/// What a note says.
pub(crate) fn noted(note: u8) -> Option<(Lane, Option<Reset>)> {
    let resets = [None, Some(Reset::Dirty), Some(Reset::Whole)];
    let mut all = Lane::ALL
        .into_iter()
        .flat_map(|lane| resets.map(|reset| (lane, reset)));
    all.find(|(lane, reset)| self::note(*lane, *reset) == note)
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
