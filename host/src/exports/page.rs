//! A component as one WIT document.

use std::collections::HashMap;

use super::builder::Definition;
use super::signature::Signature;
use super::wit::{Described, Wit};
use crate::value::describe::identifier;
use crate::value::shape::{Labels, ResourceId, Shape, TypeId, Types};

impl Wit {
    /// The world of the component and every interface in it as one WIT document.
    ///
    /// A component does not record documentation, the name of its world, or which of several equal types a
    /// function meant: equal types of one interface show as aliases of the first.
    #[must_use]
    pub fn wit(&self) -> String {
        let mut page = Page {
            world: self,
            owners: self.owners(),
            text: String::new(),
            depth: 0,
        };
        page.line("package root:component;");
        page.line("");
        page.open("world root");
        page.definitions(&[&self.root]);
        for (word, interfaces, functions) in [
            ("import", &self.imports, &self.root.imported),
            ("export", &self.exports, &self.root.exported),
        ] {
            for interface in interfaces {
                page.world_item(word, interface);
            }
            for function in functions
                .iter()
                .filter(|function| !is_of_resource(function))
            {
                let name = identifier(function.name());
                page.line(&format!("{word} {name}: {};", function.func_type(0)));
            }
        }
        page.close();
        for (package, interfaces) in self.packages() {
            page.line("");
            page.open(&format!("package {}", package_path(package)));
            for (name, sides) in interfaces {
                page.open(&format!("interface {}", identifier(name)));
                page.interface(&sides);
                page.close();
            }
            page.close();
        }
        page.text
    }

    fn interfaces(&self) -> impl Iterator<Item = &Described> {
        self.imports.iter().chain(&self.exports)
    }

    /// For each resource the interface that defines it: the first that names it, imports first.
    fn owners(&self) -> HashMap<ResourceId, (&str, &str)> {
        let mut owners = HashMap::new();
        for interface in self.interfaces() {
            let Some(name) = interface
                .name
                .as_deref()
                .filter(|name| split(name).is_some())
            else {
                continue;
            };
            for (resource, definition) in &interface.definitions {
                if let Definition::Resource(id) = definition {
                    owners.entry(*id).or_insert((name, &**resource));
                }
            }
        }
        owners
    }

    /// Interfaces by package, in order of appearance. One that is imported and exported has both sides.
    fn packages(&self) -> Vec<PackageItems<'_>> {
        let mut packages: Vec<PackageItems<'_>> = Vec::new();
        for interface in self.interfaces() {
            let Some((package, name)) = interface.name.as_deref().and_then(split) else {
                continue;
            };
            let at = packages
                .iter()
                .position(|(known, _)| *known == package)
                .unwrap_or_else(|| {
                    packages.push((package, Vec::new()));
                    packages.len() - 1
                });
            let names = &mut packages[at].1;
            match names.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sides)) => sides.push(interface),
                None => names.push((name, vec![interface])),
            }
        }
        packages
    }
}

/// `namespace:name` and version.
type Package<'a> = (&'a str, Option<&'a str>);

/// A package and its interfaces, each with the sides that it has: imported, exported or both.
type PackageItems<'a> = (Package<'a>, Vec<(&'a str, Vec<&'a Described>)>);

/// The package and the last part of an interface name; none for a plain name.
fn split(interface: &str) -> Option<(Package<'_>, &str)> {
    let (package, last) = interface.split_once('/')?;
    match last.split_once('@') {
        Some((last, version)) => Some(((package, Some(version)), last)),
        None => Some(((package, None), last)),
    }
}

fn package_path((package, version): Package<'_>) -> String {
    let parts: Vec<String> = package.split(':').map(identifier).collect();
    format!(
        "{}{}",
        parts.join(":"),
        version
            .map(|version| format!("@{version}"))
            .unwrap_or_default()
    )
}

/// The name of an interface as another package writes it.
fn interface_path(interface: &str) -> String {
    match split(interface) {
        None => identifier(interface),
        Some(((package, version), last)) => {
            let version = version
                .map(|version| format!("@{version}"))
                .unwrap_or_default();
            format!(
                "{}/{}{version}",
                package_path((package, None)),
                identifier(last)
            )
        }
    }
}

fn is_of_resource(function: &Signature) -> bool {
    function.component_name().starts_with('[')
}

/// A WIT document being written.
struct Page<'w> {
    world: &'w Wit,
    owners: HashMap<ResourceId, (&'w str, &'w str)>,
    text: String,
    depth: usize,
}

