//! Values of random WIT types in their text forms. The oracle is wasmtime: a guest gives every value
//! back through the engine, and what is written as text must read as that value again.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use prewarm::{ExportedFunc, Exports, Handles, Val, ValueError};
use serde_json::{Map, Value};
use wasmtime::component::{Component, Linker, Type};
use wasmtime::{Config, Engine, Module, OptLevel, Store};

use crate::types::{Kinds, Ty};
use crate::vals;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::None);
    config.wasm_component_model_map(true);
    config.wasm_component_model_fixed_length_lists(true);
    Engine::new(&config).unwrap()
});

/// What gives a list back, whatever is in it. Each component imports it, so that it is compiled once.
static MODULE: LazyLock<Module> = LazyLock::new(|| {
    let text = r#"(module
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 64))
        (func (export "realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and
                (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.set $next (i32.add (local.get $at) (local.get $size)))
            (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
                (then (drop (memory.grow
                    (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1))))))
            (local.get $at))
        (func (export "echo") (param i32 i32) (result i32)
            (i32.store (i32.const 16) (local.get 0))
            (i32.store (i32.const 20) (local.get 1))
            (i32.const 16)))"#;
    Module::new(&ENGINE, wat::parse_str(text).unwrap()).unwrap()
});

/// Types of which the component is kept: the fuzzer changes values more often than types.
const KEPT: usize = 64;

thread_local! {
    static ECHOES: RefCell<HashMap<String, Rc<Echo>>> = RefCell::default();
}

/// A component whose function `echo` gives a list of one type back as it came.
struct Echo {
    component: Component,
    function: std::sync::Arc<ExportedFunc>,
    element: Type,
    #[cfg(feature = "long")]
    is_new: bool,
}

/// A type, then values and texts for it.
pub fn target(data: &[u8]) {
    let _ = run(&mut Unstructured::new(data));
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let mut kinds = Kinds {
        new: true,
        left: 40,
    };
    let ty = Ty::any(u, 6, &mut kinds)?;
    let echo = Echo::of(&ty);
    for _ in 0..8 {
        match u.int_in_range(0..=4)? {
            0 | 1 => echo.round_trip(u)?,
            2 => {
                let text = texts(u)?;
                echo.read_wave(&text);
            }
            3 => {
                let json = json(u, 4)?;
                echo.read_json(&json);
            }
            _ => echo.spoil(u)?,
        }
        if u.is_empty() {
            break;
        }
    }
    Ok(())
}

impl Echo {
    fn of(ty: &Ty) -> Rc<Self> {
        let text = component(ty);
        let known = ECHOES.with_borrow(|echoes| echoes.get(&text).cloned());
        known.unwrap_or_else(|| {
            let echo = Rc::new(Self::new(&text, ty));
            ECHOES.with_borrow_mut(|echoes| {
                if echoes.len() >= KEPT {
                    echoes.clear();
                }
                echoes.insert(text, Rc::clone(&echo));
            });
            echo
        })
    }

    fn new(text: &str, ty: &Ty) -> Self {
        let _ = ty;
        let binary = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
        let component =
            Component::new(&ENGINE, binary).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        let exports = Exports::of(&component);
        let function = std::sync::Arc::clone(exports.find("echo").unwrap());
        let Some(Type::List(list)) = function.ty().results().next() else {
            panic!("no list: {}", function.wit())
        };
        // Whatever the type is, it can be shown.
        let _ = (
            function.wit(),
            function.params_schema(),
            function.result_schema(),
        );
        Self {
            element: list.ty(),
            component,
            function,
            #[cfg(feature = "long")]
            is_new: ty.is_new(),
        }
    }

    /// What the guest answers, through wasmtime.
    fn call(&self, val: &Val) -> Val {
        let mut store = Store::new(&ENGINE, ());
        let mut linker = Linker::new(&ENGINE);
        linker.root().module("echo", &MODULE).unwrap();
        let instance = linker.instantiate(&mut store, &self.component).unwrap();
        let echo = instance
            .get_func(&mut store, self.function.index())
            .unwrap();
        let mut answers = self.function.result_slots();
        echo.call(&mut store, std::slice::from_ref(val), &mut answers)
            .unwrap_or_else(|error| panic!("{error:?}: {val:?}"));
        answers.pop().unwrap()
    }

