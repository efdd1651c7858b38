//! JSON forms and JSON errors, as tables.

use serde_json::{Value, json};

use crate::Handles;
use crate::value::tests::exports;

const API: &str = r#"
    record limit { max: u8, note: option<string> }
    record options { name: string, limits: list<limit>, ratio: option<f32> }
    enum level { debug, info, warn }
    variant shape { point, circle(f64), named(option<string>) }
    flags mode { read, write, exec }
    resource session { constructor(); }

    set-options: func(options: options) -> options;
    set-level: func(level: level) -> level;
    set-shape: func(shape: shape) -> shape;
    set-mode: func(mode: mode) -> mode;
    deep: func(v: option<option<option<u8>>>) -> option<option<option<u8>>>;
    outcome: func(v: result<option<u8>, string>) -> result<option<u8>, string>;
    done: func(v: result) -> result;
    letter: func(c: char) -> char;
    pair: func(p: tuple<s8, bool>) -> tuple<s8, bool>;
    trio: func(l: list<u8, 3>) -> list<u8, 3>;
    names: func(m: map<string, u8>) -> map<string, u8>;
    codes: func(m: map<u8, string>) -> map<u8, string>;
    signed: func(v: s64) -> s64;
    unsigned: func(v: u64) -> u64;
    single: func(v: f32) -> f32;
    double: func(v: f64) -> f64;
    many: func(a: u8, b: string, c: option<u8>);
    nothing: func();
    take: func(s: session);
    watch: func(v: list<stream<u8>>) -> future<string>;
"#;

/// Reads the only parameter and writes it back.
fn same(function: &str, given: Value) -> Value {
    let (exports, mut handles) = (exports(API), Handles::new());
    let function = exports.find(function).unwrap();
    let params = function
        .params_from_json(&json!([given]), &mut handles)
        .unwrap_or_else(|e| panic!("{given}: {e}"));
    function.results_to_json(params, &mut handles).unwrap()
}

#[test]
fn values_have_one_form_each() {
    for (function, json) in [
        (
            "set-options",
            json!({ "name": "n", "limits": [{ "max": 255, "note": null }], "ratio": 0.1 }),
        ),
        ("set-level", json!("warn")),
        ("set-shape", json!("point")),
        ("set-shape", json!({ "circle": 1.5 })),
        ("set-shape", json!({ "named": null })),
        ("set-shape", json!({ "named": "x" })),
        ("set-mode", json!([])),
        ("set-mode", json!(["read", "exec"])),
        ("deep", json!(null)),
        ("deep", json!({ "some": null })),
        ("deep", json!({ "some": { "some": null } })),
        ("deep", json!({ "some": { "some": 7 } })),
        ("outcome", json!({ "ok": null })),
        ("outcome", json!({ "ok": 7 })),
        ("outcome", json!({ "err": "no" })),
        ("done", json!({ "ok": null })),
        ("done", json!({ "err": null })),
        ("letter", json!("👋")),
        ("pair", json!([-128, true])),
        ("trio", json!([1, 2, 3])),
        ("names", json!({ "a": 1, "b": 2 })),
        ("codes", json!([[1, "a"], [2, "b"]])),
        ("signed", json!(i64::MIN)),
        ("unsigned", json!(u64::MAX)),
        ("single", json!("nan")),
        ("single", json!("-inf")),
        ("single", json!(3.4028235e38)),
        ("double", json!(-0.0)),
        ("double", json!("inf")),
    ] {
        assert_eq!(same(function, json.clone()), json, "{function}");
    }
}

#[test]
fn other_spellings_are_read_too() {
    assert_eq!(
        same("signed", json!(5.0)),
        json!(5),
        "a whole number is an integer"
    );
    assert_eq!(same("double", json!(5)), json!(5.0));
    assert_eq!(
        same("set-mode", json!(["exec", "read"])),
        json!(["read", "exec"]),
        "flags in any order"
    );
    let short = json!({ "limits": [{ "max": 1 }], "name": "n" });
    let full = json!({ "name": "n", "limits": [{ "max": 1, "note": null }], "ratio": null });
    assert_eq!(same("set-options", short), full, "options may be left out");
}

