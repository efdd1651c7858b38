//! The matrix of misbehaving steps: what is loaded, started, warmed up, called and dropped is fine,
//! fails, is slow, never ends or panics, in all combinations, while callers come, give up and are
//! late, on a clock that stands still until it is moved.
//!
//! Traps are real guests'. What is slow or never ends [waits in a host function or
//! computes](Waits): the latter costs a tick of real time for each look. What happens while a component is loaded is injected where the host is asked for the
//! imports, and what happens while an instance is dropped in the embedder's value.

mod deeds;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use prewarm::{
    CallError, Clock, Host, Lease, PoolConfig, PoolStats, Registered, Reuse, State, Val, Wasm,
};
use wasmtime::component::Linker;

use crate::support::{Chance, PATIENCE, chain, host_with, pass, poll_once};

use self::deeds::Deed;

pub use self::deeds::Deeds;

/// Its start function calls `step(0)`, `warm` calls `step(1)`, `pass` tells its number and calls
/// `step(2)`. A step that answers 1 is to trap, one that answers 2 to compute for some ticks, and one
/// that answers 3 for ever.
const GUEST: &str = r#"(component
    (import "step" (func $step (param "which" u32) (result u32)))
    (import "comes" (func $comes (param "n" u32)))
    (core func $step (canon lower (func $step)))
    (core func $comes (canon lower (func $comes)))
    (core module $m
        (import "" "step" (func $step (param i32) (result i32)))
        (import "" "comes" (func $comes (param i32)))
        (global $calls (mut i32) (i32.const 0))
        (func $take (param i32) (local $answer i32)
            (local.set $answer (call $step (local.get 0)))
            (if (i32.eq (local.get $answer) (i32.const 1)) (then unreachable))
            (if (i32.eq (local.get $answer) (i32.const 2)) (then
                (local.set 0 (i32.const 3000000))
                (loop $next
                    (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                    (br_if $next (local.get 0)))))
            (if (i32.eq (local.get $answer) (i32.const 3)) (then (loop $ever (br $ever)))))
        (func $start (call $take (i32.const 0)))
        (start $start)
        (func (export "warm") (call $take (i32.const 1)))
        (func (export "pass") (param i32) (result i32)
            (call $comes (local.get 0))
            (call $take (i32.const 2))
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (global.get $calls)))
    (core instance $i (instantiate $m (with "" (instance
        (export "step" (func $step)) (export "comes" (func $comes))))))
    (func (export "warm") (canon lift (core func $i "warm")))
    (func (export "pass") (param "n" u32) (result u32) (canon lift (core func $i "pass"))))"#;

const DEADLINE: Duration = Duration::from_millis(100);
const SLOW: Duration = Duration::from_millis(10);
const IDLE_TTL: Duration = Duration::from_secs(10);
/// Events of a run.
const EVENTS: usize = 24;

/// What a start, a warm-up or a call does that is slow or never ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// It is in a host function that waits.
    InTheHost,
    /// The guest computes.
    Computing,
}

/// What the steps of one pool share.
#[derive(Debug)]
struct Stage {
    deeds: Deeds,
    waits: Waits,
    /// How often the guest was told to compute.
    computed: AtomicUsize,
    /// Every second step of a kind behaves.
    taken: [AtomicU32; 5],
    alive: AtomicUsize,
    /// The numbers of calls that came to the guest.
    came: Mutex<Vec<u32>>,
}

impl Stage {
    /// What this step does now.
    fn deed(&self, step: usize) -> Deed {
        let deeds = &self.deeds;
        let deed = [
            deeds.start,
            deeds.warm_up,
            deeds.call,
            deeds.load,
            deeds.drop,
        ][step];
        match self.taken[step].fetch_add(1, Ordering::SeqCst) % 2 {
            0 => deed,
            _ => Deed::Fine,
        }
    }

