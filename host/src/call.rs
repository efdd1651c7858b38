//! The future of a call.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::error::CallError;
use crate::receipt::{Outcome, Receipt, answered, answered_and_measured};

pin_project! {
    /// A call: await it for the answer, or make it [`Call::with_receipt`] first.
    ///
    /// # Cancel safety
    ///
    /// Dropping it cancels the call: a place in the queue is given up, a running guest is stopped
    /// and its instance retired. Nothing else is lost.
    #[must_use = "a call does nothing until it is awaited"]
    #[derive(Debug)]
    pub struct Call<F> {
        #[pin]
        future: F,
    }
}

impl<F> Call<F> {
    pub(crate) fn new<R>(future: F) -> Self
    where
        F: Future<Output = Outcome<R>>,
    {
        Self { future }
    }

    /// What it wraps, for a call that is made of it.
    pub(crate) fn into_measured(self) -> F {
        self.future
    }

    /// The same call, whose answer comes with what it used. Measuring it asks the clock a few times.
    pub fn with_receipt(self) -> Receipted<F> {
        Receipted {
            future: self.future,
        }
    }
}

thread_local! {
    static WANTED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the call that is being polled is to be measured.
#[inline]
pub(crate) fn receipt_wanted() -> bool {
    WANTED.get()
}

pin_project! {
    /// A call whose answer comes with its [`Receipt`]. Made by [`Call::with_receipt`].
    ///
    /// # Cancel safety
    ///
    /// As [`Call`].
    #[must_use = "a call does nothing until it is awaited"]
    #[derive(Debug)]
    pub struct Receipted<F> {
        #[pin]
        future: F,
    }
}

impl<F, R> Future for Receipted<F>
where
    F: Future<Output = Outcome<R>>,
{
    type Output = Result<(R, Receipt), CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let _wanted = Wanted::set(true);
        let outcome = ready!(self.project().future.poll(cx));
        Poll::Ready(answered_and_measured(outcome))
    }
}

/// Says for one poll whether a receipt is wanted.
struct Wanted(bool);

impl Wanted {
    #[inline]
    fn set(wanted: bool) -> Self {
        Self(WANTED.replace(wanted))
    }
}

impl Drop for Wanted {
    #[inline]
    fn drop(&mut self) {
        WANTED.set(self.0);
    }
}

impl<F, R> Future for Call<F>
where
    F: Future<Output = Outcome<R>>,
{
    type Output = Result<R, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A call inside one that is measured is not measured for it.
        let _wanted = Wanted::set(false);
        let outcome = ready!(self.project().future.poll(cx));
        Poll::Ready(answered(outcome))
    }
}
