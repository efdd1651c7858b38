//! Component values to WAVE text.

use std::fmt::{self, Write};

use wasm_wave::lex::Keyword;
use wasmtime::component::Val;

use crate::value::check::{describe, expect_length, unknown_case};
use crate::value::handles::Handles;
use crate::value::place::Place;
use crate::value::shape::{Shape, TypeId, Types};
use crate::value_error::ValueError;

type Written = Result<(), ValueError>;

impl Types<'_> {
    /// Appends the text of one value. Resources are kept in `handles`.
    pub(crate) fn write_wave(
        self,
        text: &mut String,
        id: TypeId,
        val: &Val,
        place: &Place<'_>,
        handles: &mut Handles,
    ) -> Written {
        match (self.shape(id), val) {
            (Shape::Bool, Val::Bool(v)) => plain(text, v),
            (Shape::S8, Val::S8(v)) => plain(text, v),
            (Shape::U8, Val::U8(v)) => plain(text, v),
            (Shape::S16, Val::S16(v)) => plain(text, v),
            (Shape::U16, Val::U16(v)) => plain(text, v),
            (Shape::S32, Val::S32(v)) => plain(text, v),
            (Shape::U32, Val::U32(v)) => plain(text, v),
            (Shape::S64, Val::S64(v)) => plain(text, v),
            (Shape::U64, Val::U64(v)) => plain(text, v),
            (Shape::F32, Val::Float32(v)) if v.is_nan() => text.push_str("nan"),
            (Shape::F64, Val::Float64(v)) if v.is_nan() => text.push_str("nan"),
            (Shape::F32, Val::Float32(v)) => plain(text, v),
            (Shape::F64, Val::Float64(v)) => plain(text, v),
            (Shape::Char, Val::Char(v)) => {
                text.push('\'');
                escape(text, *v);
                text.push('\'');
            }
            (Shape::String, Val::String(v)) => {
                text.reserve(v.len() + 2);
                text.push('"');
                v.chars().for_each(|c| escape(text, c));
                text.push('"');
            }
            (Shape::List(element), Val::List(vals))
            | (Shape::FixedList(element, _), Val::FixedLengthList(vals)) => {
                self.write_sequence(
                    text,
                    ['[', ']'],
                    vals.iter().map(|val| (*element, val)),
                    place,
                    handles,
                )?;
            }
            (Shape::Map(key, value), Val::Map(entries)) => {
                text.push('[');
                for (at, (k, v)) in entries.iter().enumerate() {
                    comma(text, at);
                    let pair = [(*key, k), (*value, v)];
                    self.write_sequence(
                        text,
                        ['(', ')'],
                        pair.into_iter(),
                        &place.index(at),
                        handles,
                    )?;
                }
                text.push(']');
            }
            (Shape::Tuple(parts), Val::Tuple(vals)) => {
                expect_length(parts.len(), vals.len(), place)?;
                let vals = parts.iter().copied().zip(vals);
                self.write_sequence(text, ['(', ')'], vals, place, handles)?;
            }
            (Shape::Record(labels, parts), Val::Record(fields)) => {
                expect_length(labels.len(), fields.len(), place)?;
                self.write_record(text, parts, fields, place, handles)?;
            }
            (Shape::Variant(labels, payloads), Val::Variant(case, payload)) => {
                let at = labels
                    .position(case)
                    .ok_or_else(|| unknown_case(labels, case, place))?;
                label(text, case);
                self.write_payload(text, case, payloads[at], payload.as_deref(), place, handles)?;
            }
            (Shape::Enum(_), Val::Enum(case)) => label(text, case),
            (Shape::Option(_), Val::Option(None)) => text.push_str("none"),
            (Shape::Option(some), Val::Option(Some(val))) => {
                text.push_str("some(");
                self.write_wave(text, *some, val, place, handles)?;
                text.push(')');
            }
            (Shape::Result(ok, err), Val::Result(result)) => {
                let (case, expected, given) = match result {
                    Ok(val) => ("ok", ok, val),
                    Err(val) => ("err", err, val),
                };
                text.push_str(case);
                self.write_payload(text, case, *expected, given.as_deref(), place, handles)?;
            }
            (Shape::Flags(_), Val::Flags(flags)) => {
                text.push('{');
                for (at, flag) in flags.iter().enumerate() {
                    comma(text, at);
                    text.push_str(flag);
                }
                text.push('}');
            }
            (Shape::Own(kind) | Shape::Borrow(kind), Val::Resource(resource)) => {
                let handle = handles.keep(*resource, *kind);
                plain(text, format_args!("handle({handle})"));
            }
            (Shape::Future(_) | Shape::Stream(_) | Shape::ErrorContext, _) => {
                return Err(self.unsupported(id, place));
            }
            (_, val) => return Err(self.mismatch(id, describe(val), place)),
        }
        Ok(())
    }

    fn write_sequence<'v>(
        self,
        text: &mut String,
        [open, close]: [char; 2],
        vals: impl Iterator<Item = (TypeId, &'v Val)>,
        place: &Place<'_>,
        handles: &mut Handles,
    ) -> Written {
        text.push(open);
        for (at, (id, val)) in vals.enumerate() {
            comma(text, at);
            self.write_wave(text, id, val, &place.index(at), handles)?;
        }
        text.push(close);
        Ok(())
    }

    /// Fields that are none are left out, as is usual in WAVE.
    fn write_record(
        self,
        text: &mut String,
        parts: &[TypeId],
        fields: &[(String, Val)],
        place: &Place<'_>,
        handles: &mut Handles,
    ) -> Written {
        let given = parts
            .iter()
            .zip(fields)
            .filter(|(_, (_, val))| !matches!(val, Val::Option(None)));
        let mut written = 0;
        text.push('{');
        for (&part, (name, val)) in given {
            comma(text, written);
            written += 1;
            text.push_str(name);
            text.push_str(": ");
            self.write_wave(text, part, val, &place.field(name), handles)?;
        }
        text.push_str(if written == 0 { ":}" } else { "}" });
        Ok(())
    }

    fn write_payload(
        self,
        text: &mut String,
        case: &str,
        expected: Option<TypeId>,
        given: Option<&Val>,
        place: &Place<'_>,
        handles: &mut Handles,
    ) -> Written {
        if let Some((id, val)) = self.payload(case, expected, given, place)? {
            text.push('(');
            self.write_wave(text, id, val, &place.field(case), handles)?;
            text.push(')');
        }
        Ok(())
    }
}

#[expect(clippy::expect_used, reason = "a string refuses nothing")]
fn plain(text: &mut String, value: impl fmt::Display) {
    write!(text, "{value}").expect("a string takes all that is written to it");
}

fn comma(text: &mut String, at: usize) {
    if at > 0 {
        text.push_str(", ");
    }
}

/// A case; one that reads like a word of WAVE's own is marked.
fn label(text: &mut String, case: &str) {
    if Keyword::decode(case).is_some() {
        text.push('%');
    }
    text.push_str(case);
}

fn escape(text: &mut String, c: char) {
    match c {
        _ if c == ' ' || c.is_ascii_alphanumeric() => text.push(c),
        '\\' | '"' | '\'' | '\t' | '\r' | '\n' => text.extend(c.escape_default()),
        _ if c.is_control() => text.extend(c.escape_unicode()),
        _ => text.extend(c.escape_debug()),
    }
}
