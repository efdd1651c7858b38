//! Guests that run into each limit.

use super::{CLOCK, Guest, POLL, STDIO, component, plain};
use crate::clock::Due;
use crate::grants::Grants;
use crate::limits::{LimitHit, Limited, Limits};
use crate::stdio::{Output, OutputBuffer};
use crate::wasi::Face;

const PAGE: u64 = 65_536;

fn limits(set: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits);
    limits
}

/// Runs a guest that must end in an error, and says which limit was behind it.
fn hit(text: &str, set: impl FnOnce(&mut Limits)) -> (Limited, u64, Option<u64>) {
    let mut guest = Guest::blocking(text, limits(set));
    let error = guest.run().unwrap_err();
    let hit = guest.store.data().limit_behind(&error);
    let LimitHit {
        limited,
        limit,
        needed,
    } = hit.unwrap_or_else(|| panic!("{error:?}"));
    (limited, limit, needed)
}

/// Repeats `step`, which answers -1 at the end, and counts how often it did not.
fn repeated(declared: &str, step: &str) -> String {
    format!(
        r#"{declared} (func (export "run") (result i32) (local $n i32)
            (block $full (loop $more
                (br_if $full (i32.eq (i32.const -1) {step}))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br $more)))
            (local.get $n))"#
    )
}

#[test]
fn memories_are_counted_together() {
    let memories = "(memory $a 1) (memory $b 2)";
    for memory in ["$a", "$b"] {
        let text = plain(&repeated(
            memories,
            &format!("(memory.grow {memory} (i32.const 1))"),
        ));
        let mut guest = Guest::blocking(&text, limits(|limits| limits.memory_bytes = 10 * PAGE));
        // One page is libc's.
        assert_eq!(guest.run().unwrap(), 6);
        let state = guest.store.data();
        assert_eq!(
            (state.usage().bytes(), state.usage().peak_bytes()),
            (10 * PAGE, 10 * PAGE)
        );
        assert_eq!(
            state.limit_hit(),
            Some(LimitHit::new(Limited::Memory, 10 * PAGE, Some(11 * PAGE)))
        );
    }
}

#[test]
fn a_declared_maximum_is_no_limit_of_ours() {
    let text = plain(&repeated("(memory 1 3)", "(memory.grow (i32.const 1))"));
    let mut guest = Guest::blocking(&text, Limits::default());
    assert_eq!(guest.run().unwrap(), 2);
    let state = guest.store.data();
    assert_eq!((state.usage().bytes(), state.limit_hit()), (4 * PAGE, None));
}

#[test]
fn tables_count_elements_and_bytes() {
    let tables = "(table $a 3 funcref) (table $b 4 funcref)";
    let text = plain(&repeated(
        tables,
        "(table.grow $b (ref.null func) (i32.const 5))",
    ));
    let mut guest = Guest::blocking(&text, limits(|limits| limits.table_elements = 20));
    assert_eq!(guest.run().unwrap(), 2);
    let state = guest.store.data();
    assert_eq!(state.usage().bytes(), PAGE + 8 * 17);
    assert_eq!(
        state.limit_hit(),
        Some(LimitHit::new(Limited::TableElements, 20, Some(22)))
    );

    let mut guest = Guest::blocking(&text, limits(|limits| limits.memory_bytes = PAGE + 8 * 20));
    assert_eq!(guest.run().unwrap(), 2);
    let hit = guest.store.data().limit_hit();
    assert_eq!(
        hit,
        Some(LimitHit::new(
            Limited::Memory,
            PAGE + 8 * 20,
            Some(PAGE + 8 * 22)
        ))
    );
}

#[test]
fn a_growth_that_overflows_takes_nothing_back() {
    let text = plain(
        r#"(table $t i64 0 funcref)
        (func (export "run") (result i32) (local $n i32)
            (loop $more
                (drop (table.grow $t (ref.null func) (i64.const 100)))
                (drop (table.grow $t (ref.null func) (i64.const -1)))
                (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 5))))
            (i32.wrap_i64 (table.size $t)))"#,
    );
    let mut guest = Guest::blocking(&text, limits(|limits| limits.table_elements = 350));
    assert_eq!(guest.run().unwrap(), 300);
    assert_eq!(guest.store.data().usage().bytes(), PAGE + 8 * 300);
}

