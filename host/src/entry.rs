//! One registered component: how it is loaded when it is called, and given up when it is not.
//!
//! Knows what to load and who waits for it; knows nothing of how a pool is called. The load is a
//! job of the host's own threads. Callers wait for it and may leave: what was begun goes on, and
//! what nobody waits for any more is not begun.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use wasmtime::Store;
use wasmtime::component::{Linker, Val};

use crate::component::Component;
use crate::config::PoolConfig;
use crate::error::{CallError, Error, Phase};
use crate::fault;
use crate::host::{Host, Wasm};
use crate::instance::{WarmUp, WarmUpFuture};
use crate::lending::Owner;
use crate::loads::Load;
use crate::park;
use crate::plan::Plan;
use crate::policy;
use crate::registry::{Gone, Loaded};
use crate::state::State;
use crate::wasi::Face;
use crate::world::World;

type Imports<S> = Arc<dyn Fn(&mut Linker<State<S>>) -> wasmtime::Result<()> + Send + Sync>;
type AsyncWarmUp<W, S> =
    dyn for<'a> Fn(&'a W, &'a mut Store<State<S>>) -> WarmUpFuture<'a> + Send + Sync;
type BlockingWarmUp<W, S> = dyn Fn(&W, &mut Store<State<S>>) -> wasmtime::Result<()> + Send + Sync;

/// A warm-up that can be set up for one pool after the other.
pub(crate) enum Rehearsal<W, S: 'static> {
    None,
    Async(Arc<AsyncWarmUp<W, S>>),
    Blocking(Arc<BlockingWarmUp<W, S>>),
    Invoke(String, Vec<Val>),
}

/// What a registered component is, loaded or not.
pub(crate) struct Recipe<W: World, S: Send + 'static> {
    pub(crate) wasm: Wasm,
    pub(crate) config: PoolConfig,
    pub(crate) face: Face,
    pub(crate) state: Arc<dyn Fn() -> S + Send + Sync>,
    pub(crate) imports: Vec<Imports<S>>,
    pub(crate) warm_up: Rehearsal<W, S>,
}

impl<W: World, S: Send + 'static> Recipe<W, S> {
    fn pool(&self, component: &Component, runtime: Option<Handle>) -> Result<Owner<W, S>, Error> {
        let state = Arc::clone(&self.state);
        let mut plan = Plan::new(component, self.config.clone(), Box::new(move || state()));
        for link in &self.imports {
            let link = Arc::clone(link);
            plan.imports.push(Box::new(move |linker| link(linker)));
        }
        match &self.warm_up {
            Rehearsal::None => {}
            Rehearsal::Async(warm_up) => {
                let warm_up = Arc::clone(warm_up);
                let again: Box<AsyncWarmUp<W, S>> =
                    Box::new(move |world, store| warm_up(world, store));
                plan.warm_up = WarmUp::Async(again);
            }
            Rehearsal::Blocking(warm_up) => {
                let warm_up = Arc::clone(warm_up);
                let again: Box<BlockingWarmUp<W, S>> =
                    Box::new(move |world, store| warm_up(world, store));
                plan.warm_up = WarmUp::Blocking(again);
            }
            Rehearsal::Invoke(name, params) => plan.warm_up_invoke(name, params)?,
        }
        Ok(plan.lending(self.face, runtime)?)
    }
}

/// See the module.
pub(crate) struct Entry<W: World, S: Send + 'static> {
    host: Host,
    id: u64,
    recipe: Recipe<W, S>,
    /// When it was last used, as the registry counts time.
    used: AtomicU64,
    now: Mutex<Now<W, S>>,
    me: Weak<Self>,
}

struct Now<W: World, S: Send + 'static> {
    stage: Stage<W, S>,
    /// What it was when it was first loaded, and is from then on.
    content: Option<blake3::Hash>,
    /// Loads in a row that failed.
    failures: u32,
}

enum Stage<W: World, S: Send + 'static> {
    Cold,
    Loading(Arc<Flight<W, S>>),
    Loaded(Owner<W, S>),
    Failed { error: Arc<Error>, until: Instant },
}

type Outcome<W, S> = Result<Owner<W, S>, Arc<Error>>;

/// A load, from the first caller who wants it to its end.
struct Flight<W: World, S: Send + 'static> {
    /// There once it has landed, until the last who waited has seen it: from then on the pool is
    /// shared by none but those who use it.
    outcome: Mutex<Option<Outcome<W, S>>>,
    landed: Notify,
    /// Who waits for it. Changed under the lock of the entry.
    callers: AtomicUsize,
    runtime: Option<Handle>,
}

