//! What hostile and broken guests and host functions do: the exact error for each, on both faces,
//! with reuse and without, and a pool that serves the next caller as if nothing had been.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use prewarm::{CallError, Host, Limited, Phase, PoolStats, Reuse, State, Trap};
use wasmtime::component::Linker;

use crate::hostile::{at_start, hostile};
use crate::support::{AnyPool, FACES, Face, always, chain, config, host, load, used};

/// Short enough to wait for, long enough to be met by what does not run into it.
const DEADLINE: Duration = Duration::from_millis(300);

const MEMORY: u64 = 40 << 16;
const ELEMENTS: u64 = 1000;
const HOSTCALL: u64 = 1 << 20;
const OUTPUT: u64 = 10_000;

/// What the start function does: the number that the next instances get.
type Mode = Arc<AtomicU32>;

pub(crate) fn imports(
    face: Face,
    mode: Mode,
) -> impl Fn(&mut Linker<State<()>>) -> wasmtime::Result<()> {
    move |linker| {
        let mode = Arc::clone(&mode);
        let mut root = linker.root();
        root.func_wrap("mode", move |_, (): ()| Ok((mode.load(Ordering::SeqCst),)))?;
        root.func_wrap("fail", |_, (): ()| -> wasmtime::Result<()> {
            Err(wasmtime::Error::msg("the disk is full"))
        })?;
        root.func_wrap("panic", |_, (): ()| -> wasmtime::Result<()> {
            panic!("the host function's own bug")
        })?;
        // Blocks its thread until the deadline, as the documentation asks for.
        root.func_wrap("block", |store, (): ()| {
            let deadline: Option<std::time::Instant> = store.data().deadline();
            let (_open, never) = std::sync::mpsc::channel::<()>();
            let left = deadline.unwrap() - prewarm::Clock::system().now();
            never.recv_timeout(left).unwrap_err();
            Ok(())
        })?;
        match face {
            Face::Async => root.func_wrap_async("never", |_, (): ()| {
                Box::new(std::future::pending::<wasmtime::Result<()>>())
            }),
            // There is no such thing on this face; the nearest is to block.
            Face::Blocking => root.func_wrap("never", |store, (): ()| -> wasmtime::Result<()> {
                let deadline: Option<std::time::Instant> = store.data().deadline();
                let (_open, never) = std::sync::mpsc::channel::<()>();
                let left = deadline.unwrap() - prewarm::Clock::system().now();
                never.recv_timeout(left).unwrap_err();
                Err(CallError::Closed.into())
            }),
        }
    }
}

fn pool(host: &Host, face: Face, wat: &str, reuse: Reuse, mode: &Mode) -> AnyPool {
    let mut config = config(1, reuse);
    config.limits.deadline = DEADLINE;
    config.limits.memory_bytes = MEMORY;
    config.limits.table_elements = ELEMENTS;
    config.limits.hostcall_bytes = HOSTCALL;
    config.limits.output_bytes = OUTPUT;
    AnyPool::with(
        face,
        &load(host, wat),
        config,
        || (),
        imports(face, mode.clone()),
    )
    .unwrap()
}

/// Calls `name` in every way there is. `expected` tells whether that is the error it must give.
#[track_caller]
fn check(name: &str, expected: impl Fn(&CallError, Face) -> bool) {
    let host = host();
    for face in FACES {
        for reuse in [Reuse::Never, always()] {
            let pool = pool(&host, face, &hostile(), reuse.clone(), &Mode::default());
            for round in 1..=2 {
                let error = pool.number(name).unwrap_err();
                let at = format!("{name}, {face:?}, {reuse:?}, round {round}: {error:?}");
                assert!(expected(&error, face), "{at}");
                let free = |stats: &PoolStats| stats.leased + stats.dying == 0;
                let stats = pool.until("its slot is free", free);
                assert_eq!(stats.retired_faulty, round, "{at}");
                assert_eq!(pool.number("good").unwrap(), 1, "{at}");
                if reuse != Reuse::Never {
                    assert_eq!(pool.number("good").unwrap(), 2, "{at}");
                }
                // The next round meets a new instance, or one that served well.
            }
            pool.close();
        }
    }
}

fn trap(reason: &'static str) -> impl Fn(&CallError, Face) -> bool {
    move |error, _| match error {
        CallError::Trap(Trap {
            reason: found,
            frames,
            ..
        }) => found == reason && !frames.is_empty(),
        _ => false,
    }
}

