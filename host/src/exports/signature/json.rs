//! Parameters from JSON, results to JSON, and the schemas of both.

use serde_json::{Map, Value};
use wasmtime::component::Val;

use super::Signature;
use crate::value::handles::{Handles, Passing};
use crate::value::json::read::found;
use crate::value::json::schema::Schemas;
use crate::value::place::Place;
use crate::value_error::ValueError;

impl Signature {
    /// Reads the parameters of a call from a JSON array, in order, or a JSON object, by name.
    ///
    /// Resources that are passed as `own` are spent in `handles` if all parameters are accepted, and none
    /// if not.
    ///
    /// # Errors
    ///
    /// [`ValueError`] naming the first value that does not fit, and where in the parameters it is.
    ///
    /// ```
    /// # use prewarm::{Exports, Handles};
    /// # use serde_json::json;
    /// # use wasmtime::{Engine, component::{Component, Val}};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let component = Component::new(&Engine::default(), wat::parse_str(r#"(component
    /// #     (core module $m (func (export "f") (param i32 i32)))
    /// #     (core instance $i (instantiate $m))
    /// #     (func (export "pair") (param "a" u8) (param "b" char) (canon lift (core func $i "f"))))"#)?)?;
    /// let exports = Exports::of(&component);
    /// let pair = exports.find("pair")?; // pair: func(a: u8, b: char)
    /// let mut handles = Handles::new();
    ///
    /// let params = pair.params_from_json(&json!({ "b": "x", "a": 5 }), &mut handles)?;
    /// assert_eq!(params, [Val::U8(5), Val::Char('x')]);
    ///
    /// let error = pair.params_from_json(&json!([300, "x"]), &mut handles).unwrap_err();
    /// assert_eq!(error.to_string(), r#"parameter "a": expected u8, got 300"#);
    /// # Ok(())
    /// # }
    /// ```
    pub fn params_from_json(
        &self,
        params: &Value,
        handles: &mut Handles,
    ) -> Result<Vec<Val>, ValueError> {
        let mut passing = Passing::new(handles);
        let vals = match params {
            Value::Array(items) => self.params_in_order(items, &mut passing)?,
            Value::Object(fields) => self.params_by_name(fields, &mut passing)?,
            other => {
                return Err(ValueError::NotParameters {
                    found: found(other),
                });
            }
        };
        passing.commit();
        Ok(vals)
    }

    fn params_in_order(
        &self,
        items: &[Value],
        passing: &mut Passing<'_>,
    ) -> Result<Vec<Val>, ValueError> {
        self.check_count(items.len())?;
        let mut vals = Vec::with_capacity(self.params.len());
        for (at, (name, id)) in self.params.iter().enumerate() {
            vals.push(match items.get(at) {
                Some(json) => self
                    .types()
                    .read_json(*id, json, &Place::Param(name), passing)?,
                None => self.left_out(name, *id)?,
            });
        }
        Ok(vals)
    }

    fn params_by_name(
        &self,
        fields: &Map<String, Value>,
        passing: &mut Passing<'_>,
    ) -> Result<Vec<Val>, ValueError> {
        let mut vals = Vec::with_capacity(self.params.len());
        let mut used = 0;
        for (name, id) in &self.params {
            vals.push(match fields.get(&**name) {
                Some(json) => {
                    used += 1;
                    self.types()
                        .read_json(*id, json, &Place::Param(name), passing)?
                }
                None => self.left_out(name, *id)?,
            });
        }
        if used < fields.len() {
            let known = self.param_names();
            if let Some(name) = fields.keys().find(|name| !known.contains(name)) {
                return Err(ValueError::UnknownParameter {
                    name: name.clone(),
                    known,
                });
            }
        }
        Ok(vals)
    }

    /// Writes what a call returned as JSON, `null` if it returns nothing. Resources are kept in `handles`.
    ///
    /// # Errors
    ///
    /// [`ValueError::Unsupported`] if the result has a stream, a future or an error context in it. Anything
    /// else only if `results` are not those of this function.
    pub fn results_to_json(
        &self,
        results: Vec<Val>,
        handles: &mut Handles,
    ) -> Result<Value, ValueError> {
        match (self.result, results.into_iter().next()) {
            (None, None) => Ok(Value::Null),
            (Some(id), Some(val)) => self.types().write_json(id, val, &Place::Result, handles),
            (expected, given) => Err(ValueError::Length {
                at: Place::Result.to_string(),
                expected: expected.into_iter().count(),
                given: given.into_iter().count(),
            }),
        }
    }

    /// JSON Schema (draft 2020-12) of the parameters as an object, by name.
    #[must_use]
    pub fn params_schema(&self) -> Value {
        let mut schemas = Schemas::new(self.types());
        let schema = schemas.object(self.params.iter().map(|(name, id)| (&**name, *id)));
        schemas.finish(schema)
    }

    /// JSON Schema (draft 2020-12) of the parameters as an array, in order.
    #[must_use]
    pub fn positional_params_schema(&self) -> Value {
        let mut schemas = Schemas::new(self.types());
        let optional = self
            .params
            .iter()
            .rev()
            .take_while(|(_, id)| self.types().is_optional(*id))
            .count();
        let schema = schemas.array(
            self.params.iter().map(|(_, id)| *id),
            self.params.len() - optional,
        );
        schemas.finish(schema)
    }

    /// JSON Schema (draft 2020-12) of the result, `null` if there is none.
    #[must_use]
    pub fn result_schema(&self) -> Value {
        let mut schemas = Schemas::new(self.types());
        let schema = match self.result {
            Some(id) => schemas.schema(id),
            None => serde_json::json!({ "type": "null" }),
        };
        schemas.finish(schema)
    }
}
