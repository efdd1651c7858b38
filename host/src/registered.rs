//! Components that are loaded when they are called, and unloaded when others need the room.
//!
//! The async face. What happens behind it is in `entry`.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use wasmtime::Store;
use wasmtime::component::{Linker, Val};

use crate::call::Call;
use crate::config::PoolConfig;
use crate::entry::{Entry, Recipe, Rehearsal};
use crate::error::{CallError, PoolError};
use crate::host::{Host, Wasm};
use crate::instance::WarmUpFuture;
use crate::lease::Lease;
use crate::lending::Owner;
use crate::plan;
use crate::pool::Pool;
use crate::receipt::Outcome;
use crate::state::State;
use crate::stats::PoolStats;
use crate::wasi::Face;
use crate::world::World;

/// A component that the host knows and loads when it is called: what ten thousand functions are, of
/// which a few are in use.
///
/// Made by [`Host::register`]. It has the calls of a [`Pool`]. The first one loads the component and
/// makes its pool; those that come meanwhile wait for the same load. A pool that nobody uses is
/// given up, and its code unmapped, when more than [`HostConfig::max_loaded`] are loaded or they take
/// more than [`HostConfig::max_code_bytes`]: the one that was not used for longest first. The next
/// call loads it again.
///
/// - **Order.** As many loads run at once as there are processors, in the order in which they were
///   first asked for.
/// - **Deadline.** [`Limits::deadline`] covers the wait for the load too, as [`Phase::Load`]. A
///   component that is not in the cache on disk is compiled, which may take seconds: where calls
///   must not wait for that, call [`Registered::pool`] ahead, once, or fill the cache by
///   [`Host::load`].
/// - **Errors.** A load that fails gives [`CallError::Load`] to all who waited for it, and for 100 ms
///   to all who call; then the next call tries again. After each failure in a row this is twice as
///   long, up to 6.4 s.
/// - **Content.** It stays what it was when it was first loaded, so that it makes no difference when
///   it is unloaded: if its file changes, it is loaded again from the cache on disk, or else refused
///   by [`LoadError::Changed`]. To run what the file holds now, register it again.
/// - **Bounds.** While it is loaded as many calls may wait as its pool has slots and places in its
///   queue; one more is [`CallError::Busy`].
/// - **Cost.** Its configuration, and a path or bytes. Bytes stay in memory; a path costs less.
///
/// Cheap to clone. The last clone to go unloads it. Its futures need tokio's timer.
///
/// [`HostConfig::max_loaded`]: crate::HostConfig::max_loaded
/// [`HostConfig::max_code_bytes`]: crate::HostConfig::max_code_bytes
/// [`Limits::deadline`]: crate::Limits::deadline
/// [`Phase::Load`]: crate::Phase::Load
/// [`LoadError::Changed`]: crate::LoadError::Changed
pub struct Registered<W: World = (), S: Send + 'static = ()> {
    entry: Arc<Entry<W, S>>,
}

impl Host {
    /// Registers a component whose host imports are WASI alone. It is neither read nor loaded
    /// before it is called.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), prewarm::Error> {
    /// use prewarm::{Host, HostConfig, PoolConfig, Registered, Val};
    ///
    /// let host = Host::new(HostConfig::default())?;
    /// let text: Registered = host.register("examples/wat/text.wat", PoolConfig::new(8))?;
    /// assert!(!text.is_loaded());
    ///
    /// let loud = text.invoke("shout", &[Val::String("hello".into())]).await?;
    /// assert_eq!(loud, Some(Val::String("HELLO".into())));
    /// assert_eq!((host.stats().registered, host.stats().loaded), (1, 1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`PoolError::Config`] where no pool of this host can have this configuration. What is wrong
    /// with the component the first call tells.
    pub fn register<W: World>(
        &self,
        wasm: impl Into<Wasm>,
        config: PoolConfig,
    ) -> Result<Registered<W>, PoolError> {
        Registered::builder(self, wasm, config, || ()).build()
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
            face: Face::Async,
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
    ///
    /// # Cancel safety
    ///
    /// As [`Pool::call`]. A load that has begun goes on.
    pub fn call<'a, R, F>(
        &'a self,
        call: F,
    ) -> Call<impl Future<Output = Outcome<R>> + use<'a, R, F, W, S>>
    where
        F: AsyncFnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
    {
        Call::new(async move {
            let (used, since) = self.entry.open().await?;
            let pool = pool(&used.lending, since);
            pool.call(call).into_measured().await
        })
    }

