//! Who may have an instance in the engines of a lane: their slots, shared fairly by all pools.
//!
//! Counts instances and keeps the line of callers for whose instance there was no slot; knows
//! nothing of what an instance is. A pool is a [`Tenant`], a slot that is taken a [`Permit`].
//!
//! As long as a pool holds less than its share, which is what there is divided by the pools that hold
//! anything, it gets a slot that is free. Beyond that it gets one only while a tenth of all stays
//! free, as far as others could still ask for it, so that one pool's flood leaves the next caller of
//! another a slot. While somebody waits, pools give up what stands idle: to callers of pools below
//! their share all of it, to others what was not used for [`IN_USE`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::sync::{AtomicBool, AtomicUsize, Mutex, Ordering};

/// The first in line looks again after this long even if nobody says that something was given back:
/// an instance that falls idle in the same instant may be seen by neither side.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// An instance that stands idle for no longer is in use: it is kept from callers of pools that have
/// more than their share.
pub(crate) const IN_USE: Duration = Duration::from_millis(100);

/// A pool beyond its share leaves free the slots divided by this. AWS Lambda keeps as much for functions
/// that reserve nothing: 100 of 1,000 (its developer guide, "Configuring reserved concurrency").
const LEFT_FREE: usize = 10;

/// See the module. One per lane.
#[derive(Debug)]
pub(crate) struct Room {
    capacity: usize,
    /// The length of the line, for those who do not take the lock.
    waiting: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Slots that are taken.
    taken: usize,
    /// Tenants that count, and how many slots they may take together.
    tenants: usize,
    may_take: usize,
    /// The engine had no room though a slot was free. So it is until one is given back.
    refused: bool,
    line: VecDeque<Arc<Place>>,
}

/// A pool that may have instances. It counts from when it first asks for a slot until it is found to
/// hold none twice, and did not ask in between.
#[derive(Debug)]
pub(crate) struct Tenant {
    room: Arc<Room>,
    max_instances: usize,
    // These change under the lock of the room alone, so that no change needs an atomic operation of
    // its own, which costs as much as the lock.
    taken: AtomicUsize,
    counts: AtomicBool,
    asked: AtomicBool,
}

/// What a pool is to give up for those who wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    Nothing,
    /// What stands idle and is not [`IN_USE`].
    Unused,
    /// What stands idle.
    Idle,
}

/// A slot that is taken. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Permit(Option<Arc<Tenant>>);

/// A place in the line. Dropping it gives it up, with the slot that was granted meanwhile.
#[derive(Debug)]
pub(crate) struct InLine(Option<Arc<Place>>);

#[derive(Debug)]
struct Place {
    tenant: Arc<Tenant>,
    /// Changes under the lock of the room, and is read under it: whoever is not in line has a slot.
    in_line: AtomicBool,
    /// That it has a slot, or is the first.
    told: Notify,
}

impl Room {
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            waiting: AtomicUsize::new(0),
            state: Mutex::default(),
        })
    }

    /// A pool that will have so many instances at most.
    pub(crate) fn tenant(self: &Arc<Self>, max_instances: usize) -> Arc<Tenant> {
        Arc::new(Tenant {
            room: Arc::clone(self),
            max_instances: max_instances.min(self.capacity),
            taken: AtomicUsize::new(0),
            counts: AtomicBool::new(false),
            asked: AtomicBool::new(false),
        })
    }

    /// Changes the state, then grants slots to those who wait, as far as they may have them.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.state.lock();
        let first = state.line.front().map(Arc::as_ptr);
        let result = change(&mut state);
        let mut told = Vec::new();
        while let Some(place) = self.next(&mut state) {
            state.take(&place.tenant);
            place.in_line.store(false, Ordering::Relaxed);
            told.push(place);
        }
        if state.line.front().map(Arc::as_ptr) != first {
            told.extend(state.line.front().cloned());
        }
        if self.waiting.load(Ordering::Relaxed) != state.line.len() {
            self.waiting.store(state.line.len(), Ordering::SeqCst);
        }
        drop(state);
        told.iter().for_each(|place| place.told.notify_one());
        result
    }

    /// Takes who is to have a slot out of the line.
    fn next(&self, state: &mut State) -> Option<Arc<Place>> {
        let first = state.line.front()?;
        if !self.has_more_than(0, state) {
            return None;
        }
        let below = |place: &Arc<Place>| self.is_below_share(&place.tenant, state);
        let at = match state.line.iter().position(below) {
            Some(at) => at,
            None if self.has_more_than(self.left_free(&first.tenant, state), state) => 0,
            None => return None,
        };
        state.line.remove(at)
    }

    fn has_more_than(&self, left_free: usize, state: &State) -> bool {
        !state.refused && state.taken + left_free < self.capacity
    }

    /// What each tenant has a right to.
    fn share(&self, state: &State) -> usize {
        (self.capacity / state.tenants.max(1)).max(1)
    }

    fn is_below_share(&self, tenant: &Tenant, state: &State) -> bool {
        tenant.taken() < self.share(state)
    }

    /// How many slots `tenant`, which has its share, leaves to the others.
    fn left_free(&self, tenant: &Tenant, state: &State) -> usize {
        let others_may_take = state.may_take.saturating_sub(tenant.max_instances);
        let others_took = state.taken - tenant.taken();
        others_may_take
            .saturating_sub(others_took)
            .min(self.capacity / LEFT_FREE)
    }
}

impl State {
    fn take(&mut self, tenant: &Tenant) {
        self.taken += 1;
        tenant.taken.store(tenant.taken() + 1, Ordering::Relaxed);
    }

    fn give_back(&mut self, tenant: &Tenant) {
        self.taken -= 1;
        tenant.taken.store(tenant.taken() - 1, Ordering::Relaxed);
    }

