//! Component values from and to JSON, led by the WIT type.
//!
//! | WIT | JSON |
//! | --- | --- |
//! | `bool`, `string` | the same |
//! | integers | number in range |
//! | `f32`, `f64` | number, or `"nan"`, `"inf"`, `"-inf"` |
//! | `char` | string of one character |
//! | `list`, `tuple` | array |
//! | `map` | object where the key is a string, else array of pairs |
//! | `record` | object; a field of type `option` may be left out |
//! | `enum`, `variant` case without a value | string |
//! | `variant` case with a value | object with the case as its one key |
//! | `option` | `null` or the value; `{"some": value}` where the value itself may be `null` |
//! | `result` | `{"ok": value}` or `{"err": value}`, with `null` for no value |
//! | `flags` | array of strings |
//! | resource | `{"handle": 3}`, see [`Handles`](crate::Handles) |
//!
//! Streams, futures and error contexts have no JSON form.

pub(crate) mod read;
pub(crate) mod schema;
mod write;

use super::shape::{Shape, TypeId, Types};

impl Types<'_> {
    /// Whether `null` is a value of the type, so that an option of it must say `some`.
    pub(crate) fn is_nullable(self, id: TypeId) -> bool {
        matches!(self.shape(id), Shape::Option(_))
    }
}

#[cfg(test)]
mod tests;
