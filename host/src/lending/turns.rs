//! A caller's way to an instance: out of its pocket, ready, made now, or after a wait.

use std::future::poll_fn;
use std::ops::{ControlFlow, Deref};
use std::time::{Duration, Instant};

use super::tokens::{Guard, Place, Vacancy};
use super::{Lending, Lent};
use crate::clock::Due;
use crate::error::{CallError, Phase};
use crate::park;
use crate::receipt::{Begun, Way};
use crate::room::{InLine, LOOK_AGAIN, Permit};
use crate::slots::{Arrived, Ticket, Turn};
use crate::world::World;

/// After so many looks in a row at which nobody was going to give anything back, nobody is.
const HOPELESS_LOOKS: u32 = 3;

impl<W: World, S: Send + 'static> Lending<W, S> {
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

    /// What stands ready beside this thread, and the beginning of its call. The first thing to try,
    /// apart from [`Lending::lend`] so that a warm call is not moved about with room for the rest.
    #[inline]
    pub(crate) fn ready(
        &self,
        measured: bool,
        since: Option<Instant>,
    ) -> Option<(Lent<W, S>, Begun)> {
        if since.is_some() {
            return None;
        }
        Some((self.take_pocketed()?, self.begun_ready(measured)))
    }

    /// Lends an instance to a task for which none is [`ready`](Lending::ready). `measured` says
    /// whether its receipt is wanted, `since` when the caller came, where that was before the pool
    /// was there.
    pub(crate) async fn lend<P>(
        pool: P,
        measured: bool,
        since: Option<Instant>,
    ) -> Result<(Guard<P, W, S>, Begun), CallError>
    where
        P: Deref<Target = Self>,
    {
        let now = pool.maker.clock().now();
        let mut way = Way::since(since, now);
        let arrived = way.arrived;
        let deadline = pool.deadline(arrived);
        let turn = match pool.admit(now)? {
            Ok(turn) => turn,
            Err(ticket) => {
                // Boxed, like the start below, so that a call that needs neither is not moved about
                // with room for them.
                let turn = Box::pin(pool.wait(ticket, arrived, deadline)).await?;
                way.queued = pool.waited(&way);
                turn
            }
        };
        let instance = match pool.take_turn(turn) {
            Ok(instance) => instance,
            Err(vacancy) => Box::pin(pool.start(&mut way, vacancy)).await?,
        };
        let begun = way.end(pool.due(deadline), measured);
        Ok((Guard::new(pool, instance), begun))
    }

    /// Lends an instance to a thread for which none is [`ready`](Lending::ready).
    pub(crate) fn lend_direct<P>(
        pool: P,
        measured: bool,
        since: Option<Instant>,
    ) -> Result<(Guard<P, W, S>, Begun), CallError>
    where
        P: Deref<Target = Self>,
    {
        let now = pool.maker.clock().now();
        let mut way = Way::since(since, now);
        let arrived = way.arrived;
        let deadline = pool.deadline(arrived);
        let turn = match pool.admit(now)? {
            Ok(turn) => turn,
            Err(ticket) => {
                let turn = pool.wait_direct(ticket, arrived, deadline)?;
                way.queued = pool.waited(&way);
                turn
            }
        };
        let instance = match pool.take_turn(turn) {
            Ok(instance) => instance,
            Err(vacancy) => pool.start_direct(&mut way, vacancy)?,
        };
        let begun = way.end(pool.due(deadline), measured);
        Ok((Guard::new(pool, instance), begun))
    }

    /// The turn of a caller who arrives, or its place in the queue.
    fn admit(&self, now: Instant) -> Result<Result<Turn<Lent<W, S>>, Ticket>, CallError> {
        match self.arrive(now) {
            Arrived::Turn(turn) => Ok(Ok(turn)),
            Arrived::Wait(ticket) => Ok(Err(ticket)),
            Arrived::Closed => Err(CallError::Closed),
            Arrived::Busy => Err(self.busy()),
        }
    }

    /// A call on an instance that stands ready. Its deadline counts from the last tick, which asks
    /// nobody for the time.
    #[inline]
    pub(crate) fn begun_ready(&self, measured: bool) -> Begun {
        let ticker = &self.host.ticker;
        Begun {
            due: Due::after(ticker.coarse_ns().saturating_add(self.deadline_ns)),
            measured: measured.then(|| Box::new(Way::from(self.maker.clock().now()))),
        }
    }

    /// The deadline of a call that arrives at `now`.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.maker.terms.limits().deadline)
    }

    /// The same for what runs in a store.
    pub(super) fn due(&self, deadline: Option<Instant>) -> Due {
        deadline.map_or(Due::NEVER, |at| Due::after(self.host.ticker.ns(at)))
    }

    /// The instance of a turn, or the right to make it.
    fn take_turn(&self, turn: Turn<Lent<W, S>>) -> Result<Lent<W, S>, Vacancy<'_, W, S>> {
        match turn {
            Turn::Warm(instance) => Ok(instance),
            Turn::Start => Err(Vacancy(self)),
            Turn::DropThenStart(instance) => {
                let vacancy = Vacancy(self);
                drop(instance);
                Err(vacancy)
            }
        }
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
        let turn = poll_fn(|cx| place.poll(cx.waker()));
        park::wait_async(turn, until).await.unwrap_or(Err(late))
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
        let turn = poll_fn(|cx| place.poll(cx.waker()));
        park::wait(turn, until, self.maker.clock()).unwrap_or(Err(late))
    }

    async fn start(
        &self,
        way: &mut Way,
        vacancy: Vacancy<'_, W, S>,
    ) -> Result<Lent<W, S>, CallError> {
        let due = self.due(self.deadline(way.arrived));
        let mut asked = self.tenant.take_or_line_up();
        let made = loop {
            let place = match asked {
                Err(place) => place,
                Ok(permit) => match self.maker.start(due, true).await {
                    Err(CallError::HostFull(_)) if !self.gave_up(way) => permit.refused(),
                    made => break made.map(|instance| (instance, permit)),
                },
            };
            match self.wait_for_room(place, way).await {
                Some(permit) => asked = Ok(permit),
                None => break Err(self.no_room()),
            }
            way.queued = self.waited(way);
        };
        self.made(made, way, vacancy)
    }

    fn start_direct(
        &self,
        way: &mut Way,
        vacancy: Vacancy<'_, W, S>,
    ) -> Result<Lent<W, S>, CallError> {
        let due = self.due(self.deadline(way.arrived));
        let mut asked = self.tenant.take_or_line_up();
        let made = loop {
            let place = match asked {
                Err(place) => place,
                Ok(permit) => match self.maker.start_direct(due) {
                    Err(CallError::HostFull(_)) if !self.gave_up(way) => permit.refused(),
                    made => break made.map(|instance| (instance, permit)),
                },
            };
            match self.wait_for_room_direct(place, way) {
                Some(permit) => asked = Ok(permit),
                None => break Err(self.no_room()),
            }
            way.queued = self.waited(way);
        };
        self.made(made, way, vacancy)
    }

    async fn wait_for_room(&self, mut place: InLine, way: &Way) -> Option<Permit> {
        let until = self.patience_for_room(way);
        let mut hopeless = 0;
        loop {
            let leads = place.leads();
            place = match self.look_for_room(place, leads, &mut hopeless) {
                ControlFlow::Continue(place) => place,
                ControlFlow::Break(permit) => return permit,
            };
            let again = async {
                match leads {
                    true => {
                        let _ = tokio::time::timeout(LOOK_AGAIN, place.told()).await;
                        place.try_again();
                    }
                    false => place.told().await,
                }
            };
            if park::wait_async(again, until).await.is_none() {
                return place.granted().ok();
            }
        }
    }

    fn wait_for_room_direct(&self, mut place: InLine, way: &Way) -> Option<Permit> {
        let clock = self.maker.clock();
        let until = self.patience_for_room(way);
        let mut hopeless = 0;
        loop {
            let leads = place.leads();
            place = match self.look_for_room(place, leads, &mut hopeless) {
                ControlFlow::Continue(place) => place,
                ControlFlow::Break(permit) => return permit,
            };
            let soon = leads.then(|| clock.now() + LOOK_AGAIN);
            park::wait(place.told(), until.into_iter().chain(soon).min(), clock);
            if leads {
                place.try_again();
            }
            if until.is_some_and(|until| until <= clock.now()) {
                return place.granted().ok();
            }
        }
    }

    /// Sees to it that something is given back, where that is for this caller to do. Once is not
    /// enough to find that nobody will: what was full a moment ago may be free by now.
    fn look_for_room(
        &self,
        place: InLine,
        leads: bool,
        hopeless: &mut u32,
    ) -> ControlFlow<Option<Permit>, InLine> {
        if leads {
            self.host.ticker.shed_all(self.lane);
        }
        match place.granted() {
            Ok(permit) => ControlFlow::Break(Some(permit)),
            Err(place) if !leads => ControlFlow::Continue(place),
            Err(place) => {
                let hope = self.tenant.taken_by_all() > self.host.ticker.idle(self.lane);
                *hopeless = if hope { 0 } else { *hopeless + 1 };
                match *hopeless < HOPELESS_LOOKS {
                    true => ControlFlow::Continue(place),
                    false => ControlFlow::Break(None),
                }
            }
        }
    }

    /// Whether a caller who waited for room before has no time left to do so again.
    fn gave_up(&self, way: &Way) -> bool {
        let until = self.patience_for_room(way);
        !way.queued.is_zero() && until.is_some_and(|until| until <= self.maker.clock().now())
    }

    fn no_room(&self) -> CallError {
        CallError::HostFull(self.tenant.no_room().into())
    }

    /// When a caller for whom the engine has no room gives up.
    fn patience_for_room(&self, way: &Way) -> Option<Instant> {
        self.patience(way.arrived, self.deadline(way.arrived)).0
    }

    fn waited(&self, way: &Way) -> Duration {
        let now = self.maker.clock().now();
        now.saturating_duration_since(way.arrived)
    }

    fn made(
        &self,
        made: Result<(Lent<W, S>, Permit), CallError>,
        way: &mut Way,
        vacancy: Vacancy<'_, W, S>,
    ) -> Result<Lent<W, S>, CallError> {
        match made {
            Ok((mut instance, permit)) => {
                instance.permit = Some(permit);
                way.warm = false;
                way.start = instance.born.saturating_duration_since(way.called());
                vacancy.fill(way.start);
                Ok(instance)
            }
            Err(
                error
                @ (CallError::HostFull(_) | CallError::WarmUp(_) | CallError::Deadline { .. }),
            ) => Err(error),
            Err(error) => Err(CallError::Start(Box::new(error))),
        }
    }
}
