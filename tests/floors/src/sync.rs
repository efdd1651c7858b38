//! Loom's atomics, locks and threads in the form in which the library uses its own.
//!
//! Time does not pass in a model: whoever waits until some time finds that it is up.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
pub(crate) use loom::thread_local;

/// A value that is exchanged as a whole. As in the library's, an exchange acquires and releases.
pub(crate) struct AtomicCell<T> {
    /// 0 for none.
    key: AtomicUsize,
    /// What the keys stand for. A lock that loom does not know, so that it orders nothing.
    kept: std::sync::Mutex<BTreeMap<usize, T>>,
}

impl<T> AtomicCell<Option<T>> {
    pub(crate) fn new(value: Option<T>) -> Self {
        let kept: BTreeMap<_, _> = value.into_iter().map(|value| (1, Some(value))).collect();
        Self {
            key: AtomicUsize::new(kept.len()),
            kept: std::sync::Mutex::new(kept),
        }
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.swap(None)
    }

    pub(crate) fn swap(&self, value: Option<T>) -> Option<T> {
        let new = value.map_or(0, |value| self.keep(value));
        let old = self.key.swap(new, Ordering::AcqRel);
        self.kept.lock().unwrap().remove(&old).flatten()
    }

    fn keep(&self, value: T) -> usize {
        let mut kept = self.kept.lock().unwrap();
        let key = (1..).find(|key| !kept.contains_key(key)).unwrap();
        kept.insert(key, Some(value));
        key
    }
}

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    guard: Option<loom::sync::MutexGuard<'a, T>>,
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            mutex: self,
            guard: Some(self.0.lock().unwrap()),
        }
    }

    pub(crate) fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap()
    }
}

impl<T> MutexGuard<'_, T> {
    pub(crate) fn unlocked<R>(guard: &mut Self, run: impl FnOnce() -> R) -> R {
        guard.guard = None;
        let answer = run();
        guard.guard = Some(guard.mutex.0.lock().unwrap());
        answer
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().unwrap()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Condvar(loom::sync::Condvar);

pub(crate) struct TimedOut;

impl TimedOut {
    pub(crate) fn timed_out(&self) -> bool {
        true
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        let held = guard.guard.take().unwrap();
        guard.guard = Some(self.0.wait(held).unwrap());
    }

    pub(crate) fn wait_for<T>(&self, guard: &mut MutexGuard<'_, T>, _: Duration) -> TimedOut {
        MutexGuard::unlocked(guard, thread::time_is_up);
        TimedOut
    }

    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: Instant) -> TimedOut {
        self.wait_for(guard, Duration::ZERO)
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl<T> fmt::Debug for AtomicCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key.fmt(f)
    }
}

pub(crate) mod thread {
    //! Threads, which the machine may refuse.

    use std::cell::Cell;
    use std::io;
    use std::time::Duration;

    pub(crate) use loom::thread::{Thread, current, park};

    std::thread_local! {
        static REFUSED: Cell<&'static [&'static str]> = const { Cell::new(&[]) };
    }

    /// From now on no thread with one of these names starts.
    pub(crate) fn refuse(names: &'static [&'static str]) {
        REFUSED.set(names);
    }

    pub(crate) fn park_timeout(_: Duration) {
        time_is_up();
    }

    /// How often a thread finds at once that the time is up. After that it first lets the others run,
    /// or it would do nothing else; loom tries fewer orders of a thread that does.
    const AT_ONCE: u32 = 2;

    loom::thread_local! {
        static WAITS: Cell<u32> = Cell::new(0);
    }

    pub(super) fn time_is_up() {
        let waits = WAITS.with(|waits| waits.replace(waits.get() + 1));
        if waits >= AT_ONCE {
            loom::thread::yield_now();
        }
    }

    pub(crate) struct Builder(String);

    impl Builder {
        pub(crate) fn new() -> Self {
            Self(String::new())
        }

        pub(crate) fn name(self, name: String) -> Self {
            Self(name)
        }

        pub(crate) fn spawn(
            self,
            run: impl FnOnce() + Send + 'static,
        ) -> io::Result<loom::thread::JoinHandle<()>> {
            if REFUSED.get().contains(&self.0.as_str()) {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            loom::thread::Builder::new().name(self.0).spawn(run)
        }
    }
}
