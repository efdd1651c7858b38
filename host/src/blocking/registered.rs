//! Components that are loaded when they are called, for threads.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use wasmtime::Store;
use wasmtime::component::{Linker, Val};

use super::{Lease, Pool};
use crate::config::PoolConfig;
use crate::entry::{Entry, Recipe, Rehearsal};
use crate::error::{CallError, PoolError};
use crate::host::{Host, Wasm};
use crate::lending::Owner;
use crate::plan;
use crate::receipt::Receipt;
use crate::state::State;
use crate::stats::PoolStats;
use crate::wasi::Face;
use crate::world::World;

/// A component that the host knows and loads when it is called.
///
/// As [`crate::Registered`], whose documentation says more.
///
/// ```
/// # fn main() -> Result<(), prewarm::Error> {
/// use prewarm::{Host, HostConfig, PoolConfig, Val, blocking};
///
/// let host = Host::new(HostConfig::default())?;
/// let config = PoolConfig::new(8);
/// let text = blocking::Registered::<()>::new(&host, "examples/wat/text.wat", config)?;
/// let loud = text.invoke("shout", &[Val::String("hello".into())])?;
/// assert_eq!(loud, Some(Val::String("HELLO".into())));
/// # Ok(())
/// # }
/// ```
pub struct Registered<W: World = (), S: Send + 'static = ()> {
    entry: Arc<Entry<W, S>>,
}

impl<W: World> Registered<W> {
    /// Registers a component whose host imports are WASI alone. It is neither read nor loaded
    /// before it is called.
    ///
    /// # Errors
    ///
    /// As [`Host::register`].
    pub fn new(host: &Host, wasm: impl Into<Wasm>, config: PoolConfig) -> Result<Self, PoolError> {
        Self::builder(host, wasm, config, || ()).build()
    }
}

impl<W: World, S: Send + 'static> Registered<W, S> {
    /// Begins one whose pool has host imports, a value of the embedder's per instance, or a
    /// warm-up. What is given is used at each load.
    ///
    /// `state` makes the value of each new instance.
    pub fn builder(
        host: &Host,
        wasm: impl Into<Wasm>,
        config: PoolConfig,
        state: impl Fn() -> S + Send + Sync + 'static,
    ) -> RegisteredBuilder<W, S> {
        let recipe = Recipe {
            wasm: wasm.into(),
            config,
            face: Face::Blocking,
            state: Arc::new(state),
            imports: Vec::new(),
            warm_up: Rehearsal::None,
        };
        RegisteredBuilder {
            host: host.clone(),
            recipe,
        }
    }

    /// Calls the guest, as [`Pool::call`] does.
    ///
    /// # Errors
    ///
    /// As [`Pool::call`], and [`CallError::Load`] where it could not be loaded.
    pub fn call<R>(
        &self,
        call: impl FnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
    ) -> Result<R, CallError> {
        let (used, since) = self.entry.open_direct()?;
        pool(&used.lending, since).call(call)
    }

    /// The same, and what the call used.
    ///
    /// # Errors
    ///
    /// As [`Registered::call`].
    pub fn call_with_receipt<R>(
        &self,
        call: impl FnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
    ) -> Result<(R, Receipt), CallError> {
        let (used, since) = self.entry.open_direct()?;
        pool(&used.lending, since).call_with_receipt(call)
    }

    /// Calls an export by its name, as [`Pool::invoke`] does.
    ///
    /// # Errors
    ///
    /// As [`Pool::invoke`], and [`CallError::Load`] where it could not be loaded.
    pub fn invoke(&self, name: &str, params: &[Val]) -> Result<Option<Val>, CallError> {
        let (used, since) = self.entry.open_direct()?;
        pool(&used.lending, since).invoke(name, params)
    }

    /// The same, and what the call used.
    ///
    /// # Errors
    ///
    /// As [`Registered::invoke`].
    pub fn invoke_with_receipt(
        &self,
        name: &str,
        params: &[Val],
    ) -> Result<(Option<Val>, Receipt), CallError> {
        let (used, since) = self.entry.open_direct()?;
        pool(&used.lending, since).invoke_with_receipt(name, params)
    }

    /// Calls an export with parameters as JSON, as [`Pool::invoke_json`] does.
    ///
    /// # Errors
    ///
    /// As [`Registered::invoke`].
    #[cfg(feature = "json")]
    pub fn invoke_json(
        &self,
        name: &str,
        params: &serde_json::Value,
    ) -> Result<serde_json::Value, CallError> {
        let (used, since) = self.entry.open_direct()?;
        pool(&used.lending, since).invoke_json(name, params)
    }

    /// Calls an export with parameters as WAVE, as [`Pool::invoke_wave`] does.
    ///
    /// # Errors
    ///
    /// As [`Registered::invoke`].
    #[cfg(feature = "wave")]
    pub fn invoke_wave(&self, name: &str, params: &str) -> Result<String, CallError> {
        let (used, since) = self.entry.open_direct()?;
        pool(&used.lending, since).invoke_wave(name, params)
    }

    /// One instance for several calls in order. While it is held, the component stays loaded.
    ///
    /// # Errors
    ///
    /// As [`Pool::lease`], and [`CallError::Load`] where it could not be loaded.
    pub fn lease(&self) -> Result<Lease<W, S>, CallError> {
        let (used, since) = self.entry.open_direct()?;
        pool(&used.lending, since).lease()
    }

    /// Its pool, loaded if it is not, however long that takes. It stays loaded for as long as the
    /// handle or a clone of it is held.
    ///
    /// # Errors
    ///
    /// [`CallError::Load`] where it could not be loaded.
    pub fn pool(&self) -> Result<Pool<W, S>, CallError> {
        let lending = self.entry.load_pool_direct()?;
        Ok(pool(&lending, None))
    }

    /// Whether it is loaded just now.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.entry.loaded().is_some()
    }

    /// What its pool holds, and has done since it was loaded. `None` while it is not.
    #[must_use]
    pub fn stats(&self) -> Option<PoolStats> {
        self.entry.loaded().map(|lending| lending.stats())
    }

    /// The host that it is registered with.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.entry.host()
    }
}

