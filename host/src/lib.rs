//! prewarm

mod value_error;

pub(crate) mod value;
mod exports;

pub use exports::{ExportedFunc, Exports, Signature, World};
pub use value::handles::Handles;
pub use value_error::{ResolveError, ValueError};
