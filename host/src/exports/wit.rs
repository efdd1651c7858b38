//! A whole component described: its imports and exports. The text is in [`page`](super::page).

use std::fmt;
use std::sync::Arc;

use wasmtime::component::Component;

use super::builder::{Builder, Definition, Interface};
use super::signature::Signature;
use crate::value::shape::Shapes;

/// Everything that a component imports and exports, for people and tools to read.
///
/// Made when someone asks, unlike [`Exports`](super::Exports), which is kept: the imports of a script guest
/// are many and no call needs them.
pub struct Wit {
    pub(super) shapes: Arc<Shapes>,
    pub(super) root: Described,
    pub(super) imports: Vec<Described>,
    pub(super) exports: Vec<Described>,
}

/// An interface with the signatures of its functions.
pub(super) struct Described {
    pub(super) name: Option<Arc<str>>,
    pub(super) scope: usize,
    pub(super) definitions: Vec<(String, Definition)>,
    pub(super) imported: Vec<Signature>,
    pub(super) exported: Vec<Signature>,
    pub(super) others: Vec<String>,
}

impl Wit {
    /// Describes a component.
    #[must_use]
    pub fn of(component: &Component) -> Self {
        let mut builder = Builder::new(component.engine());
        let ty = component.component_type();
        let mut root = builder.root(&ty);
        let imports = builder.imported_interfaces(&ty);
        let exports = builder.exported_interfaces(&ty);
        builder.name_root(&mut root, &exports, &ty);
        let shapes = Arc::new(builder.finish());
        let described = |interface| Described::new(&shapes, interface);
        Self {
            root: described(root),
            imports: imports.into_iter().map(described).collect(),
            exports: exports.into_iter().map(described).collect(),
            shapes,
        }
    }

    /// The functions that the component needs from its host.
    pub fn imports(&self) -> impl Iterator<Item = &Signature> {
        let interfaces = self
            .imports
            .iter()
            .flat_map(|interface| &interface.exported);
        self.root.imported.iter().chain(interfaces)
    }

    /// The functions that the component offers.
    pub fn exports(&self) -> impl Iterator<Item = &Signature> {
        let interfaces = self
            .exports
            .iter()
            .flat_map(|interface| &interface.exported);
        self.root.exported.iter().chain(interfaces)
    }
}

impl fmt::Debug for Wit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_struct("Wit");
        list.field(
            "imports",
            &self.imports().map(Signature::full_name).collect::<Vec<_>>(),
        );
        list.field(
            "exports",
            &self.exports().map(Signature::full_name).collect::<Vec<_>>(),
        );
        list.finish_non_exhaustive()
    }
}

impl Described {
    fn new(shapes: &Arc<Shapes>, interface: Interface) -> Self {
        let Interface {
            name,
            scope,
            definitions,
            exported,
            imported,
            others,
        } = interface;
        let signature =
            |function| Signature::new(Arc::clone(shapes), name.clone(), scope, function);
        let imported = imported.into_iter().map(signature).collect();
        let exported = exported.into_iter().map(signature).collect();
        Self {
            scope,
            definitions,
            imported,
            exported,
            others,
            name,
        }
    }

    pub(super) fn functions(&self) -> impl Iterator<Item = &Signature> {
        self.imported.iter().chain(&self.exported)
    }
}