fn pool<W: World, S: Send + 'static>(lending: &Owner<W, S>, since: Option<Instant>) -> Pool<W, S> {
    Pool {
        lending: lending.clone(),
        since,
    }
}

impl<W: World, S: Send + 'static> Clone for Registered<W, S> {
    fn clone(&self) -> Self {
        Self {
            entry: Arc::clone(&self.entry),
        }
    }
}

impl<W: World, S: Send + 'static> fmt::Debug for Registered<W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("blocking::Registered")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A component that is being registered. Made by [`Registered::builder`].
#[must_use = "nothing is registered until `build`"]
pub struct RegisteredBuilder<W: World, S: Send + 'static> {
    host: Host,
    recipe: Recipe<W, S>,
}

impl<W: World, S: Send + 'static> RegisteredBuilder<W, S> {
    /// Adds host imports: any `add_to_linker` that `bindgen!` made without `async`. `link` runs at
    /// each load, on a thread of the host.
    pub fn imports(
        mut self,
        link: impl Fn(&mut Linker<State<S>>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.recipe.imports.push(Arc::new(link));
        self
    }

    /// Runs `warm_up` on each new instance before it is lent. One whose warm-up fails is not lent.
    pub fn warm_up(
        mut self,
        warm_up: impl Fn(&W, &mut Store<State<S>>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.recipe.warm_up = Rehearsal::Blocking(Arc::new(warm_up));
        self
    }

    /// The same by a call of an export by name. Whether there is such a function the load tells.
    pub fn warm_up_invoke(mut self, name: impl Into<String>, params: &[Val]) -> Self {
        self.recipe.warm_up = Rehearsal::Invoke(name.into(), params.to_vec());
        self
    }

    /// Registers it.
    ///
    /// # Errors
    ///
    /// As [`Host::register`].
    pub fn build(self) -> Result<Registered<W, S>, PoolError> {
        plan::check_config(&self.recipe.config, self.host.config())?;
        Ok(Registered {
            entry: Entry::new(&self.host, self.recipe),
        })
    }
}

impl<W: World, S: Send + 'static> fmt::Debug for RegisteredBuilder<W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("blocking::RegisteredBuilder")
            .finish_non_exhaustive()
    }
}
