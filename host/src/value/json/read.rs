//! JSON to component values.

use serde_json::{Map, Value};
use wasmtime::component::Val;

use crate::value::check::{expect_length, unknown_case, unknown_field};
use crate::value::flags::FlagSet;
use crate::value::handles::Passing;
use crate::value::place::{Place, shorten};
use crate::value::shape::{Labels, Shape, TypeId, Types};
use crate::value_error::ValueError;

type Read<T> = Result<T, ValueError>;

impl Types<'_> {
    /// Reads one value.
    pub(crate) fn read_json(
        self,
        id: TypeId,
        json: &Value,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Val> {
        let wrong = || self.mismatch(id, found(json), place);
        let val = match self.shape(id) {
            Shape::Bool => json.as_bool().map(Val::Bool),
            Shape::S8 => signed(json).map(Val::S8),
            Shape::U8 => unsigned(json).map(Val::U8),
            Shape::S16 => signed(json).map(Val::S16),
            Shape::U16 => unsigned(json).map(Val::U16),
            Shape::S32 => signed(json).map(Val::S32),
            Shape::U32 => unsigned(json).map(Val::U32),
            Shape::S64 => signed(json).map(Val::S64),
            Shape::U64 => unsigned(json).map(Val::U64),
            Shape::F32 => float(json).and_then(narrow).map(Val::Float32),
            Shape::F64 => float(json).map(Val::Float64),
            Shape::Char => json.as_str().and_then(only_char).map(Val::Char),
            Shape::String => json.as_str().map(|text| Val::String(text.to_owned())),
            Shape::List(element) => {
                let items = json.as_array().ok_or_else(wrong)?;
                Some(Val::List(
                    self.read_elements(*element, items, place, passing)?,
                ))
            }
            Shape::FixedList(element, length) => {
                let items = json.as_array().ok_or_else(wrong)?;
                expect_length(*length as usize, items.len(), place)?;
                Some(Val::FixedLengthList(
                    self.read_elements(*element, items, place, passing)?,
                ))
            }
            Shape::Map(key, value) => Some(Val::Map(self.read_map(
                id,
                (*key, *value),
                json,
                place,
                passing,
            )?)),
            Shape::Record(labels, parts) => {
                let fields = json.as_object().ok_or_else(wrong)?;
                Some(Val::Record(
                    self.read_record(labels, parts, fields, place, passing)?,
                ))
            }
            Shape::Tuple(parts) => {
                let items = json.as_array().ok_or_else(wrong)?;
                expect_length(parts.len(), items.len(), place)?;
                let mut vals = Vec::with_capacity(items.len());
                for (at, (&part, item)) in parts.iter().zip(items).enumerate() {
                    vals.push(self.read_json(part, item, &place.index(at), passing)?);
                }
                Some(Val::Tuple(vals))
            }
            Shape::Variant(labels, payloads) => {
                let (case, given) = tagged(json).ok_or_else(wrong)?;
                let at = labels
                    .position(case)
                    .ok_or_else(|| unknown_case(labels, case, place))?;
                let payload = match self.payload(case, payloads[at], given, place)? {
                    None => None,
                    Some((id, json)) => Some(Box::new(self.read_json(
                        id,
                        json,
                        &place.field(case),
                        passing,
                    )?)),
                };
                Some(Val::Variant(case.to_owned(), payload))
            }
            Shape::Enum(labels) => {
                let case = json.as_str().ok_or_else(wrong)?;
                labels
                    .position(case)
                    .ok_or_else(|| unknown_case(labels, case, place))?;
                Some(Val::Enum(case.to_owned()))
            }
            Shape::Option(_) if json.is_null() => Some(Val::Option(None)),
            Shape::Option(some) => {
                let json = if self.is_nullable(*some) {
                    only_key(json, "some").ok_or_else(wrong)?
                } else {
                    json
                };
                Some(Val::Option(Some(Box::new(
                    self.read_json(*some, json, place, passing)?,
                ))))
            }
            Shape::Result(ok, err) => {
                let side = |case| only_key(json, case);
                Some(Val::Result(match (side("ok"), side("err")) {
                    (Some(json), _) => Ok(self.read_side("ok", *ok, json, place, passing)?),
                    (_, Some(json)) => Err(self.read_side("err", *err, json, place, passing)?),
                    (None, None) => return Err(wrong()),
                }))
            }
            Shape::Flags(labels) => {
                let items = json.as_array().ok_or_else(wrong)?;
                let mut set = FlagSet::new(labels);
                for item in items {
                    set.insert(item.as_str().ok_or_else(wrong)?, place)?;
                }
                Some(set.finish())
            }
            Shape::Own(kind) | Shape::Borrow(kind) => {
                let give = matches!(self.shape(id), Shape::Own(_));
                let handle = only_key(json, "handle").and_then(unsigned).ok_or_else(|| {
                    let expected = format!("a handle of {}", self.resource(*kind));
                    ValueError::Mismatch {
                        at: place.to_string(),
                        expected,
                        found: found(json),
                    }
                })?;
                Some(Val::Resource(
                    passing.resolve(self, *kind, give, handle, place)?,
                ))
            }
            Shape::Future(_) | Shape::Stream(_) | Shape::ErrorContext => {
                return Err(self.unsupported(id, place));
            }
        };
        val.ok_or_else(wrong)
    }

    fn read_elements(
        self,
        element: TypeId,
        items: &[Value],
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Vec<Val>> {
        let mut vals = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            vals.push(self.read_json(element, item, &place.index(at), passing)?);
        }
        Ok(vals)
    }

    fn read_map(
        self,
        id: TypeId,
        (key, value): (TypeId, TypeId),
        json: &Value,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Vec<(Val, Val)>> {
        let wrong = || self.mismatch(id, found(json), place);
        if matches!(self.shape(key), Shape::String) {
            let fields = json.as_object().ok_or_else(wrong)?;
            let entries = fields.iter().map(|(name, json)| {
                let val = self.read_json(value, json, &place.field(name), passing)?;
                Ok((Val::String(name.clone()), val))
            });
            return entries.collect();
        }
        let items = json.as_array().ok_or_else(wrong)?;
        let entries = items.iter().enumerate().map(|(at, item)| {
            let entry = place.index(at);
            let pair = item.as_array().ok_or_else(|| ValueError::Mismatch {
                at: entry.to_string(),
                expected: "a key and its value".to_owned(),
                found: found(item),
            })?;
            expect_length(2, pair.len(), &entry)?;
            let k = self.read_json(key, &pair[0], &entry.index(0), passing)?;
            Ok((
                k,
                self.read_json(value, &pair[1], &entry.index(1), passing)?,
            ))
        });
        entries.collect()
    }

    fn read_record(
        self,
        labels: &Labels,
        parts: &[TypeId],
        fields: &Map<String, Value>,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Vec<(String, Val)>> {
        let mut vals = Vec::with_capacity(parts.len());
        let mut used = 0;
        for (label, &part) in labels.iter().zip(parts) {
            let val = match fields.get(label) {
                Some(json) => {
                    used += 1;
                    self.read_json(part, json, &place.field(label), passing)?
                }
                None if self.is_optional(part) => Val::Option(None),
                None => return Err(self.missing_field(label, part, place)),
            };
            vals.push((label.to_owned(), val));
        }
        if used < fields.len()
            && let Some(name) = fields.keys().find(|name| labels.position(name).is_none())
        {
            return Err(unknown_field(labels, name, place));
        }
        Ok(vals)
    }

    /// One side of a result. `null` stands for no value, unless the type has a use for it.
    fn read_side(
        self,
        case: &str,
        expected: Option<TypeId>,
        given: &Value,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Option<Box<Val>>> {
        let has_use = expected.is_some_and(|id| self.is_nullable(id));
        let given = Some(given).filter(|json| has_use || !json.is_null());
        match self.payload(case, expected, given, place)? {
            None => Ok(None),
            Some((id, json)) => Ok(Some(Box::new(self.read_json(
                id,
                json,
                &place.field(case),
                passing,
            )?))),
        }
    }
}

/// What was found, shortened.
pub(crate) fn found(json: &Value) -> String {
    match json {
        Value::Null | Value::Bool(_) => json.to_string(),
        Value::Number(number) => shorten(&number.to_string()),
        Value::String(text) => format!("{:?}", shorten(text)),
        Value::Array(items) => format!("an array of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A case and its value: `"case"` or `{"case": value}`.
fn tagged(json: &Value) -> Option<(&str, Option<&Value>)> {
    match json {
        Value::String(case) => Some((case, None)),
        Value::Object(fields) if fields.len() == 1 => fields
            .iter()
            .next()
            .map(|(case, json)| (&**case, Some(json))),
        _ => None,
    }
}

/// The value of the one key of an object.
fn only_key<'a>(json: &'a Value, key: &str) -> Option<&'a Value> {
    json.as_object()
        .filter(|fields| fields.len() == 1)?
        .get(key)
}

fn only_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    chars.next().filter(|_| chars.as_str().is_empty())
}

fn unsigned<T: TryFrom<u64>>(json: &Value) -> Option<T> {
    let number = json.as_u64().or_else(|| u64::try_from(whole(json)?).ok());
    number.and_then(|number| T::try_from(number).ok())
}

fn signed<T: TryFrom<i64>>(json: &Value) -> Option<T> {
    let number = json.as_i64().or_else(|| whole(json));
    number.and_then(|number| T::try_from(number).ok())
}

/// JSON Schema counts `5.0` as an integer.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be a whole number that an f64 holds exactly"
)]
fn whole(json: &Value) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = json.as_f64()?;
    (json.is_f64() && number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn float(json: &Value) -> Option<f64> {
    match json {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match &**text {
            "nan" => Some(f64::NAN),
            "inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

/// Rounds to the nearest `f32`; a finite number too large for one is refused.
#[expect(
    clippy::cast_possible_truncation,
    reason = "an f32 is what was asked for"
)]
fn narrow(number: f64) -> Option<f32> {
    let narrowed = number as f32;
    (narrowed.is_finite() || !number.is_finite()).then_some(narrowed)
}
