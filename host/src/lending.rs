//! How instances are lent, taken back, made ahead and dropped behind: `slots` under its lock.
//!
//! Knows when to make and drop an instance; knows nothing of how it is called. A slot being filled
//! is owned by a `Vacancy`, a place in the queue by a `Place`, an instance that is lent by a
//! [`Guard`]: whatever happens, panic and cancellation included, their `Drop` gives it back.
//!
//! A pool that lends instances again keeps some in pockets beside the threads that call it, and a call
//! that finds one there touches no lock. To the slots an instance in a pocket is lent; whoever finds
//! no idle one looks into all pockets, and whoever has to queue says so by a flag first, so that
//! instances come back to the slots and not to the pockets.

mod behind;
mod tokens;
mod turns;

use std::future::poll_fn;
use std::ops::Deref;
use std::sync::{Arc, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::component::HostParts;
use crate::config::{PoolConfig, Reuse, processors};
use crate::engine::Lane;
use crate::error::CallError;
use crate::instance::{Instance, Maker};
use crate::park;
use crate::pockets::Pockets;
use crate::policy::{self, Age};
use crate::room::{Claim, Tenant};
use crate::slots::{Arrived, Notice, Retire, Returned, Slots, Turn};
use crate::stats::PoolStats;
use crate::sync::{AtomicBool, AtomicU64, Mutex, MutexGuard, Ordering};
use crate::ticker::Member;
use crate::world::World;

pub(crate) use self::tokens::Guard;

type Lent<W, S> = Box<Instance<W, S>>;

/// A pool as calls, leases and handles share it: by their number it is known whether anybody uses it,
/// and the last of them closes it. Refill and the ticker, which look after it, share the [`Lending`]
/// alone.
pub(crate) struct Owner<W: World, S: Send + 'static>(Arc<Users<W, S>>);

struct Users<W: World, S: Send + 'static>(Arc<Lending<W, S>>);

impl<W: World, S: Send + 'static> Drop for Users<W, S> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<W: World, S: Send + 'static> Owner<W, S> {
    /// Whether nobody else uses the pool.
    pub(crate) fn is_alone(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl<W: World, S: Send + 'static> Clone for Owner<W, S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: World, S: Send + 'static> Deref for Owner<W, S> {
    type Target = Lending<W, S>;

    #[inline]
    fn deref(&self) -> &Lending<W, S> {
        &self.0.0
    }
}

/// One pool.
pub(crate) struct Lending<W: World, S: Send + 'static> {
    pub(crate) maker: Maker<W, S>,
    pub(crate) host: Arc<HostParts>,
    pub(crate) max_instances: usize,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) runtime: Option<tokio::runtime::Handle>,
    /// What it is to the host's room, where it asks for a slot for each instance.
    tenant: Arc<Tenant>,
    lane: Lane,
    idle_ttl_ns: u64,
    deadline_ns: u64,
    slots: Mutex<Slots<Lent<W, S>>>,
    pockets: Pockets<Instance<W, S>>,
    /// Whether instances are to come back to the slots: somebody queues, or the pool is closed.
    wanted: AtomicBool,
    /// When refill will look at what expires, as the ticker counts; the greatest number where it will
    /// not.
    looks_at: AtomicU64,
    /// Whether the ticker knows of this pool. Changed under the lock of the slots.
    watched: AtomicBool,
    me: Weak<Self>,
}

impl<W: World, S: Send + 'static> Lending<W, S> {
    pub(crate) fn owned(
        maker: Maker<W, S>,
        host: Arc<HostParts>,
        config: &PoolConfig,
        runtime: Option<tokio::runtime::Handle>,
    ) -> Owner<W, S> {
        let pockets = match config.reuse {
            Reuse::Never => 0,
            // Twice as many as run at a time, so that two of them seldom share one.
            Reuse::Calls(_) => (2 * processors()).min(config.max_instances),
        };
        let made = maker.clock().now();
        let lane = maker.binding.component().lane();
        let deadline = maker.terms.limits().deadline;
        let tenant = host.room(lane).tenant(config.max_instances);
        let lending = Arc::new_cyclic(|me| Self {
            maker,
            host,
            max_instances: config.max_instances,
            max_wait: config.max_wait,
            runtime,
            tenant,
            lane,
            idle_ttl_ns: policy::nanos(config.idle_ttl),
            deadline_ns: policy::nanos(deadline),
            slots: Mutex::new(Slots::new(config)),
            pockets: Pockets::new(pockets),
            wanted: AtomicBool::new(false),
            looks_at: AtomicU64::new(u64::MAX),
            watched: AtomicBool::new(false),
            me: me.clone(),
        });
        lending.notice(made);
        Owner(Arc::new(Users(lending)))
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let stats = self
            .slots
            .lock()
            .stats(self.pockets.count(), self.pockets.lent());
        PoolStats {
            reset: self.maker.slots_reset(),
            ..stats
        }
    }

    /// What this thread has in its pocket, fit to be lent.
    #[inline]
    fn take_pocketed(&self) -> Option<Lent<W, S>> {
        let taken = self.pockets.take()?;
        // Read after the exchange: see `pockets` and `ticker`.
        if self.wanted.load(Ordering::Relaxed) {
            // For somebody who came before this caller.
            self.give_back_slow(taken.give_up(), None);
            return None;
        }
        if !self.host.ticker.ticks() {
            self.host.ticker.wake();
        }
        if self.is_aged(&taken.item, || self.host.ticker.coarse_ns()) {
            self.give_back_slow(taken.give_up(), Some(Retire::Aged));
            return None;
        }
        Some(taken.lend())
    }

    fn is_aged(&self, instance: &Instance<W, S>, now_ns: impl FnOnce() -> u64) -> bool {
        self.too_old_at(instance).is_some_and(|at| now_ns() >= at)
    }

    /// When an instance is too old to be lent, as the ticker counts.
    fn too_old_at(&self, instance: &Instance<W, S>) -> Option<u64> {
        let age = self.maker.max_age?;
        Some(self.host.ticker.ns(instance.born + age))
    }

    /// When an instance that is not called again stood idle too long, as the ticker counts.
    fn expires_at(&self, instance: &Instance<W, S>) -> u64 {
        instance.idle_since_ns.saturating_add(self.idle_ttl_ns)
    }

    fn arrive(&self, now: Instant) -> Arrived<Lent<W, S>> {
        let mut slots = self.slots.lock();
        let mut aged = Vec::new();
        while slots.lacks_idle()
            && let Some(instance) = self.pockets.steal()
        {
            if !self.is_aged(&instance, || self.host.ticker.ns(now)) {
                slots.stolen();
                drop(slots);
                if !self.host.ticker.ticks() {
                    self.host.ticker.wake();
                }
                return Arrived::Turn(Turn::Warm(instance));
            }
            aged.push(self.take_in(&mut slots, instance, now, Some(Retire::Aged)));
        }
        let arrived = slots.arrive(now);
        let watched = self.watch(&slots);
        let ticks = self.host.ticker.ticks();
        let notice = self.note(&mut slots, now);
        drop(slots);
        self.be_watched(watched, ticks);
        self.follow(notice);
        aged.into_iter().for_each(|aged| self.settle(aged, now));
        if let Arrived::Wait(_) = arrived {
            // What came into a pocket before its owner could see that somebody waits.
            while let Some(instance) = self.pockets.steal() {
                self.give_back_slow(instance, None);
            }
        }
        arrived
    }

    /// Whether the ticker knew of this pool. From now on it is taken to.
    fn watch(&self, _slots: &Slots<Lent<W, S>>) -> bool {
        let watched = self.watched.load(Ordering::Relaxed);
        if !watched {
            self.watched.store(true, Ordering::Relaxed);
        }
        watched
    }

    /// Sees to it that the ticker ticks and knows of this pool, which held what these say under the
    /// lock.
    fn be_watched(&self, watched: bool, mut ticks: bool) {
        if !watched {
            let member: Weak<dyn Member> = self.me.clone();
            self.host.ticker.watch(member);
            // Read again: it may have asked all the others and parked in between.
            ticks = self.host.ticker.ticks();
        }
        if !ticks {
            self.host.ticker.wake();
        }
    }

    pub(crate) fn busy(&self) -> CallError {
        CallError::Busy {
            max_instances: self.max_instances,
            waiting: self.slots.lock().waiting(),
        }
    }

    fn give_back(&self, mut instance: Lent<W, S>, sound: bool) {
        let now = self.host.ticker.coarse_ns();
        instance.idle_since_ns = now;
        if !sound || !instance.handles.is_empty() {
            return self.give_back_slow(instance, Some(Retire::Faulty));
        }
        if instance.calls_left <= 1 {
            return self.give_back_slow(instance, Some(Retire::Used));
        }
        instance.calls_left -= 1;
        if self.is_aged(&instance, || now) {
            return self.give_back_slow(instance, Some(Retire::Aged));
        }
        if self.is_wanted() {
            return self.give_back_slow(instance, None);
        }
        let too_old_at = self.too_old_at(&instance).unwrap_or(u64::MAX);
        let look_at = self.expires_at(&instance).min(too_old_at);
        if let Err(other) = self.pockets.put(instance) {
            self.give_back_slow(other, None);
        }
        // Read after the exchange: see `pockets`.
        if self.is_wanted()
            && let Some(instance) = self.pockets.steal()
        {
            self.give_back_slow(instance, None);
        }
        if look_at < self.looks_at.load(Ordering::Relaxed) {
            self.look_again(self.host.ticker.instant(look_at));
        }
    }

    /// Whether an instance is to go back to the slots and not to a pocket.
    fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) || self.tenant.is_wanted()
    }

    fn age(&self, instance: &Instance<W, S>) -> Age {
        Age {
            born: instance.born,
            since: self.host.ticker.instant(instance.idle_since_ns),
        }
    }

    /// Gives an instance back to the slots.
    fn give_back_slow(&self, instance: Lent<W, S>, retire: Option<Retire>) {
        let now = self.maker.clock().now();
        let mut slots = self.slots.lock();
        let returned = self.take_in(&mut slots, instance, now, retire);
        let notice = self.note(&mut slots, now);
        drop(slots);
        self.settle(returned, now);
        self.follow(notice);
        self.make_room();
    }

    /// Gives up what stands idle where somebody waits for all of it. Who wants only what is not in
    /// use looks for that now and then, and is no matter of this pool's callers.
    fn make_room(&self) {
        if self.tenant.is_wanted() && self.tenant.claim() == Claim::Idle {
            self.shed();
        }
    }

    /// Changes the slots in a way that may wake somebody.
    fn change(&self, change: impl FnOnce(&mut Slots<Lent<W, S>>) -> Option<Waker>) {
        let mut slots = self.slots.lock();
        let wake = change(&mut slots);
        self.set_flags(&mut slots);
        drop(slots);
        wake.into_iter().for_each(Waker::wake);
    }

    /// Changes the slots in a way that may leave an instance to drop.
    fn take_back(
        &self,
        now: Instant,
        change: impl FnOnce(&mut Slots<Lent<W, S>>) -> Returned<Lent<W, S>>,
    ) {
        let mut slots = self.slots.lock();
        let returned = change(&mut slots);
        self.set_flags(&mut slots);
        drop(slots);
        self.settle(returned, now);
        self.make_room();
    }

    /// What refill is to be told, after a change of the slots.
    fn note(&self, slots: &mut MutexGuard<'_, Slots<Lent<W, S>>>, now: Instant) -> Notice {
        let notice = slots.notice(now, self.pockets.count());
        self.set_flags(slots);
        notice
    }

    fn notice(&self, now: Instant) {
        let notice = self.note(&mut self.slots.lock(), now);
        self.follow(notice);
    }

    /// Has refill look at what expires at `at`, unless it will look anyway.
    fn look_again(&self, at: Instant) {
        let mut slots = self.slots.lock();
        let notice = slots.look_at(at);
        self.set_flags(&mut slots);
        drop(slots);
        self.follow(notice);
    }

    /// Mirrors in atomics what threads without the lock must see. Written only where it changes.
    fn set_flags(&self, slots: &mut Slots<Lent<W, S>>) {
        let wanted = slots.wants_back();
        if self.wanted.load(Ordering::Relaxed) != wanted {
            self.wanted.store(wanted, Ordering::Relaxed);
        }
        if let Some(look) = slots.new_look() {
            let looks_at = look.map_or(u64::MAX, |at| self.host.ticker.ns(at));
            self.looks_at.store(looks_at, Ordering::Relaxed);
        }
    }

    /// Does what a change of the slots asks for, the lock being free again.
    fn settle(&self, returned: Returned<Lent<W, S>>, now: Instant) {
        if let Some(waker) = returned.wake {
            waker.wake();
        }
        if let Some(instance) = returned.drop_now {
            self.drop_instance(instance, now);
        }
    }

    fn follow(&self, notice: Notice) {
        match notice {
            Notice::Nothing => {}
            Notice::Work => {
                if let Some(me) = self.me.upgrade() {
                    self.host.refill.tell(me);
                }
            }
            Notice::LookAt(at) => self.host.refill.look_at(at, self.me.clone()),
        }
    }

    /// Refuses callers from now on, wakes those who wait, drops what is idle.
    pub(crate) fn close(&self) {
        let mut slots = self.slots.lock();
        let wakers = slots.close();
        let dying = slots.take_dying(usize::MAX);
        self.set_flags(&mut slots);
        drop(slots);
        wakers.into_iter().for_each(Waker::wake);
        self.drop_all(dying);
        while let Some(instance) = self.pockets.steal() {
            self.give_back_slow(instance, None);
        }
    }

    /// Waits until a closed pool holds nothing.
    pub(crate) async fn drained(&self) {
        poll_fn(|cx| self.slots.lock().poll_drained(cx.waker())).await;
    }

    /// The same for a thread.
    pub(crate) fn drained_direct(&self) {
        let _ = park::wait(self.drained(), None, self.maker.clock());
    }
}

impl<W: World, S: Send + 'static> Drop for Lending<W, S> {
    fn drop(&mut self) {
        let slots = self.slots.get_mut();
        slots.close();
        let dying = slots.take_dying(usize::MAX);
        let pocketed = std::iter::from_fn(|| self.pockets.steal());
        dying.into_iter().chain(pocketed).for_each(drop);
        self.tenant.leave();
    }
}
