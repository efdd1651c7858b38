//! The future of a call.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::error::CallError;
use crate::receipt::Receipt;

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
        F: Future<Output = Result<(R, Receipt), CallError>>,
    {
        Self { future }
    }

    /// The same call, whose answer comes with what it used.
    pub fn with_receipt(self) -> F {
        self.future
    }
}

impl<F, R> Future for Call<F>
where
    F: Future<Output = Result<(R, Receipt), CallError>>,
{
    type Output = Result<R, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(self.project().future.poll(cx));
        Poll::Ready(answer.map(|(answer, _)| answer))
    }
}
