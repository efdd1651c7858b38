//! What a store holds for one instance: the embedder's value, resources, WASI and the meters.
//!
//! Made on the hot path, so WASI is built when the guest first uses it, and everything that does
//! not differ between instances is shared as [`Terms`]. Knows what one instance has and has used;
//! knows nothing of pools and linkers.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use wasmtime::{Engine, Error, Store};
use wasmtime_wasi::{ResourceTable, WasiCtxView, WasiView};

use crate::blame::limit_of;
use crate::clock::{Clock, Due};
use crate::limits::{LimitHit, Limits};
use crate::meter::Meter;
use crate::usage::Usage;
use crate::wasi::{Wasi, WasiPlan};

/// What every instance of a pool runs under.
pub(crate) struct Terms {
    limits: Limits,
    wasi: Option<WasiPlan>,
    clock: Clock,
    /// The ticker's.
    start: Instant,
}

impl Terms {
    /// `wasi` may be left out for a component that imports none. Each [`Due`] counts from `start`.
    pub(crate) fn new(
        limits: Limits,
        wasi: Option<WasiPlan>,
        clock: Clock,
        start: Instant,
    ) -> Self {
        Self {
            limits,
            wasi,
            clock,
            start,
        }
    }

    /// `due` as an instant.
    pub(crate) fn instant(&self, due: Due) -> Option<Instant> {
        due.instant(self.start)
    }

    #[inline]
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }
}

/// Why a running guest must stop at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// Its call's deadline came.
    #[error("the deadline came")]
    Deadline,
    /// Its output passed the limit.
    #[error("the call was cancelled")]
    Cancelled,
}

/// The embedder's value. It may panic when it is dropped, which is nothing to whoever drops the store:
/// a caller who gives up, a pool that goes, the host's own threads.
struct Embedder<S>(Option<S>);

impl<S> Embedder<S> {
    fn get(&self) -> &S {
        match &self.0 {
            Some(value) => value,
            None => unreachable!("it is taken when this is dropped"),
        }
    }

    fn get_mut(&mut self) -> &mut S {
        match &mut self.0 {
            Some(value) => value,
            None => unreachable!("it is taken when this is dropped"),
        }
    }
}

impl<S> Drop for Embedder<S> {
    fn drop(&mut self) {
        let value = self.0.take();
        if catch_unwind(AssertUnwindSafe(|| drop(value))).is_err() {
            tracing::error!("the embedder's value of an instance panicked when it was dropped");
        }
    }
}

/// The data of a store: one instance's share of the host, around the embedder's own `S`.
///
/// Host functions meet it as `store.data_mut()`, and find their own value with
/// [`embedder_mut`](Self::embedder_mut).
pub struct State<S> {
    embedder: Embedder<S>,
    table: ResourceTable,
    wasi: Option<Box<Wasi>>,
    terms: Arc<Terms>,
    usage: Usage,
    /// When the call must have ended.
    due: Due,
    /// Whether the guest runs in a task that can give way to others.
    yields: bool,
}

