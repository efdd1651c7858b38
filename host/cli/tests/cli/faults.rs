//! Calls and files that end in a message.

use crate::desk::Desk;

#[test]
fn limits_end_a_call() {
    Desk::new().check(&[
        (
            &["call", "plain.wat", "spin", "--deadline", "50ms"],
            5,
            "",
            "error: stopped at its deadline of 50ms, while it ran (guest's fault: allow more time with --deadline)",
        ),
        (
            &["call", "plain.wat", "hog", "--memory", "16MiB"],
            5,
            "",
            "error: limit `memory_bytes` of 16777216 reached, 16842752 needed (guest's fault: allow more with --memory)",
        ),
        (
            &["call", "plain.wat", "add", "1", "2", "--memory", "1KiB"],
            5,
            "",
            "error: Limits::memory_bytes is 1024, but this component starts with 65536 (caller's fault: allow more with --memory)",
        ),
        (
            &["call", "plain.wat", "spin", "--fuel", "5000"],
            5,
            "",
            "error: limit `fuel` of 5000 reached (guest's fault: allow more with --fuel)",
        ),
        (
            &["call", "wasi.wat", "print", "9", "--output", "14"],
            5,
            "a line\na line",
            "error: limit `output_bytes` of 14 reached, 21 needed (guest's fault: allow more with --output)",
        ),
    ]);
}

#[test]
fn a_trap_shows_the_stack() {
    Desk::new().check(&[(
        &["call", "plain.wat", "trap"],
        4,
        "",
        "error: the guest trapped: wasm `unreachable` instruction executed (guest's fault)\n  0: trap in m",
    )]);
}

#[test]
fn a_guest_may_end_itself() {
    Desk::new().check(&[
        (&["call", "wasi.wat", "quit", "false"], 0, "", ""),
        (
            &["call", "wasi.wat", "quit", "false", "--repeat", "3"],
            0,
            "",
            "the guest ended itself with status 0, so that nothing was measured",
        ),
        (
            &["call", "wasi.wat", "quit", "true"],
            6,
            "",
            "error: the guest exited with status 1 (guest's fault)",
        ),
    ]);
}

#[test]
fn wrong_usage_is_told() {
    Desk::new().check(&[
        (
            &["call", "plain.wat", "ad"],
            2,
            "",
            "error: no function \"ad\" is exported; did you mean add? (caller's fault: `prewarm inspect` lists the functions)",
        ),
        (
            &["call", "plain.wat", "add", "1"],
            2,
            "",
            "error: expected 2 parameters (a, b), got 1 (caller's fault: the function is `add: func(a: s32, b: s32) -> s32`)",
        ),
        (
            &["call", "plain.wat", "add", "(1, 2)", "3"],
            2,
            "",
            "error: parameter \"a\": expected s32, got (1, 2) (caller's fault: the function is `add: func(a: s32, b: s32) -> s32`)",
        ),
        (
            &["call", "plain.wat", "echo", "hi"],
            2,
            "",
            "error: parameter \"text\": expected string, got hi (caller's fault: the function is `echo: func(text: string) -> string`, and a string in WAVE has its own quotes: '\"text\"')",
        ),
        (
            &["call", "plain.wat", "add", "--json", "[1"],
            2,
            "",
            "error: the argument is not JSON: EOF while parsing a list at line 1 column 2 (caller's fault: see the JSON Schema in `prewarm inspect --json`)",
        ),
        (
            &["call", "plain.wat", "add", "--json", "1", "2"],
            2,
            "",
            "error: expected one JSON array or object, got 2 arguments (caller's fault: put them into one)",
        ),
        (
            &["call", "-", "add", "--stdin"],
            2,
            "",
            "error: stdin cannot be both the component and the guest's input (caller's fault: name a FILE)",
        ),
        (
            &["call", "wasi.wat", "args", "--dir", "nowhere"],
            2,
            "",
            "error: directory `nowhere` cannot be granted: No such file or directory (os error 2) (caller's fault: give a folder that exists with --dir)",
        ),
        (
            &["call", "plain.wat", "spin", "--deadline", "50"],
            2,
            "",
            "error: invalid value '50' for '--deadline <TIME>': time unit needed, for example 50sec or 50ms\n\nFor more information, try '--help'.",
        ),
        (
            &["inspect", "plain.wat", "--frob"],
            2,
            "",
            "error: unexpected argument '--frob' found\n\n  tip: to pass '--frob' as a value, use '-- --frob'\n\nUsage: prewarm inspect <FILE>\n\nFor more information, try '--help'.",
        ),
    ]);
    let reuse = Desk::new().run(&["call", "plain.wat", "add", "1", "2", "--reuse"]);
    assert_eq!(reuse.code, 2, "{reuse:?}");
}

#[test]
fn what_is_no_usable_component_is_told() {
    let desk = Desk::new();
    desk.write("core.wat", "(module)");
    desk.write("broken.wat", "(component (func $f");
    desk.write("story.txt", "Once upon a time");
    desk.write(
        "invalid.wat",
        "(component (core module (func (result i32))))",
    );
    desk.write(
        "lost.wat",
        r#"(component
            (import "other:things/here@1.0.0" (instance $here (export "f" (func))))
            (core func $f (canon lower (func $here "f")))
            (core module $m (import "" "f" (func $f)) (export "f" (func $f)))
            (core instance $i (instantiate $m (with "" (instance (export "f" (func $f))))))
            (func (export "f") (canon lift (core func $i "f"))))"#,
    );
    desk.check(&[
        (
            &["inspect", "core.wat"],
            3,
            "",
            "error: core.wat cannot be loaded: this is a core module, not a component: build for a component target such as wasm32-wasip2, or wrap it with `wasm-tools component new` (guest's fault)",
        ),
        (
            &["inspect", "broken.wat"],
            3,
            "",
            "error: broken.wat cannot be loaded: not valid WebAssembly text: expected `(` (caller's fault)\n     --> <anon>:1:20\n      |\n    1 | (component (func $f\n      |                    ^",
        ),
        (
            &["inspect", "story.txt"],
            3,
            "",
            "error: story.txt cannot be loaded: this is not WebAssembly: it starts with [4f, 6e, 63, 65, 20, 75, 70, 6f] (caller's fault: give a component as .wasm or .wat)",
        ),
        (
            &["inspect", "invalid.wat"],
            3,
            "",
            "error: invalid.wat cannot be loaded: the component does not compile: failed to compile: wasm[0]::function[0]: WebAssembly translation error: Invalid input WebAssembly code at offset 34: type mismatch: expected i32 but nothing on stack (guest's fault: build it again with current tools)",
        ),
        (
            &["inspect", "absent.wasm"],
            3,
            "",
            "error: cannot read \"absent.wasm\": No such file or directory (os error 2) (caller's fault)",
        ),
        (
            &["call", "lost.wat", "f"],
            3,
            "",
            "error: nothing provides other:things/here@1.0.0 (give it with the pool's imports) (caller's fault: this tool provides WASI alone)",
        ),
    ]);
    let seen = desk.run(&["inspect", "lost.wat"]);
    assert!(
        seen.stdout
            .contains("\n// missing other:things/here@1.0.0 "),
        "{seen:?}"
    );
}