fn limit(limited: Limited, limit: u64) -> impl Fn(&CallError, Face) -> bool {
    move |error, _| match error {
        CallError::Limit(hit) => (hit.limited, hit.limit) == (limited, limit),
        _ => false,
    }
}

fn deadline(error: &CallError, _: Face) -> bool {
    matches!(
        error,
        CallError::Deadline {
            deadline: DEADLINE,
            phase: Phase::Call,
            ..
        }
    )
}

#[test]
fn a_loop_without_end() {
    check("spin", deadline);
}

#[test]
fn a_recursion_without_end() {
    check("recurse", trap("call stack exhausted"));
}

#[test]
fn memory_grown_to_the_limit() {
    check("grow-memory", limit(Limited::Memory, MEMORY));
}

#[test]
fn a_table_grown_to_the_limit() {
    check("grow-table", limit(Limited::TableElements, ELEMENTS));
}

#[test]
fn a_list_that_is_larger_than_the_guest() {
    check("list-beyond", |error, _| match error {
        CallError::Trap(trap) => trap.reason == "list pointer/length out of bounds of memory",
        _ => false,
    });
}

#[test]
fn a_list_that_is_larger_than_the_host_takes() {
    check("list-large", limit(Limited::Hostcall, HOSTCALL));
}

#[test]
fn a_flood_of_output() {
    check("flood", limit(Limited::Output, OUTPUT));
}

#[test]
fn a_trap() {
    check("trap", trap("wasm `unreachable` instruction executed"));
    check("divide", trap("integer divide by zero"));
    check("far", trap("out of bounds memory access"));
}

#[test]
fn a_trap_after_the_answer() {
    check(
        "trap-behind",
        trap("wasm `unreachable` instruction executed"),
    );
}

#[test]
fn a_host_function_that_fails() {
    check("host-fail", |error, _| match error {
        CallError::Host(source) => {
            let chain = chain(&**source);
            chain.iter().any(|cause| cause == "the disk is full")
        }
        _ => false,
    });
}

#[test]
fn a_host_function_that_panics() {
    check("host-panic", |error, _| match error {
        CallError::HostPanic { message, .. } => message == "the host function's own bug",
        _ => false,
    });
}

#[test]
fn a_host_function_that_blocks() {
    check("host-block", deadline);
}

#[test]
fn a_host_function_that_never_returns() {
    check("host-never", |error, face| match face {
        Face::Async => deadline(error, face),
        // The host function's own error comes through.
        Face::Blocking => matches!(error, CallError::Host(_)),
    });
}

/// The same where a start function does it: `mode` says what.
#[track_caller]
fn check_start(mode: u32, expected: impl Fn(&CallError, Face) -> bool) {
    let host = host();
    for face in FACES {
        for reuse in [Reuse::Never, always()] {
            let modes = Mode::default();
            let pool = pool(&host, face, &at_start(), reuse.clone(), &modes);
            for round in 1..=2 {
                modes.store(mode, Ordering::SeqCst);
                let error = pool.number("good").unwrap_err();
                let at = format!("mode {mode}, {face:?}, {reuse:?}, round {round}: {error:?}");
                assert!(expected(&error, face), "{at}");
                let stats = pool.stats();
                assert_eq!((used(&stats), stats.start_failures), (0, round), "{at}");
            }
            modes.store(0, Ordering::SeqCst);
            assert_eq!(pool.number("good").unwrap(), 1, "{face:?}");
        }
    }
}

#[test]
fn in_a_start_function() {
    let late = |error: &CallError, _: Face| {
        matches!(
            error,
            CallError::Deadline {
                phase: Phase::Start,
                ..
            }
        )
    };
    let within = |expected: fn(&CallError) -> bool| {
        move |error: &CallError, _: Face| match error {
            CallError::Start(source) => expected(source),
            _ => false,
        }
    };
    check_start(1, late);
    check_start(
        2,
        within(|error| trap("wasm `unreachable` instruction executed")(error, Face::Async)),
    );
    check_start(
        3,
        within(|error| trap("call stack exhausted")(error, Face::Async)),
    );
    check_start(
        4,
        within(|error| limit(Limited::Memory, MEMORY)(error, Face::Async)),
    );
    check_start(5, within(|error| matches!(error, CallError::Host(_))));
    // A panic says the same wherever it comes.
    check_start(
        6,
        within(|error| matches!(error, CallError::HostPanic { .. })),
    );
    check_start(7, late);
    check_start(8, |error, face| match face {
        Face::Async => late(error, face),
        Face::Blocking => {
            matches!(error, CallError::Start(source) if matches!(**source, CallError::Host(_)))
        }
    });
}
