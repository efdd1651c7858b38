//! How instances are lent, taken back, made ahead and dropped behind: `slots` under its lock.
//!
//! Knows when to make and drop an instance; knows nothing of how it is called. A slot being filled
//! is owned by a [`Vacancy`], a place in the queue by a [`Place`], an instance that is lent by a
//! [`Guard`]: whatever happens, panic and cancellation included, their `Drop` gives it back.

use std::future::poll_fn;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::component::HostParts;
use crate::error::{CallError, Phase};
use crate::instance::{Begun, Instance, Maker};
use crate::refill::Work;
use crate::slots::{Arrived, Notice, Refilled, Retire, Returned, Slots, Ticket, Turn};
use crate::stats::PoolStats;
use crate::ticker::Member;
use crate::world::World;

/// Instances are made one after the other for one pool at most so many times before the refill
/// thread looks at the next pool.
const REFILL_TURN: usize = 16;

type Lent<W, S> = Box<Instance<W, S>>;

/// What all handles of one pool share.
pub(crate) struct Lending<W: World, S: Send + 'static> {
    pub(crate) maker: Maker<W, S>,
    pub(crate) host: Arc<HostParts>,
    pub(crate) max_instances: usize,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) runtime: Option<tokio::runtime::Handle>,
    slots: Mutex<Slots<Lent<W, S>>>,
    me: Weak<Self>,
}

