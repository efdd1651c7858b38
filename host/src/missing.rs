//! The imports of a component that nobody provides: all of them, not just the first.
//!
//! A linker answers only whether it satisfies a component, so each import is asked about with a
//! component that imports nothing else. That takes a fraction of a millisecond each, and is done
//! only when linking failed.

use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, ResourceType};

/// The names of what `component` imports and `linker` lacks, sorted: `package:name/interface@1.0.0#function`,
/// or the interface alone if nothing of it is there. Empty if the linker fails the component for another
/// reason, such as a function of another type.
pub(crate) fn missing_imports<T: 'static>(
    component: &Component,
    linker: &Linker<T>,
) -> Vec<String> {
    let engine = component.engine();
    let ty = component.component_type();
    let mut search = Search {
        engine,
        linker,
        seen: Vec::new(),
    };
    let mut missing = Vec::new();
    for (name, import) in ty.imports(engine) {
        search.item(&Path { name, within: None }, &import.ty, &mut missing);
    }
    missing.sort();
    missing.dedup();
    missing
}

/// What might help against a missing import.
pub(crate) fn import_hint(name: &str) -> &'static str {
    let interface = name.split('#').next().unwrap_or(name);
    let version = interface
        .rsplit_once('@')
        .map_or("", |(_, version)| version);
    if !name.starts_with("wasi:") {
        "give it with the pool's imports"
    } else if version.contains('-') {
        "a draft of WASI: build the guest against a release"
    } else if version.starts_with("0.3.") {
        "WASI 0.3 needs the asynchronous face"
    } else if name.starts_with("wasi:http/") {
        "outgoing HTTP is not given by default: give it with the pool's imports"
    } else {
        "not among the WASI interfaces that prewarm gives: give it with the pool's imports"
    }
}

/// The name of an import, inside the instances that hold it.
struct Path<'a> {
    name: &'a str,
    within: Option<&'a Self>,
}

impl Path<'_> {
    fn display(&self) -> String {
        match self.within {
            Some(instance) => format!("{}#{}", instance.display(), self.name),
            None => self.name.to_owned(),
        }
    }

    /// A component that imports `item`, declared as `before` and then a `kind`, at this path.
    fn probe(&self, kind: &str, before: &str) -> String {
        let mut text = format!("\"{}\" {kind}", self.name);
        let mut before = before;
        let mut at = self.within;
        while let Some(instance) = at {
            text = format!("\"{}\" (instance {before} (export {text}))", instance.name);
            before = "";
            at = instance.within;
        }
        format!("(component (import {text}))")
    }
}

struct Search<'a, T: 'static> {
    engine: &'a Engine,
    linker: &'a Linker<T>,
    /// Resources declared so far. One that comes again is a reference to the first, and need not
    /// be provided.
    seen: Vec<ResourceType>,
}

impl<T> Search<'_, T> {
    /// Appends what of `item` is missing and answers whether anything of it is there.
    fn item(&mut self, path: &Path<'_>, item: &ComponentItem, missing: &mut Vec<String>) -> bool {
        let lacks = match item {
            ComponentItem::ComponentInstance(instance) => {
                let before = missing.len();
                let mut any = instance.exports(self.engine).len() == 0;
                for (name, export) in instance.exports(self.engine) {
                    let path = Path {
                        name,
                        within: Some(path),
                    };
                    any |= self.item(&path, &export.ty, missing);
                }
                if !any && missing.len() > before {
                    missing.truncate(before);
                    missing.push(path.display());
                }
                return any;
            }
            ComponentItem::ComponentFunc(_) => {
                let (before, kind) = declaration(path.name);
                self.lacks(&path.probe(&kind, &before))
            }
            ComponentItem::Resource(ty) => {
                if self.seen.contains(ty) {
                    return false;
                }
                self.seen.push(*ty);
                self.lacks(&path.probe("(type (sub resource))", ""))
            }
            ComponentItem::Module(_) => self.lacks(&path.probe("(core module)", "")),
            // wasmtime gives hosts no way to provide one.
            ComponentItem::Component(_) => true,
            ComponentItem::CoreFunc(_) | ComponentItem::Type(_) => return false,
        };
        if lacks {
            missing.push(path.display());
        }
        !lacks
    }

    fn lacks(&self, probe: &str) -> bool {
        let Ok(bytes) = wat::parse_str(probe) else {
            return false;
        };
        let Ok(component) = Component::new(self.engine, bytes) else {
            return false;
        };
        match self.linker.instantiate_pre(&component) {
            Ok(_) => false,
            Err(error) => error
                .root_cause()
                .to_string()
                .ends_with("implementation is missing"),
        }
    }
}

/// What must be declared before a function of this name, and the least type that it may have.
fn declaration(name: &str) -> (String, String) {
    let resource = |rest: &str| {
        rest.split('.')
            .next()
            .map(|name| format!("(export \"{name}\" (type $r (sub resource)))"))
    };
    let (resource, kind) = if let Some(rest) = name.strip_prefix("[method]") {
        (resource(rest), "(func (param \"self\" (borrow $r)))")
    } else if let Some(rest) = name.strip_prefix("[static]") {
        (resource(rest), "(func)")
    } else if let Some(rest) = name.strip_prefix("[constructor]") {
        (resource(rest), "(func (result (own $r)))")
    } else {
        (None, "(func)")
    };
    (resource.unwrap_or_default(), kind.to_owned())
}
