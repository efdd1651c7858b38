//! Futures awaited by a thread that has no executor.
//!
//! Knows wakers and deadlines; knows nothing of what it waits for.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::clock::Clock;
use crate::sync::thread;

/// Wakes a thread that waits for its turn.
struct ThreadWaker(thread::Thread);

impl std::task::Wake for ThreadWaker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Parks this thread until `future` is ready. `None` where `until` came first.
///
/// For futures that need neither tokio's timer nor its input and output.
pub(crate) fn wait<F: Future>(
    future: F,
    until: Option<Instant>,
    clock: &Clock,
) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(ThreadWaker(thread::current())));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        match until {
            None => thread::park(),
            Some(until) => {
                let left = until.saturating_duration_since(clock.now());
                if left.is_zero() {
                    return None;
                }
                thread::park_timeout(left);
            }
        }
    }
}

/// The same in a task.
pub(crate) async fn wait_async<F: Future>(future: F, until: Option<Instant>) -> Option<F::Output> {
    match until {
        None => Some(future.await),
        Some(until) => tokio::time::timeout_at(until.into(), future).await.ok(),
    }
}
