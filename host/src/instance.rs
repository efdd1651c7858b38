//! One live guest, and how it is made and called.
//!
//! Knows stores and deadlines; knows nothing of pools and slots.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use wasmtime::component::{ComponentExportIndex, Val};
use wasmtime::{Store, UpdateDeadline};

use crate::bound::{Binding, Bound};
use crate::clock::{Clock, Due};
use crate::config::Reuse;
use crate::dirt::{Learner, Watch};
use crate::error::{CallError, Phase};
use crate::exports::ExportedFunc;
use crate::fault;
use crate::receipt::{Begun, Measured, Outcome, Receipt};
use crate::reset::Reset;
use crate::room::Permit;
use crate::state::{State, Terms};
use crate::value::handles::Handles;
use crate::world::World;

/// The future of a warm-up call: what [`PoolBuilder::warm_up`](crate::PoolBuilder::warm_up) wants,
/// made by `Box::pin(async move { .. })`.
pub type WarmUpFuture<'a> = Pin<Box<dyn Future<Output = wasmtime::Result<()>> + Send + 'a>>;

type AsyncWarmUp<W, S> =
    dyn for<'a> Fn(&'a W, &'a mut Store<State<S>>) -> WarmUpFuture<'a> + Send + Sync;
type BlockingWarmUp<W, S> = dyn Fn(&W, &mut Store<State<S>>) -> wasmtime::Result<()> + Send + Sync;

/// What runs on each instance before it is lent.
pub(crate) enum WarmUp<W, S: 'static> {
    None,
    Async(Box<AsyncWarmUp<W, S>>),
    Blocking(Box<BlockingWarmUp<W, S>>),
    /// A dynamic call.
    Invoke(Box<(Arc<ExportedFunc>, Vec<Val>)>),
}

/// Makes the instances of one pool.
pub(crate) struct Maker<W: World, S: 'static> {
    pub(crate) binding: Binding<W, S>,
    pub(crate) terms: Arc<Terms>,
    pub(crate) reuse: Reuse,
    pub(crate) max_age: Option<Duration>,
    pub(crate) state: Box<dyn Fn() -> S + Send + Sync>,
    pub(crate) warm_up: WarmUp<W, S>,
    /// Whether a thread without an executor can make and call an instance directly.
    pub(crate) direct: bool,
    /// Samples how many calls an instance serves.
    pub(crate) seed: AtomicU64,
}

/// One live guest.
pub(crate) struct Instance<W, S: 'static> {
    pub(crate) store: Store<State<S>>,
    pub(crate) raw: wasmtime::component::Instance,
    pub(crate) world: W,
    pub(crate) handles: Handles,
    pub(crate) born: Instant,
    /// When its last call ended, or refill made it, as the ticker counts.
    pub(crate) idle_since_ns: u64,
    pub(crate) calls_left: u32,
    /// How its slot will be reset.
    reset: Reset,
    /// See [`Bound::away`].
    away: Option<Arc<[ComponentExportIndex]>>,
    /// What it takes of the host's room, until all of the above is gone.
    pub(crate) permit: Option<Permit>,
}

