//! WAVE forms and WAVE errors, as tables.

use proptest::prelude::*;

use crate::Handles;
use crate::value::tests::exports;

const API: &str = r#"
    record limit { max: u8, note: option<string> }
    record options { name: string, limits: list<limit> }
    record loose { a: option<u8>, b: option<u8> }
    enum level { debug, info, nan }
    variant shape { point, circle(f64), some(u8) }
    flags mode { read, write, exec }
    resource session { constructor(); }

    set-options: func(options: options) -> options;
    set-loose: func(v: loose) -> loose;
    set-level: func(level: level) -> level;
    set-shape: func(shape: shape) -> shape;
    set-mode: func(mode: mode) -> mode;
    deep: func(v: option<option<u8>>) -> option<option<u8>>;
    outcome: func(v: result<u8, string>) -> result<u8, string>;
    text: func(v: string) -> string;
    letter: func(v: char) -> char;
    pair: func(p: tuple<s8, bool>) -> tuple<s8, bool>;
    trio: func(l: list<u8, 3>) -> list<u8, 3>;
    names: func(m: map<string, u8>) -> map<string, u8>;
    single: func(v: f32) -> f32;
    many: func(a: u8, b: string, c: option<u8>);
    nothing: func();
    take: func(s: session);
    watch: func(v: list<stream<u8>>);
"#;