impl<W: World, S: Send + 'static> Lending<W, S> {
    pub(crate) fn new(
        maker: Maker<W, S>,
        host: Arc<HostParts>,
        config: &crate::config::PoolConfig,
        runtime: Option<tokio::runtime::Handle>,
    ) -> Arc<Self> {
        let lending = Arc::new_cyclic(|me| Self {
            maker,
            host,
            max_instances: config.max_instances,
            max_wait: config.max_wait,
            runtime,
            slots: Mutex::new(Slots::new(config)),
            me: me.clone(),
        });
        let member: Weak<dyn Member> = lending.me.clone();
        lending.host.ticker.watch(member);
        let notice = lending.slots.lock().notice(lending.maker.clock.now());
        lending.follow(notice);
        lending
    }

    pub(crate) fn stats(&self) -> PoolStats {
        self.slots.lock().stats()
    }

    /// The deadline of a call that arrives at `now`.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.maker.terms.limits().deadline)
    }

    /// A further call on an instance that is lent already.
    pub(crate) fn begun_again(&self) -> Begun {
        let arrived = self.maker.clock.now();
        Begun {
            arrived,
            queued: Duration::ZERO,
            warm: true,
            start: Duration::ZERO,
            deadline: self.deadline(arrived),
        }
    }

    fn arrive(&self, now: Instant) -> Arrived<Lent<W, S>> {
        let mut slots = self.slots.lock();
        let arrived = slots.arrive(now);
        let ticks = self.host.ticker.ticks();
        let notice = slots.notice(now);
        drop(slots);
        if !ticks {
            self.host.ticker.wake();
        }
        self.follow(notice);
        arrived
    }

    fn busy(&self) -> CallError {
        CallError::Busy {
            max_instances: self.max_instances,
            waiting: self.slots.lock().waiting(),
        }
    }

    /// When a caller who arrived at `now` gives up its place, and what it is told then.
    fn patience(
        &self,
        arrived: Instant,
        deadline: Option<Instant>,
    ) -> (Option<Instant>, CallError) {
        let late = CallError::Deadline {
            deadline: self.maker.terms.limits().deadline,
            phase: Phase::Queue,
        };
        match self
            .max_wait
            .and_then(|wait| Some((wait, arrived.checked_add(wait)?)))
        {
            Some((max_wait, until)) if deadline.is_none_or(|deadline| until < deadline) => {
                let waited = CallError::Waited {
                    max_instances: self.max_instances,
                    max_wait,
                };
                (Some(until), waited)
            }
            _ => (deadline, late),
        }
    }

    /// Lends an instance to a task.
    pub(crate) async fn lend<P>(
        pool: P,
        arrived: Instant,
    ) -> Result<(Guard<P, W, S>, Begun), CallError>
    where
        P: Deref<Target = Self>,
    {
        let deadline = pool.deadline(arrived);
        let mut queued = Duration::ZERO;
        let turn = match pool.arrive(arrived) {
            Arrived::Turn(turn) => turn,
            Arrived::Closed => return Err(CallError::Closed),
            Arrived::Busy => return Err(pool.busy()),
            Arrived::Wait(ticket) => {
                let turn = pool.wait(ticket, arrived, deadline).await?;
                queued = pool.maker.clock.now().saturating_duration_since(arrived);
                turn
            }
        };
        let mut begun = Begun {
            arrived,
            queued,
            warm: true,
            start: Duration::ZERO,
            deadline,
        };
        let instance = match turn {
            Turn::Warm(instance) => instance,
            Turn::Start => pool.start(&mut begun).await?,
            Turn::DropThenStart(instance) => {
                let vacancy = Vacancy(&*pool);
                discard(instance);
                std::mem::forget(vacancy);
                pool.start(&mut begun).await?
            }
        };
        Ok((
            Guard {
                pool,
                instance: Some(instance),
                sound: true,
            },
            begun,
        ))
    }

    /// Lends an instance to a thread.
    pub(crate) fn lend_direct<P>(
        pool: P,
        arrived: Instant,
    ) -> Result<(Guard<P, W, S>, Begun), CallError>
    where
        P: Deref<Target = Self>,
    {
        let deadline = pool.deadline(arrived);
        let mut queued = Duration::ZERO;
        let turn = match pool.arrive(arrived) {
            Arrived::Turn(turn) => turn,
            Arrived::Closed => return Err(CallError::Closed),
            Arrived::Busy => return Err(pool.busy()),
            Arrived::Wait(ticket) => {
                let turn = pool.wait_direct(ticket, arrived, deadline)?;
                queued = pool.maker.clock.now().saturating_duration_since(arrived);
                turn
            }
        };
        let mut begun = Begun {
            arrived,
            queued,
            warm: true,
            start: Duration::ZERO,
            deadline,
        };
        let instance = match turn {
            Turn::Warm(instance) => instance,
            Turn::Start => pool.start_direct(&mut begun)?,
            Turn::DropThenStart(instance) => {
                let vacancy = Vacancy(&*pool);
                discard(instance);
                std::mem::forget(vacancy);
                pool.start_direct(&mut begun)?
            }
        };
        Ok((
            Guard {
                pool,
                instance: Some(instance),
                sound: true,
            },
            begun,
        ))
    }

    async fn wait(
        &self,
        ticket: Ticket,
        arrived: Instant,
        deadline: Option<Instant>,
    ) -> Result<Turn<Lent<W, S>>, CallError> {
        let mut place = Place {
            pool: self,
            ticket: Some(ticket),
        };
        let (until, late) = self.patience(arrived, deadline);
        let mut timer = until.map(|until| Box::pin(tokio::time::sleep_until(until.into())));
        let turn = poll_fn(|cx| {
            if let Poll::Ready(turn) = place.poll(cx.waker()) {
                return Poll::Ready(Some(turn));
            }
            match &mut timer {
                Some(timer) => timer.as_mut().poll(cx).map(|()| None),
                None => Poll::Pending,
            }
        })
        .await;
        turn.unwrap_or(Err(late))
    }

    fn wait_direct(
        &self,
        ticket: Ticket,
        arrived: Instant,
        deadline: Option<Instant>,
    ) -> Result<Turn<Lent<W, S>>, CallError> {
        let mut place = Place {
            pool: self,
            ticket: Some(ticket),
        };
        let (until, late) = self.patience(arrived, deadline);
        let waker = Waker::from(Arc::new(ThreadWaker(std::thread::current())));
        loop {
            if let Poll::Ready(turn) = place.poll(&waker) {
                return turn;
            }
            match until {
                None => std::thread::park(),
                Some(until) => {
                    let left = until.saturating_duration_since(self.maker.clock.now());
                    if left.is_zero() {
                        return Err(late);
                    }
                    std::thread::park_timeout(left);
                }
            }
        }
    }

    async fn start(&self, begun: &mut Begun) -> Result<Lent<W, S>, CallError> {
        let vacancy = Vacancy(self);
        let mut made = self.maker.start(begun.deadline).await;
        if let Err(CallError::HostFull(_)) = made {
            self.host.ticker.shed_all();
            made = self.maker.start(begun.deadline).await;
        }
        self.made(made, begun, vacancy)
    }

    fn start_direct(&self, begun: &mut Begun) -> Result<Lent<W, S>, CallError> {
        let vacancy = Vacancy(self);
        let mut made = self.maker.start_direct(begun.deadline);
        if let Err(CallError::HostFull(_)) = made {
            self.host.ticker.shed_all();
            made = self.maker.start_direct(begun.deadline);
        }
        self.made(made, begun, vacancy)
    }

    fn made(
        &self,
        made: Result<Instance<W, S>, CallError>,
        begun: &mut Begun,
        vacancy: Vacancy<'_, W, S>,
    ) -> Result<Lent<W, S>, CallError> {
        match made {
            Ok(instance) => {
                begun.warm = false;
                begun.start = instance
                    .born
                    .saturating_duration_since(begun.arrived + begun.queued);
                vacancy.fill(begun.start);
                Ok(Box::new(instance))
            }
            Err(
                error
                @ (CallError::HostFull(_) | CallError::WarmUp(_) | CallError::Deadline { .. }),
            ) => Err(error),
            Err(error) => Err(CallError::Start(Box::new(error))),
        }
    }

    fn give_back(&self, mut instance: Lent<W, S>, sound: bool) {
        let now = self.maker.clock.now();
        let retire = if !sound || !instance.handles.is_empty() {
            Some(Retire::Faulty)
        } else if instance.calls_left <= 1 {
            Some(Retire::Used)
        } else if self
            .maker
            .max_age
            .is_some_and(|age| now >= instance.born + age)
        {
            Some(Retire::Aged)
        } else {
            instance.calls_left -= 1;
            None
        };
        let born = instance.born;
        let mut slots = self.slots.lock();
        let returned = slots.give_back(instance, born, now, retire);
        let notice = slots.notice(now);
        drop(slots);
        self.settle(returned);
        self.follow(notice);
    }

    /// Does what a change of the slots asks for, the lock being free again.
    fn settle(&self, returned: Returned<Lent<W, S>>) {
        if let Some(waker) = returned.wake {
            waker.wake();
        }
        if let Some(instance) = returned.drop_now {
            self.drop_instance(instance);
        }
    }

    fn drop_instance(&self, instance: Lent<W, S>) {
        let began = self.maker.clock.now();
        let dropping = Dropping(self);
        discard(instance);
        let cost = self.maker.clock.now().saturating_duration_since(began);
        dropping.done(cost);
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

    /// Makes one instance ahead.
    fn refill_one(&self) {
        let began = self.maker.clock.now();
        let deadline = self.deadline(began);
        let mut vacancy = Some(Vacancy(self));
        let made = if self.maker.direct {
            self.maker.start_direct(deadline)
        } else {
            match &self.runtime {
                Some(runtime) => runtime.block_on(self.maker.start(deadline)),
                None => wasmtime_wasi::runtime::in_tokio(self.maker.start(deadline)),
            }
        };
        let now = self.maker.clock.now();
        std::mem::forget(vacancy.take());
        match made {
            Ok(instance) => {
                let cost = now.saturating_duration_since(began);
                let returned = self.slots.lock().refilled(Box::new(instance), now, cost);
                self.settle(returned);
            }
            Err(error) => {
                tracing::debug!("an instance could not be made ahead: {error}");
                let wake = self.slots.lock().refill_failed(now);
                wake.into_iter().for_each(Waker::wake);
                let notice = self.slots.lock().notice(now);
                self.follow(notice);
            }
        }
    }

    /// Refuses callers from now on, wakes those who wait, drops what is idle.
    pub(crate) fn close(&self) {
        let mut slots = self.slots.lock();
        let wakers = slots.close();
        let dying = slots.take_dying();
        drop(slots);
        wakers.into_iter().for_each(Waker::wake);
        dying
            .into_iter()
            .for_each(|instance| self.drop_instance(instance));
    }

    /// Waits until a closed pool holds nothing.
    pub(crate) async fn drained(&self) {
        poll_fn(|cx| self.slots.lock().poll_drained(cx.waker())).await;
    }

    /// The same for a thread.
    pub(crate) fn drained_direct(&self) {
        let waker = Waker::from(Arc::new(ThreadWaker(std::thread::current())));
        while self.slots.lock().poll_drained(&waker).is_pending() {
            std::thread::park();
        }
    }
}

