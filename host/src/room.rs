//! The line of callers for whose instance the engine had no slot left, shared by all pools of an engine.
//!
//! Knows who is first; knows nothing of pools and instances. Whoever is first tries again when
//! something was given back, and the others wait behind it. While anybody waits here, nobody else
//! may take what becomes free: pools give up what stands idle, and refill makes nothing.

use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};

use crate::sync::{AtomicUsize, Ordering};

/// The first in line looks again after this long even if nobody says that something was given back:
/// an instance that falls idle in the same instant may be seen by neither side.
pub(crate) const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// See the module. One per engine.
#[derive(Debug)]
pub(crate) struct Room {
    /// Its one permit is the first place. It is fair: the others follow as they came.
    line: Semaphore,
    waiting: AtomicUsize,
    /// Pools that are being dropped with what they hold.
    leaving: AtomicUsize,
    freed: Notify,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            line: Semaphore::new(1),
            waiting: AtomicUsize::new(0),
            leaving: AtomicUsize::new(0),
            freed: Notify::new(),
        }
    }
}

impl Room {
    /// Whether somebody waits for what is given back.
    #[inline]
    pub(crate) fn is_wanted(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// How many wait, each of them with a slot of its pool that counts as starting.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// An instance is gone, or will not be made after all.
    #[inline]
    pub(crate) fn freed(&self) {
        if self.is_wanted() {
            self.freed.notify_one();
        }
    }

    /// Runs `leave`, in which a pool drops what it holds, of which it can be asked no more.
    pub(crate) fn leaving(&self, leave: impl FnOnce()) {
        self.leaving.fetch_add(1, Ordering::SeqCst);
        leave();
        self.leaving.fetch_sub(1, Ordering::SeqCst);
        self.freed();
    }

    /// Whether a pool is being dropped just now.
    pub(crate) fn is_left(&self) -> bool {
        self.leaving.load(Ordering::SeqCst) > 0
    }

    /// Takes the last place in the line. Dropping it gives it up.
    pub(crate) fn line_up(&self) -> InLine<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        InLine { room: self }
    }
}

/// A place in the line.
pub(crate) struct InLine<'a> {
    room: &'a Room,
}

/// The first place, to be kept until room was found.
pub(crate) struct First<'a> {
    // Given up in this order: the next one is not to count somebody as waiting who is served.
    place: InLine<'a>,
    _permit: Option<SemaphorePermit<'a>>,
}

impl<'a> InLine<'a> {
    /// Waits until nobody is before it.
    pub(crate) async fn first(self) -> First<'a> {
        // It is never closed.
        let permit = self.room.line.acquire().await.ok();
        First {
            place: self,
            _permit: permit,
        }
    }
}

impl First<'_> {
    /// Waits until something was given back since it last waited.
    pub(crate) async fn freed(&self) {
        self.place.room.freed.notified().await;
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.room.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    #[test]
    fn the_line_is_kept_in_order_and_whoever_leaves_lets_the_next_one_in() {
        let room = Room::default();
        room.freed();
        let mut cx = Context::from_waker(Waker::noop());
        let mut first = pin!(room.line_up().first());
        let mut second = Box::pin(room.line_up().first());
        let mut third = pin!(room.line_up().first());
        assert_eq!(room.waiting(), 3);
        let Poll::Ready(first) = first.as_mut().poll(&mut cx) else {
            panic!("nobody is before it");
        };
        assert!(second.as_mut().poll(&mut cx).is_pending());
        assert!(third.as_mut().poll(&mut cx).is_pending());

        {
            let mut freed = pin!(first.freed());
            let early = freed.as_mut().poll(&mut cx);
            assert!(early.is_pending(), "nobody waited then");
            room.freed();
            assert!(freed.as_mut().poll(&mut cx).is_ready());
        }

        drop(second);
        drop(first);
        assert_eq!(room.waiting(), 1);
        assert!(third.as_mut().poll(&mut cx).is_ready());
    }
}
