//! The matrix of hostile guests: what each must end with, whatever the setting, while a neighbour of
//! the same host is served as if nothing were.

pub mod guests;
mod cases;
mod expect;
mod neighbour;

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::time::Duration;

use prewarm::{CallError, Component, Host, Lane, PoolStats, Reuse, State};
use wasmtime::component::Linker;

use crate::support::{AnyPool, Face, always, config, host_with, load};

pub use self::cases::{CASES, Case};
pub use self::expect::Expect;
pub use self::neighbour::{Neighbour, Served};

/// Short enough to wait for, long enough to be met by what does not run into it.
pub const DEADLINE: Duration = Duration::from_millis(200);
/// Bytes of memory that a guest may have.
pub const MEMORY: u64 = 40 << 16;
/// Elements of tables that it may have.
pub const ELEMENTS: u64 = 1000;
/// Bytes that it may pass to the host at once.
pub const HOSTCALL: u64 = 1 << 20;
/// Bytes that it may print in a call.
pub const OUTPUT: u64 = 10_000;
/// Resources that it may hold.
pub const HANDLES: u32 = 100;
/// Units of work that it may do in a call: more than it needs for anything but an endless loop.
pub const FUEL: u64 = 5_000_000;

/// On what engine a hostile guest runs, and how it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its lane.
    pub lane: Lane,
    /// Whether the engine counts fuel.
    pub fuel: bool,
    /// How it is called.
    pub face: Face,
    /// Whether its instances are lent again.
    pub reuse: bool,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lane = match self.lane {
            Lane::Plain => "plain",
            _ => "concurrent",
        };
        let fuel = if self.fuel { "fuel" } else { "no fuel" };
        let face = match self.face {
            Face::Async => "async",
            Face::Blocking => "blocking",
        };
        let reuse = if self.reuse { "reused" } else { "fresh" };
        write!(f, "{lane}, {fuel}, {face}, {reuse}")
    }
}

/// One engine's guests, to be called in all settings that it allows.
#[derive(Debug)]
pub struct Stage {
    lane: Lane,
    fuel: bool,
    host: Host,
    calls: Component,
    starts: Component,
}

/// What the start function does: the number that the next instances get.
type Mode = Arc<AtomicU32>;

impl Stage {
    /// Compiles the guests for a lane of a host that counts fuel or not.
    pub fn new(lane: Lane, fuel: bool) -> Self {
        let host = host_with(|config| config.fuel = fuel);
        let calls = load(&host, &guests::hostile(lane));
        let starts = load(&host, &guests::at_start(lane));
        assert_eq!((calls.lane(), starts.lane()), (lane, lane));
        Self {
            lane,
            fuel,
            host,
            calls,
            starts,
        }
    }

    /// A neighbour on the same host, called from now on.
    pub fn neighbour(&self) -> Neighbour {
        Neighbour::begin(&self.host)
    }

    /// The settings in which its guests can be called.
    pub fn settings(&self) -> impl Iterator<Item = Setting> + use<> {
        let (lane, fuel) = (self.lane, self.fuel);
        let faces = [Face::Async, Face::Blocking].into_iter();
        faces.flat_map(move |face| {
            [false, true].map(|reuse| Setting {
                lane,
                fuel,
                face,
                reuse,
            })
        })
    }

