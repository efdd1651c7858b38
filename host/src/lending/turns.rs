//! A caller's way to an instance: out of its pocket, ready, made now, or after a wait.

use std::future::poll_fn;
use std::ops::Deref;
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::tokens::{Guard, Place, ThreadWaker, Vacancy, discard};
use super::{Lending, Lent};
use crate::clock::Deadline;
use crate::error::{CallError, Phase};
use crate::instance::{Begun, Instance};
use crate::slots::{Arrived, Ticket, Turn};
use crate::world::World;

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

    /// Lends an instance to a task. `measured` says whether its receipt is wanted.
    pub(crate) async fn lend<P>(
        pool: P,
        measured: bool,
    ) -> Result<(Guard<P, W, S>, Begun), CallError>
    where
        P: Deref<Target = Self>,
    {
        if let Some(instance) = pool.take_pocketed() {
            let begun = pool.begun_ready(measured);
            return Ok((Guard::new(pool, instance), begun));
        }
        let arrived = pool.maker.clock.now();
        let deadline = pool.deadline(arrived);
        let mut begun = Begun::at(arrived, deadline, measured);
        let turn = match pool.admit(arrived)? {
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

    /// Lends an instance to a thread.
    pub(crate) fn lend_direct<P>(
        pool: P,
        measured: bool,
    ) -> Result<(Guard<P, W, S>, Begun), CallError>
    where
        P: Deref<Target = Self>,
    {
        if let Some(instance) = pool.take_pocketed() {
            let begun = pool.begun_ready(measured);
            return Ok((Guard::new(pool, instance), begun));
        }
        let arrived = pool.maker.clock.now();
        let deadline = pool.deadline(arrived);
        let mut begun = Begun::at(arrived, deadline, measured);
        let turn = match pool.admit(arrived)? {
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

    /// A call on an instance that stands ready.
    pub(crate) fn begun_ready(&self, measured: bool) -> Begun {
        Begun {
            arrived: measured.then(|| self.maker.clock.now()),
            measured,
            queued: Duration::ZERO,
            warm: true,
            start: Duration::ZERO,
            deadline: Deadline::Within(self.maker.terms.limits().deadline),
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
                discard(instance);
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

    async fn start(
        &self,
        begun: &mut Begun,
        vacancy: Vacancy<'_, W, S>,
    ) -> Result<Lent<W, S>, CallError> {
        let mut made = self.maker.start(begun.deadline).await;
        if let Err(CallError::HostFull(_)) = made {
            self.host.ticker.shed_all();
            made = self.maker.start(begun.deadline).await;
        }
        self.made(made, begun, vacancy)
    }

    fn start_direct(
        &self,
        begun: &mut Begun,
        vacancy: Vacancy<'_, W, S>,
    ) -> Result<Lent<W, S>, CallError> {
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