#[test]
fn errors_name_the_place_and_the_type() {
    let (exports, mut handles) = (exports(API), Handles::new());
    for (function, params, expected) in [
        (
            "set-options",
            json!([{ "name": "n", "limits": [{ "max": 1 }, { "max": 2 }, { "max": 300 }] }]),
            r#"parameter "options".limits[2].max: expected u8, got 300"#,
        ),
        (
            "set-options",
            json!({ "options": { "name": 1, "limits": [] } }),
            r#"parameter "options".name: expected string, got 1"#,
        ),
        (
            "set-options",
            json!([{ "limits": [] }]),
            r#"parameter "options": field "name" is missing: expected string"#,
        ),
        (
            "set-options",
            json!([{ "name": "", "limits": [], "size": 1 }]),
            r#"parameter "options": no field "size"; known are name, limits, ratio"#,
        ),
        (
            "set-options",
            json!([{ "name": "", "limits": {} }]),
            r#"parameter "options".limits: expected list<limit>, got an object"#,
        ),
        (
            "set-options",
            json!([null]),
            r#"parameter "options": expected record options, got null"#,
        ),
        (
            "set-level",
            json!(["warnn"]),
            r#"parameter "level": no case "warnn"; known are debug, info, warn"#,
        ),
        (
            "set-level",
            json!([3]),
            r#"parameter "level": expected enum level, got 3"#,
        ),
        (
            "set-shape",
            json!(["circle"]),
            r#"parameter "shape": case "circle" needs a value: expected f64"#,
        ),
        (
            "set-shape",
            json!([{ "point": 1 }]),
            r#"parameter "shape": case "point" takes no value"#,
        ),
        (
            "set-shape",
            json!([{ "circle": "x" }]),
            r#"parameter "shape".circle: expected f64, got "x""#,
        ),
        (
            "set-shape",
            json!([{ "circle": 1, "point": 2 }]),
            r#"parameter "shape": expected variant shape, got an object"#,
        ),
        (
            "set-mode",
            json!([["red"]]),
            r#"parameter "mode": no flag "red"; known are read, write, exec"#,
        ),
        (
            "set-mode",
            json!([["read", "read"]]),
            r#"parameter "mode": flag "read" is given twice"#,
        ),
        (
            "deep",
            json!([7]),
            r#"parameter "v": expected option<option<option<u8>>>, got 7"#,
        ),
        (
            "outcome",
            json!(["ok"]),
            r#"parameter "v": expected result<option<u8>, string>, got "ok""#,
        ),
        (
            "outcome",
            json!([{ "err": 1 }]),
            r#"parameter "v".err: expected string, got 1"#,
        ),
        (
            "done",
            json!([{ "ok": 1 }]),
            r#"parameter "v": case "ok" takes no value"#,
        ),
        (
            "letter",
            json!(["ab"]),
            r#"parameter "c": expected char, got "ab""#,
        ),
        (
            "letter",
            json!([""]),
            r#"parameter "c": expected char, got """#,
        ),
        (
            "pair",
            json!([[1]]),
            r#"parameter "p": expected 2 elements, got 1"#,
        ),
        (
            "pair",
            json!([[-129, true]]),
            r#"parameter "p"[0]: expected s8, got -129"#,
        ),
        (
            "trio",
            json!([[1, 2]]),
            r#"parameter "l": expected 3 elements, got 2"#,
        ),
        (
            "names",
            json!([{ "a": "x" }]),
            r#"parameter "m".a: expected u8, got "x""#,
        ),
        (
            "codes",
            json!([[[1, "a"], [256, "b"]]]),
            r#"parameter "m"[1][0]: expected u8, got 256"#,
        ),
        (
            "codes",
            json!([[1]]),
            r#"parameter "m"[0]: expected a key and its value, got 1"#,
        ),
        (
            "signed",
            json!([1.5]),
            r#"parameter "v": expected s64, got 1.5"#,
        ),
        (
            "signed",
            json!([u64::MAX]),
            r#"parameter "v": expected s64, got 18446744073709551615"#,
        ),
        (
            "unsigned",
            json!([-1]),
            r#"parameter "v": expected u64, got -1"#,
        ),
        (
            "unsigned",
            json!([1e300]),
            r#"parameter "v": expected u64, got 1e+300"#,
        ),
        (
            "single",
            json!([1e39]),
            r#"parameter "v": expected f32, got 1e+39"#,
        ),
        (
            "double",
            json!(["NaN"]),
            r#"parameter "v": expected f64, got "NaN""#,
        ),
        ("many", json!([1]), "expected 3 parameters (a, b, c), got 1"),
        (
            "many",
            json!([1, "x", 2, 3]),
            "expected 3 parameters (a, b, c), got 4",
        ),
        (
            "many",
            json!({ "a": 1 }),
            r#"parameter "b" is missing: expected string"#,
        ),
        (
            "many",
            json!({ "a": 1, "b": "x", "d": 1 }),
            r#"no parameter "d"; known are a, b, c"#,
        ),
        (
            "many",
            json!("x"),
            r#"expected an array or an object of parameters, got "x""#,
        ),
        ("nothing", json!([1]), "expected no parameters, got 1"),
        (
            "take",
            json!([3]),
            r#"parameter "s": expected a handle of session, got 3"#,
        ),
        (
            "take",
            json!([{ "handle": 3 }]),
            r#"parameter "s": there is no handle 3"#,
        ),
        (
            "watch",
            json!([[1]]),
            r#"parameter "v"[0]: stream<u8> is not supported in dynamic calls"#,
        ),
    ] {
        let error = exports
            .find(function)
            .unwrap()
            .params_from_json(&params, &mut handles)
            .unwrap_err();
        assert_eq!(error.to_string(), expected, "{function} {params}");
    }
}

