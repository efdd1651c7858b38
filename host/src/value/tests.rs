//! What the tests of values share, and the properties that hold for values of every type.

use std::sync::LazyLock;

use proptest::prelude::*;
use wasmtime::component::{Component, Val};
use wasmtime::{Config, Engine};
use wit_component::{ComponentEncoder, StringEncoding, dummy_module, embed_component_metadata};
use wit_parser::{ManglingAndAbi, Resolve};

use super::shape::{Shape, TypeId, Types};
use crate::exports::{Exports, Signature};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.wasm_component_model_map(true);
    config.wasm_component_model_fixed_length_lists(true);
    config.wasm_component_model_error_context(true);
    Engine::new(&config).unwrap()
});

/// A component with the one world of a WIT document. Its functions trap: only their types are of use.
pub(crate) fn component(wit: &str) -> Component {
    let mut resolve = Resolve {
        all_features: true,
        ..Resolve::default()
    };
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = dummy_module(&resolve, world, ManglingAndAbi::Standard32);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let bytes = ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .validate(false)
        .encode()
        .unwrap();
    Component::new(&ENGINE, bytes).unwrap()
}

/// The exports of a world with one interface that has these items.
pub(crate) fn exports(items: &str) -> Exports {
    let wit =
        format!("package test:it@1.0.0; interface api {{ {items} }} world w {{ export api; }}");
    Exports::of(&component(&wit))
}

/// A small source of random numbers, so that one seed makes a type and a value of it.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    /// An integer that is often at an end of its range.
    fn edgy<T: Copy>(&mut self, edges: &[T], any: T) -> T {
        if self.below(2) == 0 {
            edges[self.below(edges.len())]
        } else {
            any
        }
    }

    fn text(&mut self) -> String {
        const CHARS: &[char] = &[
            'a', 'Z', '7', ' ', '"', '\'', '\\', '\n', '\r', '\t', '\0', '\u{7f}', 'é', '☃', '👋',
            '\u{301}', '/', '{', '\u{200b}',
        ];
        (0..self.below(8))
            .map(|_| CHARS[self.below(CHARS.len())])
            .collect()
    }

    fn char(&mut self) -> char {
        self.text().chars().next().unwrap_or('x')
    }
}

/// Writes a random WIT type; named ones are defined in `items` first. No two of them are equal, as equal types
/// of one interface cannot be told apart.
fn random_type(random: &mut Random, depth: usize, items: &mut String, count: &mut usize) -> String {
    const PLAIN: &[&str] = &[
        "bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char",
        "string",
    ];
    // Names that are words of WIT or of WAVE.
    const NAMES: &[&str] = &[
        "a", "b-c", "%list", "none", "ok", "%true", "nan", "some", "inf", "HTTP2",
    ];
    let kind = if depth == 0 { 0 } else { random.below(14) };
    if kind < 3 {
        return PLAIN[random.below(PLAIN.len())].to_owned();
    }
    let length = 1 + random.below(4);
    let mut part =
        |random: &mut Random, items: &mut String| random_type(random, depth - 1, items, count);
    let body = match kind {
        3 | 4 => return format!("list<{}>", part(random, items)),
        5 | 6 => return format!("option<{}>", part(random, items)),
        7 => {
            let (ok, err) = (part(random, items), part(random, items));
            let forms = [
                format!("result<{ok}, {err}>"),
                format!("result<{ok}>"),
                format!("result<_, {err}>"),
                "result".to_owned(),
            ];
            return forms[random.below(4)].clone();
        }
        8 => {
            let parts: Vec<String> = (0..length).map(|_| part(random, items)).collect();
            return format!("tuple<{}>", parts.join(", "));
        }
        9 => return format!("list<{}, {length}>", part(random, items)),
        10 => {
            let key = ["string", "u8", "char", "s64"][random.below(4)];
            return format!("map<{key}, {}>", part(random, items));
        }
        11 => {
            let fields: Vec<String> = (0..length)
                .map(|i| format!("{}: {}", NAMES[i * 2], part(random, items)))
                .collect();
            format!("record NAME {{ {}, in-NAME: bool }}", fields.join(", "))
        }
        12 => {
            let cases: Vec<String> = (0..length + 2)
                .map(|i| {
                    if random.below(2) == 0 {
                        NAMES[i].to_owned()
                    } else {
                        format!("{}({})", NAMES[i], part(random, items))
                    }
                })
                .collect();
            format!("variant NAME {{ {}, in-NAME }}", cases.join(", "))
        }
        _ => {
            let word = ["enum", "flags"][random.below(2)];
            format!(
                "{word} NAME {{ {}, in-NAME }}",
                NAMES[..length * 2].join(", ")
            )
        }
    };
    *count += 1;
    let name = format!("t{count}");
    items.push_str(&body.replace("NAME", &name));
    items.push('\n');
    name
}