impl<W: World, S: Send + 'static> Maker<W, S> {
    fn store(&self, bound: &Bound<W, S>, due: Due) -> Store<State<S>> {
        let state = State::new((self.state)(), &self.terms);
        let mut store = state.into_store(bound.pre.engine());
        // It captures nothing, so that its box is not allocated.
        store.epoch_deadline_callback(|store| match store.data().stop() {
            Some(stop) => Err(stop.into()),
            None if store.data().yields() => Ok(UpdateDeadline::Yield(1)),
            None => Ok(UpdateDeadline::Continue(1)),
        });
        self.begin(&mut store, due);
        store
    }

    /// Sets the meters of a store back for a call, or for the start.
    fn begin(&self, store: &mut Store<State<S>>, due: Due) {
        store.data_mut().begin_call(due);
        store.set_epoch_deadline(1);
        if let Some(fuel) = self.terms.limits().fuel {
            // The engine counts fuel, or the pool would not have been made.
            let _ = store.set_fuel(fuel);
        }
    }

    fn finish(
        &self,
        bound: &Bound<W, S>,
        mut store: Store<State<S>>,
        raw: wasmtime::component::Instance,
    ) -> Result<Box<Instance<W, S>>, CallError> {
        let world = match W::load(&bound.indices, &mut store, &raw) {
            Ok(world) => world,
            Err(error) => return Err(fault::call_error(error, store.data(), Phase::Start)),
        };
        let calls_left = match &self.reuse {
            Reuse::Never => 1,
            Reuse::Calls(range) => self.sample(*range.start(), *range.end()),
        };
        let born = self.clock().now();
        Ok(Box::new(Instance {
            store,
            raw,
            world,
            handles: Handles::default(),
            born,
            idle_since_ns: 0,
            calls_left,
            reset: bound.reset,
            away: bound.away.clone(),
            permit: None,
        }))
    }

    /// Whether a start awaits code of the embedder's, which may do other things meanwhile.
    pub(crate) fn awaits_warm_up(&self) -> bool {
        matches!(self.warm_up, WarmUp::Async(_))
    }

    pub(crate) fn clock(&self) -> &Clock {
        self.terms.clock()
    }

    fn learner(&self) -> &Learner {
        &self.binding.component().0.learner
    }

    /// Begins to watch a start or a call, while the reset that suits fresh instances is not known.
    fn watch(&self) -> Option<Watch> {
        match self.reuse {
            Reuse::Never => self.learner().watch(),
            Reuse::Calls(_) => None,
        }
    }

    fn called(&self, watch: Option<Watch>, instance: &Instance<W, S>) {
        let Some(faults) = watch.and_then(Watch::end) else {
            return;
        };
        let bytes = instance.store.data().usage().peak_bytes();
        if let Some(reset) = self.learner().called(faults, instance.reset, bytes) {
            self.binding.component().0.learned(reset);
        }
    }

    /// How the slots of the next instances are reset, where there are slots.
    pub(crate) fn slots_reset(&self) -> Option<Reset> {
        let parts = &self.binding.component().0;
        let slots = parts.host.engines.has_slots(parts.lane);
        slots.then(|| self.binding.reset())
    }

    /// A number from `low` to `high`, by splitmix64.
    fn sample(&self, low: u32, high: u32) -> u32 {
        let mut z = self
            .seed
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let span = u64::from(high.saturating_sub(low)) + 1;
        low.saturating_add(u32::try_from(z % span).unwrap_or(0))
            .max(1)
    }

    /// Makes an instance on a thread that may block and needs no executor.
    pub(crate) fn start_direct(&self, due: Due) -> Result<Box<Instance<W, S>>, CallError> {
        contained(|| {
            let watch = self.watch();
            let bound = self.binding.now();
            let mut store = self.store(bound, due);
            let raw = bound
                .pre
                .instantiate(&mut store)
                .map_err(|error| fault::call_error(error, store.data(), Phase::Start))?;
            let mut instance = self.finish(bound, store, raw)?;
            if let WarmUp::None = self.warm_up {
                self.learner()
                    .started(watch.and_then(Watch::end), instance.reset);
                return Ok(instance);
            }
            self.begin(&mut instance.store, due);
            let warmed = match &self.warm_up {
                WarmUp::None | WarmUp::Async(_) => Ok(()),
                WarmUp::Blocking(warm_up) => warm_up(&instance.world, &mut instance.store),
                WarmUp::Invoke(call) => instance.invoke_direct(&call.0, &call.1).map(drop),
            };
            warmed.map_err(|error| instance.warm_up_error(error))?;
            self.learner()
                .started(watch.and_then(Watch::end), instance.reset);
            Ok(instance)
        })
    }

    /// Makes an instance in a task, which lets others run meanwhile where it `yields`.
    pub(crate) async fn start(
        &self,
        due: Due,
        yields: bool,
    ) -> Result<Box<Instance<W, S>>, CallError> {
        let made = async || {
            let watch = self.watch();
            let bound = self.binding.now();
            let mut store = self.store(bound, due);
            store.data_mut().set_yields(yields);
            let started = bound.pre.instantiate_async(&mut store).await;
            let raw =
                started.map_err(|error| fault::call_error(error, store.data(), Phase::Start))?;
            let mut instance = self.finish(bound, store, raw)?;
            if let WarmUp::None = self.warm_up {
                self.learner()
                    .started(watch.and_then(Watch::end), instance.reset);
                return Ok(instance);
            }
            self.begin(&mut instance.store, due);
            let warmed = match &self.warm_up {
                WarmUp::None => Ok(()),
                WarmUp::Async(warm_up) => warm_up(&instance.world, &mut instance.store).await,
                WarmUp::Blocking(warm_up) => warm_up(&instance.world, &mut instance.store),
                WarmUp::Invoke(call) => instance.invoke(&call.0, &call.1).await.map(drop),
            };
            warmed.map_err(|error| instance.warm_up_error(error))?;
            self.learner()
                .started(watch.and_then(Watch::end), instance.reset);
            Ok(instance)
        };
        match bounded(made, &self.terms, due, &mut None).await {
            Ended::Done(made) => made,
            Ended::Panicked(panic) => Err(fault::host_panic(&*panic)),
            Ended::Late => Err(CallError::Deadline {
                deadline: self.terms.limits().deadline,
                phase: Phase::Start,
            }),
        }
    }

    /// Runs `call` on `instance` in a task, at most until the deadline.
    pub(crate) async fn call<R>(
        &self,
        instance: &mut Instance<W, S>,
        begun: &Begun,
        call: impl AsyncFnOnce(&mut Instance<W, S>) -> wasmtime::Result<R>,
    ) -> Outcome<R> {
        let watch = self.watch();
        self.begin(&mut instance.store, begun.due);
        instance.store.data_mut().set_yields(true);
        let mut active = begun
            .measured
            .as_ref()
            .map(|way| Active::from(way.called()));
        let ended = bounded(|| call(instance), &self.terms, begun.due, &mut active).await;
        self.called(watch, instance);
        match ended {
            Ended::Done(Ok(answer)) => match instance.over_limit() {
                None => {
                    let active = active.map(|active| active.time);
                    Ok((answer, self.receipt(instance, begun, active)))
                }
                Some(error) => Err(error.into()),
            },
            Ended::Done(Err(error)) => {
                Err(fault::call_error(error, instance.store.data(), Phase::Call).into())
            }
            Ended::Panicked(panic) => Err(fault::host_panic(&*panic).into()),
            Ended::Late => Err(Box::new(CallError::Deadline {
                deadline: self.terms.limits().deadline,
                phase: Phase::Call,
            })),
        }
    }

    /// Runs `call` on `instance` on this thread.
    pub(crate) fn call_direct<R>(
        &self,
        instance: &mut Instance<W, S>,
        begun: &Begun,
        call: impl FnOnce(&mut Instance<W, S>) -> wasmtime::Result<R>,
    ) -> Outcome<R> {
        let watch = self.watch();
        self.begin(&mut instance.store, begun.due);
        let answer = contained(|| {
            call(instance).map_err(|error| {
                Box::new(fault::call_error(error, instance.store.data(), Phase::Call))
            })
        })?;
        self.called(watch, instance);
        if let Some(error) = instance.over_limit() {
            return Err(error.into());
        }
        let active = (begun.measured.as_ref())
            .map(|way| self.clock().now().saturating_duration_since(way.called()));
        Ok((answer, self.receipt(instance, begun, active)))
    }

    /// `active` is what the call took of a thread, measured where a receipt is wanted.
    #[inline]
    fn receipt(
        &self,
        instance: &Instance<W, S>,
        begun: &Begun,
        active: Option<Duration>,
    ) -> Measured {
        let (way, active) = (begun.measured.as_deref()?, active?);
        let state = instance.store.data();
        Some(Box::new(Receipt {
            queued: way.queued,
            warm: way.warm,
            start: way.start,
            wall: self.clock().now().saturating_duration_since(way.arrived),
            active,
            peak_memory_bytes: state.usage().peak_bytes(),
            output_bytes: state.output_bytes(),
            fuel: self
                .terms
                .limits()
                .fuel
                .map(|had| had - instance.store.get_fuel().unwrap_or(had)),
        }))
    }
}

