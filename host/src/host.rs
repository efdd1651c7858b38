//! The host: one per process, and the way from a file to a component.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::cache::{Cache, CacheStats, Source};
use crate::component::{Component, HostParts, Origin, Parts, note, noted};
use crate::config::HostConfig;
use crate::engine::{Lane, check_depth};
use crate::error::{HostError, LoadError};
use crate::fault;
use crate::reset::Reset;
use crate::stats::HostStats;

/// Engines, cache and threads: one per process. Cheap to clone; clones share everything.
///
/// ```
/// # fn main() -> Result<(), prewarm::Error> {
/// let host = prewarm::Host::new(prewarm::HostConfig::default())?;
/// let component = host.load_blocking(prewarm::Wasm::wat("(component)"))?;
/// assert_eq!(component.lane(), prewarm::Lane::Plain);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Host {
    pub(crate) parts: Arc<HostParts>,
}

/// Where a component comes from: a path, bytes, or text.
///
/// A `&str`, `String`, `&Path` or `PathBuf` is a path; a `&[u8]` or `Vec<u8>` is a component, in
/// binary or in text form.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Wasm {
    /// A file that holds a component, in binary or in text form.
    Path(PathBuf),
    /// A component, in binary or in text form.
    Bytes(Cow<'static, [u8]>),
}

impl Wasm {
    /// A component in WebAssembly's text format.
    pub fn wat(text: impl Into<String>) -> Self {
        Self::Bytes(Cow::Owned(text.into().into_bytes()))
    }
}

impl From<&str> for Wasm {
    fn from(path: &str) -> Self {
        Self::Path(path.into())
    }
}
impl From<String> for Wasm {
    fn from(path: String) -> Self {
        Self::Path(path.into())
    }
}
impl From<&Path> for Wasm {
    fn from(path: &Path) -> Self {
        Self::Path(path.into())
    }
}
impl From<PathBuf> for Wasm {
    fn from(path: PathBuf) -> Self {
        Self::Path(path)
    }
}
impl From<&[u8]> for Wasm {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(Cow::Owned(bytes.to_vec()))
    }
}
impl From<Vec<u8>> for Wasm {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }
}

/// How far a load is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// The component is looked for in the cache.
    Looking,
    /// It was not there and is being compiled, which takes from a millisecond to ten seconds for
    /// each processor, depending on its size.
    #[non_exhaustive]
    Compiling {
        /// Size of the component in bytes.
        bytes: usize,
    },
    /// The compiled code is being written to the cache.
    Storing,
    /// Done.
    Ready(Origin),
}

