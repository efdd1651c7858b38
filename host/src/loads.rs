//! The threads that load registered components: in the order of asking, and no more at a time than
//! there are processors, so that a burst of first calls uses bounded memory.
//!
//! Knows an order and a bound; knows nothing of components. A thread is started when there is
//! something to load and goes when there was nothing for a while.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::sync::{Condvar, Mutex, MutexGuard, thread};

/// Something to be loaded.
pub(crate) trait Load: Send + Sync {
    /// Loads it, on this thread.
    fn load(self: Arc<Self>);
}

/// How long a thread without work waits for some.
const LINGER: Duration = Duration::from_secs(5);

/// See the module. One per host.
#[derive(Debug)]
pub(crate) struct Loads {
    shared: Arc<Shared>,
}

struct Shared {
    max_threads: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<dyn Load>>,
    threads: usize,
    parked: usize,
    stop: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loads")
            .field("max_threads", &self.max_threads)
            .finish_non_exhaustive()
    }
}

impl Loads {
    pub(crate) fn new(max_threads: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                max_threads: max_threads.max(1),
                state: Mutex::default(),
                changed: Condvar::new(),
            }),
        }
    }

    /// Puts `load` at the end of the queue.
    pub(crate) fn submit(&self, load: Arc<dyn Load>) {
        let mut state = self.shared.state.lock();
        state.queue.push_back(load);
        if state.parked >= state.queue.len() || state.threads >= self.shared.max_threads {
            self.shared.changed.notify_one();
            return;
        }
        let shared = Arc::clone(&self.shared);
        let spawned = thread::Builder::new()
            .name("prewarm-load".into())
            .spawn(move || shared.run());
        match spawned {
            Ok(_) => state.threads += 1,
            Err(error) if state.threads == 0 => {
                tracing::warn!("no thread to load components, callers do it: {error}");
                let load = state.queue.pop_back();
                drop(state);
                load.into_iter().for_each(load_one);
            }
            Err(_) => {
                self.shared.changed.notify_one();
            }
        }
    }
}

impl Drop for Loads {
    fn drop(&mut self) {
        self.shared.state.lock().stop = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn run(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(load) = state.queue.pop_front() {
                MutexGuard::unlocked(&mut state, || load_one(load));
                continue;
            }
            if state.stop {
                break;
            }
            state.parked += 1;
            let waited = self.changed.wait_for(&mut state, LINGER);
            state.parked -= 1;
            if waited.timed_out() && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }
}

/// A panic is told to whoever waits for the load; the thread serves others too.
fn load_one(load: Arc<dyn Load>) {
    if catch_unwind(AssertUnwindSafe(|| load.load())).is_err() {
        tracing::error!("dropping a registered component panicked");
    }
}