impl<W, S: Send + 'static> Instance<W, S> {
    /// Calls an export with values that were checked against its type.
    pub(crate) async fn invoke(
        &mut self,
        function: &ExportedFunc,
        params: &[Val],
    ) -> wasmtime::Result<Vec<Val>> {
        let mut answers = function.result_slots();
        let function = self.function(function)?;
        function
            .call_async(&mut self.store, params, &mut answers)
            .await
            .map_err(fault::dynamic)?;
        Ok(answers)
    }

    /// The same without an executor.
    pub(crate) fn invoke_direct(
        &mut self,
        function: &ExportedFunc,
        params: &[Val],
    ) -> wasmtime::Result<Vec<Val>> {
        let mut answers = function.result_slots();
        let function = self.function(function)?;
        function
            .call(&mut self.store, params, &mut answers)
            .map_err(fault::dynamic)?;
        Ok(answers)
    }

    fn function(&mut self, function: &ExportedFunc) -> wasmtime::Result<wasmtime::component::Func> {
        let index = match &self.away {
            None => Some(*function.index()),
            Some(away) => away.get(function.place()).copied(),
        };
        index
            .and_then(|index| self.raw.get_func(&mut self.store, index))
            .ok_or_else(|| wasmtime::Error::msg("the instance lacks an export of its component"))
    }

    /// A limit whose passing ends the call even where the guest did not mind.
    #[inline]
    fn over_limit(&self) -> Option<CallError> {
        self.store.data().output_hit().map(CallError::Limit)
    }

    fn warm_up_error(&self, error: wasmtime::Error) -> CallError {
        CallError::WarmUp(Box::new(fault::call_error(
            error,
            self.store.data(),
            Phase::Start,
        )))
    }
}

