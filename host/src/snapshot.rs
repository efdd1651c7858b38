//! Snapshots: components whose initialisation has already run.
//!
//! Knows what must be true of a snapshot, and how it is found again; knows nothing of how an
//! instance is called. The outcome is a component like any other: a pool does not tell the two
//! apart.
//!
//! ```text
//! recipe ──on record?──► content ──────────────────────────────────► cache ──► component
//!    └─ no: bytes ─► check, instrument ─► run the init ─► read ─► check ─► load ─┘
//! ```
//!
//! Invariants, each with tests:
//!
//! 1. The initialisation runs under limits, deadline and grants like any call.
//! 2. Its state is taken only after it ended well and holds no resource.
//! 3. What comes out is a valid component with the imports and exports of its source.
//! 4. A snapshot is found again only where everything that its outcome depends on is the same.
//! 5. The instrumented component is never cached.

mod recipe;
mod check;
mod reading;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Linker, Val};
use wasmtime_wizer::Wizer;

use crate::bound::Imports;
use crate::component::{Component, Origin};
use crate::config::{PoolConfig, Reuse};
use crate::engine::Lane;
use crate::error::{LoadError, SnapshotError};
use crate::exports::ExportedFunc;
use crate::grants::Grants;
use crate::host::{Host, Wasm, binary};
use crate::limits::Limits;
use crate::plan::Plan;
use crate::reset::Reset;
use crate::state::State;
use crate::wasi::Face;

/// How a component is initialised once and for all.
///
/// ```
/// let mut config = prewarm::SnapshotConfig::new("prepare");
/// config.limits.deadline = std::time::Duration::from_secs(60);
/// config.grants = prewarm::Grants::none().env("LANG", "C");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SnapshotConfig {
    /// The function that initialises, named as in [`Pool::invoke`](crate::Pool::invoke). It stays an
    /// export, and may be called again.
    pub init: String,
    /// Its parameters. Default none.
    pub params: Vec<Val>,
    /// Where the bytes of the component are. Default: the file that it was loaded from. A component
    /// that was loaded from bytes or text does not keep them, which would double what it takes: give
    /// them here once more. They are checked against [`Component::id`], and needed only where the
    /// snapshot is not in the cache.
    pub wasm: Option<Wasm>,
    /// What the outcome depends on beyond what is known of it: the content of granted directories,
    /// the network, the host's stdin, host imports. Any text that changes when that does. Default
    /// none: then a snapshot with such grants or imports is made anew each time, and others are
    /// cached.
    pub depends_on: Option<String>,
    /// What the initialisation may consume. The defaults are those of a call; it mostly needs a
    /// later deadline.
    pub limits: Limits,
    /// What the initialisation may touch. Default nothing. What it reads of this can be found in the
    /// memory of every instance, and in the cache: grant it no secrets that instances must not have.
    pub grants: Grants,
}

impl SnapshotConfig {
    /// The defaults, with `init` as the function that initialises.
    #[must_use]
    pub fn new(init: impl Into<String>) -> Self {
        Self {
            init: init.into(),
            params: Vec::new(),
            wasm: None,
            depends_on: None,
            limits: Limits::default(),
            grants: Grants::none(),
        }
    }
}

