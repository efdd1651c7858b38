//! The functions of a component, found by name and described.
//!
//! [`Exports`] is made once per component and kept: it holds what calls need. [`Wit`] is made where someone
//! asks: it holds the imports too, and prints everything as WIT.
//!
//! Knows WIT names and types; knows no instance and no pool.

mod builder;
mod naming;
mod signature;
mod find;
mod wit;
mod page;

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Component, ComponentExportIndex};

pub use signature::Signature;
pub use wit::Wit;

use builder::Builder;
use find::Index;

use crate::value_error::ResolveError;

/// The functions that a component exports.
///
/// ```
/// use prewarm::Exports;
/// use wasmtime::{Engine, component::Component};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let component = Component::new(
///     &Engine::default(),
///     wat::parse_str(r#"(component
///         (core module $m (func (export "add") (param i32 i32) (result i32)
///             local.get 0 local.get 1 i32.add))
///         (core instance $i (instantiate $m))
///         (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
///         (instance $sums (export "add" (func $add)))
///         (export "example:maths/sums@1.0.0" (instance $sums)))"#)?,
/// )?;
/// let exports = Exports::of(&component);
/// let add = exports.find("add")?;
/// assert_eq!(add.full_name(), "example:maths/sums@1.0.0#add");
/// assert_eq!(add.wit(), "add: func(a: u32, b: u32) -> u32");
///
/// let error = exports.find("ad").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     r#"no function "ad" is exported; did you mean example:maths/sums@1.0.0#add?"#
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Exports {
    functions: Vec<Arc<ExportedFunc>>,
    index: Index,
}

/// A function that a component exports: its [`Signature`], and where it is.
pub struct ExportedFunc {
    index: ComponentExportIndex,
    /// Which of the exports it is.
    place: usize,
    ty: ComponentFunc,
    signature: Signature,
}

impl Exports {
    /// Describes the exports of a component.
    ///
    /// Costs a walk over the types that they use, so it is done once per component and shared.
    #[must_use]
    pub fn of(component: &Component) -> Self {
        let mut builder = Builder::new(component.engine());
        let ty = component.component_type();
        let mut root = builder.root(&ty);
        let interfaces = builder.exported_interfaces(&ty);
        builder.name_root(&mut root, &interfaces, &ty);
        let shapes = Arc::new(builder.finish());

        let mut functions = Vec::new();
        for interface in std::iter::once(root).chain(interfaces) {
            let parent = interface
                .name
                .as_deref()
                .and_then(|name| component.get_export_index(None, name));
            for function in interface.exported {
                let Some(index) = component.get_export_index(parent.as_ref(), &*function.name)
                else {
                    continue;
                };
                let ty = function.ty.clone();
                let signature = Signature::new(
                    Arc::clone(&shapes),
                    interface.name.clone(),
                    interface.scope,
                    function,
                );
                functions.push(Arc::new(ExportedFunc {
                    index,
                    place: functions.len(),
                    ty,
                    signature,
                }));
            }
        }
        let index = Index::new(functions.iter().map(|function| &function.signature));
        Self { functions, index }
    }

    /// All functions, those at the root of the component first, in the order of the component.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<ExportedFunc>> {
        self.functions.iter()
    }

    /// Finds a function by its name.
    ///
    /// The name is short (`shout`, `session.feed`) or has its interface before a `#`: in full
    /// (`example:text/tools@1.0.0#shout`), without the version, or by its last part (`tools#shout`). A full
    /// name always wins; any other must mean one function only. A resource gives its functions the short
    /// names `session` (constructor) and `session.feed` (methods and static functions); the names that WIT
    /// makes of them (`[method]session.feed`) are understood as well.
    ///
    /// # Errors
    ///
    /// [`ResolveError::Unknown`] if there is no such function, [`ResolveError::Ambiguous`] if there are
    /// several.
    pub fn find(&self, name: &str) -> Result<&Arc<ExportedFunc>, ResolveError> {
        let signatures = |at: usize| &self.functions[at].signature;
        self.index
            .find(name, signatures)
            .map(|at| &self.functions[at])
    }
}

impl ExportedFunc {
    /// Where the function is; finding it in an instance with this needs no name.
    #[must_use]
    pub fn index(&self) -> &ComponentExportIndex {
        &self.index
    }

    /// Which of [`Exports::iter`] it is.
    pub(crate) fn place(&self) -> usize {
        self.place
    }

    /// The type of the function as wasmtime has it.
    #[must_use]
    pub fn ty(&self) -> &ComponentFunc {
        &self.ty
    }
}

impl Deref for ExportedFunc {
    type Target = Signature;

    fn deref(&self) -> &Signature {
        &self.signature
    }
}

impl fmt::Debug for ExportedFunc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            index: _,
            place: _,
            ty: _,
            signature,
        } = self;
        f.debug_tuple("ExportedFunc").field(signature).finish()
    }
}

#[cfg(test)]
mod tests;
