//! WIT types of one component as a compact table.
//!
//! wasmtime's own type handles take two atomic counts at every step down a type; here a step is an index.
//! Equal types are stored once, so a type that is huge when written out stays small.
//!
//! Invariants:
//!
//! 1. A [`TypeId`] is only used with the table that gave it out.
//! 2. A shape refers only to shapes before it, so every walk ends.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::component::{ResourceType, Type};

/// Index of a type in its [`Shapes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TypeId(u32);

/// Index of a resource type in its [`Shapes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ResourceId(u32);

/// One WIT type, its parts by index.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    List(TypeId),
    FixedList(TypeId, u32),
    Map(TypeId, TypeId),
    Record(Labels, Box<[TypeId]>),
    Tuple(Box<[TypeId]>),
    Variant(Labels, Box<[Option<TypeId>]>),
    Enum(Labels),
    Option(TypeId),
    Result(Option<TypeId>, Option<TypeId>),
    Flags(Labels),
    Own(ResourceId),
    Borrow(ResourceId),
    Future(Option<TypeId>),
    Stream(Option<TypeId>),
    ErrorContext,
}

impl Shape {
    /// Whether WIT wants a name for a type of this kind.
    pub(crate) fn is_nominal(&self) -> bool {
        matches!(
            self,
            Self::Record(..) | Self::Variant(..) | Self::Enum(_) | Self::Flags(_)
        )
    }
}

/// Names of fields, cases or flags in the order of declaration.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Labels {
    names: Box<[Box<str>]>,
    /// Positions in `names`, by name.
    sorted: Box<[u32]>,
}

impl Labels {
    fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: Box<[Box<str>]> = names.map(Box::from).collect();
        let mut sorted: Box<[u32]> = (0u32..).take(names.len()).collect();
        sorted.sort_by_key(|&at| &names[at as usize]);
        Self { names, sorted }
    }

    /// The position of a name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        let found = self
            .sorted
            .binary_search_by(|&at| (*self.names[at as usize]).cmp(name));
        found.ok().map(|slot| self.sorted[slot] as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    pub(crate) fn to_vec(&self) -> Vec<String> {
        self.iter().map(str::to_owned).collect()
    }
}

/// The names that types and resources have inside one interface.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    types: HashMap<TypeId, Box<str>>,
    resources: HashMap<ResourceId, Box<str>>,
}

/// All types that a set of functions uses.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    shapes: Vec<Arc<Shape>>,
    resources: Vec<ResourceType>,
    scopes: Vec<Scope>,
}

/// A table seen from inside one interface.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Types<'a> {
    shapes: &'a Shapes,
    scope: usize,
}

impl Shapes {
    pub(crate) fn seen_from(&self, scope: usize) -> Types<'_> {
        Types {
            shapes: self,
            scope,
        }
    }
}

impl<'a> Types<'a> {
    /// The shape of a type.
    pub(crate) fn shape(self, id: TypeId) -> &'a Shape {
        &self.shapes.shapes[id.0 as usize]
    }

    /// The name that a record, variant, enum or flags type has here, or else at the root of the component.
    pub(crate) fn name(self, id: TypeId) -> Option<&'a str> {
        self.in_scope(|scope| scope.types.get(&id))
    }

    /// The name that a resource has here, or else at the root of the component.
    pub(crate) fn resource_name(self, id: ResourceId) -> Option<&'a str> {
        self.in_scope(|scope| scope.resources.get(&id))
    }

    fn in_scope(self, find: impl Fn(&'a Scope) -> Option<&'a Box<str>>) -> Option<&'a str> {
        let scopes = &self.shapes.scopes;
        let here = scopes.get(self.scope).and_then(&find);
        here.or_else(|| scopes.first().and_then(&find))
            .map(|name| &**name)
    }

    /// Whether a value of this type may be left out.
    #[cfg(any(feature = "json", feature = "wave"))]
    pub(crate) fn is_optional(self, id: TypeId) -> bool {
        matches!(self.shape(id), Shape::Option(_))
    }
}

/// Reads wasmtime's types into a table.
#[derive(Debug, Default)]
pub(crate) struct ShapesBuilder {
    table: Shapes,
    known: HashMap<Arc<Shape>, TypeId>,
}

impl ShapesBuilder {
    /// Opens a new scope for the names of one interface. The first one is the root.
    pub(crate) fn scope(&mut self) -> usize {
        self.table.scopes.push(Scope::default());
        self.table.scopes.len() - 1
    }

