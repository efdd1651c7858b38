//! Component values to JSON.

use serde_json::{Map, Number, Value};
use wasmtime::component::Val;

use crate::value::check::{describe, expect_length, unknown_case};
use crate::value::handles::Handles;
use crate::value::place::Place;
use crate::value::shape::{Shape, TypeId, Types};
use crate::value_error::ValueError;

type Written<T> = Result<T, ValueError>;

impl Types<'_> {
    /// Writes one value. Resources are kept in `handles`.
    pub(crate) fn write_json(
        self,
        id: TypeId,
        val: Val,
        place: &Place<'_>,
        handles: &mut Handles,
    ) -> Written<Value> {
        Ok(match (self.shape(id), val) {
            (Shape::Bool, Val::Bool(v)) => v.into(),
            (Shape::S8, Val::S8(v)) => v.into(),
            (Shape::U8, Val::U8(v)) => v.into(),
            (Shape::S16, Val::S16(v)) => v.into(),
            (Shape::U16, Val::U16(v)) => v.into(),
            (Shape::S32, Val::S32(v)) => v.into(),
            (Shape::U32, Val::U32(v)) => v.into(),
            (Shape::S64, Val::S64(v)) => v.into(),
            (Shape::U64, Val::U64(v)) => v.into(),
            (Shape::F32, Val::Float32(v)) => float_to_json(widen(v)),
            (Shape::F64, Val::Float64(v)) => float_to_json(v),
            (Shape::Char, Val::Char(v)) => Value::String(v.into()),
            (Shape::String, Val::String(v)) => Value::String(v),
            (Shape::List(element), Val::List(vals))
            | (Shape::FixedList(element, _), Val::FixedLengthList(vals)) => {
                let items = vals.into_iter().enumerate();
                items
                    .map(|(at, val)| self.write_json(*element, val, &place.index(at), handles))
                    .collect::<Written<_>>()?
            }
            (Shape::Map(key, value), Val::Map(entries)) => {
                let as_object = matches!(self.shape(*key), Shape::String);
                self.write_map(*key, *value, as_object, entries, place, handles)?
            }
            (Shape::Record(labels, parts), Val::Record(fields)) => {
                expect_length(labels.len(), fields.len(), place)?;
                let mut object = Map::new();
                for (&part, (name, val)) in parts.iter().zip(fields) {
                    let json = self.write_json(part, val, &place.field(&name), handles)?;
                    object.insert(name, json);
                }
                Value::Object(object)
            }
            (Shape::Tuple(parts), Val::Tuple(vals)) => {
                expect_length(parts.len(), vals.len(), place)?;
                let items = parts.iter().zip(vals).enumerate();
                items
                    .map(|(at, (&part, val))| self.write_json(part, val, &place.index(at), handles))
                    .collect::<Written<_>>()?
            }
            (Shape::Variant(labels, payloads), Val::Variant(case, payload)) => {
                let at = labels
                    .position(&case)
                    .ok_or_else(|| unknown_case(labels, &case, place))?;
                match self.payload(&case, payloads[at], payload, place)? {
                    None => Value::String(case),
                    Some((id, val)) => {
                        let json = self.write_json(id, *val, &place.field(&case), handles)?;
                        object(case, json)
                    }
                }
            }
            (Shape::Enum(_), Val::Enum(case)) => Value::String(case),
            (Shape::Option(_), Val::Option(None)) => Value::Null,
            (Shape::Option(some), Val::Option(Some(val))) => {
                let json = self.write_json(*some, *val, place, handles)?;
                if self.is_nullable(*some) {
                    object("some", json)
                } else {
                    json
                }
            }
            (Shape::Result(ok, err), Val::Result(result)) => {
                let (case, expected, given) = match result {
                    Ok(val) => ("ok", ok, val),
                    Err(val) => ("err", err, val),
                };
                let json = match self.payload(case, *expected, given, place)? {
                    None => Value::Null,
                    Some((id, val)) => self.write_json(id, *val, &place.field(case), handles)?,
                };
                object(case, json)
            }
            (Shape::Flags(_), Val::Flags(flags)) => flags.into(),
            (Shape::Own(kind) | Shape::Borrow(kind), Val::Resource(resource)) => {
                object("handle", handles.keep(resource, *kind).into())
            }
            (Shape::Future(_) | Shape::Stream(_) | Shape::ErrorContext, _) => {
                return Err(self.unsupported(id, place));
            }
            (_, val) => return Err(self.mismatch(id, describe(&val), place)),
        })
    }

    fn write_map(
        self,
        key: TypeId,
        value: TypeId,
        as_object: bool,
        entries: Vec<(Val, Val)>,
        place: &Place<'_>,
        handles: &mut Handles,
    ) -> Written<Value> {
        let mut object = Map::new();
        let mut pairs = Vec::with_capacity(if as_object { 0 } else { entries.len() });
        for (at, (k, v)) in entries.into_iter().enumerate() {
            let entry = place.index(at);
            let v = self.write_json(value, v, &entry.index(1), handles)?;
            match self.write_json(key, k, &entry.index(0), handles)? {
                Value::String(name) if as_object => {
                    object.insert(name, v);
                }
                k => pairs.push(Value::Array(vec![k, v])),
            }
        }
        Ok(if as_object {
            Value::Object(object)
        } else {
            Value::Array(pairs)
        })
    }
}

fn object(key: impl Into<String>, json: Value) -> Value {
    Value::Object(Map::from_iter([(key.into(), json)]))
}

fn float_to_json(number: f64) -> Value {
    match Number::from_f64(number) {
        Some(number) => Value::Number(number),
        None if number.is_nan() => "nan".into(),
        None if number > 0.0 => "inf".into(),
        None => "-inf".into(),
    }
}

/// The `f64` that is printed with the fewest digits among those that round to the given `f32`: 0.1 stays 0.1.
#[expect(
    clippy::cast_possible_truncation,
    reason = "compared with the number that it came from"
)]
fn widen(number: f32) -> f64 {
    /// Whole numbers below have their fewest digits already.
    const SHORT: f64 = 16_777_216.0;
    let exact = f64::from(number);
    if !exact.is_finite() || (exact.fract() == 0.0 && exact.abs() < SHORT) {
        return exact;
    }
    let short = number.to_string().parse::<f64>();
    short
        .ok()
        .filter(|short| *short as f32 == number)
        .unwrap_or(exact)
}