#[test]
fn parameters_come_in_order_or_by_name() {
    let (exports, mut handles) = (exports(API), Handles::new());
    let many = exports.find("many").unwrap();
    let full = many
        .params_from_json(&json!([1, "x", null]), &mut handles)
        .unwrap();
    for params in [
        json!([1, "x"]),
        json!({ "b": "x", "a": 1 }),
        json!({ "c": null, "b": "x", "a": 1 }),
    ] {
        assert_eq!(
            many.params_from_json(&params, &mut handles).unwrap(),
            full,
            "{params}"
        );
    }
    let nothing = exports.find("nothing").unwrap();
    for params in [json!([]), json!({})] {
        assert_eq!(nothing.params_from_json(&params, &mut handles).unwrap(), []);
    }
    assert_eq!(
        nothing
            .results_to_json(nothing.result_slots(), &mut handles)
            .unwrap(),
        Value::Null
    );
}

#[test]
fn schemas_say_what_is_read() {
    let exports = exports(API);
    let schema = |function: &str| {
        let mut schema = exports.find(function).unwrap().result_schema();
        assert_eq!(
            schema["$schema"],
            "https://json-schema.org/draft/2020-12/schema"
        );
        schema.as_object_mut().unwrap().remove("$schema");
        schema
    };
    let only = |key: &str, value: Value| json!({ "type": "object", "properties": { key: value }, "required": [key], "additionalProperties": false });
    let u8 = json!({ "type": "integer", "minimum": 0, "maximum": 255 });
    let float = json!({ "anyOf": [{ "type": "number" }, { "enum": ["nan", "inf", "-inf"] }] });
    let nothing = json!({ "type": "null" });
    let text = json!({ "type": "string" });
    for (function, expected) in [
        (
            "set-level",
            json!({ "$ref": "#/$defs/level", "$defs": { "level": { "enum": ["debug", "info", "warn"] } } }),
        ),
        (
            "letter",
            json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        ),
        (
            "unsigned",
            json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
        ),
        ("single", float.clone()),
        (
            "done",
            json!({ "oneOf": [only("ok", nothing.clone()), only("err", nothing.clone())] }),
        ),
        (
            "deep",
            json!({ "anyOf": [
            only("some", json!({ "anyOf": [only("some", json!({ "anyOf": [u8, nothing] })), nothing] })),
            nothing,
        ] }),
        ),
        (
            "names",
            json!({ "type": "object", "additionalProperties": u8 }),
        ),
        (
            "trio",
            json!({ "type": "array", "items": u8, "minItems": 3, "maxItems": 3 }),
        ),
        (
            "set-shape",
            json!({ "$ref": "#/$defs/shape", "$defs": { "shape": { "oneOf": [
            { "const": "point" },
            only("circle", float.clone()),
            only("named", json!({ "anyOf": [text, nothing] })),
        ] } } }),
        ),
        (
            "set-mode",
            json!({ "$ref": "#/$defs/mode", "$defs": { "mode": {
            "type": "array", "items": { "enum": ["read", "write", "exec"] }, "uniqueItems": true,
        } } }),
        ),
        (
            "pair",
            json!({
                "type": "array",
                "prefixItems": [{ "type": "integer", "minimum": -128, "maximum": 127 }, { "type": "boolean" }],
                "items": false, "minItems": 2, "maxItems": 2,
            }),
        ),
        ("nothing", nothing.clone()),
    ] {
        assert_eq!(schema(function), expected, "{function}");
    }

    let many = exports.find("many").unwrap();
    assert_eq!(many.params_schema()["required"], json!(["a", "b"]));
    assert_eq!(many.params_schema()["additionalProperties"], json!(false));
    assert_eq!(many.positional_params_schema()["minItems"], 2);
    let options = exports.find("set-options").unwrap().params_schema();
    assert_eq!(
        options["properties"]["options"],
        json!({ "$ref": "#/$defs/options" })
    );
    assert_eq!(
        options["$defs"]["options"]["properties"]["limits"]["items"],
        json!({ "$ref": "#/$defs/limit" })
    );
}
