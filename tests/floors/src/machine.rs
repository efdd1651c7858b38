//! A stand-in for the floors that know wasmtime: guests that only say whether they are alone, and an
//! engine that counts its slots and ticks.

pub(crate) mod engine {
    //! An engine: slots, and ticks that a guest can wait for.

    use crate::sync::{Condvar, Mutex};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Lane {
        Plain,
    }

    #[derive(Debug)]
    pub(crate) struct Engines {
        /// Slots that no instance is in.
        free: Mutex<usize>,
        ticks: Mutex<u64>,
        ticked: Condvar,
    }

    impl Engines {
        pub(crate) fn new(slots: usize) -> Self {
            Self {
                free: Mutex::new(slots),
                ticks: Mutex::new(0),
                ticked: Condvar::new(),
            }
        }

        pub(crate) fn free(&self) -> usize {
            *self.free.lock()
        }

        pub(crate) fn take(&self) -> bool {
            let mut free = self.free.lock();
            let took = *free > 0;
            *free -= usize::from(took);
            took
        }

        pub(crate) fn give(&self) {
            *self.free.lock() += 1;
        }

        pub(crate) fn tick(&self) {
            *self.ticks.lock() += 1;
            self.ticked.notify_all();
        }

        /// Runs as a guest does that only its deadline will stop.
        pub(crate) fn run_until_tick(&self) {
            let mut ticks = self.ticks.lock();
            let before = *ticks;
            while *ticks == before {
                self.ticked.wait(&mut ticks);
            }
        }
    }
}

pub(crate) mod component {
    //! What the pools of a host share.

    use std::sync::Arc;

    use crate::engine::{Engines, Lane};
    use crate::exports::Exports;
    use crate::library::refill::Refill;
    use crate::library::room::Room;
    use crate::library::ticker::Ticker;

    pub(crate) struct HostParts {
        pub(crate) engines: Arc<Engines>,
        pub(crate) ticker: Ticker,
        pub(crate) refill: Refill,
        pub(crate) room: Arc<Room>,
    }

    impl HostParts {
        pub(crate) fn room(&self, _: Lane) -> &Arc<Room> {
            &self.room
        }
    }

    pub(crate) struct Component(Exports);

    impl Component {
        pub(crate) fn new() -> Self {
            Self(Exports)
        }

        pub(crate) fn lane(&self) -> Lane {
            Lane::Plain
        }

        pub(crate) fn exports(&self) -> &Exports {
            &self.0
        }
    }
}

pub(crate) mod exports {
    //! A component without exports.

    use std::sync::Arc;

    use crate::library::value_error::ResolveError;

    pub(crate) struct ExportedFunc;
    pub(crate) struct Exports;

    impl Exports {
        pub(crate) fn find(&self, name: &str) -> Result<&Arc<ExportedFunc>, ResolveError> {
            Err(ResolveError::Ambiguous {
                name: name.to_owned(),
                candidates: Vec::new(),
            })
        }
    }
}

pub(crate) mod world {
    //! The world of guests that are called without generated code.

    pub(crate) trait World: Sized + Send + Sync + 'static {}

    impl World for () {}
}

pub(crate) mod runtime {
    //! No runtime: nothing in a model waits for one.

    /// Runs `future` on this thread.
    pub(crate) fn in_tokio<F: Future>(future: F) -> F::Output {
        let clock = crate::Clock::manual();
        crate::library::park::wait(future, None, &clock).expect("it has no deadline")
    }
}

pub(crate) mod instance {
    //! Instances, and what makes them.

    use std::marker::PhantomData;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use loom::cell::Cell;

    use crate::component::Component;
    use crate::engine::Engines;
    use crate::library::clock::{Clock, Due};
    use crate::library::error::CallError;
    use crate::library::limits::Limits;
    use crate::library::reset::Reset;
    use crate::library::room::Permit;

    pub(crate) struct Binding(pub(crate) Component);

    impl Binding {
        pub(crate) fn component(&self) -> &Component {
            &self.0
        }
    }

    pub(crate) struct Terms(pub(crate) Limits);

    impl Terms {
        pub(crate) fn limits(&self) -> &Limits {
            &self.0
        }
    }

    pub(crate) struct Maker<W, S> {
        pub(crate) binding: Binding,
        pub(crate) clock: Clock,
        pub(crate) terms: Terms,
        pub(crate) max_age: Option<Duration>,
        pub(crate) direct: bool,
        pub(crate) engines: Arc<Engines>,
        pub(crate) calls: u32,
        pub(crate) state: Box<dyn Fn() -> S + Send + Sync>,
        pub(crate) world: PhantomData<W>,
    }

    impl<W, S: 'static> Maker<W, S> {
        pub(crate) fn clock(&self) -> &Clock {
            &self.clock
        }

        pub(crate) fn start_direct(&self, _: Due) -> Result<Box<Instance<W, S>>, CallError> {
            if !self.engines.take() {
                return Err(CallError::HostFull("no slot is free".into()));
            }
            let born = self.clock.now();
            Ok(Box::new(Instance {
                store: Store((self.state)()),
                handles: Handles,
                born,
                idle_since_ns: 0,
                calls_left: self.calls,
                calls: Cell::new(0),
                slot: Slot(Arc::clone(&self.engines)),
                permit: None,
                world: PhantomData,
            }))
        }

        pub(crate) async fn start(
            &self,
            due: Due,
            _: bool,
        ) -> Result<Box<Instance<W, S>>, CallError> {
            self.start_direct(due)
        }

        pub(crate) fn awaits_warm_up(&self) -> bool {
            false
        }

        pub(crate) fn slots_reset(&self) -> Option<Reset> {
            None
        }
    }

    pub(crate) struct Instance<W, S: 'static> {
        pub(crate) store: Store<S>,
        pub(crate) handles: Handles,
        pub(crate) born: Instant,
        pub(crate) idle_since_ns: u64,
        pub(crate) calls_left: u32,
        /// Loom objects where two threads have it at once, or one before it can see what the other
        /// did to it.
        calls: Cell<u32>,
        slot: Slot,
        pub(crate) permit: Option<Permit>,
        world: PhantomData<W>,
    }

    impl<W, S: 'static> Instance<W, S> {
        /// What every call does.
        pub(crate) fn touch(&mut self) {
            self.calls.set(self.calls.get() + 1);
        }

        pub(crate) fn engines(&self) -> &Engines {
            &self.slot.0
        }
    }

    struct Slot(Arc<Engines>);

    impl Drop for Slot {
        fn drop(&mut self) {
            self.0.give();
        }
    }

    pub(crate) struct Handles;

    impl Handles {
        pub(crate) fn is_empty(&self) -> bool {
            true
        }
    }

    pub(crate) struct Store<S>(S);

    impl<S> Store<S> {
        pub(crate) fn data(&self) -> &Self {
            self
        }

        pub(crate) fn data_mut(&mut self) -> &mut Self {
            self
        }

        pub(crate) fn embedder(&self) -> &S {
            &self.0
        }

        pub(crate) fn embedder_mut(&mut self) -> &mut S {
            &mut self.0
        }
    }

    pub(crate) fn contained<R, E: From<CallError>>(
        call: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        call()
    }
}