/// A random value of a type.
fn random_val(random: &mut Random, types: Types<'_>, id: TypeId) -> Val {
    let any = random.next();
    let bytes = any.to_le_bytes();
    let two = [bytes[0], bytes[1]];
    let four = [bytes[0], bytes[1], bytes[2], bytes[3]];
    match types.shape(id) {
        Shape::Bool => Val::Bool(any.is_multiple_of(2)),
        Shape::S8 => Val::S8(random.edgy(&[i8::MIN, 0, i8::MAX], i8::from_le_bytes([bytes[0]]))),
        Shape::U8 => Val::U8(bytes[0]),
        Shape::S16 => Val::S16(random.edgy(&[i16::MIN, -1, i16::MAX], i16::from_le_bytes(two))),
        Shape::U16 => Val::U16(random.edgy(&[0, u16::MAX], u16::from_le_bytes(two))),
        Shape::S32 => Val::S32(random.edgy(&[i32::MIN, i32::MAX], i32::from_le_bytes(four))),
        Shape::U32 => Val::U32(random.edgy(&[0, u32::MAX], u32::from_le_bytes(four))),
        Shape::S64 => Val::S64(random.edgy(&[i64::MIN, i64::MAX], i64::from_le_bytes(bytes))),
        Shape::U64 => Val::U64(random.edgy(&[0, u64::MAX, 1 << 53], any)),
        Shape::F32 => {
            let edges = [
                0.0,
                -0.0,
                f32::NAN,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::MIN_POSITIVE,
                f32::MAX,
                0.1,
                1e-45,
            ];
            Val::Float32(random.edgy(&edges, f32::from_le_bytes(four)))
        }
        Shape::F64 => {
            let edges = [
                0.0,
                -0.0,
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::MIN_POSITIVE,
                f64::MAX,
                0.1,
                5e-324,
            ];
            Val::Float64(random.edgy(&edges, f64::from_le_bytes(bytes)))
        }
        Shape::Char => Val::Char(random.char()),
        Shape::String => Val::String(random.text()),
        Shape::List(element) => Val::List(
            (0..random.below(4))
                .map(|_| random_val(random, types, *element))
                .collect(),
        ),
        Shape::FixedList(element, length) => Val::FixedLengthList(
            (0..*length)
                .map(|_| random_val(random, types, *element))
                .collect(),
        ),
        Shape::Map(key, value) => {
            let mut entries: Vec<(Val, Val)> = Vec::new();
            for _ in 0..random.below(4) {
                let k = random_val(random, types, *key);
                if !entries.iter().any(|(known, _)| *known == k) {
                    entries.push((k, random_val(random, types, *value)));
                }
            }
            // A JSON object has its keys in order.
            entries.sort_by_key(|(k, _)| {
                if let Val::String(text) = k {
                    text.clone()
                } else {
                    String::new()
                }
            });
            Val::Map(entries)
        }
        Shape::Record(labels, parts) => Val::Record(
            labels
                .iter()
                .zip(parts)
                .map(|(l, p)| (l.to_owned(), random_val(random, types, *p)))
                .collect(),
        ),
        Shape::Tuple(parts) => Val::Tuple(
            parts
                .iter()
                .map(|part| random_val(random, types, *part))
                .collect(),
        ),
        Shape::Variant(labels, payloads) => {
            let at = random.below(labels.len());
            let payload = payloads[at].map(|id| Box::new(random_val(random, types, id)));
            Val::Variant(labels.to_vec()[at].clone(), payload)
        }
        Shape::Enum(labels) => Val::Enum(labels.to_vec()[random.below(labels.len())].clone()),
        Shape::Option(some) => Val::Option(
            (!any.is_multiple_of(3)).then(|| Box::new(random_val(random, types, *some))),
        ),
        Shape::Result(ok, err) => {
            let mut side =
                |id: &Option<TypeId>| id.map(|id| Box::new(random_val(random, types, id)));
            Val::Result(if any.is_multiple_of(2) {
                Ok(side(ok))
            } else {
                Err(side(err))
            })
        }
        Shape::Flags(labels) => Val::Flags(
            labels
                .iter()
                .filter(|_| random.below(2) == 0)
                .map(str::to_owned)
                .collect(),
        ),
        other => unreachable!("no random value of {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// A value of any type passes the check, and reads back the same from either text form, which in turn
    /// fits its JSON Schema as far as that can be told here.
    #[test]
    fn every_value_survives_its_text_forms(seed in any::<u64>()) {
        let mut random = Random(seed);
        let mut items = String::new();
        let ty = random_type(&mut random, 4, &mut items, &mut 0);
        let exports = exports(&format!("{items} f: func(v: {ty}) -> {ty};"));
        let function: &Signature = exports.find("f").unwrap();
        prop_assert_eq!(function.wit(), format!("f: func(v: {ty}) -> {ty}"));

        for _ in 0..20 {
            let (types, id) = function.types_and_result();
            let val = random_val(&mut random, types, id);
            function.check_params(std::slice::from_ref(&val)).unwrap();
            round_trip(function, &val);
        }
    }
}

fn round_trip(function: &Signature, val: &Val) {
    let _ = (function, val);
    #[cfg(feature = "json")]
    {
        let mut handles = crate::Handles::new();
        let json = function
            .results_to_json(vec![val.clone()], &mut handles)
            .unwrap();
        let reparsed: serde_json::Value = serde_json::from_str(&json.to_string()).unwrap();
        for params in [
            serde_json::json!([json]),
            serde_json::json!({ "v": reparsed }),
        ] {
            let back = function.params_from_json(&params, &mut handles).unwrap();
            assert_eq!(back, std::slice::from_ref(val), "{json}");
        }
    }
    #[cfg(feature = "wave")]
    {
        let mut handles = crate::Handles::new();
        let text = function
            .results_to_wave(vec![val.clone()], &mut handles)
            .unwrap();
        for params in [format!("({text})"), format!(" {text} // end")] {
            // A lone tuple without its own parentheses is a list of parameters.
            if params.starts_with(" (") {
                continue;
            }
            let back = function
                .params_from_wave(&params, &mut handles)
                .unwrap_or_else(|e| panic!("{params}: {e}"));
            assert_eq!(back, std::slice::from_ref(val), "{text}");
        }
    }
}