#[test]
fn what_does_not_fit_at_the_start_names_its_limit() {
    let run = r#"(func (export "run") (result i32) i32.const 0)"#;
    let memory = plain(&format!("(memory 9) {run}"));
    assert_eq!(
        hit(&memory, |limits| limits.memory_bytes = 4 * PAGE),
        (Limited::Memory, 4 * PAGE, Some(10 * PAGE))
    );
    let table = plain(&format!("(table 9 funcref) {run}"));
    assert_eq!(
        hit(&table, |limits| limits.table_elements = 8),
        (Limited::TableElements, 8, Some(9))
    );
    assert_eq!(
        hit(&plain(run), |limits| limits.instances = 1),
        (Limited::Instances, 1, Some(2))
    );
    assert_eq!(
        hit(&memory, |limits| limits.memories = 1),
        (Limited::Memories, 1, Some(2))
    );
    assert_eq!(
        hit(&table, |limits| limits.tables = 0),
        (Limited::Tables, 0, Some(1))
    );
}

#[test]
fn handles_are_counted() {
    let text = component(
        &format!("{POLL}{CLOCK}"),
        &[("subscribe", "$clock", "subscribe-duration")],
        r#"(import "" "subscribe" (func $subscribe (param i64) (result i32)))
        (func (export "run") (result i32)
            (loop $more (drop (call $subscribe (i64.const 1))) (br $more))
            unreachable)"#,
    );
    assert_eq!(
        hit(&text, |limits| limits.handles = 40),
        (Limited::Handles, 40, None)
    );
}

/// Writes `len` bytes to stdout `times` times.
fn printing(len: u32, times: u32) -> String {
    component(
        STDIO,
        &[
            ("stdout", "$stdout", "get-stdout"),
            (
                "write",
                "$streams",
                "[method]output-stream.blocking-write-and-flush",
            ),
        ],
        &format!(
            r#"(import "" "stdout" (func $stdout (result i32)))
            (import "" "write" (func $write (param i32 i32 i32 i32)))
            (func (export "run") (result i32) (local $out i32) (local $n i32)
                (local.set $out (call $stdout))
                (loop $more
                    (call $write (local.get $out) (i32.const 0) (i32.const {len}) (i32.const 8192))
                    (br_if $more (i32.lt_u
                        (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const {times}))))
                (local.get $n))"#
        ),
    )
}

#[test]
fn output_is_counted_wherever_it_goes() {
    let buffer = OutputBuffer::default();
    for output in [
        Output::Null,
        Output::Buffer(buffer.clone()),
        Output::lines(|_| {}),
    ] {
        let grants = Grants::none().stdout(output);
        let limits = limits(|limits| limits.output_bytes = 2500);
        let mut guest = Guest::new(&printing(1000, 9), Face::Blocking, limits, &grants);
        let error = guest.run().unwrap_err();
        let state = guest.store.data();
        assert_eq!(
            state.limit_behind(&error),
            Some(LimitHit::new(Limited::Output, 2500, Some(3000)))
        );
        assert_eq!(state.output_bytes(), 2500);
    }
    assert_eq!(buffer.take().len(), 2500);
    assert_eq!(
        Guest::blocking(&printing(1000, 2), Limits::default())
            .run()
            .unwrap(),
        2
    );
}

#[test]
fn what_crosses_to_the_host_is_bounded() {
    let (limited, limit, _) = hit(&printing(4096, 1), |limits| limits.hostcall_bytes = 1000);
    assert_eq!((limited, limit), (Limited::Hostcall, 1000));
}

#[test]
fn each_call_starts_its_own_account() {
    let mut guest = Guest::blocking(
        &printing(1000, 9),
        limits(|limits| limits.output_bytes = 2500),
    );
    guest.run().unwrap_err();
    let state = guest.store.data_mut();
    state.begin_call(Due::NEVER);
    assert_eq!((state.limit_hit(), state.output_bytes()), (None, 0));
    assert_eq!((state.usage().peak_bytes(), state.deadline()), (PAGE, None));
}
