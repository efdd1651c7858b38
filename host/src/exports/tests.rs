//! Names, WIT text, and the check of component values.

use wasmtime::component::Val;

use super::{Exports, Wit};
use crate::value::tests::component;

#[cfg(any(feature = "json", feature = "wave"))]
mod resources;

const TWO_INTERFACES: &str = r#"
    package example:text@1.2.0;

    interface tools {
        shout: func(text: string) -> string;
        count: func(text: string) -> u32;
        resource session {
            constructor(name: string);
            feed: func(text: string);
            open: static func() -> session;
        }
    }
    interface more { count: func(text: string) -> u64; }
    world w {
        export tools;
        export more;
        export inline: interface { hush: func(); }
        export count: func() -> bool;
        export %list: func();
    }
"#;

#[test]
fn names_lead_to_functions() {
    let exports = Exports::of(&component(TWO_INTERFACES));
    for (name, full, wit) in [
        (
            "shout",
            "example:text/tools@1.2.0#shout",
            "shout: func(text: string) -> string",
        ),
        (
            "tools#shout",
            "example:text/tools@1.2.0#shout",
            "shout: func(text: string) -> string",
        ),
        (
            "example:text/tools#shout",
            "example:text/tools@1.2.0#shout",
            "shout: func(text: string) -> string",
        ),
        (
            "example:text/tools@1.2.0#shout",
            "example:text/tools@1.2.0#shout",
            "shout: func(text: string) -> string",
        ),
        ("count", "count", "count: func() -> bool"),
        (
            "more#count",
            "example:text/more@1.2.0#count",
            "count: func(text: string) -> u64",
        ),
        ("hush", "inline#hush", "hush: func()"),
        ("inline#hush", "inline#hush", "hush: func()"),
        ("list", "list", "%list: func()"),
        (
            "session",
            "example:text/tools@1.2.0#[constructor]session",
            "session: func(name: string) -> session",
        ),
        (
            "session.feed",
            "example:text/tools@1.2.0#[method]session.feed",
            "session.feed: func(self: borrow<session>, text: string)",
        ),
        (
            "tools#[static]session.open",
            "example:text/tools@1.2.0#[static]session.open",
            "session.open: static func() -> session",
        ),
    ] {
        let function = exports
            .find(name)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            (function.full_name(), &*function.wit()),
            (full, wit),
            "{name}"
        );
    }
    assert_eq!(exports.iter().len(), 9);
}

#[test]
fn what_cannot_be_found_is_explained() {
    let exports = Exports::of(&component(TWO_INTERFACES));
    let all = "there are count, list, ";
    for (name, expected) in [
        (
            "shuot",
            "no function \"shuot\" is exported; did you mean example:text/tools@1.2.0#shout?",
        ),
        ("other#count", "no function \"other#count\" is exported; "),
        (
            "example:text/tools@1.0.0#shout",
            "no function \"example:text/tools@1.0.0#shout\" is exported; did you mean example:text/tools@1.2.0#shout?",
        ),
        ("", all),
        ("something-else", all),
    ] {
        let error = exports.find(name).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }

    let two = r#"package a:b;
        interface x { f: func(); } interface y { f: func(); } world w { export x; export y; }"#;
    let error = Exports::of(&component(two)).find("f").unwrap_err();
    assert_eq!(
        error.to_string(),
        "function \"f\" is exported 2 times: a:b/x#f, a:b/y#f"
    );

    let none = Exports::of(&component("package a:b; world w {}"))
        .find("f")
        .unwrap_err();
    assert_eq!(
        none.to_string(),
        "no function \"f\" is exported; the component exports no function"
    );
}

