//! JSON Schema (draft 2020-12) of the JSON forms.
//!
//! Named types become `$defs`, so that a type that is used often is written once.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::value::shape::{Labels, Shape, TypeId, Types};

/// Schemas of one function, sharing one set of definitions.
#[derive(Debug)]
pub(crate) struct Schemas<'a> {
    types: Types<'a>,
    defs: Map<String, Value>,
    /// What the names in `defs` stand for.
    named: HashMap<&'a str, TypeId>,
}

impl<'a> Schemas<'a> {
    pub(crate) fn new(types: Types<'a>) -> Self {
        Self {
            types,
            defs: Map::new(),
            named: HashMap::new(),
        }
    }

    /// Adds what belongs at the top of a schema.
    pub(crate) fn finish(self, mut schema: Value) -> Value {
        schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
        if !self.defs.is_empty() {
            schema["$defs"] = Value::Object(self.defs);
        }
        schema
    }

    /// An object with these fields and no other. Optional ones may be left out.
    pub(crate) fn object<'f>(&mut self, fields: impl Iterator<Item = (&'f str, TypeId)>) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (name, id) in fields {
            if !self.types.is_optional(id) {
                required.push(name);
            }
            properties.insert(name.to_owned(), self.schema(id));
        }
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    /// An array with these elements, of which the first `least` must be there.
    pub(crate) fn array(&mut self, elements: impl Iterator<Item = TypeId>, least: usize) -> Value {
        let items: Vec<Value> = elements.map(|id| self.schema(id)).collect();
        let most = items.len();
        let mut schema =
            json!({ "type": "array", "items": false, "minItems": least, "maxItems": most });
        // The draft wants at least one element in `prefixItems`.
        if !items.is_empty() {
            schema["prefixItems"] = Value::Array(items);
        }
        schema
    }

    /// The schema of one type: a reference where it has a name.
    pub(crate) fn schema(&mut self, id: TypeId) -> Value {
        let Some(name) = self.types.name(id) else {
            return self.spelled_out(id);
        };
        match self.named.insert(name, id) {
            Some(known) if known == id => {}
            // The name of another type, at the root of the component.
            Some(known) => {
                self.named.insert(name, known);
                return self.spelled_out(id);
            }
            None => {
                let schema = self.spelled_out(id);
                self.defs.insert(name.to_owned(), schema);
            }
        }
        json!({ "$ref": format!("#/$defs/{name}") })
    }

    fn spelled_out(&mut self, id: TypeId) -> Value {
        match self.types.shape(id) {
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::S8 => integer(i8::MIN, i8::MAX),
            Shape::U8 => integer(u8::MIN, u8::MAX),
            Shape::S16 => integer(i16::MIN, i16::MAX),
            Shape::U16 => integer(u16::MIN, u16::MAX),
            Shape::S32 => integer(i32::MIN, i32::MAX),
            Shape::U32 => integer(u32::MIN, u32::MAX),
            Shape::S64 => integer(i64::MIN, i64::MAX),
            Shape::U64 => integer(u64::MIN, u64::MAX),
            Shape::F32 | Shape::F64 => {
                json!({ "anyOf": [{ "type": "number" }, { "enum": ["nan", "inf", "-inf"] }] })
            }
            Shape::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
            Shape::String => json!({ "type": "string" }),
            Shape::List(element) => json!({ "type": "array", "items": self.schema(*element) }),
            Shape::FixedList(element, length) => json!({
                "type": "array",
                "items": self.schema(*element),
                "minItems": length,
                "maxItems": length,
            }),
            Shape::Map(key, value) if matches!(self.types.shape(*key), Shape::String) => json!({
                "type": "object",
                "additionalProperties": self.schema(*value),
            }),
            Shape::Map(key, value) => {
                let pair = self.array([*key, *value].into_iter(), 2);
                json!({ "type": "array", "items": pair })
            }
            Shape::Record(labels, parts) => self.object(labels.iter().zip(parts.iter().copied())),
            Shape::Tuple(parts) => self.array(parts.iter().copied(), parts.len()),
            Shape::Variant(labels, payloads) => self.variant(labels, payloads),
            Shape::Enum(labels) => json!({ "enum": labels.to_vec() }),
            Shape::Option(some) => {
                let value = if self.types.is_nullable(*some) {
                    self.only("some", *some)
                } else {
                    self.schema(*some)
                };
                json!({ "anyOf": [value, { "type": "null" }] })
            }
            Shape::Result(ok, err) => {
                let sides = [("ok", *ok), ("err", *err)];
                let sides = sides.map(|(case, id)| match id {
                    Some(id) => self.only(case, id),
                    None => only(case, json!({ "type": "null" })),
                });
                json!({ "oneOf": sides })
            }
            Shape::Flags(labels) => json!({
                "type": "array",
                "items": { "enum": labels.to_vec() },
                "uniqueItems": true,
            }),
            Shape::Own(kind) | Shape::Borrow(kind) => {
                let mut schema = only("handle", integer(1, u32::MAX));
                schema["title"] = format!("handle of {}", self.types.resource(*kind)).into();
                schema
            }
            // No JSON fits, and a call with it fails.
            Shape::Future(_) | Shape::Stream(_) | Shape::ErrorContext => json!({
                "not": {},
                "title": self.types.expected(id),
            }),
        }
    }

    fn variant(&mut self, labels: &Labels, payloads: &[Option<TypeId>]) -> Value {
        let cases = labels
            .iter()
            .zip(payloads)
            .map(|(case, payload)| match payload {
                Some(id) => self.only(case, *id),
                None => json!({ "const": case }),
            });
        json!({ "oneOf": cases.collect::<Vec<_>>() })
    }

    fn only(&mut self, key: &str, id: TypeId) -> Value {
        only(key, self.schema(id))
    }
}

/// An object with one key.
fn only(key: &str, schema: Value) -> Value {
    json!({
        "type": "object",
        "properties": { key: schema },
        "required": [key],
        "additionalProperties": false,
    })
}

fn integer<N: Into<Value>>(least: N, most: N) -> Value {
    json!({ "type": "integer", "minimum": least.into(), "maximum": most.into() })
}
