//! What callers hold: an instance, a slot, a place in the queue. Dropping it gives it back.

use std::ops::Deref;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

#[cfg(any(feature = "json", feature = "wave"))]
use wasmtime::component::ResourceAny;

use super::{Lending, Lent};
use crate::error::CallError;
use crate::exports::ExportedFunc;
use crate::instance::Instance;
use crate::slots::{Slots, Ticket, Turn};
#[cfg(any(feature = "json", feature = "wave"))]
use crate::value::handles::Handles;
use crate::world::World;

/// An instance that is lent. Its `Drop` gives it back.
pub(crate) struct Guard<P, W: World, S: Send + 'static>
where
    P: Deref<Target = Lending<W, S>>,
{
    pub(crate) pool: P,
    instance: Option<Lent<W, S>>,
    /// Whether every call so far ended well. A call that is under way, or was cancelled, did not.
    sound: bool,
}

impl<P, W: World, S: Send + 'static> Guard<P, W, S>
where
    P: Deref<Target = Lending<W, S>>,
{
    pub(crate) fn new(pool: P, instance: Lent<W, S>) -> Self {
        Self {
            pool,
            instance: Some(instance),
            sound: true,
        }
    }

    /// The instance, to be called, unless an earlier call did not end well. Until
    /// [`Guard::ended_well`], it is taken for one whose call did not.
    pub(crate) fn begin(&mut self) -> Result<(&P, &mut Instance<W, S>), CallError> {
        if !self.sound {
            return Err(CallError::Retired);
        }
        self.sound = false;
        match &mut self.instance {
            Some(instance) => Ok((&self.pool, instance)),
            None => Err(CallError::Retired),
        }
    }

    pub(crate) fn ended_well(&mut self) {
        self.sound = true;
    }

    pub(crate) fn embedder(&self) -> Option<&S> {
        let instance = self.instance.as_deref()?;
        Some(instance.store.data().embedder())
    }

    pub(crate) fn embedder_mut(&mut self) -> Option<&mut S> {
        let instance = self.instance.as_deref_mut()?;
        Some(instance.store.data_mut().embedder_mut())
    }

    /// An export of the component by its name.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<ExportedFunc>, CallError> {
        Ok(Arc::clone(
            self.pool.maker.binding.component().exports().find(name)?,
        ))
    }

    /// Takes a resource from the caller, to be dropped.
    #[cfg(any(feature = "json", feature = "wave"))]
    pub(crate) fn release(&mut self, handle: u32) -> Result<ResourceAny, CallError> {
        Ok(self.handles()?.release(handle)?)
    }

    /// The resources that the caller holds.
    #[cfg(any(feature = "json", feature = "wave"))]
    pub(crate) fn handles(&mut self) -> Result<&mut Handles, CallError> {
        let instance = self.instance.as_deref_mut().ok_or(CallError::Retired)?;
        Ok(&mut instance.handles)
    }
}

impl<P, W: World, S: Send + 'static> Drop for Guard<P, W, S>
where
    P: Deref<Target = Lending<W, S>>,
{
    fn drop(&mut self) {
        if let Some(instance) = self.instance.take() {
            self.pool.give_back(instance, self.sound);
        }
    }
}

/// The right to fill a slot. Its `Drop` gives the slot back.
pub(super) struct Vacancy<'a, W: World, S: Send + 'static>(pub(super) &'a Lending<W, S>);

impl<W: World, S: Send + 'static> Vacancy<'_, W, S> {
    pub(super) fn fill(self, cost: Duration) {
        self.0.slots.lock().started(cost);
        std::mem::forget(self);
    }
}

impl<W: World, S: Send + 'static> Drop for Vacancy<'_, W, S> {
    fn drop(&mut self) {
        self.0.change(Slots::start_failed);
    }
}

/// A slot whose instance is being dropped. Its `Drop` frees the slot.
pub(super) struct Dropping<'a, W: World, S: Send + 'static>(pub(super) &'a Lending<W, S>);

impl<W: World, S: Send + 'static> Dropping<'_, W, S> {
    /// The instance is gone, of which the drop began then.
    pub(super) fn done(self, began: Instant) {
        self.0.change(|slots| {
            if slots.measures_drop() {
                let now = self.0.maker.clock().now();
                slots.drop_cost(now.saturating_duration_since(began));
            }
            slots.dropped()
        });
        std::mem::forget(self);
    }
}

impl<W: World, S: Send + 'static> Drop for Dropping<'_, W, S> {
    fn drop(&mut self) {
        self.0.change(Slots::dropped);
    }
}

/// A place in the queue. Its `Drop` gives it up, with the turn that was granted meanwhile.
pub(super) struct Place<'a, W: World, S: Send + 'static> {
    pub(super) pool: &'a Lending<W, S>,
    pub(super) ticket: Option<Ticket>,
}

impl<W: World, S: Send + 'static> Place<'_, W, S> {
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<Result<Turn<Lent<W, S>>, CallError>> {
        let Some(ticket) = self.ticket else {
            return Poll::Ready(Err(CallError::Closed));
        };
        let polled = self.pool.slots.lock().poll_turn(ticket, waker);
        polled.map(|turn| {
            self.ticket = None;
            turn.ok_or(CallError::Closed)
        })
    }
}

impl<W: World, S: Send + 'static> Drop for Place<'_, W, S> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let now = self.pool.maker.clock().now();
            self.pool.take_back(now, |slots| {
                slots.leave(ticket, now, |instance| self.pool.age(instance))
            });
            self.pool.notice(now);
        }
    }
}