    /// Calls an export by its name, as [`Pool::invoke`] does.
    ///
    /// # Errors
    ///
    /// As [`Pool::invoke`], and [`CallError::Load`] where it could not be loaded.
    ///
    /// # Cancel safety
    ///
    /// As [`Registered::call`].
    pub fn invoke<'a>(
        &'a self,
        name: &'a str,
        params: &'a [Val],
    ) -> Call<impl Future<Output = Outcome<Option<Val>>> + use<'a, W, S>> {
        Call::new(async move {
            let (used, since) = self.entry.open().await?;
            let pool = pool(&used.lending, since);
            pool.invoke(name, params).into_measured().await
        })
    }

    /// Calls an export with parameters as WAVE, as [`Pool::invoke_wave`] does.
    ///
    /// # Errors
    ///
    /// As [`Registered::invoke`].
    ///
    /// # Cancel safety
    ///
    /// As [`Registered::call`].
    #[cfg(feature = "wave")]
    pub fn invoke_wave<'a>(
        &'a self,
        name: &'a str,
        params: &'a str,
    ) -> Call<impl Future<Output = Outcome<String>> + use<'a, W, S>> {
        Call::new(async move {
            let (used, since) = self.entry.open().await?;
            let pool = pool(&used.lending, since);
            pool.invoke_wave(name, params).into_measured().await
        })
    }

    /// Calls an export with parameters as JSON, as [`Pool::invoke_json`] does.
    ///
    /// # Errors
    ///
    /// As [`Registered::invoke`].
    ///
    /// # Cancel safety
    ///
    /// As [`Registered::call`].
    #[cfg(feature = "json")]
    pub fn invoke_json<'a>(
        &'a self,
        name: &'a str,
        params: &'a serde_json::Value,
    ) -> Call<impl Future<Output = Outcome<serde_json::Value>> + use<'a, W, S>> {
        Call::new(async move {
            let (used, since) = self.entry.open().await?;
            let pool = pool(&used.lending, since);
            pool.invoke_json(name, params).into_measured().await
        })
    }

    /// One instance for several calls in order, as [`Pool::lease`] gives it. While it is held, the
    /// component stays loaded.
    ///
    /// # Errors
    ///
    /// As [`Pool::lease`], and [`CallError::Load`] where it could not be loaded.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses the place in the queue and nothing else.
    pub async fn lease(&self) -> Result<Lease<W, S>, CallError> {
        let (used, since) = self.entry.open().await?;
        pool(&used.lending, since).lease().await
    }

    /// Its pool, loaded if it is not, however long that takes. It stays loaded for as long as the
    /// handle or a clone of it is held: for calls that must never wait for a load.
    ///
    /// # Errors
    ///
    /// [`CallError::Load`] where it could not be loaded.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: a load that has begun goes on.
    pub async fn pool(&self) -> Result<Pool<W, S>, CallError> {
        let lending = self.entry.load_pool().await?;
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
        f.debug_struct("Registered")
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
    /// Adds host imports, as [`PoolBuilder::imports`](crate::PoolBuilder::imports) does. `link` runs
    /// at each load, on a thread of the host.
    pub fn imports(
        mut self,
        link: impl Fn(&mut Linker<State<S>>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.recipe.imports.push(Arc::new(link));
        self
    }

    /// Runs `warm_up` on each new instance, as
    /// [`PoolBuilder::warm_up`](crate::PoolBuilder::warm_up) does.
    pub fn warm_up(
        mut self,
        warm_up: impl for<'a> Fn(&'a W, &'a mut Store<State<S>>) -> WarmUpFuture<'a>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.recipe.warm_up = Rehearsal::Async(Arc::new(warm_up));
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
        f.debug_struct("RegisteredBuilder").finish_non_exhaustive()
    }
}