    /// While a component is loaded, on a thread of the host's own, and while an instance is dropped,
    /// on any thread: where nobody can stop what never ends, it is only long.
    fn act_here(&self, step: usize) -> wasmtime::Result<()> {
        match self.deed(step) {
            Deed::Fine => Ok(()),
            Deed::Fails => Err(wasmtime::Error::msg("it fails")),
            Deed::Slow => {
                std::thread::yield_now();
                Ok(())
            }
            Deed::Never => {
                pass(Duration::from_millis(1));
                Ok(())
            }
            Deed::Panics => std::panic::resume_unwind(Box::new("it panics")),
        }
    }
}

/// The embedder's value of an instance.
struct Value(Arc<Stage>);

impl Value {
    fn new(stage: &Arc<Stage>) -> Self {
        stage.alive.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(stage))
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
        // A second panic while one unwinds ends the process, in any program.
        if !std::thread::panicking() {
            // Dropping has no errors.
            let _ = self.0.act_here(4);
        }
    }
}

fn imports(stage: Arc<Stage>) -> impl Fn(&mut Linker<State<Value>>) -> wasmtime::Result<()> {
    move |linker| {
        stage.act_here(3)?;
        let mut root = linker.root();
        root.func_wrap("comes", |store, (n,): (u32,)| {
            let stage: &Stage = &store.data().embedder().0;
            stage.came.lock().unwrap().push(n);
            Ok(())
        })?;
        root.func_wrap_async("step", |store, (which,): (u32,)| {
            let stage = &store.data().embedder().0;
            let deed = stage.deed(which as usize);
            let computes = stage.waits == Waits::Computing && deed.takes_time();
            if computes {
                stage.computed.fetch_add(1, Ordering::SeqCst);
            }
            Box::new(async move {
                match deed {
                    Deed::Fine => Ok((0_u32,)),
                    Deed::Fails => Ok((1,)),
                    Deed::Slow if computes => Ok((2,)),
                    Deed::Never if computes => Ok((3,)),
                    Deed::Slow => {
                        tokio::time::sleep(SLOW).await;
                        Ok((0_u32,))
                    }
                    Deed::Never => std::future::pending().await,
                    Deed::Panics => std::panic::resume_unwind(Box::new("it panics")),
                }
            })
        })
    }
}

/// A host whose components misbehave, and its clock.
#[derive(Debug)]
pub struct Matrix {
    host: Host,
    clock: Clock,
    runtime: tokio::runtime::Runtime,
    /// Keeps the code mapped from one pool to the next.
    _component: prewarm::Component,
}

/// What callers were told, all runs together.
#[derive(Debug, Default)]
pub struct Told {
    /// Answers.
    pub answers: usize,
    /// How often a guest computed for long, or for ever.
    pub computed: usize,
    /// Errors by the name of their kind.
    pub errors: std::collections::BTreeMap<String, usize>,
}

type Calling = Pin<Box<dyn Future<Output = Result<u32, CallError>>>>;
type Leasing = Pin<Box<dyn Future<Output = Result<Lease<(), Value>, CallError>>>>;

/// Who is under way.
enum Caller {
    Calls(Calling),
    Leases(Leasing),
    Holds { _lease: Lease<(), Value> },
}

impl Default for Matrix {
    fn default() -> Self {
        let clock = Clock::manual();
        let host = host_with(|config| config.clock = clock.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let component = host.load_blocking(Wasm::wat(GUEST)).unwrap();
        Self {
            host,
            clock,
            runtime,
            _component: component,
        }
    }
}

impl Matrix {
    /// Runs one combination so many times, on one pool, and closes it.
    pub fn run(&self, deeds: Deeds, waits: Waits, runs: usize, seed: u64, told: &mut Told) {
        self.runtime
            .block_on(self.run_all(deeds, waits, runs, seed, told));
    }

