//! Resources that travel through real calls as handles.

use std::sync::Arc;

use wasmtime::component::{Component, Instance, Linker, Val};
use wasmtime::{Engine, Store};

use crate::exports::{ExportedFunc, Exports};
use crate::{Handles, ValueError};

/// A resource `cell` with a number in it, and `other`, which is no cell.
const CELLS: &str = r#"(component
    (core module $m
        (import "host" "new" (func $new (param i32) (result i32)))
        (import "host" "new-other" (func $new-other (param i32) (result i32)))
        (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
        (func (export "make-other") (result i32) (call $new-other (i32.const 1)))
        (func (export "read") (param i32) (result i32) local.get 0)
        (func (export "both") (param i32 i32))
        (func (export "eat") (param i32)))
    (type $cell' (resource (rep i32)))
    (type $other' (resource (rep i32)))
    (core func $new (canon resource.new $cell'))
    (core func $new-other (canon resource.new $other'))
    (core instance $i (instantiate $m (with "host" (instance
        (export "new" (func $new)) (export "new-other" (func $new-other))))))
    (export $cell "cell" (type $cell'))
    (export $other "other" (type $other'))
    (func (export "make") (param "v" u32) (result (own $cell)) (canon lift (core func $i "make")))
    (func (export "make-other") (result (own $other)) (canon lift (core func $i "make-other")))
    (func (export "read") (param "c" (borrow $cell)) (result u32) (canon lift (core func $i "read")))
    (func (export "both") (param "a" (own $cell)) (param "b" (borrow $cell)) (canon lift (core func $i "both")))
    (func (export "eat") (param "c" (own $cell)) (canon lift (core func $i "eat"))))"#;

/// An instance whose functions are called with text.
struct Session {
    exports: Exports,
    store: Store<()>,
    instance: Instance,
    handles: Handles,
}

impl Session {
    fn new() -> Self {
        let engine = Engine::default();
        let component = Component::new(&engine, wat::parse_str(CELLS).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine)
            .instantiate(&mut store, &component)
            .unwrap();
        Self {
            exports: Exports::of(&component),
            store,
            instance,
            handles: Handles::new(),
        }
    }

    fn call(&mut self, function: &ExportedFunc, params: &[Val]) -> Vec<Val> {
        let func = self
            .instance
            .get_func(&mut self.store, function.index())
            .unwrap();
        let mut results = function.result_slots();
        func.call(&mut self.store, params, &mut results).unwrap();
        results
    }

    #[cfg(feature = "json")]
    fn json(
        &mut self,
        name: &str,
        params: serde_json::Value,
    ) -> Result<serde_json::Value, ValueError> {
        let function = Arc::clone(self.exports.find(name).unwrap());
        let params = function.params_from_json(&params, &mut self.handles)?;
        let results = self.call(&function, &params);
        function.results_to_json(results, &mut self.handles)
    }

    #[cfg(feature = "wave")]
    fn wave(&mut self, name: &str, params: &str) -> Result<String, ValueError> {
        let function = Arc::clone(self.exports.find(name).unwrap());
        let params = function.params_from_wave(params, &mut self.handles)?;
        let results = self.call(&function, &params);
        function.results_to_wave(results, &mut self.handles)
    }
}

#[test]
#[cfg(feature = "json")]
fn resources_travel_as_handles() {
    use serde_json::json;

    let mut session = Session::new();
    let cell = session.json("make", json!([7])).unwrap();
    assert_eq!(cell, json!({ "handle": 1 }));
    assert_eq!(session.json("read", json!([cell])).unwrap(), json!(7));
    assert_eq!(
        session.json("read", json!({ "c": cell })).unwrap(),
        json!(7),
        "a borrow leaves it"
    );
    let other = session.json("make-other", json!([])).unwrap();
    let second = session.json("make", json!([8])).unwrap();
    assert_eq!(
        (session.handles.len(), second.clone()),
        (3, json!({ "handle": 3 }))
    );

    let error = |session: &mut Session, name: &str, params| {
        session.json(name, params).unwrap_err().to_string()
    };
    for (name, params, expected) in [
        (
            "read",
            json!([other]),
            r#"parameter "c": expected cell, got handle 2 of other"#,
        ),
        (
            "read",
            json!([{ "handle": 9 }]),
            r#"parameter "c": there is no handle 9"#,
        ),
        (
            "read",
            json!([{ "handle": 0 }]),
            r#"parameter "c": there is no handle 0"#,
        ),
        (
            "both",
            json!([cell, cell]),
            r#"parameter "b": handle 1 is passed twice, at least once as own"#,
        ),
        (
            "both",
            json!([cell, 5]),
            r#"parameter "b": expected a handle of cell, got 5"#,
        ),
    ] {
        assert_eq!(error(&mut session, name, params), expected);
    }

    assert_eq!(session.handles.len(), 3, "a refused call spends nothing");
    session.json("both", json!([cell, second])).unwrap();
    assert_eq!(
        error(&mut session, "read", json!([cell])),
        r#"parameter "c": handle 1 was already given away"#
    );
    session.json("eat", json!([second])).unwrap();
    assert!(!session.handles.is_empty());
    for resource in session.handles.take_all().collect::<Vec<_>>() {
        resource.resource_drop(&mut session.store).unwrap();
    }
    assert!(session.handles.is_empty());

    let schema = session.exports.find("eat").unwrap().params_schema();
    assert_eq!(schema["properties"]["c"]["title"], "handle of cell");
}

#[test]
#[cfg(feature = "wave")]
fn resources_travel_as_handles_in_wave() {
    let mut session = Session::new();
    assert_eq!(session.wave("make", "7").unwrap(), "handle(1)");
    assert_eq!(session.wave("read", "(handle(1))").unwrap(), "7");
    assert_eq!(session.wave("eat", "handle(1)").unwrap(), "()");
    let error = session.wave("eat", "handle(1)").unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"parameter "c": handle 1 was already given away"#
    );
}
