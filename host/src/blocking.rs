//! The same without a runtime: pools whose calls run on the caller's thread, and are faster for it.
//!
//! A call here needs no fiber and no executor. Host functions block the thread; those of WASI give
//! up at the call's deadline, and so should the embedder's own (see [`State::deadline`]). WASI 0.3
//! and functions that the guest declares `async` are for the async face only.
//!
//! ```
//! # fn main() -> Result<(), prewarm::Error> {
//! let host = prewarm::Host::new(prewarm::HostConfig::default())?;
//! let wat = r#"(component
//!     (core module $m (func (export "f") (param i32) (result i32) local.get 0))
//!     (core instance $i (instantiate $m))
//!     (func (export "same") (param "n" u32) (result u32) (canon lift (core func $i "f"))))"#;
//! let component = host.load_blocking(prewarm::Wasm::wat(wat))?;
//! let pool = prewarm::blocking::Pool::<()>::new(&component, prewarm::PoolConfig::new(2))?;
//! let answer = pool.invoke("same", &[prewarm::Val::U32(7)])?;
//! assert_eq!(answer, Some(prewarm::Val::U32(7)));
//! # Ok(())
//! # }
//! ```

mod registered;

use std::fmt;
use std::ops::Deref;
use std::time::Instant;

use wasmtime::Store;
use wasmtime::component::{Linker, Val};

use crate::component::Component;
use crate::config::PoolConfig;
use crate::error::{CallError, PoolError};
use crate::exports::ExportedFunc;
use crate::instance::WarmUp;
use crate::lending::{Guard, Lending, Owner};
use crate::plan::Plan;
use crate::receipt::{Begun, Outcome, Receipt, answered, answered_and_measured};
use crate::state::State;
use crate::stats::PoolStats;
#[cfg(any(feature = "json", feature = "wave"))]
use crate::value::handles::Handles;
use crate::wasi::Face;
use crate::world::World;

pub use self::registered::{Registered, RegisteredBuilder};

/// A bounded set of instances of one component, called from threads.
///
/// As [`crate::Pool`], whose documentation says more; `bindgen!` without `async` makes its worlds.
pub struct Pool<W: World = (), S: Send + 'static = ()> {
    pub(crate) lending: Owner<W, S>,
    /// When the call came that this handle was made for, if that was before the pool was there.
    pub(crate) since: Option<Instant>,
}