    fn count_in(&mut self, tenant: &Tenant) {
        tenant.asked.store(true, Ordering::Relaxed);
        if !tenant.counts.load(Ordering::Relaxed) {
            tenant.counts.store(true, Ordering::Relaxed);
            self.tenants += 1;
            self.may_take += tenant.max_instances;
        }
    }

    fn count_out(&mut self, tenant: &Tenant) {
        if tenant.counts.swap(false, Ordering::Relaxed) {
            self.tenants -= 1;
            self.may_take -= tenant.max_instances;
        }
    }
}

impl Tenant {
    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Whether somebody waits for what is given back.
    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.room.waiting.load(Ordering::SeqCst) > 0
    }

    /// What this pool is to give up.
    pub(crate) fn claim(&self) -> Claim {
        let (room, state) = (&self.room, self.room.state.lock());
        let share = room.share(&state);
        let own = |tenant: &Self| std::ptr::eq(tenant, self);
        if state.line.is_empty() {
            Claim::Nothing
        } else if self.taken() > share
            || (state.line.iter()).any(|one| one.tenant.taken() < share || own(&one.tenant))
        {
            Claim::Idle
        } else {
            Claim::Unused
        }
    }

    /// Slots that all pools took.
    pub(crate) fn taken_by_all(&self) -> usize {
        self.room.state.lock().taken
    }

    /// Why it got no slot.
    pub(crate) fn no_room(&self) -> String {
        let all = self.taken_by_all();
        let (capacity, own) = (self.room.capacity, self.taken());
        format!("{all} of {capacity} instances are in use, {own} of them by this pool")
    }

    /// A slot, if it may have one at once.
    pub(crate) fn take(self: &Arc<Self>) -> Option<Permit> {
        self.room.change(|state| self.take_from(state))
    }

    /// A slot, or the last place in the line for one.
    pub(crate) fn take_or_line_up(self: &Arc<Self>) -> Result<Permit, InLine> {
        self.room.change(|state| {
            self.take_from(state).ok_or_else(|| {
                let place = self.place();
                state.line.push_back(Arc::clone(&place));
                InLine(Some(place))
            })
        })
    }

    fn take_from(self: &Arc<Self>, state: &mut State) -> Option<Permit> {
        state.count_in(self);
        let room = &self.room;
        // Whoever has less than its share waits only while no slot is free.
        let left_free = match room.is_below_share(self, state) {
            true => Some(0),
            false if state.line.is_empty() => Some(room.left_free(self, state)),
            false => None,
        };
        left_free
            .filter(|left_free| room.has_more_than(*left_free, state))
            .map(|_| {
                state.take(self);
                Permit(Some(Arc::clone(self)))
            })
    }

    fn place(self: &Arc<Self>) -> Arc<Place> {
        Arc::new(Place {
            tenant: Arc::clone(self),
            in_line: AtomicBool::new(true),
            told: Notify::new(),
        })
    }

    /// The pool was found to hold no instance. Whether it has no share now, until it asks again.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.room.change(|state| {
            let gone = self.taken() == 0 && !self.asked.swap(false, Ordering::Relaxed);
            if gone {
                state.count_out(self);
            }
            gone
        })
    }

    /// The pool is gone.
    pub(crate) fn leave(&self) {
        self.room.change(|state| state.count_out(self));
    }
}

impl Permit {
    /// The engine had no room for the instance after all: back to the head of the line.
    pub(crate) fn refused(mut self) -> InLine {
        InLine(self.0.take().map(|tenant| {
            let place = tenant.place();
            tenant.room.change(|state| {
                state.give_back(&tenant);
                state.refused = true;
                state.line.push_front(Arc::clone(&place));
            });
            place
        }))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(tenant) = &self.0 {
            tenant.room.change(|state| {
                state.give_back(tenant);
                state.refused = false;
            });
        }
    }
}

impl InLine {
    /// The slot, if it was granted.
    pub(crate) fn granted(mut self) -> Result<Permit, Self> {
        match self.0.take_if(|place| place.has_slot()) {
            Some(place) => Ok(Permit(Some(Arc::clone(&place.tenant)))),
            None => Err(self),
        }
    }

    /// Whether nobody is before it, or nobody who has less than its share. Such a caller sees to it
    /// that something is given back.
    pub(crate) fn leads(&self) -> bool {
        self.0.as_ref().is_some_and(|place| {
            let room = &place.tenant.room;
            let state = room.state.lock();
            let below = |place: &&Arc<Place>| room.is_below_share(&place.tenant, &state);
            let leaders = [state.line.front(), state.line.iter().find(below)];
            leaders
                .into_iter()
                .flatten()
                .any(|leader| Arc::ptr_eq(leader, place))
        })
    }

    /// Where the engine had no room, it may have some now.
    pub(crate) fn try_again(&self) {
        if let Some(place) = &self.0 {
            place.tenant.room.change(|state| state.refused = false);
        }
    }

    /// Waits until it has a slot or is the first.
    pub(crate) async fn told(&self) {
        if let Some(place) = &self.0 {
            place.told.notified().await;
        }
    }
}

impl Drop for InLine {
    fn drop(&mut self) {
        if let Some(place) = &self.0 {
            place
                .tenant
                .room
                .change(|state| match place.in_line.load(Ordering::Relaxed) {
                    true => {
                        state.line.retain(|other| !Arc::ptr_eq(other, place));
                        // What was too little for it may be enough for the next.
                        state.refused = false;
                    }
                    false => state.give_back(&place.tenant),
                });
        }
    }
}

impl Place {
    fn has_slot(&self) -> bool {
        let _state = self.tenant.room.state.lock();
        !self.in_line.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