#[test]
fn values_are_read_and_written() {
    let (exports, mut handles) = (exports(API), Handles::new());
    for (function, given, written) in [
        (
            "set-options",
            "{limits: [{max: 1}, {max: 2, note: some(\"x\")}], name: \"n\"}",
            "{name: \"n\", limits: [{max: 1}, {max: 2, note: some(\"x\")}]}",
        ),
        ("set-loose", "{:}", "{:}"),
        ("set-loose", "{}", "{:}"),
        ("set-loose", "{b: 3}", "{b: some(3)}"),
        ("set-level", "info", "info"),
        ("set-level", "%nan", "%nan"),
        ("set-shape", "circle(1.5)", "circle(1.5)"),
        ("set-shape", "%some(7)", "%some(7)"),
        ("set-mode", "{}", "{}"),
        ("set-mode", "{exec, %read}", "{read, exec}"),
        ("deep", "none", "none"),
        ("deep", "some(none)", "some(none)"),
        ("deep", "some(7)", "some(some(7))"),
        ("outcome", "7", "ok(7)"),
        ("outcome", "err(\"no\")", "err(\"no\")"),
        ("text", r#""a\n\u{1F44B}\"""#, r#""a\n👋\"""#),
        (
            "text",
            "\"\"\"\n  two\n  lines\n  \"\"\"",
            r#""two\nlines""#,
        ),
        ("letter", r"'\''", r"'\''"),
        ("letter", "'☃'", "'☃'"),
        ("pair", "((-1, true))", "(-1, true)"),
        ("trio", "[1, 2, 3]", "[1, 2, 3]"),
        ("names", "[(\"a\", 1)]", "[(\"a\", 1)]"),
        ("single", "-inf", "-inf"),
        ("single", "1e3", "1000"),
    ] {
        let function = exports.find(function).unwrap();
        let params = function
            .params_from_wave(given, &mut handles)
            .unwrap_or_else(|e| panic!("{given}: {e}"));
        assert_eq!(
            function.results_to_wave(params, &mut handles).unwrap(),
            written,
            "{given}"
        );
    }
}

#[test]
fn parentheses_and_options_may_be_left_out() {
    let (exports, mut handles) = (exports(API), Handles::new());
    let many = exports.find("many").unwrap();
    let full = many
        .params_from_wave("(1, \"x\", none)", &mut handles)
        .unwrap();
    for params in [
        "1, \"x\"",
        " ( 1, \"x\", ) ",
        "1, \"x\", none // a comment",
        "// one\n1, \"x\"",
    ] {
        assert_eq!(
            many.params_from_wave(params, &mut handles).unwrap(),
            full,
            "{params}"
        );
    }
    let nothing = exports.find("nothing").unwrap();
    for params in ["", "()", " ( ) // nothing", "// nothing"] {
        assert_eq!(
            nothing.params_from_wave(params, &mut handles).unwrap(),
            [],
            "{params}"
        );
    }
    assert_eq!(
        nothing
            .results_to_wave(nothing.result_slots(), &mut handles)
            .unwrap(),
        "()"
    );
}

#[test]
fn errors_name_the_place_and_the_type() {
    let (exports, mut handles) = (exports(API), Handles::new());
    for (function, params, expected) in [
        (
            "set-options",
            "{name: \"\", limits: [{max: 1}, {max: 300}]}",
            r#"parameter "options".limits[1].max: expected u8, got 300"#,
        ),
        (
            "set-options",
            "{limits: []}",
            r#"parameter "options": field "name" is missing: expected string"#,
        ),
        (
            "set-options",
            "{name: \"\", limits: [], size: 1}",
            r#"parameter "options": no field "size"; known are name, limits"#,
        ),
        (
            "set-options",
            "{}",
            r#"parameter "options": field "name" is missing: expected string"#,
        ),
        (
            "set-level",
            "loud",
            r#"parameter "level": no case "loud"; known are debug, info, nan"#,
        ),
        (
            "set-level",
            "info(1)",
            r#"parameter "level": expected enum level, got info(1)"#,
        ),
        (
            "set-shape",
            "circle",
            r#"parameter "shape": case "circle" needs a value: expected f64"#,
        ),
        (
            "set-shape",
            "point(1)",
            r#"parameter "shape": case "point" takes no value"#,
        ),
        (
            "set-shape",
            "some(1)",
            r#"parameter "shape": expected variant shape, got some(1)"#,
        ),
        (
            "set-mode",
            "{red}",
            r#"parameter "mode": no flag "red"; known are read, write, exec"#,
        ),
        (
            "deep",
            "7",
            r#"parameter "v": expected option<option<u8>>, got 7"#,
        ),
        (
            "outcome",
            "\"x\"",
            r#"parameter "v".ok: expected u8, got "x""#,
        ),
        (
            "letter",
            "\"x\"",
            r#"parameter "v": expected char, got "x""#,
        ),
        ("text", "'x'", r#"parameter "v": expected string, got 'x'"#),
        ("pair", "(1, true)", "expected 1 parameter (p), got 2"),
        (
            "pair",
            "((1, true, 2))",
            r#"parameter "p": expected 2 elements, got 3"#,
        ),
        (
            "trio",
            "[1]",
            r#"parameter "l": expected 3 elements, got 1"#,
        ),
        (
            "names",
            "[(\"a\", 1), (\"b\", -1)]",
            r#"parameter "m"[1][1]: expected u8, got -1"#,
        ),
        ("single", "1e39", r#"parameter "v": expected f32, got 1e39"#),
        ("many", "(1)", "expected 3 parameters (a, b, c), got 1"),
        ("nothing", "1", "expected no parameters, got 1"),
        (
            "take",
            "3",
            r#"parameter "s": expected a handle of session, got 3"#,
        ),
        (
            "take",
            "handle(3)",
            r#"parameter "s": there is no handle 3"#,
        ),
        (
            "watch",
            "[1]",
            r#"parameter "v"[0]: stream<u8> is not supported in dynamic calls"#,
        ),
        (
            "many",
            "1, \"x",
            r#"not a valid list of values at byte 3: unexpected "\"x""#,
        ),
        (
            "many",
            "(1, \"x\"",
            "not a valid list of values at byte 7: unexpected end of input",
        ),
        (
            "many",
            "1, }",
            r#"not a valid list of values at byte 3: unexpected "}""#,
        ),
        (
            "many",
            "{a: 1, a: 2}",
            r#"not a valid list of values at byte 7: duplicate field: "a""#,
        ),
    ] {
        let error = exports
            .find(function)
            .unwrap()
            .params_from_wave(params, &mut handles)
            .unwrap_err();
        assert_eq!(error.to_string(), expected, "{function} {params}");
    }
}

#[test]
fn nesting_is_bounded() {
    let (exports, mut handles) = (exports(API), Handles::new());
    let deep = "[".repeat(100_000);
    let error = exports
        .find("deep")
        .unwrap()
        .params_from_wave(&deep, &mut handles)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "not a valid list of values at byte 98: value nesting too deep"
    );
}

/// As deep as a list of parameters can be in WAVE, on the stack that threads have by default.
#[test]
fn deep_types_are_read() {
    const DEPTH: usize = 90;
    let ty = format!("{}u8{}", "list<".repeat(DEPTH), ">".repeat(DEPTH));
    let exports = exports(&format!("f: func(v: {ty}) -> {ty};"));
    let f = exports.find("f").unwrap();
    let text = format!("{}7{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let mut handles = Handles::new();
    let vals = f.params_from_wave(&text, &mut handles).unwrap();
    f.check_params(&vals).unwrap();
    assert_eq!(f.results_to_wave(vals, &mut handles).unwrap(), text);
}

proptest! {
    /// Whatever the text, the answer is values or an error, and an error prints.
    #[test]
    fn every_text_is_answered(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "(", ")", "[", "]", "{", "}", ":", ",", " ", "\n", "//", "\"", "\"\"\"", "'", "\\", "\\u{110000}", "é", "-",
            "1", "300", "1e9", "nan", "none", "some(", "ok", "err(", "%", "a", "name", "max", "circle", "handle(", "x",
        ]), 0..12),
    ) {
        static EXPORTS: std::sync::LazyLock<crate::Exports> = std::sync::LazyLock::new(|| exports(API));
        let text = pieces.concat();
        for function in EXPORTS.iter() {
            if let Err(error) = function.params_from_wave(&text, &mut Handles::new()) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
