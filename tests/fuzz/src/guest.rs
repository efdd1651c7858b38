//! Components as text: most are valid, and their functions do what guests should not.

use std::fmt::Write as _;

use arbitrary::{Result, Unstructured};

use crate::types::{Kinds, Ty};

const IMPORTS: [&str; 10] = [
    r#"(import "f" (func (param "x" u32)))"#,
    r#"(import "demo:a/b@1.0.0" (instance (export "f" (func))))"#,
    r#"(import "m" (core module))"#,
    r#"(import "c" (component))"#,
    r#"(import "r" (type (sub resource)))"#,
    r#"(import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u64)))))"#,
    r#"(import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (result u32)))))"#,
    r#"(import "wasi:random/random@0.2.3" (instance (export "get-random-u64" (func (result u64)))))"#,
    r#"(import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "status" (result))))))"#,
    r#"(import "wasi:cli/environment@0.3.0" (instance (export "get-arguments" (func (result (list string))))))"#,
];

/// What stands beside the functions.
const EXTRAS: [&str; 8] = [
    "(type (resource (rep i32)))",
    r#"(type $r (resource (rep i32) (dtor (core func $i "realloc"))))"#,
    "(type (func async (result u32)))",
    "(type (stream u8))",
    "(core func (canon task.cancel))",
    r#"(core module (memory 1) (memory 1) (table 10 funcref))"#,
    r#"(component (export "x" (type u8)))"#,
    r#"(instance (export "y" (instance $api)))"#,
];

/// Bodies that leave nothing on the stack, but for what they do before.
const DEEDS: [&str; 10] = [
    "",
    "unreachable",
    "(loop $l (br $l))",
    "(call $deep)",
    "(drop (memory.grow (i32.const 1)))",
    "(drop (memory.grow (i32.const 60000)))",
    "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))",
    "(memory.fill (i32.const 0) (i32.const 255) (i32.const 65536))",
    "(drop (table.grow (ref.null func) (i32.const 100000)))",
    "(i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))",
];

/// One exported function: its core parameters and result, and its WIT ones.
struct Function {
    params: Vec<Ty>,
    result: Option<Ty>,
    flat_params: Vec<&'static str>,
    flat_result: Option<&'static str>,
}

impl Function {
    fn any(u: &mut Unstructured<'_>) -> Result<Self> {
        let mut kinds = Kinds {
            new: u.ratio(1, 16)?,
            left: 20,
        };
        let count = u.int_in_range(0..=3)?;
        let params = (0..count).map(|_| Ty::any(u, 3, &mut kinds));
        let params = params.collect::<Result<Vec<_>>>()?;
        let result = match u.ratio(3, 4)? {
            true => Some(Ty::any(u, 4, &mut kinds)?),
            false => None,
        };
        // Beyond these numbers they go through memory.
        let mut flat_params: Vec<_> = params.iter().flat_map(Ty::flat).collect();
        if flat_params.len() > 16 {
            flat_params = vec!["i32"];
        }
        let flat_result = match result.as_ref().map(Ty::flat) {
            None => None,
            Some(flat) if flat.len() == 1 => Some(flat[0]),
            Some(_) => Some("i32"),
        };
        Ok(Self {
            params,
            result,
            flat_params,
            flat_result,
        })
    }

    fn core_type(&self) -> String {
        let result = self.flat_result.map(|ty| format!(" (result {ty})"));
        let params = self.flat_params.join(" ");
        format!("(param {params}){}", result.unwrap_or_default())
    }
}

/// A component.
pub(crate) fn any(u: &mut Unstructured<'_>) -> Result<String> {
    let count = u.int_in_range(1..=4)?;
    let functions = (0..count).map(|_| Function::any(u));
    let functions = functions.collect::<Result<Vec<_>>>()?;
    let mut body = String::new();
    for _ in 0..u.int_in_range(0..=2)? {
        if u.ratio(1, 4)? {
            writeln!(body, "  {}", u.choose(&IMPORTS)?).unwrap();
        }
    }
    let module = match u.ratio(1, 3)? {
        true => random_module(u, &functions)?,
        false => module(u, &functions)?,
    };
    writeln!(body, "{module}").unwrap();
    writeln!(body, "  (core instance $i (instantiate $m))").unwrap();
    for _ in 0..flood(u)? {
        writeln!(body, "  (core instance (instantiate $m))").unwrap();
    }
    lifts(u, &functions, &mut body)?;
    for _ in 0..u.int_in_range(0..=2)? {
        if u.ratio(1, 4)? {
            writeln!(body, "  {}", u.choose(&EXTRAS)?).unwrap();
        }
    }
    let mut text = format!("(component\n{body})");
    for _ in 0..depth(u)? {
        let inner = text.strip_prefix("(component").unwrap_or_default();
        text = format!(
            "(component (component $c{inner}\n(instance $n (instantiate $c))\n\
             (export \"demo:nested/api\" (instance $n)))"
        );
    }
    Ok(text)
}

fn flood(u: &mut Unstructured<'_>) -> Result<usize> {
    match u.int_in_range(0..=15)? {
        15 => u.int_in_range(1..=200),
        14 => u.int_in_range(1..=8),
        _ => Ok(0),
    }
}

fn depth(u: &mut Unstructured<'_>) -> Result<usize> {
    match u.int_in_range(0..=31)? {
        31 => u.int_in_range(1..=110),
        24..31 => Ok(1),
        _ => Ok(0),
    }
}

