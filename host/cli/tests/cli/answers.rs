//! Calls that are answered.

use crate::desk::{Desk, Ended, PLAIN, without_figures};

#[test]
fn answers_go_to_stdout() {
    Desk::new().check(&[
        (&["call", "plain.wat", "echo", r#""hi""#], 0, r#""hi""#, ""),
        (&["call", "plain.wat", "add", "-1", "3"], 0, "2", ""),
        (&["call", "plain.wat", "add", "1, 3"], 0, "4", ""),
        (&["call", "plain.wat", "add", "--", "-1, 3"], 0, "2", ""),
        (
            &["call", "plain.wat", "add", "--json", "[-1, 3]"],
            0,
            "2",
            "",
        ),
        (
            &["call", "plain.wat", "add", "--json", r#"{"b": 3, "a": 4}"#],
            0,
            "7",
            "",
        ),
        (
            &["call", "plain.wat", "echo", "--json", r#"["hi"]"#],
            0,
            r#""hi""#,
            "",
        ),
        (&["call", "plain.wat", "nothing"], 0, "()", ""),
        (&["call", "plain.wat", "nothing", "--json"], 0, "null", ""),
        (
            &["call", "plain.wat", "add", "1", "2", "--no-cache"],
            0,
            "3",
            "",
        ),
    ]);
}

#[test]
fn a_result_error_of_the_guest_is_an_answer() {
    Desk::new().check(&[
        (&["call", "plain.wat", "fail"], 1, r#"err("no luck")"#, ""),
        (
            &["call", "plain.wat", "fail", "--json"],
            1,
            r#"{"err":"no luck"}"#,
            "",
        ),
    ]);
}

#[test]
fn grants_are_given_and_nothing_else() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("data")).unwrap();
    let not_permitted = "32";
    desk.check(&[
        (&["call", "wasi.wat", "env"], 0, "[]", ""),
        (&["call", "wasi.wat", "args"], 0, "[]", ""),
        (&["call", "wasi.wat", "make", r#""new""#], 0, "100", ""),
        (&["call", "wasi.wat", "read"], 1, "err", ""),
        (
            &["call", "wasi.wat", "env", "--env", "A=1", "--env", "B=x=y"],
            0,
            r#"[("A", "1"), ("B", "x=y")]"#,
            "",
        ),
        (
            &["call", "wasi.wat", "args", "--arg", "-x", "--arg", "2"],
            0,
            r#"["wasi.wat", "-x", "2"]"#,
            "",
        ),
        (
            &[
                "call",
                "wasi.wat",
                "make",
                r#""new""#,
                "--dir",
                "data::/in:ro",
            ],
            0,
            not_permitted,
            "",
        ),
    ]);
    assert!(!desk.path("data/new").exists());
    desk.check(&[(
        &["call", "wasi.wat", "make", r#""new""#, "--dir", "data"],
        0,
        "0",
        "",
    )]);
    assert!(desk.path("data/new").is_dir());
}

#[test]
fn streams_are_joined() {
    let desk = Desk::new();
    desk.check(&[
        (
            &["call", "wasi.wat", "print", "2"],
            0,
            "a line\na line\n()",
            "",
        ),
        (
            &["call", "wasi.wat", "print", "2", "--stdout", "null"],
            0,
            "()",
            "",
        ),
    ]);
    let heard = desk.run_with_input(&["call", "wasi.wat", "read", "--stdin"], "heard");
    assert_eq!((heard.code, &*heard.stdout), (0, "ok(\"heard\")\n"));
    let echoed = desk.run_with_input(&["call", "-", "echo", r#""said""#], PLAIN);
    assert_eq!((echoed.code, &*echoed.stdout), (0, "\"said\"\n"));
}

#[test]
fn costs_are_told() {
    let desk = Desk::new();
    for (args, report) in [
        (
            &["-v"][..],
            "time   # in all: # in the queue, # to make an instance, # active\nmemory # KiB\noutput # B\n",
        ),
        (
            &["-v", "--fuel", "100"],
            "time   # in all: # in the queue, # to make an instance, # active\nmemory # KiB\noutput # B\nfuel   #\n",
        ),
        (
            &["--repeat", "50"],
            "calls  #, each on a fresh instance\ncold   #\nwarm   min #, p# #, p# #; # of # found an instance ready\n",
        ),
        (
            &["--repeat", "50", "--reuse"],
            "calls  #, on one instance\ncold   #\nwarm   min #, p# #, p# #; # of # found an instance ready\n",
        ),
    ] {
        let line = [&["call", "plain.wat", "add", "1", "2"], args].concat();
        let Ended {
            code,
            stdout,
            stderr,
        } = desk.run(&line);
        assert_eq!((code, &*stdout), (0, "3\n"), "{args:?}");
        assert_eq!(without_figures(&stderr), report, "{args:?}");
    }
    let line = ["call", "plain.wat", "add", "--json", "[1, 2]", "--repeat"];
    let ended = desk.run(&[&line[..], &["9", "--reuse", "-v"]].concat());
    let shapes: Vec<_> = ended.stderr.lines().map(without_figures).collect();
    assert_eq!(
        shapes,
        [
            r##"{"calls":{"cold_ns":#,"reuse":true,"warm":{"calls":#,"min_ns":#,"p#_ns":#,"p#_ns":#,"ready":#}}}"##,
            r##"{"receipt":{"active_ns":#,"fuel":null,"output_bytes":#,"peak_memory_bytes":#,"queued_ns":#,"start_ns":#,"wall_ns":#,"warm":true}}"##,
        ]
    );
    assert!(ended.stderr.contains(r#""ready":8"#), "{ended:?}");
}
