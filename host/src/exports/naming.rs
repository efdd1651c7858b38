//! Names for types at the root of a component.
//!
//! A compiled component keeps the names of types inside interfaces, but not of those that its world defines or
//! uses outside of any. Where an interface has an equal type the name is taken from there; otherwise the
//! type is called after the first parameter, field or case that has it.

use std::collections::HashSet;

use wasmtime::component::types::Component;

use super::builder::{Builder, Definition, Interface};
use crate::value::shape::{Shape, ShapesBuilder, TypeId};

impl Builder<'_> {
    /// Names the types at the root that have none. `interfaces` are searched first, then those that the
    /// component imports.
    pub(crate) fn name_root(
        &mut self,
        root: &mut Interface,
        interfaces: &[Interface],
        ty: &Component,
    ) {
        let unnamed = unnamed(root, &self.shapes);
        if !unnamed.is_empty() {
            let imported = self.imported_interfaces(ty);
            name(
                root,
                unnamed,
                interfaces.iter().chain(&imported),
                &mut self.shapes,
            );
        }
    }
}

/// The types of root functions that need a name and have none, each with the word for where it was seen.
fn unnamed(root: &Interface, shapes: &ShapesBuilder) -> Vec<(TypeId, String)> {
    let mut search = Search {
        shapes,
        scope: root.scope,
        seen: HashSet::new(),
        found: Vec::new(),
    };
    for function in root.imported.iter().chain(&root.exported) {
        for (name, id) in &function.params {
            search.visit(*id, name);
        }
        if let Some(id) = function.result {
            search.visit(id, &format!("{}-result", function.name));
        }
    }
    search.found
}

/// Gives each of these types a name at the root.
fn name<'i>(
    root: &mut Interface,
    unnamed: Vec<(TypeId, String)>,
    interfaces: impl Iterator<Item = &'i Interface> + Clone,
    shapes: &mut ShapesBuilder,
) {
    let functions = root
        .imported
        .iter()
        .chain(&root.exported)
        .map(|function| function.name.clone());
    let plain = interfaces
        .clone()
        .filter_map(|interface| interface.name.as_deref().map(str::to_owned));
    let mut taken: HashSet<String> = root
        .definitions
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    taken.extend(functions.chain(plain));

    for (id, word) in unnamed {
        let used = interfaces.clone().find_map(|interface| {
            let owner = interface.name.as_ref().filter(|name| name.contains('/'))?;
            let known = interface.definitions.iter();
            let (name, _) = known
                .clone()
                .find(|(_, known)| matches!(known, Definition::Type(at) if *at == id))?;
            (!taken.contains(name)).then(|| (name.clone(), Definition::Used(owner.clone())))
        });
        let (name, definition) = used.unwrap_or_else(|| {
            let numbered = (2u32..).map(|number| format!("{word}{number}"));
            let mut names = std::iter::once(word.clone()).chain(numbered);
            let free = names.find(|name| !taken.contains(name)).unwrap_or(word);
            (free, Definition::Type(id))
        });
        shapes.name_type(root.scope, id, &name);
        taken.insert(name.clone());
        root.definitions.push((name, definition));
    }
}

struct Search<'a> {
    shapes: &'a ShapesBuilder,
    scope: usize,
    seen: HashSet<TypeId>,
    found: Vec<(TypeId, String)>,
}

impl Search<'_> {
    fn visit(&mut self, id: TypeId, word: &str) {
        if !self.seen.insert(id) {
            return;
        }
        let shape = self.shapes.shape(id);
        if shape.is_nominal() && !self.shapes.is_named(self.scope, id) {
            self.found.push((id, word.to_owned()));
        }
        match shape {
            Shape::Record(labels, parts) => labels
                .iter()
                .zip(parts)
                .for_each(|(name, part)| self.visit(*part, name)),
            Shape::Variant(labels, payloads) => {
                let cases = labels.iter().zip(payloads);
                cases.for_each(|(name, payload)| {
                    payload.iter().for_each(|id| self.visit(*id, name))
                });
            }
            Shape::List(part) | Shape::FixedList(part, _) | Shape::Option(part) => {
                self.visit(*part, word)
            }
            Shape::Map(key, value) => [key, value]
                .into_iter()
                .for_each(|id| self.visit(*id, word)),
            Shape::Tuple(parts) => parts.iter().for_each(|part| self.visit(*part, word)),
            Shape::Result(ok, err) => [ok, err]
                .into_iter()
                .flatten()
                .for_each(|id| self.visit(*id, word)),
            Shape::Future(item) | Shape::Stream(item) => {
                item.iter().for_each(|id| self.visit(*id, word))
            }
            _ => {}
        }
    }
}
