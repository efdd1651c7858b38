//! Random component values of a type that wasmtime knows.

use arbitrary::{Result, Unstructured};
use prewarm::Val;
use wasmtime::component::Type;

/// Characters that text forms have their trouble with.
const CHARS: [char; 24] = [
    'a',
    'Z',
    '7',
    ' ',
    '"',
    '\'',
    '\\',
    '\n',
    '\r',
    '\t',
    '\0',
    '\u{7f}',
    'é',
    '☃',
    '👋',
    '\u{301}',
    '/',
    '{',
    '\u{200b}',
    '\u{85}',
    '\u{202e}',
    '\u{feff}',
    '\u{10ffff}',
    '%',
];

/// A value, or `None` where there is none to be had: resources and streams come from a guest, and a
/// value of more than `left` parts is too large.
pub(crate) fn any(u: &mut Unstructured<'_>, ty: &Type, left: &mut usize) -> Result<Option<Val>> {
    if *left == 0 {
        return Ok(None);
    }
    *left -= 1;
    let val = match ty {
        Type::Bool => Val::Bool(u.arbitrary()?),
        Type::S8 => Val::S8(u.arbitrary()?),
        Type::U8 => Val::U8(u.arbitrary()?),
        Type::S16 => Val::S16(edgy(u, &[i16::MIN, -1, i16::MAX])?),
        Type::U16 => Val::U16(edgy(u, &[u16::MAX])?),
        Type::S32 => Val::S32(edgy(u, &[i32::MIN, -1, i32::MAX])?),
        Type::U32 => Val::U32(edgy(u, &[u32::MAX, 1 << 31])?),
        Type::S64 => Val::S64(edgy(u, &[i64::MIN, -1, i64::MAX, 1 << 53])?),
        Type::U64 => Val::U64(edgy(u, &[u64::MAX, 1 << 53, (1 << 53) + 1])?),
        Type::Float32 => Val::Float32(edgy(
            u,
            &[
                -0.0,
                f32::NAN,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::MAX,
                0.1,
                1e-45,
            ],
        )?),
        Type::Float64 => Val::Float64(edgy(
            u,
            &[
                -0.0,
                f64::NAN,
                f64::INFINITY,
                f64::NEG_INFINITY,
                f64::MAX,
                0.1,
                5e-324,
                1e16,
            ],
        )?),
        Type::Char => Val::Char(char(u)?),
        Type::String => {
            let length = u.int_in_range(0..=12)?;
            Val::String((0..length).map(|_| char(u)).collect::<Result<_>>()?)
        }
        Type::List(list) => {
            let length = u.int_in_range(0..=4)?;
            return sequence(u, (0..length).map(|_| list.ty()), left, Val::List);
        }
        Type::FixedLengthList(list) => {
            let parts = (0..list.len()).map(|_| list.ty());
            return sequence(u, parts, left, Val::FixedLengthList);
        }
        Type::Tuple(tuple) => return sequence(u, tuple.types(), left, Val::Tuple),
        Type::Map(map) => {
            let mut entries: Vec<(Val, Val)> = Vec::new();
            for _ in 0..u.int_in_range(0..=4)? {
                let key = any(u, &map.key(), left)?;
                let Some(entry) = key.zip(any(u, &map.value(), left)?) else {
                    return Ok(None);
                };
                if entries.iter().all(|(known, _)| *known != entry.0) {
                    entries.push(entry);
                }
            }
            // A JSON object has its keys in order.
            entries.sort_by_cached_key(|(key, _)| match key {
                Val::String(text) => text.clone(),
                _ => String::new(),
            });
            Val::Map(entries)
        }
        Type::Record(record) => {
            let mut fields = Vec::new();
            for field in record.fields() {
                match any(u, &field.ty, left)? {
                    Some(val) => fields.push((field.name.to_owned(), val)),
                    None => return Ok(None),
                }
            }
            Val::Record(fields)
        }
        Type::Variant(variant) => {
            let cases: Vec<_> = variant.cases().collect();
            let case = u.choose(&cases)?;
            match payload(u, case.ty.as_ref(), left)? {
                Some(payload) => Val::Variant(case.name.to_owned(), payload),
                None => return Ok(None),
            }
        }
        Type::Enum(cases) => {
            let cases: Vec<_> = cases.names().collect();
            Val::Enum((*u.choose(&cases)?).to_owned())
        }
        Type::Option(option) => match u.arbitrary()? {
            false => Val::Option(None),
            true => match any(u, &option.ty(), left)? {
                Some(val) => Val::Option(Some(Box::new(val))),
                None => return Ok(None),
            },
        },
        Type::Result(result) => {
            let is_ok: bool = u.arbitrary()?;
            let side = if is_ok { result.ok() } else { result.err() };
            match payload(u, side.as_ref(), left)? {
                None => return Ok(None),
                Some(payload) if is_ok => Val::Result(Ok(payload)),
                Some(payload) => Val::Result(Err(payload)),
            }
        }
        Type::Flags(flags) => {
            let mut set = Vec::new();
            for name in flags.names() {
                if u.arbitrary()? {
                    set.push(name.to_owned());
                }
            }
            Val::Flags(set)
        }
        Type::Own(_) | Type::Borrow(_) | Type::Future(_) | Type::Stream(_) | Type::ErrorContext => {
            return Ok(None);
        }
    };
    Ok(Some(val))
}

/// The value that a case carries, where it carries one.
#[expect(
    clippy::option_option,
    reason = "no value to be had, and no value wanted"
)]
fn payload(
    u: &mut Unstructured<'_>,
    ty: Option<&Type>,
    left: &mut usize,
) -> Result<Option<Option<Box<Val>>>> {
    let Some(ty) = ty else {
        return Ok(Some(None));
    };
    Ok(any(u, ty, left)?.map(|val| Some(Box::new(val))))
}

fn sequence(
    u: &mut Unstructured<'_>,
    types: impl Iterator<Item = Type>,
    left: &mut usize,
    make: fn(Vec<Val>) -> Val,
) -> Result<Option<Val>> {
    let mut vals = Vec::new();
    for ty in types {
        match any(u, &ty, left)? {
            Some(val) => vals.push(val),
            None => return Ok(None),
        }
    }
    Ok(Some(make(vals)))
}

/// A number that is often at an end of its range.
fn edgy<T: Copy + for<'a> arbitrary::Arbitrary<'a>>(
    u: &mut Unstructured<'_>,
    edges: &[T],
) -> Result<T> {
    match u.arbitrary()? {
        true => u.choose(edges).copied(),
        false => u.arbitrary(),
    }
}

fn char(u: &mut Unstructured<'_>) -> Result<char> {
    match u.ratio(3, 4)? {
        true => u.choose(&CHARS).copied(),
        false => u.arbitrary(),
    }
}
