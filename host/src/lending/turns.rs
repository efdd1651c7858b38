//! A caller's way to an instance: out of its pocket, ready, made now, or after a wait.

use std::future::poll_fn;
use std::ops::Deref;
use std::time::{Duration, Instant};

use super::tokens::{Guard, Place, Vacancy};
use super::{Lending, Lent};
use crate::error::{CallError, Phase};
use crate::instance::{Begun, Instance};
use crate::park;
use crate::room::LOOK_AGAIN;
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
        let now = pool.maker.clock.now();
        let arrived = since.unwrap_or(now);
        let deadline = pool.deadline(arrived);
        let mut begun = Begun::at(arrived, deadline, measured);
        begun.queued = now.saturating_duration_since(arrived);
        let turn = match pool.admit(now)? {
            Ok(turn) => turn,
            Err(ticket) => {
                // Boxed, like the start below, so that a call that needs neither is not moved about
                // with room for them.
                let turn = Box::pin(pool.wait(ticket, arrived, deadline)).await?;
                begun.queued = pool.maker.clock.now().saturating_duration_since(arrived);
                turn
            }
        };
        let instance = match pool.take_turn(turn) {
            Ok(instance) => instance,
            Err(vacancy) => Box::pin(pool.start(&mut begun, vacancy)).await?,
        };
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
        let now = pool.maker.clock.now();
        let arrived = since.unwrap_or(now);
        let deadline = pool.deadline(arrived);
        let mut begun = Begun::at(arrived, deadline, measured);
        begun.queued = now.saturating_duration_since(arrived);
        let turn = match pool.admit(now)? {
            Ok(turn) => turn,
            Err(ticket) => {
                let turn = pool.wait_direct(ticket, arrived, deadline)?;
                begun.queued = pool.maker.clock.now().saturating_duration_since(arrived);
                turn
            }
        };
        let instance = match pool.take_turn(turn) {
            Ok(instance) => instance,
            Err(vacancy) => pool.start_direct(&mut begun, vacancy)?,
        };
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
    pub(crate) fn begun_ready(&self, measured: bool) -> Begun {
        Begun {
            arrived: measured.then(|| self.maker.clock.now()),
            measured,
            queued: Duration::ZERO,
            warm: true,
            start: Duration::ZERO,
            deadline: self.deadline_ns.map(|deadline| {
                let ticker = &self.host.ticker;
                ticker.instant(ticker.coarse_ns().saturating_add(deadline))
            }),
        }
    }

    /// The deadline of a call that arrives at `now`.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        now.checked_add(self.maker.terms.limits().deadline)
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
        park::wait(turn, until, &self.maker.clock).unwrap_or(Err(late))
    }

    async fn start(
        &self,
        begun: &mut Begun,
        vacancy: Vacancy<'_, W, S>,
    ) -> Result<Lent<W, S>, CallError> {
        let room = self.room();
        let mut made = match room.is_wanted() {
            true => Err(out_of_turn()),
            false => self.maker.start(begun.deadline).await,
        };
        if let Err(CallError::HostFull(_)) = made {
            let until = self.patience_for_room(begun);
            if let Some(first) = park::wait_async(room.line_up().first(), until).await {
                let mut hopeless = 0;
                loop {
                    self.host.ticker.shed_all(self.lane);
                    begun.queued = self.waited(begun);
                    made = self.maker.start(begun.deadline).await;
                    if self.room_is_settled(&made, until, &mut hopeless) {
                        break;
                    }
                    let freed = tokio::time::timeout(LOOK_AGAIN, first.freed());
                    park::wait_async(freed, until).await;
                }
            }
        }
        self.made(made, begun, vacancy)
    }

    fn start_direct(
        &self,
        begun: &mut Begun,
        vacancy: Vacancy<'_, W, S>,
    ) -> Result<Lent<W, S>, CallError> {
        let (room, clock) = (self.room(), &self.maker.clock);
        let mut made = match room.is_wanted() {
            true => Err(out_of_turn()),
            false => self.maker.start_direct(begun.deadline),
        };
        if let Err(CallError::HostFull(_)) = made {
            let until = self.patience_for_room(begun);
            if let Some(first) = park::wait(room.line_up().first(), until, clock) {
                let mut hopeless = 0;
                loop {
                    self.host.ticker.shed_all(self.lane);
                    begun.queued = self.waited(begun);
                    made = self.maker.start_direct(begun.deadline);
                    if self.room_is_settled(&made, until, &mut hopeless) {
                        break;
                    }
                    let soon = clock.now() + LOOK_AGAIN;
                    let again = Some(until.map_or(soon, |until| until.min(soon)));
                    park::wait(first.freed(), again, clock);
                }
            }
        }
        self.made(made, begun, vacancy)
    }

    /// When a caller for whom the engine has no room gives up.
    fn patience_for_room(&self, begun: &Begun) -> Option<Instant> {
        let arrived = begun.arrived.unwrap_or_else(|| self.maker.clock.now());
        self.patience(arrived, self.deadline(arrived)).0
    }

    fn waited(&self, begun: &Begun) -> Duration {
        let now = self.maker.clock.now();
        begun
            .arrived
            .map_or(Duration::ZERO, |from| now.saturating_duration_since(from))
    }

    /// Whether the first in line for room has its answer: there was room, the time is up, or nobody
    /// will give anything back. `hopeless` says how often in a row that was so when it looked: once
    /// is not enough, since what was full a moment ago may be free by now.
    fn room_is_settled(
        &self,
        made: &Result<Instance<W, S>, CallError>,
        until: Option<Instant>,
        hopeless: &mut u32,
    ) -> bool {
        let full = matches!(made, Err(CallError::HostFull(_)));
        if !full || until.is_some_and(|until| until <= self.maker.clock.now()) {
            return true;
        }
        let owed = self.host.ticker.owed(self.lane);
        let room = self.room();
        let hope = owed.instances > 0 || owed.starting > room.waiting() || room.is_left();
        *hopeless = if hope { 0 } else { *hopeless + 1 };
        *hopeless >= HOPELESS_LOOKS
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
                begun.start = begun.called().map_or(Duration::ZERO, |from| {
                    instance.born.saturating_duration_since(from)
                });
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
}

/// Others waited for room before, and had it first until the time was up.
fn out_of_turn() -> CallError {
    CallError::HostFull("other callers wait for room too".into())
}