    async fn run_all(&self, deeds: Deeds, waits: Waits, runs: usize, seed: u64, told: &mut Told) {
        let mut chance = Chance(seed);
        let stage = Arc::new(Stage {
            deeds,
            waits,
            computed: AtomicUsize::new(0),
            taken: Default::default(),
            alive: AtomicUsize::new(0),
            came: Mutex::default(),
        });
        let max_instances = 1 + chance.below(3);
        let mut config = PoolConfig::new(max_instances);
        config.max_queue = chance.below(4);
        config.idle_ttl = IDLE_TTL;
        config.limits.deadline = DEADLINE;
        if chance.below(2) == 0 {
            config.reuse = Reuse::Calls(1..=3);
        }
        let registered = Registered::builder(&self.host, Wasm::wat(GUEST), config, {
            let stage = Arc::clone(&stage);
            move || Value::new(&stage)
        })
        .imports(imports(Arc::clone(&stage)))
        .warm_up_invoke("warm", &[])
        .build()
        .unwrap();
        if chance.below(2) == 0 {
            // Loaded ahead, or else the first callers wait for that and for nothing else.
            let _ = registered.pool().await;
        }
        let mut run = Run {
            matrix: self,
            registered,
            stage,
            max_instances,
            callers: VecDeque::new(),
            next: 0,
            in_turn: None,
            told,
        };
        for _ in 0..runs {
            for _ in 0..EVENTS {
                run.event(&mut chance).await;
                run.check();
            }
            run.settle().await;
        }
        run.end().await;
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        tokio::time::advance(by).await;
    }
}

struct Run<'a> {
    matrix: &'a Matrix,
    registered: Registered<(), Value>,
    stage: Arc<Stage>,
    max_instances: usize,
    callers: VecDeque<Caller>,
    next: u32,
    /// The first call that found the component loaded: those before it waited for that, not for
    /// their turn.
    in_turn: Option<u32>,
    told: &'a mut Told,
}

