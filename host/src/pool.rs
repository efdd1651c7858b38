//! The async face: pools, and calls that are futures.

use std::fmt;
use std::time::Instant;

use wasmtime::Store;
use wasmtime::component::{Linker, Val};

use crate::call::{Call, receipt_wanted};
use crate::component::Component;
use crate::config::PoolConfig;
use crate::error::{CallError, PoolError};
use crate::exports::ExportedFunc;
use crate::instance::{WarmUp, WarmUpFuture};
use crate::lease::{self, Lease};
use crate::lending::{Guard, Lending, Owner};
use crate::plan::Plan;
use crate::receipt::Outcome;
use crate::state::State;
use crate::stats::PoolStats;
use crate::value::handles::Handles;
use crate::wasi::Face;
use crate::world::World;

/// A bounded set of instances of one component, called like an async service.
///
/// `W` is a world joined by [`world!`](crate::world), or `()` for calls by name only. `S` is the
/// embedder's own value, one per instance. Cheap to clone; clones share the instances. The last
/// clone to go closes the pool.
///
/// Its futures need tokio's timer, so they run on a tokio runtime.
pub struct Pool<W: World = (), S: Send + 'static = ()> {
    pub(crate) lending: Owner<W, S>,
    /// When the call came that this handle was made for, if that was before the pool was there.
    pub(crate) since: Option<Instant>,
}

impl Component {
    /// A pool whose host imports are WASI alone.
    ///
    /// # Errors
    ///
    /// As [`PoolBuilder::build`].
    pub fn pool<W: World>(&self, config: PoolConfig) -> Result<Pool<W>, PoolError> {
        Pool::builder(self, config, || ()).build()
    }
}

impl<W: World, S: Send + 'static> Pool<W, S> {
    /// Begins a pool that has host imports, a value of the embedder's per instance, or a warm-up.
    ///
    /// `state` makes the value of each new instance.
    pub fn builder(
        component: &Component,
        config: PoolConfig,
        state: impl Fn() -> S + Send + Sync + 'static,
    ) -> PoolBuilder<W, S> {
        PoolBuilder(Plan::new(component, config, Box::new(state)))
    }

    /// Calls the guest: `call` gets the world's exports and the store they are called on.
    ///
    /// ```
    /// # wasmtime::component::bindgen!({
    /// #     inline: "package demo:text; world text-tools { export shout: func(text: string) -> string; }",
    /// #     exports: { default: async },
    /// # });
    /// # prewarm::world!(TextTools, TextToolsIndices);
    /// # async fn run(pool: prewarm::Pool<TextTools>) -> Result<(), prewarm::Error> {
    /// let loud = pool.call(async |text, store| text.call_shout(store, "hi").await).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError`] says why there is no answer. A `result` error of the guest is an answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future cancels the call: its place in the queue is given up, a running guest is
    /// stopped and its instance retired.
    pub fn call<R, F>(
        &self,
        call: F,
    ) -> Call<impl Future<Output = Outcome<R>> + use<'_, R, F, W, S>>
    where
        F: AsyncFnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
    {
        let lending = &*self.lending;
        Call::new(async move {
            let measured = receipt_wanted();
            let (mut guard, begun) = match lending.ready(measured, self.since) {
                Some((instance, begun)) => (Guard::new(lending, instance), begun),
                None => Lending::lend(lending, measured, self.since).await?,
            };
            lease::run(&mut guard, &begun, call).await
        })
    }

    /// Calls an export by its name, short where that is unambiguous (`shout`) or in full
    /// (`demo:text/tools@1.0.0#shout`).
    ///
    /// # Errors
    ///
    /// As [`Pool::call`], and [`CallError::Resolve`] or [`CallError::Value`] where the name or a
    /// parameter does not fit; then no instance was used.
    ///
    /// # Cancel safety
    ///
    /// As [`Pool::call`].
    pub fn invoke(
        &self,
        name: &str,
        params: &[Val],
    ) -> Call<impl Future<Output = Outcome<Option<Val>>> + use<'_, W, S>> {
        let found = self.prepare(name, |function, _| {
            function.check_params(params)?;
            Ok(params.to_vec())
        });
        Call::new(async move {
            let (function, params) = found?;
            self.invoke_prepared(function, &params, |_, answer, _| Ok(answer))
                .await
        })
    }

    /// Calls an export with parameters written as WAVE, the text format of `wasmtime run --invoke`:
    /// `"hi", 3` or `("hi", 3)`. The answer is WAVE too.
    ///
    /// # Errors
    ///
    /// As [`Pool::invoke`].
    ///
    /// # Cancel safety
    ///
    /// As [`Pool::call`].
    #[cfg(feature = "wave")]
    pub fn invoke_wave(
        &self,
        name: &str,
        params: &str,
    ) -> Call<impl Future<Output = Outcome<String>> + use<'_, W, S>> {
        let found = self.prepare(name, |function, handles| {
            function.params_from_wave(params, handles)
        });
        Call::new(async move {
            let (function, params) = found?;
            self.invoke_prepared(function, &params, |function, answer, handles| {
                Ok(function.results_to_wave(answer.into_iter().collect(), handles)?)
            })
            .await
        })
    }

    /// Calls an export with parameters as JSON: an array of all, or an object by name.
    ///
    /// ```
    /// # async fn run(pool: prewarm::Pool) -> Result<(), prewarm::Error> {
    /// let loud = pool.invoke_json("shout", &serde_json::json!(["hi"])).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Pool::invoke`].
    ///
    /// # Cancel safety
    ///
    /// As [`Pool::call`].
    #[cfg(feature = "json")]
    pub fn invoke_json(
        &self,
        name: &str,
        params: &serde_json::Value,
    ) -> Call<impl Future<Output = Outcome<serde_json::Value>> + use<'_, W, S>> {
        let found = self.prepare(name, |function, handles| {
            function.params_from_json(params, handles)
        });
        Call::new(async move {
            let (function, params) = found?;
            self.invoke_prepared(function, &params, |function, answer, handles| {
                Ok(function.results_to_json(answer.into_iter().collect(), handles)?)
            })
            .await
        })
    }

    /// One instance for several calls in order.
    ///
    /// # Errors
    ///
    /// [`CallError`] says why no instance was lent.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses the place in the queue and nothing else.
    pub async fn lease(&self) -> Result<Lease<W, S>, CallError> {
        let lending = self.lending.clone();
        let guard = match lending.ready(false, self.since) {
            Some((instance, _)) => Guard::new(lending, instance),
            None => Lending::lend(lending, false, self.since).await?.0,
        };
        Ok(Lease { guard })
    }

    /// What the pool holds and has done.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.lending.stats()
    }

    /// The component it runs.
    #[must_use]
    pub fn component(&self) -> &Component {
        self.lending.maker.binding.component()
    }

    /// Refuses new calls with [`CallError::Closed`], lets running ones end or meet their deadline,
    /// drops everything, and returns when all is gone. A lease that is held keeps it waiting.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the pool closed and draining.
    pub async fn close(&self) {
        self.lending.close();
        self.lending.drained().await;
    }

    fn prepare(
        &self,
        name: &str,
        read: impl FnOnce(&ExportedFunc, &mut Handles) -> Result<Vec<Val>, crate::ValueError>,
    ) -> Result<(&ExportedFunc, Vec<Val>), CallError> {
        let function = self.component().exports().find(name)?;
        let params = read(function, &mut Handles::default())?;
        Ok((function, params))
    }

    async fn invoke_prepared<R>(
        &self,
        function: &ExportedFunc,
        params: &[Val],
        answer: impl FnOnce(&ExportedFunc, Option<Val>, &mut Handles) -> Result<R, CallError>,
    ) -> Outcome<R> {
        let lending = &*self.lending;
        let measured = receipt_wanted();
        let (mut guard, begun) = match lending.ready(measured, self.since) {
            Some((instance, begun)) => (Guard::new(lending, instance), begun),
            None => Lending::lend(lending, measured, self.since).await?,
        };
        let (value, receipt) = lease::invoke(&mut guard, &begun, function, params).await?;
        // Resources in the answer end with the instance: only a lease can pass them on.
        let answer = answer(function, value, &mut Handles::default())?;
        Ok((answer, receipt))
    }
}

