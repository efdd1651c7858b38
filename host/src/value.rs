//! Values of dynamic calls: component values checked against the WIT, and their text forms.
//!
//! A caller without generated code brings values as JSON (feature `json`), as WAVE text (feature `wave`) or as
//! wasmtime's [`Val`](wasmtime::component::Val)s. Each is led by the WIT type from the outside in, so an error
//! names the place and the type that belongs there.
//!
//! Knows types and values; knows no function, no instance and no pool. Nothing here calls a guest.
//!
//! 1. Every value that was accepted passes wasmtime's own type check.
//! 2. Time and memory are linear in the input. The stack is bounded by the nesting of the type, which
//!    wasmtime limits to 100, not by the input.
//! 3. What a function returned and was written as text reads back as the same value.

pub(crate) mod place;
pub(crate) mod shape;
pub(crate) mod describe;
pub(crate) mod check;
pub(crate) mod handles;

#[cfg(any(feature = "json", feature = "wave"))]
mod flags;
#[cfg(feature = "json")]
pub(crate) mod json;
#[cfg(feature = "wave")]
pub(crate) mod wave;

#[cfg(test)]
pub(crate) mod tests;
