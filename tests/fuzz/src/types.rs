//! Random types of the component model, as text.

use std::fmt::Write as _;

use arbitrary::{Result, Unstructured};

const PLAIN: [&str; 13] = [
    "bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string",
];

/// What the key of a map may be.
const KEYS: [&str; 4] = ["string", "u8", "char", "s64"];

/// Names that are words of WIT or of WAVE, and names in capitals.
const NAMES: [&str; 12] = [
    "a", "b-c", "list", "none", "ok", "true", "nan", "some", "inf", "HTTP2", "err", "x1",
];

/// A type that has no resource and no stream in it.
#[derive(Clone, Debug)]
pub(crate) enum Ty {
    Plain(&'static str),
    List(Box<Self>),
    FixedList(Box<Self>, u32),
    Map(&'static str, Box<Self>),
    Option(Box<Self>),
    Result(Option<Box<Self>>, Option<Box<Self>>),
    Tuple(Vec<Self>),
    Record(Vec<Self>),
    Variant(Vec<Option<Self>>),
    Enum(usize),
    Flags(usize),
}

/// Which kinds there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kinds {
    /// Maps and lists of fixed length, which an engine as it comes does not take.
    pub(crate) new: bool,
    /// How many more types there may be.
    pub(crate) left: usize,
}

impl Ty {
    pub(crate) fn any<'a>(
        u: &mut Unstructured<'a>,
        depth: usize,
        kinds: &mut Kinds,
    ) -> Result<Self> {
        kinds.left = kinds.left.saturating_sub(1);
        let kind: u8 = match depth.min(kinds.left) {
            0 => 0,
            _ => u.int_in_range(0..=13)?,
        };
        let part = |u: &mut Unstructured<'a>, kinds: &mut Kinds| Self::any(u, depth - 1, kinds);
        let some = |u: &mut Unstructured<'a>, kinds: &mut Kinds| -> Result<_> {
            Ok(match u.arbitrary()? {
                true => Some(part(u, kinds)?),
                false => None,
            })
        };
        let boxed = |u: &mut Unstructured<'a>, kinds: &mut Kinds| part(u, kinds).map(Box::new);
        Ok(match kind {
            4 | 5 => Self::List(boxed(u, kinds)?),
            6 | 7 => Self::Option(boxed(u, kinds)?),
            8 => Self::Result(some(u, kinds)?.map(Box::new), some(u, kinds)?.map(Box::new)),
            9 => {
                let length = u.int_in_range(1..=5)?;
                Self::Tuple((0..length).map(|_| part(u, kinds)).collect::<Result<_>>()?)
            }
            10 => {
                let length = u.int_in_range(1..=NAMES.len())?;
                Self::Record((0..length).map(|_| part(u, kinds)).collect::<Result<_>>()?)
            }
            11 => {
                let length = u.int_in_range(1..=NAMES.len())?;
                Self::Variant((0..length).map(|_| some(u, kinds)).collect::<Result<_>>()?)
            }
            12 => match u.arbitrary()? {
                true => Self::Enum(u.int_in_range(1..=300)?),
                false => Self::Flags(u.int_in_range(1..=32)?),
            },
            13 if kinds.new => match u.arbitrary()? {
                true => Self::Map(u.choose(&KEYS)?, boxed(u, kinds)?),
                false => Self::FixedList(boxed(u, kinds)?, u.int_in_range(1..=4)?),
            },
            _ => Self::Plain(u.choose(&PLAIN)?),
        })
    }

    /// The type as WebAssembly text. What needs a name is defined in `items` first, and exported.
    pub(crate) fn wat(&self, items: &mut String, count: &mut usize) -> String {
        let mut some = |ty: &Option<Box<Self>>| ty.as_ref().map(|ty| ty.wat(items, count));
        let body = match self {
            Self::Plain(name) => return (*name).to_owned(),
            Self::List(of) => return format!("(list {})", of.wat(items, count)),
            Self::FixedList(of, length) => {
                return format!("(list {} {length})", of.wat(items, count));
            }
            Self::Map(key, of) => return format!("(map {key} {})", of.wat(items, count)),
            Self::Option(of) => return format!("(option {})", of.wat(items, count)),
            Self::Result(ok, err) => {
                let ok = some(ok).unwrap_or_default();
                let err = some(err).map_or_else(String::new, |err| format!("(error {err})"));
                return format!("(result {ok} {err})");
            }
            Self::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| part.wat(items, count)).collect();
                return format!("(tuple {})", parts.join(" "));
            }
            Self::Record(parts) => {
                let mut fields = String::new();
                for (name, part) in NAMES.iter().zip(parts) {
                    let part = part.wat(items, count);
                    write!(fields, " (field \"{name}\" {part})").unwrap();
                }
                format!("(record{fields})")
            }
            Self::Variant(parts) => {
                let mut cases = String::new();
                for (name, part) in NAMES.iter().zip(parts) {
                    let part = part.as_ref().map(|part| part.wat(items, count));
                    write!(cases, " (case \"{name}\" {})", part.unwrap_or_default()).unwrap();
                }
                format!("(variant{cases})")
            }
            Self::Enum(length) => format!("(enum {})", labels(*length)),
            Self::Flags(length) => format!("(flags {})", labels(*length)),
        };
        *count += 1;
        let at = *count;
        write!(
            items,
            "(type $d{at} {body}) (export $t{at} \"t{at}\" (type $d{at}))\n    "
        )
        .unwrap();
        format!("$t{at}")
    }

    /// The core values that stand for one of this type, by the canonical ABI.
    pub(crate) fn flat(&self) -> Vec<&'static str> {
        match self {
            Self::Plain("s64" | "u64") => vec!["i64"],
            Self::Plain("f32") => vec!["f32"],
            Self::Plain("f64") => vec!["f64"],
            Self::Plain("string") | Self::List(_) | Self::Map(..) => vec!["i32", "i32"],
            Self::Plain(_) | Self::Enum(_) | Self::Flags(_) => vec!["i32"],
            Self::FixedList(of, length) => of.flat().repeat(*length as usize),
            Self::Option(of) => cases([Some(&**of), None]),
            Self::Result(ok, err) => cases([ok.as_deref(), err.as_deref()]),
            Self::Tuple(parts) | Self::Record(parts) => parts.iter().flat_map(Self::flat).collect(),
            Self::Variant(parts) => cases(parts.iter().map(Option::as_ref)),
        }
    }

    /// Whether there is a map or a list of fixed length in it.
    #[cfg(feature = "long")]
    pub(crate) fn is_new(&self) -> bool {
        let any = |ty: &Option<Box<Self>>| ty.as_ref().is_some_and(|ty| ty.is_new());
        match self {
            Self::Map(..) | Self::FixedList(..) => true,
            Self::Plain(_) | Self::Enum(_) | Self::Flags(_) => false,
            Self::List(of) | Self::Option(of) => of.is_new(),
            Self::Result(ok, err) => any(ok) || any(err),
            Self::Tuple(parts) | Self::Record(parts) => parts.iter().any(Self::is_new),
            Self::Variant(parts) => parts.iter().flatten().any(Self::is_new),
        }
    }
}

/// A case's number, and room for the value of any.
fn cases<'a>(cases: impl IntoIterator<Item = Option<&'a Ty>>) -> Vec<&'static str> {
    let mut all = vec!["i32"];
    for case in cases.into_iter().flatten() {
        for (at, flat) in (1..).zip(case.flat()) {
            match all.get_mut(at) {
                None => all.push(flat),
                Some(known) => *known = join(known, flat),
            }
        }
    }
    all
}

fn join(a: &'static str, b: &'static str) -> &'static str {
    match (a, b) {
        _ if a == b => a,
        ("i32", "f32") | ("f32", "i32") => "i32",
        _ => "i64",
    }
}

fn labels(length: usize) -> String {
    let mut text = String::new();
    for at in 0..length {
        match NAMES.get(at) {
            Some(name) => write!(text, "\"{name}\" ").unwrap(),
            None => write!(text, "\"l{at}\" ").unwrap(),
        }
    }
    text
}