impl Component {
    /// Runs an initialisation of the guest once, and gives the component that begins after it.
    ///
    /// Each instance of that starts with the memory that the initialisation left: what it built is
    /// there and costs nothing. The snapshot is cached on disk like any component, under its source,
    /// its initialisation and what that was granted; from there it comes with [`Origin::Cache`],
    /// and nothing is run. The future runs the guest on a thread of its own.
    ///
    /// **Frozen.** Whatever the initialisation asked of the host is the same in every instance,
    /// now and in later processes: environment, arguments, time, and random numbers. A guest that
    /// seeds a generator of random numbers in it, as standard libraries do at the first use of a
    /// hash map, has the same seed everywhere: keys, tokens and identifiers must be drawn from the
    /// host after it. What the initialisation prints, it prints once.
    ///
    /// **What the guest must do.** End the initialisation with nothing open: no file, no stream, no
    /// resource of its own under a handle. Ask for time, environment and secrets later, at each
    /// call. Its core modules must not change tables (`table.set`, `table.grow` and the like), use
    /// 64-bit or shared memories, or be instantiated twice; nor may it use component-model async.
    /// [`SnapshotError::Refused`] names what stands in the way.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), prewarm::Error> {
    /// use prewarm::{Host, HostConfig, PoolConfig, SnapshotConfig, Val, Wasm};
    ///
    /// let wasm = Wasm::wat(
    ///     r#"(component
    ///         (core module $m
    ///             (global $ready (mut i32) (i32.const 0))
    ///             (func (export "prepare") (global.set $ready (i32.const 42)))
    ///             (func (export "answer") (result i32) (global.get $ready)))
    ///         (core instance $i (instantiate $m))
    ///         (func (export "prepare") (canon lift (core func $i "prepare")))
    ///         (func (export "answer") (result u32) (canon lift (core func $i "answer"))))"#,
    /// );
    /// let component = Host::new(HostConfig::default())?.load(wasm.clone()).await?;
    ///
    /// let mut config = SnapshotConfig::new("prepare");
    /// config.wasm = Some(wasm); // not needed for a component from a file
    /// let prepared = component.snapshot(config).await?;
    ///
    /// let pool = prepared.pool::<()>(PoolConfig::new(1))?;
    /// assert_eq!(pool.invoke("answer", &[]).await?, Some(Val::U32(42)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SnapshotError`] says what stands in the way, and whose fault it is.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future lets the work go on in the background, until its deadline at most; what
    /// it made is cached.
    pub async fn snapshot(&self, config: SnapshotConfig) -> Result<Self, SnapshotError> {
        self.snapshot_builder(config, || ()).load().await
    }

    /// The same on this thread.
    ///
    /// # Errors
    ///
    /// As [`Component::snapshot`].
    pub fn snapshot_blocking(&self, config: SnapshotConfig) -> Result<Self, SnapshotError> {
        self.snapshot_builder(config, || ()).load_blocking()
    }

    /// Begins a snapshot of a component that has host imports.
    ///
    /// `state` makes the embedder's value of the one instance that is initialised.
    pub fn snapshot_builder<S: Send + 'static>(
        &self,
        config: SnapshotConfig,
        state: impl Fn() -> S + Send + Sync + 'static,
    ) -> SnapshotBuilder<S> {
        SnapshotBuilder {
            component: self.clone(),
            config,
            state: Box::new(state),
            imports: Vec::new(),
        }
    }
}

/// A snapshot that is to be made. Made by [`Component::snapshot_builder`].
#[must_use = "nothing is made until `load`"]
pub struct SnapshotBuilder<S: Send + 'static> {
    component: Component,
    config: SnapshotConfig,
    state: Box<dyn Fn() -> S + Send + Sync>,
    imports: Vec<Imports<S>>,
}

