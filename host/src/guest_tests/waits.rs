//! Guests that wait in WASI, with a deadline and without.

use std::time::Duration;

use wasmtime::Result;

use super::{CLOCK, Guest, POLL, STDIO, component};
use crate::clock::Due;
use crate::grants::Grants;
use crate::limits::{DeadlinePassed, Limits};
use crate::policy;
use crate::stdio::Input;
use crate::wasi::Face;

/// A guest that subscribes to a clock and then does `wait` with the pollable `$p`.
fn sleeping(nanoseconds: u64, wait: &str) -> String {
    component(
        &format!("{POLL}{CLOCK}"),
        &[
            ("subscribe", "$clock", "subscribe-duration"),
            ("block", "$poll", "[method]pollable.block"),
            ("poll", "$poll", "poll"),
        ],
        &format!(
            r#"(import "" "memory" (memory 1))
            (import "" "subscribe" (func $subscribe (param i64) (result i32)))
            (import "" "block" (func $block (param i32)))
            (import "" "poll" (func $poll (param i32 i32 i32)))
            (func (export "run") (result i32) (local $p i32)
                (local.set $p (call $subscribe (i64.const {nanoseconds})))
                {wait}
                (i32.const 7))"#
        ),
    )
}

const BLOCK: &str = "(call $block (local.get $p))";
const POLL_LIST: &str = "(i32.store (i32.const 0) (local.get $p))
    (call $poll (i32.const 0) (i32.const 1) (i32.const 8192))";
const HOUR: u64 = 3_600_000_000_000;

fn run_for(guest: &mut Guest, time: Duration) -> Result<u32> {
    let until = tokio::time::Instant::now().into_std() + time;
    let due = Due::after(policy::nanos_between(guest.start, until));
    guest.store.data_mut().begin_call(due);
    guest.run()
}

#[test]
fn waits_end_at_the_deadline() {
    for wait in [BLOCK, POLL_LIST] {
        let mut guest = Guest::blocking(&sleeping(HOUR, wait), Limits::default());
        let error = run_for(&mut guest, Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&DeadlinePassed), "{error:?}");
    }
}

#[test]
fn shorter_waits_end_by_themselves() {
    for wait in [BLOCK, POLL_LIST] {
        for nanoseconds in [0, 1_000_000] {
            let mut guest = Guest::blocking(&sleeping(nanoseconds, wait), Limits::default());
            assert_eq!(run_for(&mut guest, Duration::from_secs(3600)).unwrap(), 7);
            assert_eq!(guest.run().unwrap(), 7, "without a deadline");
        }
    }
}

#[test]
fn a_runtime_around_the_thread_serves_as_well() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let run = tokio::task::spawn_blocking(|| {
            let mut guest = Guest::blocking(&sleeping(HOUR, BLOCK), Limits::default());
            run_for(&mut guest, Duration::from_millis(20))
        });
        let error = run.await.unwrap().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&DeadlinePassed));
    });
}

#[tokio::test]
async fn on_the_asynchronous_face_the_caller_stops_waiting() {
    let mut guest = Guest::new(
        &sleeping(HOUR, BLOCK),
        Face::Async,
        Limits::default(),
        &Grants::none(),
    );
    let run = guest.run_async();
    tokio::time::timeout(Duration::from_millis(20), run)
        .await
        .unwrap_err();
}

/// Answers the length that the first blocking read of stdin gave, or 100 at its end.
fn reading() -> String {
    component(
        STDIO,
        &[
            ("stdin", "$stdin", "get-stdin"),
            ("read", "$streams", "[method]input-stream.blocking-read"),
        ],
        r#"(import "" "memory" (memory 1))
        (import "" "stdin" (func $stdin (result i32)))
        (import "" "read" (func $read (param i32 i64 i32)))
        (func (export "run") (result i32)
            (call $read (call $stdin) (i64.const 64) (i32.const 8192))
            (if (result i32) (i32.load8_u (i32.const 8192))
                (then (i32.const 100))
                (else (i32.load (i32.const 8200)))))"#,
    )
}

#[test]
fn stdin_is_what_was_granted() {
    let grants = Grants::none().stdin(Input::bytes("hello"));
    for (grants, expected) in [(Grants::none(), 100), (grants, 5)] {
        let mut guest = Guest::new(&reading(), Face::Blocking, Limits::default(), &grants);
        assert_eq!(guest.run().unwrap(), expected);
    }
}