impl<W: World, S: Send + 'static> Work for Lending<W, S> {
    fn work(&self) -> bool {
        for _ in 0..REFILL_TURN {
            let step = self.slots.lock().refill(self.maker.clock.now());
            match step {
                Refilled::Drop(dying) => dying
                    .into_iter()
                    .for_each(|instance| self.drop_instance(instance)),
                Refilled::Start => self.refill_one(),
                Refilled::Done => {
                    let now = self.maker.clock.now();
                    let notice = self.slots.lock().notice(now);
                    self.follow(notice);
                    return false;
                }
            }
        }
        true
    }

    fn look(self: Arc<Self>) {
        let now = self.maker.clock.now();
        let mut slots = self.slots.lock();
        let work = slots.look(now);
        let notice = slots.notice(now);
        drop(slots);
        self.follow(notice);
        if work {
            self.follow(Notice::Work);
        }
    }
}

impl<W: World, S: Send + 'static> Member for Lending<W, S> {
    fn is_busy(&self) -> bool {
        self.slots.lock().is_busy()
    }

    fn shed(&self) {
        let mut slots = self.slots.lock();
        slots.shed();
        let dying = slots.take_dying();
        drop(slots);
        dying
            .into_iter()
            .for_each(|instance| self.drop_instance(instance));
    }
}

