//! Checks component values against WIT types before a call.
//!
//! wasmtime checks too, but says neither which parameter nor where in it. Resources, streams, futures and
//! error contexts are only checked for their kind here; wasmtime compares their types when it passes them.

use wasmtime::component::Val;

use super::place::{Place, shorten};
use super::shape::{Labels, Shape, TypeId, Types};
use crate::value_error::ValueError;

impl Types<'_> {
    /// Checks one value against its type.
    pub(crate) fn check(self, id: TypeId, val: &Val, place: &Place<'_>) -> Result<(), ValueError> {
        match (self.shape(id), val) {
            (Shape::Bool, Val::Bool(_))
            | (Shape::S8, Val::S8(_))
            | (Shape::U8, Val::U8(_))
            | (Shape::S16, Val::S16(_))
            | (Shape::U16, Val::U16(_))
            | (Shape::S32, Val::S32(_))
            | (Shape::U32, Val::U32(_))
            | (Shape::S64, Val::S64(_))
            | (Shape::U64, Val::U64(_))
            | (Shape::F32, Val::Float32(_))
            | (Shape::F64, Val::Float64(_))
            | (Shape::Char, Val::Char(_))
            | (Shape::String, Val::String(_))
            | (Shape::Borrow(_), Val::Resource(_))
            | (Shape::Future(_), Val::Future(_))
            | (Shape::Stream(_), Val::Stream(_))
            | (Shape::ErrorContext, Val::ErrorContext(_)) => Ok(()),
            (Shape::Own(_), Val::Resource(resource)) if resource.owned() => Ok(()),
            (Shape::List(element), Val::List(vals)) => self.check_elements(*element, vals, place),
            (Shape::FixedList(element, length), Val::FixedLengthList(vals)) => {
                expect_length(*length as usize, vals.len(), place)?;
                self.check_elements(*element, vals, place)
            }
            (Shape::Map(key, value), Val::Map(entries)) => {
                for (at, (k, v)) in entries.iter().enumerate() {
                    let entry = place.index(at);
                    self.check(*key, k, &entry.index(0))?;
                    self.check(*value, v, &entry.index(1))?;
                }
                Ok(())
            }
            (Shape::Record(labels, parts), Val::Record(fields)) => {
                self.check_record(labels, parts, fields, place)
            }
            (Shape::Tuple(parts), Val::Tuple(vals)) => {
                expect_length(parts.len(), vals.len(), place)?;
                let mut pairs = parts.iter().zip(vals).enumerate();
                pairs.try_for_each(|(at, (&part, val))| self.check(part, val, &place.index(at)))
            }
            (Shape::Variant(labels, payloads), Val::Variant(case, payload)) => {
                let at = labels
                    .position(case)
                    .ok_or_else(|| unknown_case(labels, case, place))?;
                self.check_payload(case, payloads[at], payload.as_deref(), place)
            }
            (Shape::Enum(labels), Val::Enum(case)) => labels
                .position(case)
                .map(drop)
                .ok_or_else(|| unknown_case(labels, case, place)),
            (Shape::Option(_), Val::Option(None)) => Ok(()),
            (Shape::Option(some), Val::Option(Some(val))) => self.check(*some, val, place),
            (Shape::Result(ok, _), Val::Result(Ok(val))) => {
                self.check_payload("ok", *ok, val.as_deref(), place)
            }
            (Shape::Result(_, err), Val::Result(Err(val))) => {
                self.check_payload("err", *err, val.as_deref(), place)
            }
            (Shape::Flags(labels), Val::Flags(flags)) => {
                match flags.iter().find(|flag| labels.position(flag).is_none()) {
                    None => Ok(()),
                    Some(flag) => Err(unknown_flag(labels, flag, place)),
                }
            }
            (_, val) => Err(self.mismatch(id, describe(val), place)),
        }
    }

    fn check_elements(
        self,
        element: TypeId,
        vals: &[Val],
        place: &Place<'_>,
    ) -> Result<(), ValueError> {
        let mut vals = vals.iter().enumerate();
        vals.try_for_each(|(at, val)| self.check(element, val, &place.index(at)))
    }

    /// wasmtime wants every field, in the order of declaration.
    fn check_record(
        self,
        labels: &Labels,
        parts: &[TypeId],
        fields: &[(String, Val)],
        place: &Place<'_>,
    ) -> Result<(), ValueError> {
        for (at, (label, &part)) in labels.iter().zip(parts).enumerate() {
            match fields.get(at) {
                Some((name, val)) if name == label => self.check(part, val, &place.field(label))?,
                Some((name, _)) if labels.position(name).is_none() => {
                    return Err(unknown_field(labels, name, place));
                }
                Some((name, _)) if fields.iter().any(|(other, _)| other == label) => {
                    let expected =
                        format!("field {label:?} (values take fields in the order of declaration)");
                    return Err(ValueError::Mismatch {
                        at: place.to_string(),
                        expected,
                        found: format!("{name:?}"),
                    });
                }
                _ => return Err(self.missing_field(label, part, place)),
            }
        }
        match fields.get(labels.len()) {
            None => Ok(()),
            Some((name, _)) => Err(unknown_field(labels, name, place)),
        }
    }

    fn check_payload(
        self,
        case: &str,
        expected: Option<TypeId>,
        given: Option<&Val>,
        place: &Place<'_>,
    ) -> Result<(), ValueError> {
        match self.payload(case, expected, given, place)? {
            None => Ok(()),
            Some((id, val)) => self.check(id, val, &place.field(case)),
        }
    }

    /// Brings the declared and the given value of a case together.
    pub(crate) fn payload<T>(
        self,
        case: &str,
        expected: Option<TypeId>,
        given: Option<T>,
        place: &Place<'_>,
    ) -> Result<Option<(TypeId, T)>, ValueError> {
        let (at, case) = (|| place.to_string(), || case.to_owned());
        match (expected, given) {
            (None, None) => Ok(None),
            (Some(id), Some(given)) => Ok(Some((id, given))),
            (Some(id), None) => Err(ValueError::MissingPayload {
                at: at(),
                case: case(),
                expected: self.expected(id),
            }),
            (None, Some(_)) => Err(ValueError::UnexpectedPayload {
                at: at(),
                case: case(),
            }),
        }
    }

    pub(crate) fn mismatch(
        self,
        id: TypeId,
        found: impl Into<String>,
        place: &Place<'_>,
    ) -> ValueError {
        ValueError::Mismatch {
            at: place.to_string(),
            expected: self.expected(id),
            found: found.into(),
        }
    }

    pub(crate) fn missing_field(self, field: &str, part: TypeId, place: &Place<'_>) -> ValueError {
        ValueError::MissingField {
            at: place.to_string(),
            field: field.to_owned(),
            expected: self.expected(part),
        }
    }

    /// The error for a type that has no text form.
    #[cfg(any(feature = "json", feature = "wave"))]
    pub(crate) fn unsupported(self, id: TypeId, place: &Place<'_>) -> ValueError {
        ValueError::Unsupported {
            at: place.to_string(),
            found: self.expected(id),
        }
    }
}