#[test]
fn the_world_is_printed_as_wit() {
    let wit = r#"package root:component;

world root {
  use example:log/types@0.1.0.{sink};
  record at {
    x: s32,
    %from: option<%from>,
  }
  variant %from {
    none,
    text(string),
  }
  use example:log/types@0.1.0.{level};
  import example:log/types@0.1.0;
  import example:log/log@0.1.0;
  import tick: func(at: at, level: level) -> u64;
  export example:log/api@0.1.0;
  export inline: interface {
    hush: func() -> result<_, string>;
  }
  export run: async func(sinks: list<sink>) -> result;
}

package example:log@0.1.0 {
  interface types {
    resource sink {
      constructor(level: level);
      level: func() -> level;
      %list: static func() -> list<sink>;
    }
    enum level {
      debug,
      %type,
    }
  }
  interface log {
    use types.{sink};
    write: func(to: borrow<sink>, line: string);
  }
  interface api {
    flags mode {
      read,
      write,
    }
    type bytes = list<u8>;
    type mode2 = mode;
    resource job {
      constructor(mode: mode) -> result<job, string>;
      step: func(input: list<u8>) -> option<tuple<u8, f32>>;
    }
    resource plain;
    start: func(%record: mode, items: stream<u8>, done: future) -> plain;
  }
}
"#;
    assert_eq!(Wit::of(&component(wit)).wit(), wit);
}

#[test]
fn imports_are_listed_too() {
    let wit = r#"package a:b;
        interface x { f: func(v: u8); } world w { import x; import g: func() -> string; export h: func(); }"#;
    let world = Wit::of(&component(wit));
    let listed =
        |signature: &super::Signature| format!("{} as {}", signature.full_name(), signature.wit());
    let imports: Vec<String> = world.imports().map(listed).collect();
    assert_eq!(
        imports,
        ["g as g: func() -> string", "a:b/x#f as f: func(v: u8)"]
    );
    assert_eq!(
        world.exports().map(listed).collect::<Vec<_>>(),
        ["h as h: func()"]
    );
}

#[test]
fn component_values_are_checked() {
    let wit = r#"package a:b; interface x {
        record point { x: s32, y: s32 }
        enum level { low, high }
        f: func(at: point, level: level, pairs: list<tuple<u8, char>>);
    } world w { export x; }"#;
    let exports = Exports::of(&component(wit));
    let f = exports.find("f").unwrap();
    let point = |fields: &[&str]| {
        Val::Record(
            fields
                .iter()
                .map(|f| ((*f).to_owned(), Val::S32(1)))
                .collect(),
        )
    };
    let (good, low, none) = (
        point(&["x", "y"]),
        Val::Enum("low".into()),
        Val::List(vec![]),
    );
    f.check_params(&[good.clone(), low.clone(), none.clone()])
        .unwrap();

    let pair = |a: Val, b: Val| Val::List(vec![Val::Tuple(vec![a, b])]);
    for (params, expected) in [
        (
            vec![good.clone()],
            "expected 3 parameters (at, level, pairs), got 1",
        ),
        (
            vec![Val::U8(3), low.clone(), none.clone()],
            r#"parameter "at": expected record point, got u8 3"#,
        ),
        (
            vec![point(&["x"]), low.clone(), none.clone()],
            r#"parameter "at": field "y" is missing: expected s32"#,
        ),
        (
            vec![point(&["x", "y", "z"]), low.clone(), none.clone()],
            r#"parameter "at": no field "z"; known are x, y"#,
        ),
        (
            vec![point(&["y", "x"]), low.clone(), none.clone()],
            r#"parameter "at": expected field "x" (values take fields in the order of declaration), got "y""#,
        ),
        (
            vec![good.clone(), Val::Enum("no".into()), none.clone()],
            r#"parameter "level": no case "no"; known are low, high"#,
        ),
        (
            vec![good.clone(), low.clone(), pair(Val::U8(1), Val::U8(2))],
            r#"parameter "pairs"[0][1]: expected char, got u8 2"#,
        ),
    ] {
        assert_eq!(f.check_params(&params).unwrap_err().to_string(), expected);
    }
}

#[test]
fn descriptions_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Exports>();
    shared::<Wit>();
    shared::<crate::Handles>();
    shared::<crate::ValueError>();
}
