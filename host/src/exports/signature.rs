//! The signature of one function, and the conversion of what goes in and comes out.

use std::fmt::{self, Write};
use std::sync::Arc;

use wasmtime::component::Val;

use super::builder::Function;
use crate::value::describe::identifier;
use crate::value::place::Place;
use crate::value::shape::{Shape, Shapes, TypeId, Types};
use crate::value_error::ValueError;

/// The name and type of a function, imported or exported.
///
/// Parameters are taken in order or by name, and those at the end that are options may be left out. A
/// function has one result or none. A result of type `result<_, e>` is a value like any other: an `err` that
/// a guest returns is not an error of the call.
pub struct Signature {
    interface: Option<Arc<str>>,
    /// Ends with the name in the component.
    full_name: Box<str>,
    short_name: Option<Box<str>>,
    params: Box<[(Box<str>, TypeId)]>,
    result: Option<TypeId>,
    is_async: bool,
    shapes: Arc<Shapes>,
    scope: usize,
}

impl Signature {
    pub(crate) fn new(
        shapes: Arc<Shapes>,
        interface: Option<Arc<str>>,
        scope: usize,
        function: Function,
    ) -> Self {
        let Function {
            name,
            params,
            result,
            ty,
        } = function;
        let full_name = match &interface {
            Some(interface) => format!("{interface}#{name}"),
            None => name.clone(),
        };
        let short_name = name
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .map(|(_, short)| short.into());
        Self {
            interface,
            full_name: full_name.into(),
            short_name,
            params: params
                .into_iter()
                .map(|(name, id)| (name.into(), id))
                .collect(),
            result,
            is_async: ty.async_(),
            shapes,
            scope,
        }
    }

    /// The short name: `shout`, `session.feed`, and for a constructor `session`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.short_name
            .as_deref()
            .unwrap_or_else(|| self.component_name())
    }

    /// The full name: `example:text/tools@1.0.0#shout`. At the root of a component it is the name alone.
    #[must_use]
    pub fn full_name(&self) -> &str {
        &self.full_name
    }

    /// The name inside the interface as the component has it: `shout`, `[method]session.feed`.
    #[must_use]
    pub fn component_name(&self) -> &str {
        let prefix = self
            .interface
            .as_ref()
            .map_or(0, |interface| interface.len() + 1);
        &self.full_name[prefix..]
    }

    /// The interface that the function belongs to, none at the root of a component.
    #[must_use]
    pub fn interface(&self) -> Option<&str> {
        self.interface.as_deref()
    }

    /// Whether the function is declared `async`.
    #[must_use]
    pub fn is_async(&self) -> bool {
        self.is_async
    }

    /// The names of the parameters, each with its WIT type.
    pub fn params(&self) -> impl ExactSizeIterator<Item = (&str, String)> {
        self.params
            .iter()
            .map(|(name, id)| (&**name, self.types().wit(*id)))
    }

    /// The WIT type of the result.
    #[must_use]
    pub fn result(&self) -> Option<String> {
        self.result.map(|id| self.types().wit(id))
    }

    /// The signature as WIT text, such as `shout: func(text: string) -> string`.
    ///
    /// It starts with the short name; a method shows its `self`. Named types stand by name,
    /// [`Wit::wit`](super::Wit::wit) has their definitions.
    #[must_use]
    pub fn wit(&self) -> String {
        let is_static = if self.component_name().starts_with("[static]") {
            "static "
        } else {
            ""
        };
        let name = if self.short_name.is_some() {
            self.name().to_owned()
        } else {
            identifier(self.name())
        };
        format!("{name}: {is_static}{}", self.func_type(0))
    }

    /// `func(..) -> ..` from a parameter on.
    pub(crate) fn func_type(&self, from: usize) -> String {
        let mut text = String::from(if self.is_async {
            "async func("
        } else {
            "func("
        });
        self.write_params(&mut text, from);
        text.push(')');
        if let Some(result) = self.result() {
            text.push_str(" -> ");
            text.push_str(&result);
        }
        text
    }

    /// Appends the parameters from one on.
    #[expect(clippy::expect_used, reason = "a string refuses nothing")]
    pub(crate) fn write_params(&self, text: &mut String, from: usize) {
        for (at, (name, ty)) in self.params().skip(from).enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(text, "{comma}{}: {ty}", identifier(name))
                .expect("a string takes all that is written to it");
        }
    }

    /// Whether the result is an owned resource, as that of a plain constructor is.
    pub(crate) fn returns_resource(&self) -> bool {
        self.result
            .is_some_and(|id| matches!(self.types().shape(id), Shape::Own(_)))
    }

    /// Checks the parameters of a call.
    ///
    /// # Errors
    ///
    /// [`ValueError`] naming the first value that does not fit, and where in the parameters it is. All
    /// parameters must be there; options cannot be left out of component values.
    pub fn check_params(&self, params: &[Val]) -> Result<(), ValueError> {
        if params.len() != self.params.len() {
            return Err(self.wrong_count(params.len()));
        }
        let mut params = self.params.iter().zip(params);
        params.try_for_each(|((name, id), val)| self.types().check(*id, val, &Place::Param(name)))
    }

    /// Room for what the function returns: one value or none, to be overwritten by the call.
    #[must_use]
    pub fn result_slots(&self) -> Vec<Val> {
        self.result.iter().map(|_| Val::Bool(false)).collect()
    }

    fn types(&self) -> Types<'_> {
        self.shapes.seen_from(self.scope)
    }

    /// The type of the result, for tests that make values of it.
    #[cfg(test)]
    pub(crate) fn types_and_result(&self) -> (Types<'_>, TypeId) {
        (
            self.types(),
            self.result.expect("the function has a result"),
        )
    }

    fn param_names(&self) -> Vec<String> {
        self.params
            .iter()
            .map(|(name, _)| name.to_string())
            .collect()
    }

    fn wrong_count(&self, given: usize) -> ValueError {
        match self.param_names() {
            none if none.is_empty() => ValueError::NoParameters { given },
            parameters => ValueError::ParameterCount { parameters, given },
        }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("full_name", &self.full_name)
            .field("wit", &self.wit())
            .finish()
    }
}

#[cfg(any(feature = "json", feature = "wave"))]
mod text {
    use super::*;

    impl Signature {
        /// The value of a parameter that was left out.
        pub(super) fn left_out(&self, name: &str, id: TypeId) -> Result<Val, ValueError> {
            if self.types().is_optional(id) {
                return Ok(Val::Option(None));
            }
            Err(ValueError::MissingParameter {
                name: name.to_owned(),
                expected: self.types().expected(id),
            })
        }

        /// Whether this many parameters in order can be enough: only options are left out.
        pub(super) fn check_count(&self, given: usize) -> Result<(), ValueError> {
            let rest = self.params.get(given..);
            if rest.is_some_and(|rest| rest.iter().all(|(_, id)| self.types().is_optional(*id))) {
                return Ok(());
            }
            Err(self.wrong_count(given))
        }
    }
}

#[cfg(feature = "json")]
mod json;
#[cfg(feature = "wave")]
mod wave;