    /// A list of random values, or `None` where they get too large.
    fn val(&self, u: &mut Unstructured<'_>) -> Result<Option<Val>> {
        let mut left = 500;
        let mut vals = Vec::new();
        for _ in 0..u.int_in_range(0..=3)? {
            match vals::any(u, &self.element, &mut left)? {
                Some(val) => vals.push(val),
                None => return Ok(None),
            }
        }
        Ok(Some(Val::List(vals)))
    }

    fn round_trip(&self, u: &mut Unstructured<'_>) -> Result<()> {
        let Some(val) = self.val(u)? else {
            return Ok(());
        };
        self.function
            .check_params(std::slice::from_ref(&val))
            .unwrap();
        assert_eq!(self.call(&val), val, "through the guest");
        let text = self.wave(&val);
        let json = self.json(&val);
        let parsed: Value = serde_json::from_str(&json.to_string()).unwrap();
        let by_name = Value::Object(Map::from_iter([("v".to_owned(), parsed)]));
        for params in [Value::Array(vec![json]), by_name] {
            let read = self.function.params_from_json(&params, &mut Handles::new());
            let read = read.unwrap_or_else(|error| panic!("{error}: {params}"));
            assert_eq!(read, std::slice::from_ref(&val), "{params}");
        }
        for params in [format!("({text})"), format!("{text} // {text}")] {
            let read = self.function.params_from_wave(&params, &mut Handles::new());
            let read = read.unwrap_or_else(|error| panic!("{error}: {params}"));
            assert_eq!(read, std::slice::from_ref(&val), "{params}");
        }
        #[cfg(feature = "long")]
        self.as_wasmtime_does(&val, &text);
        Ok(())
    }

    fn wave(&self, val: &Val) -> String {
        let vals = vec![val.clone()];
        self.function
            .results_to_wave(vals, &mut Handles::new())
            .unwrap()
    }

    fn json(&self, val: &Val) -> Value {
        let vals = vec![val.clone()];
        self.function
            .results_to_json(vals, &mut Handles::new())
            .unwrap()
    }

    /// Each of the two WAVEs reads what the other wrote.
    #[cfg(feature = "long")]
    fn as_wasmtime_does(&self, val: &Val, text: &str) {
        if self.is_new {
            return; // wasmtime's has no form for that
        }
        let ty = self.function.ty().results().next().unwrap();
        let theirs = val.to_wave().unwrap();
        let read = self.function.params_from_wave(&theirs, &mut Handles::new());
        let read = read.unwrap_or_else(|error| panic!("{error}: wasmtime wrote {theirs}"));
        assert_eq!(read, std::slice::from_ref(val), "wasmtime wrote {theirs}");
        let read = Val::from_wave(&ty, text);
        let read = read.unwrap_or_else(|error| panic!("wasmtime says {error:?} to {text}"));
        assert_eq!(self.call(&read), *val, "wasmtime read {text}");
    }

    /// Any text is values or an error with a place.
    fn read_wave(&self, text: &str) {
        match self.function.params_from_wave(text, &mut Handles::new()) {
            Err(error) => has_place(&error, text.len()),
            Ok(vals) => {
                self.accepted(&vals);
                #[cfg(feature = "long")]
                self.read_by_wasmtime(text, &vals[0]);
            }
        }
    }

    /// Where wasmtime takes the text too, it means the same.
    #[cfg(feature = "long")]
    fn read_by_wasmtime(&self, text: &str, val: &Val) {
        let ty = self.function.ty().results().next().unwrap();
        if !self.is_new
            && let Ok(read) = Val::from_wave(&ty, text)
        {
            // Through the guest, which has flags in the order of their type.
            assert_eq!(self.call(&read), self.call(val), "wasmtime read {text}");
        }
    }