impl<S> State<S> {
    pub(crate) fn new(embedder: S, terms: &Arc<Terms>) -> Self {
        let limits = &terms.limits;
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles as usize);
        Self {
            embedder: Embedder(Some(embedder)),
            table,
            wasi: None,
            terms: terms.clone(),
            usage: Usage::new(limits),
            due: Due::NEVER,
            yields: false,
        }
    }

    /// The embedder's value.
    pub fn embedder(&self) -> &S {
        self.embedder.get()
    }

    /// The embedder's value, to change.
    pub fn embedder_mut(&mut self) -> &mut S {
        self.embedder.get_mut()
    }

    /// The resources that the guest holds, for host functions that hand out their own.
    pub fn resources(&mut self) -> &mut ResourceTable {
        &mut self.table
    }

    /// Both at once, for host functions over resources that need the embedder's value too.
    pub fn embedder_and_resources(&mut self) -> (&mut S, &mut ResourceTable) {
        (self.embedder.get_mut(), &mut self.table)
    }

    /// When the running call must have ended, if it must. A host function that blocks should give
    /// up then.
    pub fn deadline(&self) -> Option<Instant> {
        self.terms.instant(self.due)
    }

    /// Sets the meters back and the deadline for the next call, or for the start.
    pub(crate) fn begin_call(&mut self, due: Due) {
        self.due = due;
        self.usage.begin_call();
        if let Some(wasi) = &self.wasi {
            wasi.begin_call();
        }
    }

    /// Says whether the guest runs in a task from now on, or holds its thread.
    pub(crate) fn set_yields(&mut self, yields: bool) {
        self.yields = yields;
    }

    pub(crate) fn yields(&self) -> bool {
        self.yields
    }

    /// Why the guest must stop, if it must.
    pub(crate) fn stop(&self) -> Option<Stop> {
        if self.meter().is_some_and(Meter::is_cancelled) {
            return Some(Stop::Cancelled);
        }
        let late = (self.deadline()).is_some_and(|at| at <= self.terms.clock.now());
        late.then_some(Stop::Deadline)
    }

    /// `None` where the guest has not used WASI, and hence written nothing.
    fn meter(&self) -> Option<&Meter> {
        self.wasi.as_ref().map(|wasi| &*wasi.meter)
    }

    /// Bytes written since the call began.
    pub(crate) fn output_bytes(&self) -> u64 {
        self.meter().map_or(0, Meter::output_bytes)
    }

    /// The output limit, if the guest ran into it since the call began.
    pub(crate) fn output_hit(&self) -> Option<LimitHit> {
        self.meter().and_then(Meter::output_hit)
    }

    /// What memory the instance uses.
    pub(crate) fn usage(&self) -> &Usage {
        &self.usage
    }

    /// Lets memories grow by so many more bytes.
    #[cfg(feature = "snapshot")]
    pub(crate) fn allow_more_memory(&mut self, bytes: u64) {
        self.usage.allow_more(bytes);
    }

    /// The limit that the guest ran into since the call began, whether or not it minded.
    pub(crate) fn limit_hit(&self) -> Option<LimitHit> {
        self.output_hit().or(self.usage.hit())
    }

    /// The limit behind `error`, with which a start or a call of this instance ended: the one that
    /// it names, or else the one that the guest ran into before.
    pub(crate) fn limit_behind(&self, error: &Error) -> Option<LimitHit> {
        limit_of(error, self.limits()).or_else(|| self.limit_hit())
    }

    /// The limits it runs under.
    pub(crate) fn limits(&self) -> &Limits {
        &self.terms.limits
    }
}

impl<S: Send + 'static> State<S> {
    /// A store around this state, its limits set. Fuel and epoch are the caller's to set.
    pub(crate) fn into_store(self, engine: &Engine) -> Store<Self> {
        let handles = self.limits().handles as usize;
        let hostcall = usize::try_from(self.limits().hostcall_bytes).unwrap_or(usize::MAX);
        let mut store = Store::new(engine, self);
        store.limiter(|state| &mut state.usage);
        store.set_hostcall_fuel(hostcall);
        store.set_max_component_handles(handles);
        store
    }
}

impl<S: Send + 'static> WasiView for State<S> {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi.get_or_insert_with(|| {
            let meter = Arc::new(Meter::new(self.terms.limits.output_bytes));
            Box::new(match &self.terms.wasi {
                Some(plan) => plan.build(meter),
                None => Wasi::none(meter),
            })
        });
        WasiCtxView {
            ctx: &mut wasi.wasi,
            table: &mut self.table,
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for State<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("embedder", self.embedder.get())
            .field("usage", &self.usage)
            .field("meter", &self.meter())
            .field("deadline", &self.deadline())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_guest_stops_at_its_deadline_or_when_cancelled() {
        let (clock, soon) = (Clock::manual(), Duration::from_millis(1));
        let terms = Terms::new(Limits::default(), None, clock.clone(), clock.now());
        let mut state = State::new((), &Arc::new(terms));
        assert_eq!(state.stop(), None);
        state.begin_call(Due::after(1_000_000));
        assert_eq!(state.stop(), None);
        clock.advance(soon);
        assert_eq!(state.stop(), Some(Stop::Deadline));
        state.begin_call(Due::NEVER);
        let _ = state.ctx();
        assert_eq!(state.stop(), None);
        state.meter().unwrap().cancel();
        assert_eq!(state.stop(), Some(Stop::Cancelled));
        state.begin_call(Due::NEVER);
        assert_eq!(state.stop(), None);
    }
}