/// Drops an instance. The embedder's value in it may panic, which is nothing to whoever drops it.
fn discard<W: World, S: Send + 'static>(instance: Lent<W, S>) {
    if catch_unwind(AssertUnwindSafe(|| drop(instance))).is_err() {
        tracing::error!("the embedder's value of an instance panicked when it was dropped");
    }
}

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

    pub(crate) fn instance(&self) -> Option<&Instance<W, S>> {
        self.instance.as_deref()
    }

    pub(crate) fn instance_mut(&mut self) -> Option<&mut Instance<W, S>> {
        self.instance.as_deref_mut()
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
struct Vacancy<'a, W: World, S: Send + 'static>(&'a Lending<W, S>);

impl<W: World, S: Send + 'static> Vacancy<'_, W, S> {
    fn fill(self, cost: Duration) {
        self.0.slots.lock().started(cost);
        std::mem::forget(self);
    }
}

impl<W: World, S: Send + 'static> Drop for Vacancy<'_, W, S> {
    fn drop(&mut self) {
        let wake = self.0.slots.lock().start_failed();
        wake.into_iter().for_each(Waker::wake);
    }
}

/// A slot whose instance is being dropped. Its `Drop` frees the slot.
struct Dropping<'a, W: World, S: Send + 'static>(&'a Lending<W, S>);

impl<W: World, S: Send + 'static> Dropping<'_, W, S> {
    fn done(self, cost: Duration) {
        let mut slots = self.0.slots.lock();
        slots.drop_cost(cost);
        let wake = slots.dropped();
        drop(slots);
        wake.into_iter().for_each(Waker::wake);
        std::mem::forget(self);
    }
}

impl<W: World, S: Send + 'static> Drop for Dropping<'_, W, S> {
    fn drop(&mut self) {
        let wake = self.0.slots.lock().dropped();
        wake.into_iter().for_each(Waker::wake);
    }
}

/// A place in the queue. Its `Drop` gives it up, with the turn that was granted meanwhile.
struct Place<'a, W: World, S: Send + 'static> {
    pool: &'a Lending<W, S>,
    ticket: Option<Ticket>,
}

impl<W: World, S: Send + 'static> Place<'_, W, S> {
    fn poll(&mut self, waker: &Waker) -> Poll<Result<Turn<Lent<W, S>>, CallError>> {
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
            let now = self.pool.maker.clock.now();
            let mut slots = self.pool.slots.lock();
            let returned = slots.leave(ticket, now, |instance| instance.born);
            let notice = slots.notice(now);
            drop(slots);
            self.pool.settle(returned);
            self.pool.follow(notice);
        }
    }
}

struct ThreadWaker(std::thread::Thread);

impl std::task::Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