    fn read_json(&self, json: &Value) {
        match self.function.params_from_json(json, &mut Handles::new()) {
            Err(error) => has_place(&error, 0),
            Ok(vals) => self.accepted(&vals),
        }
    }

    /// What was read fits the type, by wasmtime's check too, and can be written and read again.
    fn accepted(&self, vals: &[Val]) {
        self.function.check_params(vals).unwrap();
        let [val] = vals else {
            panic!("one parameter, and {} values", vals.len())
        };
        let back = self.call(val);
        let params = Value::Array(vec![self.json(&back)]);
        let read = self.function.params_from_json(&params, &mut Handles::new());
        assert_eq!(read.unwrap(), [as_in_json(&back)], "{params}");
        let params = format!("({})", self.wave(&back));
        let read = self.function.params_from_wave(&params, &mut Handles::new());
        assert_eq!(read.unwrap(), std::slice::from_ref(&back), "{params}");
    }

    /// The text of a value with something changed in it.
    fn spoil(&self, u: &mut Unstructured<'_>) -> Result<()> {
        let Some(val) = self.val(u)? else {
            return Ok(());
        };
        if u.arbitrary()? {
            let mut text = self.wave(&val);
            for _ in 0..u.int_in_range(1..=3)? {
                let piece = texts(u)?;
                let at = char_at(&text, u)?;
                let end = text.len().min(at + u.int_in_range(0..=3)?);
                let end = (end..).find(|end| text.is_char_boundary(*end)).unwrap();
                text.replace_range(at..end, &piece);
            }
            self.read_wave(&text);
        } else {
            let mut json = Value::Array(vec![self.json(&val)]);
            for _ in 0..u.int_in_range(1..=2)? {
                replace(&mut json, u)?;
            }
            self.read_json(&json);
        }
        Ok(())
    }
}

/// The value as it comes out of JSON: an object has each key once, in order, the last of each.
fn as_in_json(val: &Val) -> Val {
    let all = |vals: &[Val]| vals.iter().map(as_in_json).collect();
    let some = |val: &Option<Box<Val>>| val.as_deref().map(|val| Box::new(as_in_json(val)));
    match val {
        Val::List(vals) => Val::List(all(vals)),
        Val::FixedLengthList(vals) => Val::FixedLengthList(all(vals)),
        Val::Tuple(vals) => Val::Tuple(all(vals)),
        Val::Record(fields) => {
            let fields = fields
                .iter()
                .map(|(name, val)| (name.clone(), as_in_json(val)));
            Val::Record(fields.collect())
        }
        Val::Variant(case, payload) => Val::Variant(case.clone(), some(payload)),
        Val::Option(payload) => Val::Option(some(payload)),
        Val::Result(Ok(payload)) => Val::Result(Ok(some(payload))),
        Val::Result(Err(payload)) => Val::Result(Err(some(payload))),
        Val::Map(entries) => {
            let mut sorted = BTreeMap::new();
            let mut pairs = Vec::new();
            for (key, val) in entries {
                let val = as_in_json(val);
                match key {
                    Val::String(key) => drop(sorted.insert(key.clone(), val)),
                    key => pairs.push((key.clone(), val)),
                }
            }
            pairs.extend(sorted.into_iter().map(|(key, val)| (Val::String(key), val)));
            Val::Map(pairs)
        }
        other => other.clone(),
    }
}

