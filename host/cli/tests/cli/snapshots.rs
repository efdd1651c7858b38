//! `snapshot`.

use crate::desk::{Desk, without_figures};

/// A dictionary of one word, which it must be told.
const WORDS: &str = r#"(component
    (core module $m
        (memory 1)
        (global $told (mut i32) (i32.const 0))
        (func (export "prepare") (param i32) (global.set $told (local.get 0)))
        (func (export "try") (result i32) (i32.const 1))
        (func (export "spin") (loop $l (br $l)))
        (func (export "trap") unreachable)
        (func (export "word") (result i32) (global.get $told)))
    (core instance $i (instantiate $m))
    (func (export "prepare") (param "word" s32) (canon lift (core func $i "prepare")))
    (func (export "try") (result (result)) (canon lift (core func $i "try")))
    (func (export "spin") (canon lift (core func $i "spin")))
    (func (export "trap") (canon lift (core func $i "trap")))
    (func (export "word") (result s32) (canon lift (core func $i "word"))))"#;

#[test]
fn a_snapshot_starts_initialised() {
    let desk = Desk::new();
    desk.write("words.wat", WORDS);
    let args = [
        "snapshot",
        "words.wat",
        "--init",
        "prepare",
        "-7",
        "-o",
        "ready.wasm",
    ];
    let made = desk.run(&args);
    assert_eq!((made.code, &*made.stderr), (0, ""), "{made:?}");
    assert_eq!(
        without_figures(&made.stdout),
        "ready.wasm: # B that start after `prepare`, from # B of words.wat, made in #\n"
    );
    desk.check(&[(&["call", "ready.wasm", "word"], 0, "-7", "")]);

    let args = [
        "snapshot",
        "-",
        "--init",
        "prepare",
        "3",
        "-o",
        "ready.wasm",
    ];
    assert_eq!(desk.run_with_input(&args, WORDS).code, 0);
    desk.check(&[(&["call", "ready.wasm", "word"], 0, "3", "")]);
}

#[test]
fn what_goes_wrong_has_its_code() {
    let desk = Desk::new();
    desk.write("words.wat", WORDS);
    for (init, code, piece) in [
        (&["try"][..], 1, "answered with an error"),
        (&["prepair"], 2, "caller's fault"),
        (&["prepare"], 2, "caller's fault"),
        (&["prepare", "no"], 2, "caller's fault"),
        (&["trap"], 4, "the guest trapped"),
        (&["spin", "--deadline", "20ms"], 5, "--deadline"),
        (&["spin", "--memory", "1KiB"], 5, "--memory"),
    ] {
        let mut args = vec!["snapshot", "words.wat", "-o", "ready.wasm", "--init"];
        args.extend(init);
        let ended = desk.run(&args);
        assert_eq!(ended.code, code, "{init:?}: {ended:?}");
        assert!(ended.stderr.contains(piece), "{init:?}: {ended:?}");
        assert!(!desk.path("ready.wasm").exists(), "{init:?}");
    }
    let fixed = r#"(component (core module $m (memory 1 1) (func (export "f")))
        (core instance $i (instantiate $m))
        (func (export "f") (canon lift (core func $i "f"))))"#;
    desk.write("fixed.wat", fixed);
    let ended = desk.run(&["snapshot", "fixed.wat", "--init", "f", "-o", "ready.wasm"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("cannot grow"), "{ended:?}");
}