fn constant(u: &mut Unstructured<'_>, ty: &str) -> Result<String> {
    let edges = [0, 1, 8, 16, 64, 255, 65_535, 65_536, 0x7fff_ffff, -1, -8];
    let number = match u.ratio(3, 4)? {
        true => *u.choose(&edges)?,
        false => u.arbitrary::<i32>()?,
    };
    Ok(format!("({ty}.const {number})"))
}

/// Does something, then answers something.
fn body(u: &mut Unstructured<'_>, result: Option<&str>) -> Result<String> {
    let deed = match u.ratio(1, 3)? {
        true => *u.choose(&DEEDS)?,
        false => "",
    };
    let answer = match result {
        Some(ty) => constant(u, ty)?,
        None => String::new(),
    };
    Ok(format!("{deed} {answer}"))
}

fn module(u: &mut Unstructured<'_>, functions: &[Function]) -> Result<String> {
    let mut text = String::from("  (core module $m\n    (func $deep (call $deep))\n");
    let pages = *u.choose(&["1", "1", "1 1", "2 70", "0", "65", "65536", "1 65536"])?;
    writeln!(text, "    (memory (export \"memory\") {pages})").unwrap();
    let elements = *u.choose(&["1", "1", "0", "2000", "200000"])?;
    writeln!(text, "    (table {elements} funcref)").unwrap();
    let length = u.int_in_range(0..=64)?;
    let length = length.min(u.len());
    let bytes: String = u
        .bytes(length)?
        .iter()
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let at = *u.choose(&["0", "0", "8", "65530", "-1"])?;
    writeln!(text, "    (data (i32.const {at}) \"{bytes}\")").unwrap();
    let realloc = match u.ratio(3, 4)? {
        true => "(i32.const 1024)".to_owned(),
        false => body(u, Some("i32"))?,
    };
    writeln!(
        text,
        "    (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) {realloc})"
    )
    .unwrap();
    if u.ratio(1, 8)? {
        let body = body(u, None)?;
        writeln!(text, "    (func $start {body}) (start $start)").unwrap();
    }
    for (at, function) in functions.iter().enumerate() {
        let does = body(u, function.flat_result)?;
        let ty = function.core_type();
        writeln!(text, "    (func (export \"f{at}\") {ty} {does})").unwrap();
        let post = body(u, None)?;
        let param = function.flat_result.unwrap_or_default();
        writeln!(text, "    (func (export \"p{at}\") (param {param}) {post})").unwrap();
    }
    text.push_str("  )");
    Ok(text)
}

/// A module with the same exports and otherwise random, valid code.
#[cfg(feature = "long")]
fn random_module(u: &mut Unstructured<'_>, functions: &[Function]) -> Result<String> {
    let mut shape = String::from(
        "(module (memory (export \"memory\") 1 80)
        (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) unreachable)",
    );
    for (at, function) in functions.iter().enumerate() {
        let (ty, param) = (
            function.core_type(),
            function.flat_result.unwrap_or_default(),
        );
        write!(shape, "(func (export \"f{at}\") {ty} unreachable)").unwrap();
        write!(shape, "(func (export \"p{at}\") (param {param}))").unwrap();
    }
    shape.push(')');
    let config = wasm_smith::Config {
        exports: Some(wat::parse_str(shape).unwrap()),
        max_imports: 0,
        max_funcs: 8,
        max_memory32_bytes: 8 << 20,
        memory_max_size_required: true,
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        threads_enabled: false,
        ..wasm_smith::Config::default()
    };
    let module = wasm_smith::Module::new(config, u)?.to_bytes();
    let text = wasmprinter::print_bytes(module).unwrap();
    let rest = text.strip_prefix("(module").unwrap();
    Ok(format!("  (core module $m{rest}"))
}

/// Without wasm-smith it is one as above.
#[cfg(not(feature = "long"))]
fn random_module(u: &mut Unstructured<'_>, functions: &[Function]) -> Result<String> {
    module(u, functions)
}

fn lifts(u: &mut Unstructured<'_>, functions: &[Function], body: &mut String) -> Result<()> {
    let (mut items, mut count) = (String::new(), 0);
    let mut lifts = String::new();
    for (at, function) in functions.iter().enumerate() {
        write!(lifts, "  (func $f{at}").unwrap();
        for (param, ty) in function.params.iter().enumerate() {
            let ty = ty.wat(&mut items, &mut count);
            write!(lifts, " (param \"p{param}\" {ty})").unwrap();
        }
        if let Some(ty) = &function.result {
            let ty = ty.wat(&mut items, &mut count);
            write!(lifts, " (result {ty})").unwrap();
        }
        write!(lifts, " (canon lift (core func $i \"f{at}\")").unwrap();
        if u.ratio(15, 16)? {
            lifts.push_str(
                " (memory (core memory $i \"memory\")) (realloc (core func $i \"realloc\"))",
            );
        }
        if u.ratio(1, 4)? {
            let encodings = ["utf8", "utf16", "latin1+utf16"];
            write!(lifts, " string-encoding={}", u.choose(&encodings)?).unwrap();
        }
        if u.ratio(1, 4)? {
            write!(lifts, " (post-return (core func $i \"p{at}\"))").unwrap();
        }
        lifts.push_str("))\n");
    }
    writeln!(body, "  {items}\n{lifts}").unwrap();
    body.push_str("  (instance $api");
    for at in 0..functions.len() {
        write!(body, " (export \"f{at}\" (func $f{at}))").unwrap();
    }
    body.push_str(")\n");
    for at in 0..functions.len() {
        writeln!(body, "  (export \"f{at}\" (func $f{at}))").unwrap();
    }
    Ok(())
}