/// The component of the type.
fn component(ty: &Ty) -> String {
    let mut items = String::new();
    let ty = ty.wat(&mut items, &mut 0);
    format!(
        r#"(component
    (import "echo" (core module $m
        (export "memory" (memory 1))
        (export "realloc" (func (param i32 i32 i32 i32) (result i32)))
        (export "echo" (func (param i32 i32) (result i32)))))
    (core instance $i (instantiate $m))
    {items}(func (export "echo") (param "v" (list {ty})) (result (list {ty}))
        (canon lift (core func $i "echo")
            (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))"#
    )
}

/// An error names the parameter, or the place in the text, of what is wrong.
fn has_place(error: &ValueError, length: usize) {
    let text = error.to_string();
    match error {
        ValueError::Syntax { offset, .. } => assert!(*offset <= length, "{text}"),
        ValueError::ParameterCount { .. }
        | ValueError::NotParameters { .. }
        | ValueError::MissingParameter { .. }
        | ValueError::UnknownParameter { .. } => {}
        _ => assert!(text.starts_with("parameter \"v\""), "{text}"),
    }
    assert!(
        text.len() < 10_000 + 100 * length,
        "too long to be read: {text}"
    );
}

/// Pieces that WAVE gives a meaning.
const PIECES: [&str; 40] = [
    "",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ":",
    ",",
    "%",
    "\"",
    "'",
    "\\",
    "\"\"\"",
    "//",
    "\n",
    " ",
    "-",
    "0",
    "1e400",
    "0x1",
    "-0",
    "9007199254740993",
    "nan",
    "inf",
    "-inf",
    "none",
    "some(",
    "ok",
    "err(",
    "true",
    "false",
    "handle(1)",
    "\\u{d800}",
    "\\u{0}",
    "\\u{1f44b}",
    "a",
    "{:}",
    "'a'",
    "18446744073709551616",
];

/// Text of pieces and of the input's own bytes.
fn texts(u: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    for _ in 0..u.int_in_range(0..=8)? {
        match u.ratio(3, 4)? {
            true => text.push_str(u.choose(&PIECES)?),
            false => text.push(u.arbitrary()?),
        }
    }
    // Deeper than a stack should be asked to go.
    if u.ratio(1, 32)? {
        let piece = *u.choose(&["(", "[", "some(", "{a: ", "ok(", "[[", "//"])?;
        text.push_str(&piece.repeat(u.int_in_range(50..=20_000)?));
    }
    Ok(text)
}

fn char_at(text: &str, u: &mut Unstructured<'_>) -> Result<usize> {
    let at = u.int_in_range(0..=text.len())?;
    Ok((at..).find(|at| text.is_char_boundary(*at)).unwrap())
}

/// A random JSON value.
fn json(u: &mut Unstructured<'_>, depth: usize) -> Result<Value> {
    let length = u.int_in_range(0..=3)?;
    Ok(match u.int_in_range(0..=if depth == 0 { 4 } else { 7 })? {
        0 => Value::Null,
        1 => Value::Bool(u.arbitrary()?),
        2 => {
            let edges = [
                "0",
                "-1",
                "1.0",
                "1e400",
                "1e-400",
                "18446744073709551616",
                "255",
                "1.5",
            ];
            let number: std::result::Result<Value, _> = serde_json::from_str(u.choose(&edges)?);
            number.unwrap_or(Value::Null)
        }
        3 => u.arbitrary::<i64>()?.into(),
        4 => texts(u)?.into(),
        5 => (0..length)
            .map(|_| json(u, depth - 1))
            .collect::<Result<Vec<_>>>()?
            .into(),
        _ => {
            let names = ["v", "some", "ok", "err", "handle", "a", "b-c", ""];
            let mut object = Map::new();
            for _ in 0..length {
                object.insert((*u.choose(&names)?).to_owned(), json(u, depth - 1)?);
            }
            object.into()
        }
    })
}

/// Puts another value somewhere into this one.
fn replace(value: &mut Value, u: &mut Unstructured<'_>) -> Result<()> {
    let deeper = u.ratio(3, 4)?;
    match value {
        Value::Array(items) if deeper && !items.is_empty() => {
            let at = u.choose_index(items.len())?;
            replace(&mut items[at], u)
        }
        Value::Object(fields) if deeper && !fields.is_empty() => {
            let at = u.choose_index(fields.len())?;
            replace(fields.values_mut().nth(at).unwrap(), u)
        }
        Value::Array(items) if u.arbitrary()? => {
            items.push(json(u, 2)?);
            Ok(())
        }
        Value::Object(fields) if u.arbitrary()? => {
            fields.insert((*u.choose(&["a", "x", "some"])?).to_owned(), json(u, 2)?);
            Ok(())
        }
        other => {
            *other = json(u, 3)?;
            Ok(())
        }
    }
}