impl<S: Send + 'static> SnapshotBuilder<S> {
    /// Adds host imports for the initialisation: any `add_to_linker` that `bindgen!` made without
    /// `async`, since the initialisation has a thread to itself. Pools of the snapshot need theirs
    /// all the same.
    ///
    /// What host functions answer is not known beforehand: set [`SnapshotConfig::depends_on`], or
    /// nothing is cached.
    pub fn imports(
        mut self,
        link: impl Fn(&mut Linker<State<S>>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.imports.push(Box::new(link));
        self
    }

    /// Gives the component that begins initialised: from the cache, or made on a thread of its own.
    ///
    /// # Errors
    ///
    /// As [`Component::snapshot`].
    ///
    /// # Cancel safety
    ///
    /// As [`Component::snapshot`].
    pub async fn load(self) -> Result<Component, SnapshotError> {
        tokio::task::spawn_blocking(|| self.load_blocking())
            .await
            .unwrap_or(Err(SnapshotError::Load(LoadError::Cancelled)))
    }

    /// The same on this thread.
    ///
    /// # Errors
    ///
    /// As [`Component::snapshot`].
    pub fn load_blocking(self) -> Result<Component, SnapshotError> {
        let host = self.host();
        let function = self.function()?;
        let (name, imports) = (function.full_name(), !self.imports.is_empty());
        let recipe = recipe::recipe(self.component.id(), name, imports, &self.config);
        let Some(recipe) = recipe else {
            return self.make(&function).map(|(component, _)| component);
        };
        // Once at a time, like any load.
        let place = host.place(*recipe.as_bytes());
        let mut place = place.lock();
        if let Some(loaded) = place.upgrade() {
            return Ok(Component(loaded));
        }
        let cache = host.parts.cache.as_ref();
        let made = cache.and_then(|cache| cache.made(&recipe));
        let loaded = made.map(|content| host.load_known(content));
        let component = match loaded.transpose().map_err(SnapshotError::Load)?.flatten() {
            Some(component) => component,
            None => {
                let (component, wasm) = self.make(&function)?;
                if let Some(cache) = cache {
                    cache.remember_made(&recipe, &blake3::hash(&wasm));
                }
                component
            }
        };
        *place = Arc::downgrade(&component.0);
        Ok(component)
    }

    /// The snapshot as WebAssembly, to be shipped or run elsewhere. It is made anew each time, and
    /// checked by being loaded, so that its code is in the cache.
    ///
    /// # Errors
    ///
    /// As [`Component::snapshot`].
    pub fn wasm_blocking(self) -> Result<Vec<u8>, SnapshotError> {
        let function = self.function()?;
        self.make(&function).map(|(_, wasm)| wasm)
    }

    fn host(&self) -> Host {
        Host {
            parts: Arc::clone(&self.component.0.host),
        }
    }

    /// The initialisation, which its parameters fit.
    fn function(&self) -> Result<Arc<ExportedFunc>, SnapshotError> {
        let function = self.component.exports().find(&self.config.init)?;
        function.check_params(&self.config.params)?;
        Ok(Arc::clone(function))
    }

    fn make(self, function: &ExportedFunc) -> Result<(Component, Vec<u8>), SnapshotError> {
        if self.component.lane() == Lane::Concurrent {
            return Err(check::refused(
                "it uses component-model async, and a task that is not done cannot be snapshotted",
            ));
        }
        let host = self.host();
        let source = self.component.clone();
        let bytes = self.bytes()?;
        let wasm = binary(&bytes).map_err(SnapshotError::Load)?;
        check::refuse(&wasm)?;
        let mut wizer = Wizer::new();
        wizer.init_func(function.full_name()).keep_init_func(true);
        let (cx, instrumented) = check::step(|| wizer.instrument_component(&wasm))?;

        // By hand, and not by the host's load, which would cache it.
        let engine = host
            .engine(source.lane(), Reset::Dirty)
            .map_err(SnapshotError::Load)?;
        let raw =
            check::step(|| wasmtime::component::Component::from_binary(engine, &instrumented))?;
        drop(instrumented);
        let origin = Origin::Compiled {
            took: Duration::ZERO,
        };
        let (parts, id) = (Arc::clone(&host.parts), source.id().to_owned());
        let instrumented =
            Component::new(parts, raw, source.lane(), origin, id, Some(Reset::Dirty));
        let init = instrumented.exports().find(function.full_name())?;
        let mut config = PoolConfig::new(1);
        config.reuse = Reuse::Calls(u32::MAX..=u32::MAX);
        config.limits = reading::with_room(&self.config.limits);
        config.grants = self.config.grants;
        let mut plan = Plan::<(), S>::new(&instrumented, config, self.state);
        plan.imports = self.imports;
        let pool = plan
            .lending(Face::Blocking, None)
            .map_err(SnapshotError::Prepare)?;
        let snapshot = reading::initialise(&pool, init, &self.config.params, &wizer, &cx)?;

        check::valid(&snapshot)?;
        let component = host
            .load_blocking(&*snapshot)
            .map_err(SnapshotError::Load)?;
        check::alike(&source, &component)?;
        Ok((component, snapshot))
    }

    /// The bytes that the component was made of.
    fn bytes(&self) -> Result<Vec<u8>, SnapshotError> {
        let own = || self.component.path().map(Wasm::from);
        let (path, bytes) = match self.config.wasm.clone().or_else(own) {
            None => return Err(SnapshotError::NoBytes),
            Some(Wasm::Bytes(bytes)) => (None, bytes.into_owned()),
            Some(Wasm::Path(path)) => {
                let bytes = read(&path)?;
                (Some(path), bytes)
            }
        };
        let found = blake3::hash(&bytes).to_hex().to_string();
        if found != self.component.id() {
            return Err(SnapshotError::Changed {
                path,
                expected: self.component.id().to_owned(),
                found,
            });
        }
        Ok(bytes)
    }
}

fn read(path: &PathBuf) -> Result<Vec<u8>, SnapshotError> {
    std::fs::read(path).map_err(|source| {
        SnapshotError::Load(LoadError::Read {
            path: path.clone(),
            source,
        })
    })
}

impl<S: Send + 'static> fmt::Debug for SnapshotBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SnapshotBuilder")
            .field("component", &self.component)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