impl<W: World> Pool<W> {
    /// A pool whose host imports are WASI alone.
    ///
    /// # Errors
    ///
    /// As [`PoolBuilder::build`].
    pub fn new(component: &Component, config: PoolConfig) -> Result<Self, PoolError> {
        Self::builder(component, config, || ()).build()
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
    /// # Errors
    ///
    /// [`CallError`] says why there is no answer. A `result` error of the guest is an answer.
    pub fn call<R>(
        &self,
        call: impl FnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
    ) -> Result<R, CallError> {
        answered(self.call_measured(call, false))
    }

    /// The same, and what the call used.
    ///
    /// # Errors
    ///
    /// As [`Pool::call`].
    pub fn call_with_receipt<R>(
        &self,
        call: impl FnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
    ) -> Result<(R, Receipt), CallError> {
        answered_and_measured(self.call_measured(call, true))
    }

    /// Calls an export by its name, as [`crate::Pool::invoke`] does.
    ///
    /// # Errors
    ///
    /// As [`Pool::call`], and [`CallError::Resolve`] or [`CallError::Value`] where the name or a
    /// parameter does not fit; then no instance was used.
    pub fn invoke(&self, name: &str, params: &[Val]) -> Result<Option<Val>, CallError> {
        answered(self.invoke_measured(name, params, false))
    }

    /// The same, and what the call used.
    ///
    /// # Errors
    ///
    /// As [`Pool::invoke`].
    pub fn invoke_with_receipt(
        &self,
        name: &str,
        params: &[Val],
    ) -> Result<(Option<Val>, Receipt), CallError> {
        answered_and_measured(self.invoke_measured(name, params, true))
    }

    /// Calls an export with parameters as JSON, as [`crate::Pool::invoke_json`] does.
    ///
    /// # Errors
    ///
    /// As [`Pool::invoke`].
    #[cfg(feature = "json")]
    pub fn invoke_json(
        &self,
        name: &str,
        params: &serde_json::Value,
    ) -> Result<serde_json::Value, CallError> {
        let function = self.component().exports().find(name)?;
        let params = function.params_from_json(params, &mut Handles::default())?;
        let answer = answered(self.invoke_checked(function, &params, false))?;
        Ok(function.results_to_json(answer.into_iter().collect(), &mut Handles::default())?)
    }

    /// Calls an export with parameters as WAVE, as [`crate::Pool::invoke_wave`] does.
    ///
    /// # Errors
    ///
    /// As [`Pool::invoke`].
    #[cfg(feature = "wave")]
    pub fn invoke_wave(&self, name: &str, params: &str) -> Result<String, CallError> {
        let function = self.component().exports().find(name)?;
        let params = function.params_from_wave(params, &mut Handles::default())?;
        let answer = answered(self.invoke_checked(function, &params, false))?;
        Ok(function.results_to_wave(answer.into_iter().collect(), &mut Handles::default())?)
    }

    /// One instance for several calls in order.
    ///
    /// # Errors
    ///
    /// [`CallError`] says why no instance was lent.
    pub fn lease(&self) -> Result<Lease<W, S>, CallError> {
        let lending = self.lending.clone();
        let guard = match lending.ready(false, self.since) {
            Some((instance, _)) => Guard::new(lending, instance),
            None => Lending::lend_direct(lending, false, self.since)?.0,
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
    /// drops everything, and returns when all is gone. A lease that is held keeps it waiting, for
    /// ever if this thread holds it.
    pub fn close(&self) {
        self.lending.close();
        self.lending.drained_direct();
    }

    #[inline]
    fn lend(&self, measured: bool) -> Result<(Borrowed<'_, W, S>, Begun), CallError> {
        let lending = &*self.lending;
        match lending.ready(measured, self.since) {
            Some((instance, begun)) => Ok((Guard::new(lending, instance), begun)),
            None => Lending::lend_direct(lending, measured, self.since),
        }
    }

    fn call_measured<R>(
        &self,
        call: impl FnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
        measured: bool,
    ) -> Outcome<R> {
        let (mut guard, begun) = self.lend(measured)?;
        run(&mut guard, &begun, call)
    }

    fn invoke_measured(&self, name: &str, params: &[Val], measured: bool) -> Outcome<Option<Val>> {
        let found = self.component().exports().find(name);
        let function = found.map_err(CallError::from)?;
        function.check_params(params).map_err(CallError::from)?;
        self.invoke_checked(function, params, measured)
    }

    fn invoke_checked(
        &self,
        function: &ExportedFunc,
        params: &[Val],
        measured: bool,
    ) -> Outcome<Option<Val>> {
        let (mut guard, begun) = self.lend(measured)?;
        invoke(&mut guard, &begun, function, params)
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
        f.debug_struct("blocking::Pool")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A pool that is being set up. Made by [`Pool::builder`].
#[must_use = "nothing is made until `build`"]
pub struct PoolBuilder<W: World, S: Send + 'static>(Plan<W, S>);

impl<W: World, S: Send + 'static> PoolBuilder<W, S> {
    /// Adds host imports: any `add_to_linker` that `bindgen!` made without `async`.
    pub fn imports(
        mut self,
        link: impl Fn(&mut Linker<State<S>>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.0.imports.push(Box::new(link));
        self
    }

    /// Runs `warm_up` on each new instance before it is lent. One whose warm-up fails is not lent.
    pub fn warm_up(
        mut self,
        warm_up: impl Fn(&W, &mut Store<State<S>>) -> wasmtime::Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.0.warm_up = WarmUp::Blocking(Box::new(warm_up));
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
        Ok(Pool {
            lending: self.0.lending(Face::Blocking, None)?,
            since: None,
        })
    }
}

impl<W: World, S: Send + 'static> fmt::Debug for PoolBuilder<W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("blocking::PoolBuilder")
            .finish_non_exhaustive()
    }
}

/// An instance for one call.
type Borrowed<'a, W, S> = Guard<&'a Lending<W, S>, W, S>;

/// One instance, for as long as it is held, as [`crate::Lease`].
pub struct Lease<W: World = (), S: Send + 'static = ()> {
    guard: Guard<Owner<W, S>, W, S>,
}

impl<W: World, S: Send + 'static> Lease<W, S> {
    /// Calls the guest, as [`Pool::call`] does.
    ///
    /// # Errors
    ///
    /// As [`Pool::call`], and [`CallError::Retired`] after a call that did not end well.
    pub fn call<R>(
        &mut self,
        call: impl FnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
    ) -> Result<R, CallError> {
        let begun = self.begun();
        answered(run(&mut self.guard, &begun, call))
    }

    /// Calls an export by name, as [`Pool::invoke`] does.
    ///
    /// # Errors
    ///
    /// As [`Pool::invoke`], and [`CallError::Retired`] after a call that did not end well.
    pub fn invoke(&mut self, name: &str, params: &[Val]) -> Result<Option<Val>, CallError> {
        let function = self.guard.find(name)?;
        function.check_params(params)?;
        self.invoke_checked(&function, params)
    }

    /// Calls an export with parameters as JSON. Resources are handles that live as long as the
    /// lease.
    ///
    /// # Errors
    ///
    /// As [`Lease::invoke`].
    #[cfg(feature = "json")]
    pub fn invoke_json(
        &mut self,
        name: &str,
        params: &serde_json::Value,
    ) -> Result<serde_json::Value, CallError> {
        let function = self.guard.find(name)?;
        let params = function.params_from_json(params, self.guard.handles()?)?;
        let answer = self.invoke_checked(&function, &params)?;
        Ok(function.results_to_json(answer.into_iter().collect(), self.guard.handles()?)?)
    }

    /// Calls an export with parameters as WAVE. Resources are handles that live as long as the
    /// lease.
    ///
    /// # Errors
    ///
    /// As [`Lease::invoke`].
    #[cfg(feature = "wave")]
    pub fn invoke_wave(&mut self, name: &str, params: &str) -> Result<String, CallError> {
        let function = self.guard.find(name)?;
        let params = function.params_from_wave(params, self.guard.handles()?)?;
        let answer = self.invoke_checked(&function, &params)?;
        Ok(function.results_to_wave(answer.into_iter().collect(), self.guard.handles()?)?)
    }

    /// Drops a resource, as [`crate::Lease::drop_resource`] does.
    ///
    /// # Errors
    ///
    /// As [`crate::Lease::drop_resource`].
    #[cfg(any(feature = "json", feature = "wave"))]
    pub fn drop_resource(&mut self, handle: u32) -> Result<(), CallError> {
        let resource = self.guard.release(handle)?;
        self.call(|_, store| resource.resource_drop(store))
    }

    /// The embedder's value of this instance. `None` after a call that lost the instance.
    #[must_use]
    pub fn embedder(&self) -> Option<&S> {
        self.guard.embedder()
    }

    /// The embedder's value of this instance, to set what the next call shall find there.
    #[must_use]
    pub fn embedder_mut(&mut self) -> Option<&mut S> {
        self.guard.embedder_mut()
    }

    fn invoke_checked(
        &mut self,
        function: &ExportedFunc,
        params: &[Val],
    ) -> Result<Option<Val>, CallError> {
        let begun = self.begun();
        answered(invoke(&mut self.guard, &begun, function, params))
    }

    fn begun(&self) -> Begun {
        self.guard.pool.begun_ready(false)
    }
}

impl<W: World, S: Send + 'static> fmt::Debug for Lease<W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("blocking::Lease").finish_non_exhaustive()
    }
}

fn run<P, W: World, S: Send + 'static, R>(
    guard: &mut Guard<P, W, S>,
    begun: &Begun,
    call: impl FnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
) -> Outcome<R>
where
    P: Deref<Target = Lending<W, S>>,
{
    let (pool, instance) = guard.begin()?;
    let answer = pool.maker.call_direct(instance, begun, |instance| {
        call(&instance.world, &mut instance.store)
    })?;
    guard.ended_well();
    Ok(answer)
}

fn invoke<P, W: World, S: Send + 'static>(
    guard: &mut Guard<P, W, S>,
    begun: &Begun,
    function: &ExportedFunc,
    params: &[Val],
) -> Outcome<Option<Val>>
where
    P: Deref<Target = Lending<W, S>>,
{
    let (pool, instance) = guard.begin()?;
    let (mut answers, receipt) = pool.maker.call_direct(instance, begun, |instance| {
        instance.invoke_direct(function, params)
    })?;
    guard.ended_well();
    Ok((answers.pop(), receipt))
}