impl<W: World, S: Send + 'static> Entry<W, S> {
    pub(crate) fn new(host: &Host, recipe: Recipe<W, S>) -> Arc<Self> {
        let id = host.parts.registry.register();
        Arc::new_cyclic(|me| Self {
            host: host.clone(),
            id,
            recipe,
            used: AtomicU64::new(0),
            now: Mutex::new(Now {
                stage: Stage::Cold,
                content: None,
                failures: 0,
            }),
            me: me.clone(),
        })
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// Its pool, if it is loaded.
    pub(crate) fn loaded(&self) -> Option<Owner<W, S>> {
        match &self.now.lock().stage {
            Stage::Loaded(lending) => Some(lending.clone()),
            _ => None,
        }
    }

    /// Its pool for one call, loaded within the call's deadline, and since when the caller waited
    /// if it had to.
    pub(crate) async fn open(&self) -> Result<(Used<'_, W, S>, Option<Instant>), CallError> {
        let waiting = match self.join()? {
            Ok(used) => return Ok((used, None)),
            Err(waiting) => waiting,
        };
        let arrived = self.now();
        let landed = park::wait_async(waiting.landed(), self.deadline(arrived)).await;
        let lending = landed.unwrap_or_else(|| Err(self.late()))?;
        Ok((self.used_now(lending), Some(arrived)))
    }

    /// The same for a thread.
    pub(crate) fn open_direct(&self) -> Result<(Used<'_, W, S>, Option<Instant>), CallError> {
        let waiting = match self.join()? {
            Ok(used) => return Ok((used, None)),
            Err(waiting) => waiting,
        };
        let arrived = self.now();
        let clock = &self.host.config().clock;
        let landed = park::wait(waiting.landed(), self.deadline(arrived), clock);
        let lending = landed.unwrap_or_else(|| Err(self.late()))?;
        Ok((self.used_now(lending), Some(arrived)))
    }

    /// Its pool, however long the load takes.
    pub(crate) async fn load_pool(&self) -> Result<Owner<W, S>, CallError> {
        match self.join()? {
            Ok(used) => Ok(used.lending.clone()),
            Err(waiting) => waiting.landed().await,
        }
    }

    /// The same for a thread.
    pub(crate) fn load_pool_direct(&self) -> Result<Owner<W, S>, CallError> {
        match self.join()? {
            Ok(used) => Ok(used.lending.clone()),
            Err(waiting) => {
                let clock = &self.host.config().clock;
                park::wait(waiting.landed(), None, clock).unwrap_or(Err(CallError::Closed))
            }
        }
    }

    /// Its pool if it is there, or a place among those who wait for it.
    fn join(&self) -> Result<Joined<'_, W, S>, CallError> {
        let mut now = self.now.lock();
        let flight = match &now.stage {
            Stage::Loaded(lending) => {
                let lending = lending.clone();
                drop(now);
                return Ok(Ok(self.used_now(lending)));
            }
            Stage::Loading(flight) => Arc::clone(flight),
            Stage::Failed { error, until } if self.now() < *until => {
                return Err(CallError::Load(Arc::clone(error)));
            }
            Stage::Failed { .. } | Stage::Cold => {
                let flight = Arc::new(Flight {
                    outcome: Mutex::new(None),
                    landed: Notify::new(),
                    callers: AtomicUsize::new(1),
                    runtime: Handle::try_current().ok(),
                });
                now.stage = Stage::Loading(Arc::clone(&flight));
                drop(now);
                let waiting = Waiting {
                    entry: self,
                    flight,
                };
                if let Some(me) = self.me.upgrade() {
                    self.host.parts.loads.submit(me);
                }
                return Ok(Err(waiting));
            }
        };
        let callers = flight.callers.load(Ordering::Relaxed);
        let config = &self.recipe.config;
        if callers >= config.max_instances.saturating_add(config.max_queue) {
            return Err(CallError::Busy {
                max_instances: config.max_instances,
                waiting: callers,
            });
        }
        flight.callers.store(callers + 1, Ordering::Relaxed);
        Ok(Err(Waiting {
            entry: self,
            flight,
        }))
    }

    fn used_now(&self, lending: Owner<W, S>) -> Used<'_, W, S> {
        self.touch();
        Used {
            lending,
            ending: Ending(self),
        }
    }

    fn touch(&self) {
        let parts = &self.host.parts;
        let time = parts.registry.time(parts.ticker.coarse_now());
        // Most calls come in the same tick as one before.
        if self.used.load(Ordering::Relaxed) < time {
            self.used.fetch_max(time, Ordering::Relaxed);
        }
    }

    fn now(&self) -> Instant {
        self.host.config().clock.now()
    }

    fn deadline(&self, arrived: Instant) -> Option<Instant> {
        arrived.checked_add(self.recipe.config.limits.deadline)
    }

    fn late(&self) -> CallError {
        CallError::Deadline {
            deadline: self.recipe.config.limits.deadline,
            phase: Phase::Load,
        }
    }

    /// The load that is to be done, unless all who wanted it have left.
    fn take_off(&self) -> Option<Arc<Flight<W, S>>> {
        let mut now = self.now.lock();
        let Stage::Loading(flight) = &now.stage else {
            return None;
        };
        if flight.callers.load(Ordering::Relaxed) > 0 {
            return Some(Arc::clone(flight));
        }
        now.stage = Stage::Cold;
        None
    }

    fn make(&self, runtime: Option<Handle>) -> Result<(Component, Owner<W, S>), Error> {
        let content = self.now.lock().content;
        let component = match content {
            None => self.host.load_now(&self.recipe.wasm, &|_| {})?,
            Some(content) => self.host.load_again(&self.recipe.wasm, content)?,
        };
        let lending = self.recipe.pool(&component, runtime)?;
        Ok((component, lending))
    }

    /// Sets what it is now, after a load.
    fn land(
        &self,
        made: Result<(Component, Owner<W, S>), Error>,
    ) -> Result<Owner<W, S>, Arc<Error>> {
        let registry = &self.host.parts.registry;
        match made {
            Ok((component, lending)) => {
                self.touch();
                {
                    let mut now = self.now.lock();
                    now.failures = 0;
                    now.content = blake3::Hash::from_hex(component.id()).ok();
                    now.stage = Stage::Loaded(lending.clone());
                }
                let bytes = component.code_bytes() as u64;
                let code = (Arc::as_ptr(&component.0).addr(), bytes);
                let me: Weak<dyn Loaded> = self.me.clone();
                registry.loaded(self.id, me, self.now(), code);
                Ok(lending)
            }
            Err(error) => {
                let error = Arc::new(error);
                let mut now = self.now.lock();
                let until = self.now() + policy::retry_after(now.failures);
                now.failures += 1;
                now.stage = Stage::Failed {
                    error: Arc::clone(&error),
                    until,
                };
                drop(now);
                registry.load_failed();
                Err(error)
            }
        }
    }
}

