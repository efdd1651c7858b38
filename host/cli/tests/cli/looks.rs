//! `inspect` and `compile`.

use crate::desk::{Desk, guests, without_figures};

#[test]
fn a_compiled_component_is_found_in_the_cache() {
    let desk = Desk::new();
    let first = desk.run(&["compile", "plain.wat"]);
    let origin = "// origin  the cache\n";
    assert_eq!(
        without_figures(&first.stdout),
        "plain.wat: # KiB of code from # KiB, plain lane, compiled in #\n"
    );
    assert_eq!((first.code, &*first.stderr), (0, ""));
    assert_eq!(
        without_figures(&desk.run(&["compile", "plain.wat"]).stdout),
        "plain.wat: # KiB of code from # KiB, plain lane, in the cache already, loaded in #\n"
    );
    assert!(desk.run(&["inspect", "plain.wat"]).stdout.contains(origin));
    let anew = desk.run(&["inspect", "plain.wat", "--no-cache"]);
    assert!(!anew.stdout.contains(origin), "{anew:?}");

    let desk = Desk::new();
    desk.write("cache", "a file where the cache's folder would be");
    desk.check(&[(
        &["compile", "plain.wat"],
        7,
        "",
        "error: there is no cache: its folder is missing or not the user's own (host's fault)",
    )]);
}

#[test]
fn inspect_shows_wit_and_figures() {
    let desk = Desk::new();
    let seen = desk.run(&["inspect", "plain.wat"]);
    let (figures, wit) = seen.stdout.split_once("\n\n").unwrap();
    let labels: Vec<_> = figures.lines().map(|line| &line[3..11]).collect();
    assert_eq!(
        labels,
        [
            "file    ", "id      ", "code    ", "lane    ", "origin  ", "slots   ", "reset   ",
            "limits  "
        ]
    );
    assert!(figures.ends_with(
        "// slots   1 memory and 0 tables for each instance\n\
         // reset   not learned yet: that takes 64 to 128 calls with a fresh instance each\n\
         // limits  memory of at least 64.0 KiB and 0 table elements, to start"
    ));
    assert_eq!(
        wit,
        "package root:component;\n\n\
         world root {\n  \
           export echo: func(text: string) -> string;\n  \
           export fail: func() -> result<u32, string>;\n  \
           export nothing: func();\n  \
           export spin: func();\n  \
           export hog: func();\n  \
           export trap: func();\n  \
           export add: func(a: s32, b: s32) -> s32;\n\
         }\n"
    );

    let seen = desk.run(&["inspect", "plain.wat", "--json"]);
    for piece in [
        r#""name": "echo""#,
        r#""wit": "echo: func(text: string) -> string""#,
        r#""result_schema": {"#,
        r#""lane": "plain""#,
        r#""memory_bytes": 65536"#,
    ] {
        assert!(seen.stdout.contains(piece), "{piece}");
    }
}

#[test]
fn inspect_lists_the_exports_of_a_python_guest() {
    let guest = guests().join("python.wasm");
    assert!(
        guest.is_file(),
        "{} is not there: build it with `cargo xtask guests python`",
        guest.display()
    );
    let seen = Desk::with_lasting_cache().run(&["inspect", guest.to_str().unwrap()]);
    assert_eq!((seen.code, &*seen.stderr), (0, ""));
    assert!(
        seen.stdout.contains(
            "export analyze: func(log: string, options: options) -> result<summary, parse-error>;"
        ),
        "{}",
        seen.stdout
    );
}
