//! Reads the type of a component: its interfaces, the names in them, their functions.

use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::types::{self, ComponentExtern, ComponentFunc, ComponentItem};

use crate::value::shape::{ResourceId, Shapes, ShapesBuilder, TypeId};

/// One interface of a component, or its root.
#[derive(Debug)]
pub(crate) struct Interface {
    /// `example:text/tools@1.0.0`, or a plain name; none at the root.
    pub(crate) name: Option<Arc<str>>,
    /// Where its names are in the table of types.
    pub(crate) scope: usize,
    /// What it defines, in the order of the component.
    pub(crate) definitions: Vec<(String, Definition)>,
    /// Functions. At the root, those that are imported and those that are exported are kept apart.
    pub(crate) exported: Vec<Function>,
    pub(crate) imported: Vec<Function>,
    /// What WIT has no word for.
    pub(crate) others: Vec<String>,
}

/// A named type.
#[derive(Debug)]
pub(crate) enum Definition {
    /// A record, variant, enum or flags type under its first name here.
    Type(TypeId),
    /// Another name of a type.
    Alias(TypeId),
    /// A type of the interface that is named, under its name there.
    Used(Arc<str>),
    Resource(ResourceId),
    /// Another name of a resource.
    ResourceAlias(ResourceId),
}

/// A function of an interface.
pub(crate) struct Function {
    /// The name in the component, such as `[method]session.feed`.
    pub(crate) name: String,
    pub(crate) params: Vec<(String, TypeId)>,
    pub(crate) result: Option<TypeId>,
    pub(crate) ty: ComponentFunc,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Reads interfaces into one table of types.
#[derive(Debug)]
pub(crate) struct Builder<'e> {
    engine: &'e Engine,
    pub(super) shapes: ShapesBuilder,
}

impl<'e> Builder<'e> {
    pub(crate) fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            shapes: ShapesBuilder::default(),
        }
    }

    /// The finished table of types.
    pub(crate) fn finish(self) -> Shapes {
        self.shapes.finish()
    }

    /// What stands at the root of a component. Comes first, so that its names are known everywhere.
    pub(crate) fn root(&mut self, ty: &types::Component) -> Interface {
        let mut root = self.interface(None);
        for (name, item) in ty.imports(self.engine) {
            self.add(&mut root, name, item.ty, true);
        }
        for (name, item) in ty.exports(self.engine) {
            self.add(&mut root, name, item.ty, false);
        }
        root
    }

    pub(crate) fn exported_interfaces(&mut self, ty: &types::Component) -> Vec<Interface> {
        self.interfaces(ty.exports(self.engine))
    }

    pub(crate) fn imported_interfaces(&mut self, ty: &types::Component) -> Vec<Interface> {
        self.interfaces(ty.imports(self.engine))
    }

    fn interfaces<'t>(
        &mut self,
        items: impl Iterator<Item = (&'t str, ComponentExtern<'t>)>,
    ) -> Vec<Interface> {
        let instances = items.filter_map(|(name, item)| match item.ty {
            ComponentItem::ComponentInstance(instance) => Some((name, instance)),
            _ => None,
        });
        let interfaces = instances.map(|(name, instance)| {
            let mut interface = self.interface(Some(name.into()));
            for (name, item) in instance.exports(self.engine) {
                self.add(&mut interface, name, item.ty, false);
            }
            interface
        });
        interfaces.collect()
    }

    fn interface(&mut self, name: Option<Arc<str>>) -> Interface {
        Interface {
            name,
            scope: self.shapes.scope(),
            definitions: Vec::new(),
            exported: Vec::new(),
            imported: Vec::new(),
            others: Vec::new(),
        }
    }

    fn add(&mut self, interface: &mut Interface, name: &str, item: ComponentItem, imported: bool) {
        match item {
            ComponentItem::ComponentFunc(ty) => {
                let function = self.function(name, ty);
                if imported {
                    interface.imported.push(function)
                } else {
                    interface.exported.push(function)
                }
            }
            ComponentItem::Type(ty) => {
                let id = self.shapes.add(&ty);
                let first = self.shapes.name_type(interface.scope, id, name);
                let definition = if first {
                    Definition::Type(id)
                } else {
                    Definition::Alias(id)
                };
                interface.define(name, definition);
            }
            ComponentItem::Resource(ty) => {
                let (id, first) = self.shapes.name_resource(interface.scope, ty, name);
                let definition = if first {
                    Definition::Resource(id)
                } else {
                    Definition::ResourceAlias(id)
                };
                interface.define(name, definition);
            }
            // At the root these are interfaces of their own; WIT has none inside an interface.
            ComponentItem::ComponentInstance(_) if interface.name.is_none() => {}
            ComponentItem::ComponentInstance(_) => {
                interface.others.push(format!("instance {name}"))
            }
            ComponentItem::Component(_) => interface.others.push(format!("component {name}")),
            ComponentItem::Module(_) => interface.others.push(format!("core module {name}")),
            ComponentItem::CoreFunc(_) => interface.others.push(format!("core function {name}")),
        }
    }

    fn function(&mut self, name: &str, ty: ComponentFunc) -> Function {
        let params = ty
            .params()
            .map(|(name, ty)| (name.to_owned(), self.shapes.add(&ty)))
            .collect();
        let result = ty.results().next().map(|ty| self.shapes.add(&ty));
        Function {
            name: name.to_owned(),
            params,
            result,
            ty,
        }
    }
}

impl Interface {
    /// A type that is imported and exported again under one name is defined once.
    fn define(&mut self, name: &str, definition: Definition) {
        if !self.definitions.iter().any(|(known, _)| known == name) {
            self.definitions.push((name.to_owned(), definition));
        }
    }
}