    /// Gives a type its name inside a scope and tells whether it is the first name of a type that needs one.
    pub(crate) fn name_type(&mut self, scope: usize, id: TypeId, name: &str) -> bool {
        if !self.shape(id).is_nominal() || self.is_named(scope, id) {
            return false;
        }
        let names = &mut self.table.scopes[scope].types;
        names.insert(id, name.into());
        true
    }

    pub(crate) fn shape(&self, id: TypeId) -> &Shape {
        &self.table.shapes[id.0 as usize]
    }

    /// Whether a type has a name inside a scope.
    pub(crate) fn is_named(&self, scope: usize, id: TypeId) -> bool {
        self.table.scopes[scope].types.contains_key(&id)
    }

    /// Gives a resource its name inside a scope and tells whether it is the first one there.
    pub(crate) fn name_resource(
        &mut self,
        scope: usize,
        ty: ResourceType,
        name: &str,
    ) -> (ResourceId, bool) {
        let id = self.resource(ty);
        let names = &mut self.table.scopes[scope].resources;
        if names.contains_key(&id) {
            return (id, false);
        }
        names.insert(id, name.into());
        (id, true)
    }

    /// The finished table.
    pub(crate) fn finish(self) -> Shapes {
        self.table
    }

    fn resource(&mut self, ty: ResourceType) -> ResourceId {
        let resources = &mut self.table.resources;
        let at = resources
            .iter()
            .position(|known| *known == ty)
            .unwrap_or_else(|| {
                resources.push(ty);
                resources.len() - 1
            });
        ResourceId(index(at))
    }

    /// Adds a type and all of its parts.
    pub(crate) fn add(&mut self, ty: &Type) -> TypeId {
        let shape = match ty {
            Type::Bool => Shape::Bool,
            Type::S8 => Shape::S8,
            Type::U8 => Shape::U8,
            Type::S16 => Shape::S16,
            Type::U16 => Shape::U16,
            Type::S32 => Shape::S32,
            Type::U32 => Shape::U32,
            Type::S64 => Shape::S64,
            Type::U64 => Shape::U64,
            Type::Float32 => Shape::F32,
            Type::Float64 => Shape::F64,
            Type::Char => Shape::Char,
            Type::String => Shape::String,
            Type::List(list) => Shape::List(self.add(&list.ty())),
            Type::FixedLengthList(list) => Shape::FixedList(self.add(&list.ty()), list.len()),
            Type::Map(map) => Shape::Map(self.add(&map.key()), self.add(&map.value())),
            Type::Record(record) => Shape::Record(
                Labels::new(record.fields().map(|field| field.name)),
                record.fields().map(|field| self.add(&field.ty)).collect(),
            ),
            Type::Tuple(tuple) => Shape::Tuple(tuple.types().map(|ty| self.add(&ty)).collect()),
            Type::Variant(variant) => Shape::Variant(
                Labels::new(variant.cases().map(|case| case.name)),
                variant.cases().map(|case| self.add_some(case.ty)).collect(),
            ),
            Type::Enum(cases) => Shape::Enum(Labels::new(cases.names())),
            Type::Option(option) => Shape::Option(self.add(&option.ty())),
            Type::Result(result) => {
                Shape::Result(self.add_some(result.ok()), self.add_some(result.err()))
            }
            Type::Flags(flags) => Shape::Flags(Labels::new(flags.names())),
            Type::Own(resource) => Shape::Own(self.resource(*resource)),
            Type::Borrow(resource) => Shape::Borrow(self.resource(*resource)),
            Type::Future(future) => Shape::Future(self.add_some(future.ty())),
            Type::Stream(stream) => Shape::Stream(self.add_some(stream.ty())),
            Type::ErrorContext => Shape::ErrorContext,
        };
        self.intern(shape)
    }

    fn add_some(&mut self, ty: Option<Type>) -> Option<TypeId> {
        ty.map(|ty| self.add(&ty))
    }

    fn intern(&mut self, shape: Shape) -> TypeId {
        if let Some(&id) = self.known.get(&shape) {
            return id;
        }
        let id = TypeId(index(self.table.shapes.len()));
        let shape = Arc::new(shape);
        self.table.shapes.push(Arc::clone(&shape));
        self.known.insert(shape, id);
        id
    }
}

/// wasm validation bounds a component to a million types.
#[expect(clippy::expect_used, reason = "wasmtime validated the component")]
fn index(at: usize) -> u32 {
    u32::try_from(at).expect("a component has fewer than four thousand million types")
}
