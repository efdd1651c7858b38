//! Parameters from WAVE text, results to WAVE text.

use wasmtime::component::Val;

use super::Signature;
use crate::value::handles::{Handles, Passing};
use crate::value::place::Place;
use crate::value::wave::Arguments;
use crate::value_error::ValueError;

impl Signature {
    /// Reads the parameters of a call from WAVE text: `("x", 1)`, or the same without the parentheses.
    ///
    /// Parentheses around the whole text are those of the list, so that a single tuple is written `((1, 2))`.
    /// Resources that are passed as `own` are spent in `handles` if all parameters are accepted, and none
    /// if not.
    ///
    /// # Errors
    ///
    /// [`ValueError`] naming the first value that does not fit, and where in the parameters it is;
    /// [`ValueError::Syntax`] if the text is not WAVE.
    ///
    /// ```
    /// # use prewarm::{Exports, Handles};
    /// # use wasmtime::{Engine, component::{Component, Val}};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let component = Component::new(&Engine::default(), wat::parse_str(r#"(component
    /// #     (core module $m (func (export "f") (param i32 i32)))
    /// #     (core instance $i (instantiate $m))
    /// #     (func (export "pair") (param "a" u8) (param "b" char) (canon lift (core func $i "f"))))"#)?)?;
    /// let exports = Exports::of(&component);
    /// let pair = exports.find("pair")?; // pair: func(a: u8, b: char)
    /// let params = pair.params_from_wave("(5, 'x')", &mut Handles::new())?;
    /// assert_eq!(params, [Val::U8(5), Val::Char('x')]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn params_from_wave(
        &self,
        params: &str,
        handles: &mut Handles,
    ) -> Result<Vec<Val>, ValueError> {
        let arguments = Arguments::parse(params)?;
        self.check_count(arguments.iter().count())?;
        let mut passing = Passing::new(handles);
        let mut arguments = arguments.iter();
        let mut vals = Vec::with_capacity(self.params.len());
        for (name, id) in &self.params {
            vals.push(match arguments.next() {
                Some(argument) => {
                    argument.read(self.types(), *id, &Place::Param(name), &mut passing)?
                }
                None => self.left_out(name, *id)?,
            });
        }
        passing.commit();
        Ok(vals)
    }

    /// Writes what a call returned as WAVE text, `()` if it returns nothing. Resources are kept in `handles`.
    ///
    /// # Errors
    ///
    /// [`ValueError::Unsupported`] if the result has a stream, a future or an error context in it. Anything
    /// else only if `results` are not those of this function.
    pub fn results_to_wave(
        &self,
        results: Vec<Val>,
        handles: &mut Handles,
    ) -> Result<String, ValueError> {
        match (self.result, results.first()) {
            (None, None) => Ok("()".to_owned()),
            (Some(id), Some(val)) => {
                let mut text = String::new();
                self.types()
                    .write_wave(&mut text, id, val, &Place::Result, handles)?;
                Ok(text)
            }
            (expected, given) => Err(ValueError::Length {
                at: Place::Result.to_string(),
                expected: expected.into_iter().count(),
                given: given.into_iter().count(),
            }),
        }
    }
}