impl Run<'_> {
    async fn event(&mut self, chance: &mut Chance) {
        match chance.below(12) {
            0..=2 => self.arrive(),
            3 => {
                let registered = self.registered.clone();
                let lease = Box::pin(async move { registered.lease().await });
                self.callers.push_back(Caller::Leases(lease));
            }
            4..=7 => self.look(chance.below(self.callers.len().max(1))),
            8 => {
                // Gives up, or gives back.
                let at = chance.below(self.callers.len().max(1));
                drop(self.callers.remove(at));
            }
            9 => self.matrix.advance(SLOW).await,
            10 => self.matrix.advance(DEADLINE / 2).await,
            _ => tokio::task::yield_now().await,
        }
    }

    /// A caller comes, and looks once.
    fn arrive(&mut self) {
        let (registered, n) = (self.registered.clone(), self.next);
        self.next += 1;
        if self.in_turn.is_none() && registered.is_loaded() {
            self.in_turn = Some(n);
        }
        self.callers.push_back(Caller::Calls(Box::pin(async move {
            match registered.invoke("pass", &[Val::U32(n)]).await? {
                Some(Val::U32(calls)) => Ok(calls),
                other => panic!("{other:?}"),
            }
        })));
        self.look(self.callers.len() - 1);
    }

    /// A caller looks whether it is served.
    fn look(&mut self, at: usize) {
        let error = match self.callers.get_mut(at) {
            None | Some(Caller::Holds { .. }) => return,
            Some(Caller::Calls(call)) => match poll_once(call.as_mut()) {
                Poll::Pending => return,
                Poll::Ready(answer) => answer.err(),
            },
            Some(Caller::Leases(lease)) => match poll_once(lease.as_mut()) {
                Poll::Pending => return,
                Poll::Ready(Ok(lease)) => {
                    self.callers[at] = Caller::Holds { _lease: lease };
                    return;
                }
                Poll::Ready(Err(error)) => Some(error),
            },
        };
        drop(self.callers.remove(at));
        match error {
            None => self.told.answers += 1,
            Some(error) => {
                self.expected(&error);
                let kind = format!("{error:?}");
                let kind = kind.split([' ', '(', '{']).next().unwrap_or_default();
                *self.told.errors.entry(kind.to_owned()).or_default() += 1;
            }
        }
    }

    /// Callers are told only of what was done.
    fn expected(&self, error: &CallError) {
        let deeds = &self.stage.deeds;
        let any = |of: &[Deed], deed: Deed| of.contains(&deed);
        let making = [deeds.start, deeds.warm_up];
        let well = match error {
            CallError::Busy { .. } | CallError::Deadline { .. } => true,
            CallError::Load(_) => {
                any(&[deeds.load], Deed::Fails) || any(&[deeds.load], Deed::Panics)
            }
            CallError::WarmUp(source) if matches!(**source, CallError::Deadline { .. }) => true,
            CallError::Start(_) | CallError::WarmUp(_) => {
                any(&making, Deed::Fails) || any(&making, Deed::Panics)
            }
            CallError::Trap(_) => deeds.call == Deed::Fails,
            CallError::HostPanic { .. } => deeds.call == Deed::Panics || any(&making, Deed::Panics),
            _ => false,
        };
        assert!(well, "{:?} with {deeds:?}", chain(error));
    }

    /// What holds at any time.
    fn check(&self) {
        let Some(stats) = self.registered.stats() else {
            return;
        };
        let used = stats.idle + stats.leased + stats.starting + stats.dying;
        assert!(
            used <= self.max_instances,
            "{stats:?}, {:?}",
            self.stage.deeds
        );
        let free = stats.idle > 0 || used < self.max_instances;
        assert!(
            stats.waiting == 0 || !free,
            "a caller waits beside a free slot: {stats:?}, {:?}",
            self.stage.deeds
        );
    }

    /// Everybody is served or told why not, and nothing is held that nobody uses.
    async fn settle(&mut self) {
        let held = |caller: &Caller| !matches!(caller, Caller::Holds { .. });
        self.callers.retain(held);
        // By the machine's own time: other programs may keep refill from a processor for long.
        let watch = Clock::system();
        let end = watch.now() + PATIENCE;
        while watch.now() < end {
            for at in (0..self.callers.len()).rev() {
                self.look(at);
            }
            self.callers.retain(held);
            self.check();
            let stats = self.registered.stats();
            if self.callers.is_empty() && stats.as_ref().is_none_or(settled) {
                self.in_order();
                return;
            }
            self.matrix.advance(SLOW).await;
            std::thread::yield_now();
        }
        panic!(
            "{} callers are stuck: {:?}, {:?}",
            self.callers.len(),
            self.registered.stats(),
            self.stage.deeds
        );
    }

    /// With one instance and no leases between, calls come to the guest as they came to the pool.
    fn in_order(&self) {
        let came = std::mem::take(&mut *self.stage.came.lock().unwrap());
        let Some(first) = self.in_turn.filter(|_| self.max_instances == 1) else {
            return;
        };
        let came: Vec<_> = came.into_iter().filter(|n| *n >= first).collect();
        assert!(came.is_sorted(), "{came:?}, {:?}", self.stage.deeds);
    }

    /// The pool scales to zero and goes, and so does every instance.
    async fn end(self) {
        let watch = Clock::system();
        let end = watch.now() + PATIENCE;
        while watch.now() < end {
            self.matrix.advance(IDLE_TTL).await;
            if self
                .registered
                .stats()
                .is_none_or(|stats| settled(&stats) && stats.idle == 0)
            {
                drop(self.registered);
                self.told.computed += self.stage.computed.load(Ordering::SeqCst);
                let alive = self.stage.alive.load(Ordering::SeqCst);
                assert_eq!(alive, 0, "{:?}", self.stage.deeds);
                return;
            }
            std::thread::yield_now();
        }
        panic!("it does not scale to zero: {:?}", self.registered.stats());
    }
}

fn settled(stats: &PoolStats) -> bool {
    stats.leased + stats.starting + stats.dying + stats.waiting == 0
}
