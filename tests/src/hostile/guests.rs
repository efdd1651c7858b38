//! The guests that misbehave, as WebAssembly text. They import `mode`, `fail`, `panic`,
//! `panic-locked`, `block` and `never` from the host.

use prewarm::Lane;

/// The imports, lowered, and a memory with stdout over it.
const HEAD: &str = r#"
    (import "mode" (func $mode (result u32)))
    (import "fail" (func $fail))
    (import "panic" (func $panic))
    (import "panic-locked" (func $panic-locked))
    (import "block" (func $block))
    (import "never" (func $never))
    (core func $mode (canon lower (func $mode)))
    (core func $fail (canon lower (func $fail)))
    (core func $panic (canon lower (func $panic)))
    (core func $panic-locked (canon lower (func $panic-locked)))
    (core func $block (canon lower (func $block)))
    (core func $never (canon lower (func $never)))
    (core instance $host
        (export "mode" (func $mode)) (export "fail" (func $fail)) (export "panic" (func $panic))
        (export "panic-locked" (func $panic-locked))
        (export "block" (func $block)) (export "never" (func $never)))"#;

/// What every module here can do.
const DEEDS: &str = r#"
    (import "host" "mode" (func $mode (result i32)))
    (import "host" "fail" (func $fail))
    (import "host" "panic" (func $panic))
    (import "host" "panic-locked" (func $panic-locked))
    (import "host" "block" (func $block))
    (import "host" "never" (func $never))
    (global $calls (mut i32) (i32.const 0))
    (table $table 1 funcref)
    (func $good (export "good") (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (global.get $calls))
    (func $spin (export "spin") (result i32) (loop $l (br $l)) (i32.const 0))
    (func $recurse (export "recurse") (result i32)
        (i32.add (i32.const 1) (call $recurse)))
    (func $grow-memory (export "grow-memory") (result i32)
        (loop $more (br_if $more (i32.ne (i32.const -1) (memory.grow (i32.const 1)))))
        unreachable)
    (func $grow-table (export "grow-table") (result i32)
        (loop $more (br_if $more (i32.ne (i32.const -1)
            (table.grow $table (ref.null func) (i32.const 100)))))
        unreachable)
    (func $trap (export "trap") (result i32) unreachable)
    (func (export "divide") (result i32) (i32.div_u (i32.const 1) (i32.const 0)))
    (func (export "far") (result i32) (i32.load (i32.const -1)))
    (func (export "trap-behind") (param i32) unreachable)
    (func (export "spin-behind") (param i32) (drop (call $spin)))
    (func (export "list-beyond") (result i32)
        (i32.store (i32.const 0) (i32.const 16))
        (i32.store (i32.const 4) (i32.const 0x7fffffff))
        (i32.const 0))
    (func (export "list-large") (result i32)
        (i32.store (i32.const 0) (i32.const 16))
        (i32.store (i32.const 4) (i32.const 2000000))
        (drop (memory.grow (i32.const 32)))
        (i32.const 0))
    (func $host-fail (export "host-fail") (result i32) (call $fail) (i32.const 0))
    (func $host-panic (export "host-panic") (result i32) (call $panic) (i32.const 0))
    (func (export "host-panic-locked") (result i32) (call $panic-locked) (i32.const 0))
    (func $host-block (export "host-block") (result i32) (call $block) (call $spin))
    (func $host-never (export "host-never") (result i32) (call $never) (i32.const 0))"#;

const STDOUT: &str = r#"
    (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $error-resource))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (alias outer 1 $error-resource (type $e0))
        (export "error" (type $e (eq $e0)))
        (type $failure (variant (case "last-operation-failed" (own $e)) (case "closed")))
        (export "stream-error" (type $f (eq $failure)))
        (export "output-stream" (type $out (sub resource)))
        (export "[method]output-stream.blocking-write-and-flush" (func
            (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $f)))))))
    (alias export $streams "output-stream" (type $out))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer 1 $out (type $s0))
        (export "output-stream" (type $s (eq $s0)))
        (export "get-stdout" (func (result (own $s))))))
    (core func $stdout (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
        (memory $memory)))
    (core instance $out (export "stdout" (func $stdout)) (export "write" (func $write)))"#;