impl<W: World, S: Send + 'static> Clone for Pool<W, S> {
    fn clone(&self) -> Self {
        Self {
            lending: self.lending.clone(),
            since: None,
        }
    }
}

impl<W: World, S: Send + 'static> fmt::Debug for Pool<W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A pool that is being set up. Made by [`Pool::builder`].
#[must_use = "nothing is made until `build`"]
pub struct PoolBuilder<W: World, S: Send + 'static>(Plan<W, S>);

impl<W: World, S: Send + 'static> PoolBuilder<W, S> {
    /// Adds host imports: any `add_to_linker` that `bindgen!` made, over the embedder's own value.
    /// They may replace parts of WASI. Call it once for each.
    pub fn imports(
        mut self,
        link: impl Fn(&mut Linker<State<S>>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.0.imports.push(Box::new(link));
        self
    }

    /// Runs `warm_up` on each new instance before it is lent, so that callers meet a guest that has
    /// run before. An instance whose warm-up fails is not lent.
    pub fn warm_up(
        mut self,
        warm_up: impl for<'a> Fn(&'a W, &'a mut Store<State<S>>) -> WarmUpFuture<'a>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.0.warm_up = WarmUp::Async(Box::new(warm_up));
        self
    }

    /// The same by a call of an export by name.
    ///
    /// # Errors
    ///
    /// [`PoolError::World`] where there is no such function or a parameter does not fit.
    pub fn warm_up_invoke(mut self, name: &str, params: &[Val]) -> Result<Self, PoolError> {
        self.0.warm_up_invoke(name, params)?;
        Ok(self)
    }

    /// Makes the pool. Instances up to [`PoolConfig::min_warm`] are made in the background.
    ///
    /// # Errors
    ///
    /// [`PoolError::MissingImports`] lists what nobody provides; see [`PoolError`] for the rest.
    pub fn build(self) -> Result<Pool<W, S>, PoolError> {
        let runtime = tokio::runtime::Handle::try_current().ok();
        Ok(Pool {
            lending: self.0.lending(Face::Async, runtime)?,
            since: None,
        })
    }
}

impl<W: World, S: Send + 'static> fmt::Debug for PoolBuilder<W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder").finish_non_exhaustive()
    }
}
