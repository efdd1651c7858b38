//! Several calls on one instance.

use std::fmt;
use std::ops::Deref;
#[cfg(any(feature = "json", feature = "wave"))]
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::Val;

use crate::call::{Call, receipt_wanted};
use crate::exports::ExportedFunc;
use crate::lending::{Guard, Lending, Owner};
use crate::receipt::{Begun, Outcome};
use crate::state::State;
#[cfg(any(feature = "json", feature = "wave"))]
use crate::value::handles::Handles;
use crate::world::World;

/// One instance, for as long as it is held: several calls in order see what the earlier ones left.
///
/// Made by [`Pool::lease`](crate::Pool::lease). Dropping it gives the instance back: to be lent
/// again where [`Reuse`](crate::Reuse) allows it and every call ended well.
pub struct Lease<W: World = (), S: Send + 'static = ()> {
    pub(crate) guard: Guard<Owner<W, S>, W, S>,
}

impl<W: World, S: Send + 'static> Lease<W, S> {
    /// Calls the guest, as [`Pool::call`](crate::Pool::call) does.
    ///
    /// # Errors
    ///
    /// As [`Pool::call`](crate::Pool::call), and
    /// [`CallError::Retired`](crate::CallError::Retired) after a call that did not end well.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future stops the call; the lease then serves no more.
    pub fn call<R, F>(
        &mut self,
        call: F,
    ) -> Call<impl Future<Output = Outcome<R>> + use<'_, R, F, W, S>>
    where
        F: AsyncFnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
    {
        Call::new(async move {
            let begun = self.begun();
            run(&mut self.guard, &begun, call).await
        })
    }

    /// Calls an export by name, as [`Pool::invoke`](crate::Pool::invoke) does.
    ///
    /// # Errors
    ///
    /// As [`Pool::invoke`](crate::Pool::invoke), and
    /// [`CallError::Retired`](crate::CallError::Retired) after a call that did not end well.
    pub fn invoke(
        &mut self,
        name: &str,
        params: &[Val],
    ) -> Call<impl Future<Output = Outcome<Option<Val>>> + use<'_, W, S>> {
        let found = self.guard.find(name).and_then(|function| {
            function.check_params(params)?;
            Ok((function, params.to_vec()))
        });
        Call::new(async move {
            let (function, params) = found?;
            let begun = self.begun();
            invoke(&mut self.guard, &begun, &function, &params).await
        })
    }

    /// Calls an export with parameters written as WAVE, the text format of `wasmtime run --invoke`.
    ///
    /// # Errors
    ///
    /// As [`Lease::invoke`].
    #[cfg(feature = "wave")]
    pub fn invoke_wave(
        &mut self,
        name: &str,
        params: &str,
    ) -> Call<impl Future<Output = Outcome<String>> + use<'_, W, S>> {
        let found = self.prepare(name, |function, handles| {
            function.params_from_wave(params, handles)
        });
        Call::new(async move {
            let (function, params) = found?;
            let begun = self.begun();
            let (answer, receipt) = invoke(&mut self.guard, &begun, &function, &params).await?;
            let text =
                function.results_to_wave(answer.into_iter().collect(), self.guard.handles()?);
            Ok((text.map_err(crate::CallError::from)?, receipt))
        })
    }

    /// Calls an export with parameters as JSON: an array of all, or an object by name.
    ///
    /// # Errors
    ///
    /// As [`Lease::invoke`].
    #[cfg(feature = "json")]
    pub fn invoke_json(
        &mut self,
        name: &str,
        params: &serde_json::Value,
    ) -> Call<impl Future<Output = Outcome<serde_json::Value>> + use<'_, W, S>> {
        let found = self.prepare(name, |function, handles| {
            function.params_from_json(params, handles)
        });
        Call::new(async move {
            let (function, params) = found?;
            let begun = self.begun();
            let (answer, receipt) = invoke(&mut self.guard, &begun, &function, &params).await?;
            let json =
                function.results_to_json(answer.into_iter().collect(), self.guard.handles()?);
            Ok((json.map_err(crate::CallError::from)?, receipt))
        })
    }

    /// Drops a resource that an answer named by `handle`, and runs its destructor in the guest. What
    /// is not dropped goes with the instance, which then serves no other lease.
    ///
    /// ```
    /// # async fn run(pool: prewarm::Pool) -> Result<(), prewarm::Error> {
    /// # use serde_json::json;
    /// let mut lease = pool.lease().await?;
    /// let session = lease.invoke_json("session", &json!([])).await?; // {"handle": 1}
    /// let lines = lease.invoke_json("session.feed", &json!([session, "a log"])).await?;
    /// lease.drop_resource(1).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`CallError::Value`](crate::CallError::Value) where the lease holds no such resource, else as
    /// [`Lease::invoke`].
    #[cfg(any(feature = "json", feature = "wave"))]
    pub fn drop_resource(
        &mut self,
        handle: u32,
    ) -> Call<impl Future<Output = Outcome<()>> + use<'_, W, S>> {
        let found = self.guard.release(handle);
        Call::new(async move {
            let resource = found?;
            let begun = self.begun();
            run(&mut self.guard, &begun, async |_, store| {
                resource.resource_drop_async(store).await
            })
            .await
        })
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

    #[cfg(any(feature = "json", feature = "wave"))]
    fn prepare(
        &mut self,
        name: &str,
        read: impl FnOnce(&ExportedFunc, &mut Handles) -> Result<Vec<Val>, crate::ValueError>,
    ) -> Result<(Arc<ExportedFunc>, Vec<Val>), crate::CallError> {
        let function = self.guard.find(name)?;
        let params = read(&function, self.guard.handles()?)?;
        Ok((function, params))
    }

    /// A call that begins now.
    fn begun(&self) -> Begun {
        self.guard.pool.begun_ready(receipt_wanted())
    }
}

impl<W: World, S: Send + 'static> fmt::Debug for Lease<W, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").finish_non_exhaustive()
    }
}

/// Runs one call of generated code.
pub(crate) async fn run<P, W: World, S: Send + 'static, R>(
    guard: &mut Guard<P, W, S>,
    begun: &Begun,
    call: impl AsyncFnOnce(&W, &mut Store<State<S>>) -> wasmtime::Result<R>,
) -> Outcome<R>
where
    P: Deref<Target = Lending<W, S>>,
{
    let (pool, instance) = guard.begin()?;
    let answer = pool
        .maker
        .call(instance, begun, async |instance| {
            call(&instance.world, &mut instance.store).await
        })
        .await?;
    guard.ended_well();
    Ok(answer)
}

/// Runs one dynamic call, with parameters that were checked.
pub(crate) async fn invoke<P, W: World, S: Send + 'static>(
    guard: &mut Guard<P, W, S>,
    begun: &Begun,
    function: &ExportedFunc,
    params: &[Val],
) -> Outcome<Option<Val>>
where
    P: Deref<Target = Lending<W, S>>,
{
    let (pool, instance) = guard.begin()?;
    let (mut answers, receipt) = pool
        .maker
        .call(instance, begun, async |instance| {
            instance.invoke(function, params).await
        })
        .await?;
    guard.ended_well();
    Ok((answers.pop(), receipt))
}