impl Host {
    /// A host with these settings. Makes no engine and starts no thread yet.
    ///
    /// # Errors
    ///
    /// [`HostError`] where the settings cannot hold.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        if config.tick.is_zero() {
            return Err(HostError::Config {
                setting: "HostConfig::tick",
                problem: "is zero",
            });
        }
        if config.max_instances == 0 {
            return Err(HostError::Config {
                setting: "HostConfig::max_instances",
                problem: "is zero",
            });
        }
        if config.max_loaded == 0 {
            return Err(HostError::Config {
                setting: "HostConfig::max_loaded",
                problem: "is zero",
            });
        }
        Ok(Self {
            parts: Arc::new(HostParts::new(config)),
        })
    }

    /// Loads a component: from the cache, or compiled on all processors, off the async runtime.
    ///
    /// The same bytes are compiled at most once at a time, however many ask for them.
    ///
    /// # Errors
    ///
    /// [`LoadError`] says what is wrong with the file, or with the component in it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future lets the load go on in the background; what it compiled is cached.
    pub async fn load(&self, wasm: impl Into<Wasm>) -> Result<Component, LoadError> {
        self.load_with(wasm, |_| {}).await
    }

    /// The same, told how far it is.
    ///
    /// # Errors
    ///
    /// As [`Host::load`].
    ///
    /// # Cancel safety
    ///
    /// As [`Host::load`].
    pub async fn load_with(
        &self,
        wasm: impl Into<Wasm>,
        progress: impl Fn(Progress) + Send + 'static,
    ) -> Result<Component, LoadError> {
        let (host, wasm) = (self.clone(), wasm.into());
        let load = move || host.load_now(&wasm, &progress);
        tokio::task::spawn_blocking(load)
            .await
            .unwrap_or(Err(LoadError::Cancelled))
    }

    /// Loads a component on this thread.
    ///
    /// # Errors
    ///
    /// As [`Host::load`].
    pub fn load_blocking(&self, wasm: impl Into<Wasm>) -> Result<Component, LoadError> {
        self.load_now(&wasm.into(), &|_| {})
    }

    /// The same, told how far it is.
    ///
    /// # Errors
    ///
    /// As [`Host::load`].
    pub fn load_blocking_with(
        &self,
        wasm: impl Into<Wasm>,
        progress: impl Fn(Progress),
    ) -> Result<Component, LoadError> {
        self.load_now(&wasm.into(), &progress)
    }

    /// What the compile cache did. `None` where it is off or could not be opened.
    #[must_use]
    pub fn cache_stats(&self) -> Option<CacheStats> {
        self.parts.cache.as_ref().map(Cache::stats)
    }

    /// What it does for its registered components.
    #[must_use]
    pub fn stats(&self) -> HostStats {
        self.parts.registry.stats()
    }

    /// The settings it runs with.
    #[must_use]
    pub fn config(&self) -> &HostConfig {
        &self.parts.config
    }

    pub(crate) fn load_now(
        &self,
        wasm: &Wasm,
        progress: &dyn Fn(Progress),
    ) -> Result<Component, LoadError> {
        progress(Progress::Looking);
        let (source, path) = match wasm {
            Wasm::Path(path) => {
                let source = Source::file(path).map_err(|source| LoadError::Read {
                    path: path.clone(),
                    source,
                })?;
                (source, Some(path))
            }
            Wasm::Bytes(bytes) => (Source::bytes_of(&**bytes), None),
        };
        let unreadable = |source| LoadError::Read {
            path: path.cloned().unwrap_or_default(),
            source,
        };
        let noted = match &self.parts.cache {
            Some(cache) => cache.recall(&source).and_then(noted),
            None => {
                source.bytes().map_err(unreadable)?;
                None
            }
        };
        let content = source.content().map_err(unreadable)?;
        let place = self.place(*content.as_bytes());
        let mut place = place.lock();
        if let Some(loaded) = place.upgrade() {
            progress(Progress::Ready(loaded.origin));
            let component = Component(loaded);
            path.into_iter().for_each(|path| component.set_path(path));
            return Ok(component);
        }

        let known = noted.and_then(|(_, reset)| reset);
        let reset = known.unwrap_or(Reset::Dirty);
        let (raw, lane, origin) = match self.cached(&source, noted)? {
            Some((raw, lane)) => (raw, lane, Origin::Cache),
            None => {
                let bytes = source.bytes().map_err(unreadable)?;
                let (raw, lane, origin) = self.compile(bytes, reset, progress)?;
                let raw = match &self.parts.cache {
                    Some(cache) => {
                        progress(Progress::Storing);
                        cache.store(self.engine(lane, reset)?, &source, note(lane, known), raw)
                    }
                    None => raw,
                };
                (raw, lane, origin)
            }
        };
        let component = self.ready(raw, lane, origin, content, known)?;
        path.into_iter().for_each(|path| component.set_path(path));
        *place = Arc::downgrade(&component.0);
        progress(Progress::Ready(origin));
        Ok(component)
    }

    /// The component with this content, if it is loaded or in the cache, where its bytes are gone.
    pub(crate) fn load_known(&self, content: blake3::Hash) -> Result<Option<Component>, LoadError> {
        let place = self.place(*content.as_bytes());
        let mut place = place.lock();
        if let Some(loaded) = place.upgrade() {
            return Ok(Some(Component(loaded)));
        }
        let source = Source::known(content);
        let recalled = self.parts.cache.as_ref().and_then(|c| c.recall(&source));
        let noted = recalled.and_then(noted);
        let Some((raw, lane)) = self.cached(&source, noted)? else {
            return Ok(None);
        };
        let known = noted.and_then(|(_, reset)| reset);
        let component = self.ready(raw, lane, Origin::Cache, content, known)?;
        *place = Arc::downgrade(&component.0);
        Ok(Some(component))
    }

    /// Loads what was loaded before, and nothing else, whatever the file holds by now.
    pub(crate) fn load_again(
        &self,
        wasm: &Wasm,
        content: blake3::Hash,
    ) -> Result<Component, LoadError> {
        if let Some(component) = self.load_known(content)? {
            return Ok(component);
        }
        let component = self.load_now(wasm, &|_| {})?;
        let loaded = content.to_hex();
        match wasm {
            Wasm::Path(path) if component.id() != loaded.as_str() => Err(LoadError::Changed {
                path: path.clone(),
                loaded: loaded.to_string(),
                found: component.id().to_owned(),
            }),
            _ => Ok(component),
        }
    }

    fn ready(
        &self,
        raw: wasmtime::component::Component,
        lane: Lane,
        origin: Origin,
        content: blake3::Hash,
        known: Option<Reset>,
    ) -> Result<Component, LoadError> {
        // Otherwise the first instance pays for it.
        raw.initialize_copy_on_write_image()
            .map_err(|error| LoadError::Compile(error.into()))?;
        let (host, id) = (Arc::clone(&self.parts), content.to_hex().to_string());
        Ok(Component::new(host, raw, lane, origin, id, known))
    }

    /// Where the component with this content is kept, if it is loaded.
    pub(crate) fn place(&self, content: [u8; 32]) -> Arc<Mutex<Weak<Parts>>> {
        let mut loading = self.parts.loading.lock();
        if loading.len() == loading.capacity() {
            loading.retain(|_, place| {
                Arc::strong_count(place) > 1
                    || place
                        .try_lock()
                        .is_none_or(|loaded| loaded.strong_count() > 0)
            });
        }
        Arc::clone(loading.entry(content).or_default())
    }

    fn cached(
        &self,
        source: &Source<'_>,
        noted: Option<(Lane, Option<Reset>)>,
    ) -> Result<Option<(wasmtime::component::Component, Lane)>, LoadError> {
        let (Some(cache), Some((lane, known))) = (&self.parts.cache, noted) else {
            return Ok(None);
        };
        let engine = self.engine(lane, known.unwrap_or(Reset::Dirty))?;
        let raw = cache.load(engine, source, note(lane, known));
        Ok(raw.map(|raw| (raw, lane)))
    }

    fn compile(
        &self,
        bytes: &[u8],
        reset: Reset,
        progress: &dyn Fn(Progress),
    ) -> Result<(wasmtime::component::Component, Lane, Origin), LoadError> {
        let binary = binary(bytes)?;
        progress(Progress::Compiling {
            bytes: binary.len(),
        });
        check_depth(&binary).map_err(|error| LoadError::Compile(error.into()))?;
        let lane = Lane::of(&binary);
        let engine = self.engine(lane, reset)?;
        let began = self.parts.config.clock.now();
        let compile = || wasmtime::component::Component::from_binary(engine, &binary);
        let raw = catch_unwind(AssertUnwindSafe(compile))
            .map_err(|panic| LoadError::CompilerPanic {
                message: fault::panic_message(&*panic),
            })?
            .map_err(|error| LoadError::Compile(error.into()))?;
        let took = self
            .parts
            .config
            .clock
            .now()
            .saturating_duration_since(began);
        Ok((raw, lane, Origin::Compiled { took }))
    }

    /// The engine of all components of this kind, and the thread that ends their guests.
    pub(crate) fn engine(&self, lane: Lane, reset: Reset) -> Result<&wasmtime::Engine, LoadError> {
        self.parts
            .ticker
            .start()
            .map_err(|error| LoadError::Engine(error.into()))?;
        self.parts
            .engines
            .get(lane, reset)
            .map_err(|error| LoadError::Engine(error.into()))
    }
}

/// `bytes` in binary form, known to be a component.
pub(crate) fn binary(bytes: &[u8]) -> Result<Cow<'_, [u8]>, LoadError> {
    let binary = match bytes {
        [0, b'a', b's', b'm', ..] => Cow::Borrowed(bytes),
        text if looks_like_text(text) => {
            wat::parse_bytes(text).map_err(|error| LoadError::Text(error.into()))?
        }
        _ => {
            return Err(LoadError::NotWasm {
                start: bytes.iter().take(8).copied().collect(),
            });
        }
    };
    match binary.get(4..8) {
        Some([1, 0, 0, 0]) => Err(LoadError::CoreModule),
        _ => Ok(binary),
    }
}

/// Whether `bytes` begin as WebAssembly text does: with a parenthesis, or a comment before it.
fn looks_like_text(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    start.starts_with(b"(") || start.starts_with(b";;")
}