/// How a bounded future ended.
enum Ended<R> {
    Done(R),
    Panicked(Box<dyn Any + Send>),
    Late,
}

/// What a measured call took of the threads that polled it.
struct Active {
    time: Duration,
    /// When the first poll is taken to have begun.
    from: Option<Instant>,
}

impl From<Instant> for Active {
    fn from(called: Instant) -> Self {
        Self {
            time: Duration::ZERO,
            from: Some(called),
        }
    }
}

/// Runs `future` until it is `due` and holds back a panic of a host function. Adds what its polls
/// take to `active`, where somebody asks for it.
///
/// It takes what makes the future, and not the future, which would be moved with all the room that
/// it needs later.
async fn bounded<R, F: Future<Output = R>>(
    future: impl FnOnce() -> F,
    terms: &Terms,
    due: Due,
    active: &mut Option<Active>,
) -> Ended<R> {
    let clock = terms.clock();
    let mut future = pin!(future());
    let mut timer: Option<Pin<Box<tokio::time::Sleep>>> = None;
    poll_fn(|cx| {
        let began = active
            .as_mut()
            .map(|active| active.from.take().unwrap_or_else(|| clock.now()));
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        if let (Some(active), Some(began)) = (&mut *active, began) {
            active.time += clock.now().saturating_duration_since(began);
        }
        match polled {
            Err(panic) => return Poll::Ready(Ended::Panicked(panic)),
            Ok(Poll::Ready(answer)) => return Poll::Ready(Ended::Done(answer)),
            Ok(Poll::Pending) => {}
        }
        let Some(at) = terms.instant(due) else {
            return Poll::Pending;
        };
        if clock.now() >= at {
            return Poll::Ready(Ended::Late);
        }
        // Only a call that waits pays for a timer.
        let timer = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at.into())));
        timer.as_mut().poll(cx).map(|()| Ended::Late)
    })
    .await
}

/// Runs `call`, and makes an error of a panic.
pub(crate) fn contained<R, E: From<CallError>>(
    call: impl FnOnce() -> Result<R, E>,
) -> Result<R, E> {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or_else(|panic| Err(fault::host_panic(&*panic).into()))
}