pub(crate) fn expect_length(
    expected: usize,
    given: usize,
    place: &Place<'_>,
) -> Result<(), ValueError> {
    if expected == given {
        Ok(())
    } else {
        Err(ValueError::Length {
            at: place.to_string(),
            expected,
            given,
        })
    }
}

pub(crate) fn unknown_field(labels: &Labels, field: &str, place: &Place<'_>) -> ValueError {
    ValueError::UnknownField {
        at: place.to_string(),
        field: shorten(field),
        known: labels.to_vec(),
    }
}

pub(crate) fn unknown_case(labels: &Labels, case: &str, place: &Place<'_>) -> ValueError {
    ValueError::UnknownCase {
        at: place.to_string(),
        case: shorten(case),
        known: labels.to_vec(),
    }
}

pub(crate) fn unknown_flag(labels: &Labels, flag: &str, place: &Place<'_>) -> ValueError {
    ValueError::UnknownFlag {
        at: place.to_string(),
        flag: shorten(flag),
        known: labels.to_vec(),
    }
}

/// The kind of a value, and the value itself where it is short.
pub(crate) fn describe(val: &Val) -> String {
    match val {
        Val::Bool(v) => format!("bool {v}"),
        Val::S8(v) => format!("s8 {v}"),
        Val::U8(v) => format!("u8 {v}"),
        Val::S16(v) => format!("s16 {v}"),
        Val::U16(v) => format!("u16 {v}"),
        Val::S32(v) => format!("s32 {v}"),
        Val::U32(v) => format!("u32 {v}"),
        Val::S64(v) => format!("s64 {v}"),
        Val::U64(v) => format!("u64 {v}"),
        Val::Float32(v) => format!("f32 {v}"),
        Val::Float64(v) => format!("f64 {v}"),
        Val::Char(v) => format!("char {v:?}"),
        Val::String(v) => format!("string {:?}", shorten(v)),
        Val::List(_) => "a list".into(),
        Val::FixedLengthList(_) => "a fixed-length list".into(),
        Val::Map(_) => "a map".into(),
        Val::Record(_) => "a record".into(),
        Val::Tuple(_) => "a tuple".into(),
        Val::Variant(case, _) => format!("variant case {:?}", shorten(case)),
        Val::Enum(case) => format!("enum case {:?}", shorten(case)),
        Val::Option(_) => "an option".into(),
        Val::Result(_) => "a result".into(),
        Val::Flags(_) => "flags".into(),
        Val::Resource(resource) if resource.owned() => "an owned resource".into(),
        Val::Resource(_) => "a borrowed resource".into(),
        Val::Future(_) => "a future".into(),
        Val::Stream(_) => "a stream".into(),
        Val::ErrorContext(_) => "an error context".into(),
    }
}