impl<W: World, S: Send + 'static> Load for Entry<W, S> {
    fn load(self: Arc<Self>) {
        let Some(flight) = self.take_off() else {
            return;
        };
        self.host.parts.registry.begin_load(self.now());
        // The embedder's own functions run in it.
        let made = catch_unwind(AssertUnwindSafe(|| self.make(flight.runtime.clone())))
            .unwrap_or_else(|panic| Err(fault::host_panic(&*panic).into()));
        let mut outcome = Some(self.land(made));
        {
            let _now = self.now.lock();
            if flight.callers.load(Ordering::Relaxed) > 0 {
                *flight.outcome.lock() = outcome.take();
            }
        }
        drop(outcome);
        flight.landed.notify_waiters();
        self.host.parts.unload_behind();
    }
}

impl<W: World, S: Send + 'static> Loaded for Entry<W, S> {
    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn unload(&self, time: u64) -> Option<Gone> {
        let mut now = self.now.lock();
        // Whoever calls, waits, leases or holds a pool shares it, and nobody has a weak handle.
        match &now.stage {
            Stage::Loaded(lending) if lending.is_alone() => {
                match std::mem::replace(&mut now.stage, Stage::Cold) {
                    Stage::Loaded(lending) => Some(Box::new(lending)),
                    _ => None,
                }
            }
            _ => {
                self.used.fetch_max(time, Ordering::Relaxed);
                None
            }
        }
    }
}

impl<W: World, S: Send + 'static> Drop for Entry<W, S> {
    fn drop(&mut self) {
        self.host.parts.registry.forget(self.id);
    }
}

/// The pool, or a place among those who wait for it.
type Joined<'a, W, S> = Result<Used<'a, W, S>, Waiting<'a, W, S>>;

/// A caller who waits for a load.
struct Waiting<'a, W: World, S: Send + 'static> {
    entry: &'a Entry<W, S>,
    flight: Arc<Flight<W, S>>,
}

impl<W: World, S: Send + 'static> Waiting<'_, W, S> {
    async fn landed(&self) -> Result<Owner<W, S>, CallError> {
        loop {
            // Before the look, so that no landing comes between the two.
            let landed = self.flight.landed.notified();
            let outcome = self.flight.outcome.lock().clone();
            if let Some(outcome) = outcome {
                return outcome.map_err(CallError::Load);
            }
            landed.await;
        }
    }
}

impl<W: World, S: Send + 'static> Drop for Waiting<'_, W, S> {
    fn drop(&mut self) {
        let _now = self.entry.now.lock();
        if self.flight.callers.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.flight.outcome.lock().take();
        }
    }
}

/// The pool of a component that is in use.
pub(crate) struct Used<'a, W: World, S: Send + 'static> {
    // Given up in this order.
    pub(crate) lending: Owner<W, S>,
    #[expect(dead_code, reason = "its Drop is what it is for")]
    ending: Ending<'a, W, S>,
}

/// Notes the end of a use.
struct Ending<'a, W: World, S: Send + 'static>(&'a Entry<W, S>);

impl<W: World, S: Send + 'static> Drop for Ending<'_, W, S> {
    fn drop(&mut self) {
        self.0.touch();
        self.0.host.parts.unload_behind();
    }
}
