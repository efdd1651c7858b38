//! What is asked of the slots and what they answer.

use std::task::Waker;
use std::time::Instant;

/// The right to run: an instance, or the right to make one.
#[derive(Debug)]
pub(crate) enum Turn<I> {
    /// An instance that stood ready.
    Warm(I),
    /// The slot is counted as starting until `started` or `start_failed`.
    Start,
    /// The same, once this one is dropped.
    DropThenStart(I),
}

/// What a caller who arrives gets.
#[derive(Debug)]
pub(crate) enum Arrived<I> {
    Turn(Turn<I>),
    /// Take the ticket to [`poll_turn`](super::Slots::poll_turn), or give it up with [`leave`](super::Slots::leave).
    Wait(Ticket),
    Busy,
    Closed,
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(pub(super) u64);

/// What to do with an instance that was given back.
#[derive(Debug)]
pub(crate) struct Returned<I> {
    /// Drop it, then call [`dropped`](super::Slots::dropped).
    pub(crate) drop_now: Option<I>,
    pub(crate) wake: Option<Waker>,
}

/// What refill is to be told of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Nothing,
    /// There is something to make or to drop.
    Work,
    /// Something expires then.
    LookAt(Instant),
}

/// What a refill thread does next.
#[derive(Debug)]
pub(crate) enum Refilled<I> {
    Drop(Vec<I>),
    /// The slot counts as starting until `refilled`, `refill_failed` or `refill_put_off`.
    Start,
    /// Nothing until [`look`](super::Slots::look) then.
    Nap(Instant),
    Done,
}

/// Why an instance is not lent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retire {
    Used,
    Aged,
    Idle,
    Faulty,
}