impl<'w> Page<'w> {
    fn line(&mut self, line: &str) {
        if !line.is_empty() {
            self.text.extend(std::iter::repeat_n("  ", self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    fn open(&mut self, head: &str) {
        self.line(&format!("{head} {{"));
        self.depth += 1;
    }

    fn close(&mut self) {
        self.depth -= 1;
        self.line("}");
    }

    /// A block of lines, each with a comma.
    fn list(&mut self, head: &str, lines: impl Iterator<Item = String>) {
        self.open(head);
        for line in lines {
            self.line(&format!("{line},"));
        }
        self.close();
    }

    fn world_item(&mut self, word: &str, interface: &'w Described) {
        let Some(name) = interface.name.as_deref() else {
            return;
        };
        if split(name).is_some() {
            self.line(&format!("{word} {};", interface_path(name)));
        } else {
            self.open(&format!("{word} {}: interface", identifier(name)));
            self.interface(&[interface]);
            self.close();
        }
    }

    /// The body of an interface; what both sides have is written once.
    fn interface(&mut self, sides: &[&'w Described]) {
        self.definitions(sides);
        let mut seen = Vec::new();
        for function in sides
            .iter()
            .flat_map(|side| side.functions())
            .filter(|function| !is_of_resource(function))
        {
            if !seen.contains(&function.name()) {
                seen.push(function.name());
                self.line(&format!(
                    "{}: {};",
                    identifier(function.name()),
                    function.func_type(0)
                ));
            }
        }
    }

    fn definitions(&mut self, sides: &[&'w Described]) {
        let mut seen = Vec::new();
        for side in sides {
            let types = self.world.shapes.seen_from(side.scope);
            for (name, definition) in &side.definitions {
                if !seen.contains(&name) {
                    seen.push(name);
                    self.definition(sides, side, types, name, definition);
                }
            }
            for other in &side.others {
                self.line(&format!("// {other} has no WIT form"));
            }
        }
    }

    fn definition(
        &mut self,
        sides: &[&'w Described],
        side: &'w Described,
        types: Types<'w>,
        name: &'w str,
        definition: &Definition,
    ) {
        let ident = identifier(name);
        match definition {
            Definition::Type(id) => self.type_definition(types, &ident, *id),
            Definition::Used(owner) => {
                self.line(&format!("use {}.{{{ident}}};", interface_path(owner)))
            }
            Definition::Alias(id) => self.line(&format!("type {ident} = {};", types.wit(*id))),
            Definition::ResourceAlias(id) => {
                self.line(&format!("type {ident} = {};", types.resource(*id)))
            }
            Definition::Resource(id) => match self.owners.get(id).copied() {
                Some((owner, original)) if side.name.as_deref() != Some(owner) => {
                    let path = match (split(owner), side.name.as_deref().and_then(split)) {
                        (Some((package, last)), Some((here, _))) if package == here => {
                            identifier(last)
                        }
                        _ => interface_path(owner),
                    };
                    let renamed = if original == name {
                        String::new()
                    } else {
                        format!(" as {ident}")
                    };
                    self.line(&format!(
                        "use {path}.{{{}{renamed}}};",
                        identifier(original)
                    ));
                }
                _ => self.resource(sides, &ident, name),
            },
        }
    }

    fn resource(&mut self, sides: &[&'w Described], ident: &str, name: &str) {
        let mut lines: Vec<String> = Vec::new();
        for function in sides.iter().flat_map(|side| side.functions()) {
            let line = if function.component_name().strip_prefix("[constructor]") == Some(name) {
                let mut params = String::new();
                function.write_params(&mut params, 0);
                match function.result().filter(|_| !function.returns_resource()) {
                    Some(result) => format!("constructor({params}) -> {result};"),
                    None => format!("constructor({params});"),
                }
            } else {
                let Some((resource, short)) = function.name().split_once('.') else {
                    continue;
                };
                if resource != name {
                    continue;
                }
                let short = identifier(short);
                if function.component_name().starts_with("[static]") {
                    format!("{short}: static {};", function.func_type(0))
                } else {
                    format!("{short}: {};", function.func_type(1))
                }
            };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        if lines.is_empty() {
            return self.line(&format!("resource {ident};"));
        }
        self.open(&format!("resource {ident}"));
        lines.iter().for_each(|line| self.line(line));
        self.close();
    }

    fn type_definition(&mut self, types: Types<'w>, ident: &str, id: TypeId) {
        let names = |labels: &'w Labels| labels.iter().map(identifier);
        match types.shape(id) {
            Shape::Record(labels, parts) => {
                let fields = names(labels)
                    .zip(parts)
                    .map(|(name, part)| format!("{name}: {}", types.wit(*part)));
                self.list(&format!("record {ident}"), fields);
            }
            Shape::Variant(labels, payloads) => {
                let cases = names(labels)
                    .zip(payloads)
                    .map(|(name, payload)| match payload {
                        Some(id) => format!("{name}({})", types.wit(*id)),
                        None => name,
                    });
                self.list(&format!("variant {ident}"), cases);
            }
            Shape::Enum(labels) => self.list(&format!("enum {ident}"), names(labels)),
            Shape::Flags(labels) => self.list(&format!("flags {ident}"), names(labels)),
            _ => self.line(&format!("type {ident} = {};", types.wit(id))),
        }
    }
}