    /// Runs `case` twice in `setting`.
    ///
    /// # Errors
    ///
    /// What was not as it must be.
    pub fn check(&self, case: &Case, setting: Setting) -> Result<(), String> {
        let expected = (case.expected)(&setting);
        if let Expect::Impossible = expected {
            return Ok(());
        }
        let starts = case.mode.is_some();
        let component = if starts { &self.starts } else { &self.calls };
        let mode = Mode::default();
        let mut pool = pool(component, setting, &mode);
        for round in 1..=2 {
            mode.store(case.mode.unwrap_or(0), Ordering::SeqCst);
            if starts {
                // No instance that was made before, by refill either, is to serve this call.
                pool = self::pool(component, setting, &mode);
            }
            let answer = pool.number(case.export);
            expected.check(&answer)?;
            mode.store(0, Ordering::SeqCst);
            let stats = pool.until("its slot is free", |stats: &PoolStats| {
                stats.leased + stats.starting + stats.dying == 0
            });
            let seen = match answer {
                Ok(_) => true,
                // A slot that no instance came into is free again at once.
                Err(_) if starts => stats.start_failures > 0,
                Err(_) => stats.retired_faulty == round,
            };
            if !seen {
                return Err(format!("round {round}: the slot is lost: {stats:?}"));
            }
            serves_on(&pool, setting, answer.is_ok())
                .map_err(|error| format!("round {round}: the next caller got {error:?}"))?;
        }
        pool.close();
        Ok(())
    }
}

/// The next callers find an instance of their own, and that one again if it is to be lent again.
fn serves_on(pool: &AnyPool, setting: Setting, kept: bool) -> Result<(), CallError> {
    let first = pool.number("good")?;
    assert!(first == 1 || kept && setting.reuse, "{first} of {setting}");
    if setting.reuse {
        assert_eq!(pool.number("good")?, first + 1, "{setting}");
    }
    Ok(())
}

fn pool(component: &Component, setting: Setting, mode: &Mode) -> AnyPool {
    let reuse = match setting.reuse {
        true => always(),
        false => Reuse::Never,
    };
    let mut config = config(1, reuse);
    config.limits.deadline = DEADLINE;
    config.limits.memory_bytes = MEMORY;
    config.limits.table_elements = ELEMENTS;
    config.limits.hostcall_bytes = HOSTCALL;
    config.limits.output_bytes = OUTPUT;
    config.limits.handles = HANDLES;
    config.limits.fuel = setting.fuel.then_some(FUEL);
    let imports = imports(setting.face, mode.clone());
    AnyPool::with(setting.face, component, config, || (), imports).unwrap()
}

/// The imports of the hostile guests, some of which do what no host function should.
pub fn imports(
    face: Face,
    mode: Mode,
) -> impl Fn(&mut Linker<State<()>>) -> wasmtime::Result<()> + Send + Sync + 'static {
    // What an embedder's host functions share.
    let shared = Arc::new(Mutex::new(()));
    move |linker| {
        let shared = Arc::clone(&shared);
        let mode = Arc::clone(&mode);
        let mut root = linker.root();
        root.func_wrap("mode", move |_, (): ()| Ok((mode.load(Ordering::SeqCst),)))?;
        root.func_wrap("fail", |_, (): ()| -> wasmtime::Result<()> {
            Err(wasmtime::Error::msg("the disk is full"))
        })?;
        root.func_wrap("panic", |_, (): ()| -> wasmtime::Result<()> {
            panic!("the host function's own bug")
        })?;
        root.func_wrap("panic-locked", move |_, (): ()| -> wasmtime::Result<()> {
            let held = shared.try_lock();
            let blocked = matches!(held, Err(TryLockError::WouldBlock));
            assert!(!blocked, "the lock was never given back");
            panic!("a bug under a lock")
        })?;
        // Blocks its thread until the deadline, as the documentation asks for.
        root.func_wrap("block", |store, (): ()| {
            block(store.data().deadline());
            Ok(())
        })?;
        match face {
            Face::Async => root.func_wrap_async("never", |_, (): ()| {
                Box::new(std::future::pending::<wasmtime::Result<()>>())
            }),
            // There is no such thing on this face; the nearest is to block.
            Face::Blocking => root.func_wrap("never", |store, (): ()| -> wasmtime::Result<()> {
                block(store.data().deadline());
                Err(CallError::Closed.into())
            }),
        }
    }
}

fn block(deadline: Option<std::time::Instant>) {
    let (_open, never) = std::sync::mpsc::channel::<()>();
    let left = deadline.unwrap() - prewarm::Clock::system().now();
    never.recv_timeout(left).unwrap_err();
}