const MEMORY: &str = r#"
    (core module $memory (memory (export "memory") 1))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $memory))"#;

/// What only the concurrent lane has: tasks. `lingering` answers and waits then for what never
/// comes, `silent` does so without an answer.
const TASKS: &str = r#"
    (core func $return (canon task.return (result u32)))
    (core func $set (canon waitable-set.new))
    (core module $tasks
        (import "" "return" (func $return (param i32)))
        (import "" "set" (func $set (result i32)))
        (func $wait (result i32) (i32.or (i32.const 2) (i32.shl (call $set) (i32.const 4))))
        (func (export "lingering") (result i32) (call $return (i32.const 1)) (call $wait))
        (func (export "silent") (result i32) (call $wait))
        (func (export "continue") (param i32 i32 i32) (result i32) unreachable))
    (core instance $t (instantiate $tasks (with "" (instance
        (export "return" (func $return)) (export "set" (func $set))))))
    (func (export "lingering") async (result u32)
        (canon lift (core func $t "lingering") async (callback (core func $t "continue"))))
    (func (export "silent") async (result u32)
        (canon lift (core func $t "silent") async (callback (core func $t "continue"))))"#;

fn tasks(lane: Lane) -> &'static str {
    match lane {
        Lane::Concurrent => TASKS,
        _ => "",
    }
}

/// `good` counts the calls of its instance; every other export does what its name says.
pub fn hostile(lane: Lane) -> String {
    let tasks = tasks(lane);
    let plain = [
        "good",
        "spin",
        "recurse",
        "grow-memory",
        "grow-table",
        "trap",
        "divide",
        "far",
        "flood",
        "handles",
        "host-fail",
        "host-panic",
        "host-panic-locked",
        "host-block",
        "host-never",
    ];
    let mut lifted: String = plain
        .iter()
        .map(|name| {
            format!(
                "(func (export \"{name}\") (result u32) (canon lift (core func $i \"{name}\")))\n"
            )
        })
        .collect();
    for name in ["list-beyond", "list-large"] {
        lifted += &format!(
            "(func (export \"{name}\") (result (list u8)) (canon lift (core func $i \"{name}\") (memory $memory)))\n"
        );
    }
    format!(
        r#"(component {HEAD} {MEMORY} {STDOUT}
        (core module $hostile
            (import "" "memory" (memory 1))
            (import "out" "stdout" (func $stdout (result i32)))
            (import "out" "write" (func $write (param i32 i32 i32 i32)))
            {DEEDS}
            (func (export "flood") (result i32) (local $out i32)
                (local.set $out (call $stdout))
                (loop $more
                    (call $write (local.get $out) (i32.const 0) (i32.const 1000) (i32.const 32))
                    (br $more))
                (i32.const 0))
            (func (export "handles") (result i32)
                (loop $more (drop (call $stdout)) (br $more))
                (i32.const 0)))
        (core instance $i (instantiate $hostile
            (with "" (instance $memory)) (with "host" (instance $host)) (with "out" (instance $out))))
        {lifted}
        (func (export "trap-behind") (result u32)
            (canon lift (core func $i "good") (post-return (core func $i "trap-behind"))))
        (func (export "spin-behind") (result u32)
            (canon lift (core func $i "good") (post-return (core func $i "spin-behind"))))
        {tasks})"#
    )
}

/// The same deeds in the start function: `mode` says which.
pub fn at_start(lane: Lane) -> String {
    let tasks = tasks(lane);
    let deeds = [
        "spin",
        "trap",
        "recurse",
        "grow-memory",
        "host-fail",
        "host-panic",
        "host-block",
        "host-never",
    ];
    let choose: String = deeds
        .iter()
        .enumerate()
        .map(|(at, deed)| {
            format!(
                "(if (i32.eq (call $mode) (i32.const {})) (then (drop (call ${deed}))))\n",
                at + 1
            )
        })
        .collect();
    format!(
        r#"(component {HEAD}
        (core module $hostile {DEEDS} (memory 1)
            (func $start {choose})
            (start $start))
        (core instance $i (instantiate $hostile (with "host" (instance $host))))
        (func (export "good") (result u32) (canon lift (core func $i "good")))
        {tasks})"#
    )
}
