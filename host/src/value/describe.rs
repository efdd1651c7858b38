//! WIT text of a type, as a signature writes it: named types by name, the rest spelled out.

use super::shape::{ResourceId, Shape, TypeId, Types};

/// Words that WIT wants as `%word` where they are names.
const KEYWORDS: &[&str] = &[
    "as",
    "async",
    "bool",
    "borrow",
    "char",
    "constructor",
    "enum",
    "error-context",
    "export",
    "f32",
    "f64",
    "flags",
    "from",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "list",
    "map",
    "option",
    "own",
    "package",
    "record",
    "resource",
    "result",
    "s16",
    "s32",
    "s64",
    "s8",
    "static",
    "stream",
    "string",
    "tuple",
    "type",
    "u16",
    "u32",
    "u64",
    "u8",
    "use",
    "variant",
    "with",
    "world",
];

/// Longest type text in an error message.
const MESSAGE_LENGTH: usize = 120;

/// A name as WIT text.
pub(crate) fn identifier(name: &str) -> String {
    let percent = if KEYWORDS.binary_search(&name).is_ok() {
        "%"
    } else {
        ""
    };
    format!("{percent}{name}")
}

impl Types<'_> {
    /// The type as a signature writes it.
    pub(crate) fn wit(self, id: TypeId) -> String {
        let mut text = String::new();
        self.write(&mut text, id, usize::MAX);
        text
    }

    /// The type as an error message names it, such as `u8`, `list<string>` or `record options`.
    pub(crate) fn expected(self, id: TypeId) -> String {
        let kind = match self.shape(id) {
            Shape::Record(..) => "record",
            Shape::Variant(..) => "variant",
            Shape::Enum(..) => "enum",
            Shape::Flags(..) => "flags",
            _ => {
                let mut text = String::new();
                self.write(&mut text, id, MESSAGE_LENGTH);
                return text;
            }
        };
        match self.name(id) {
            Some(name) => format!("{kind} {name}"),
            None => format!("a {kind}"),
        }
    }

    /// A resource type by its name.
    pub(crate) fn resource(self, id: ResourceId) -> String {
        self.resource_name(id)
            .map_or_else(|| "resource".to_owned(), identifier)
    }

    /// Appends the text of a type; stops with `…` once the text is longer than `limit`.
    fn write(self, text: &mut String, id: TypeId, limit: usize) {
        if text.len() > limit {
            if !text.ends_with('…') {
                text.push('…');
            }
            return;
        }
        match self.shape(id) {
            Shape::Bool => text.push_str("bool"),
            Shape::S8 => text.push_str("s8"),
            Shape::U8 => text.push_str("u8"),
            Shape::S16 => text.push_str("s16"),
            Shape::U16 => text.push_str("u16"),
            Shape::S32 => text.push_str("s32"),
            Shape::U32 => text.push_str("u32"),
            Shape::S64 => text.push_str("s64"),
            Shape::U64 => text.push_str("u64"),
            Shape::F32 => text.push_str("f32"),
            Shape::F64 => text.push_str("f64"),
            Shape::Char => text.push_str("char"),
            Shape::String => text.push_str("string"),
            Shape::ErrorContext => text.push_str("error-context"),
            Shape::List(element) => self.write_parts(text, "list", [Some(*element)], limit),
            Shape::FixedList(element, length) => {
                text.push_str("list<");
                self.write(text, *element, limit);
                text.push_str(&format!(", {length}>"));
            }
            Shape::Map(key, value) => {
                self.write_parts(text, "map", [Some(*key), Some(*value)], limit)
            }
            Shape::Tuple(parts) => {
                self.write_parts(text, "tuple", parts.iter().map(|&part| Some(part)), limit)
            }
            Shape::Option(some) => self.write_parts(text, "option", [Some(*some)], limit),
            Shape::Result(None, None) => text.push_str("result"),
            Shape::Result(ok, None) => self.write_parts(text, "result", [*ok], limit),
            Shape::Result(ok, err) => self.write_parts(text, "result", [*ok, *err], limit),
            Shape::Future(None) => text.push_str("future"),
            Shape::Future(item) => self.write_parts(text, "future", [*item], limit),
            Shape::Stream(None) => text.push_str("stream"),
            Shape::Stream(item) => self.write_parts(text, "stream", [*item], limit),
            Shape::Own(resource) => text.push_str(&self.resource(*resource)),
            Shape::Borrow(resource) => {
                text.push_str("borrow<");
                text.push_str(&self.resource(*resource));
                text.push('>');
            }
            Shape::Record(labels, _) => self.write_named(text, id, "record", labels.len()),
            Shape::Variant(labels, _) => self.write_named(text, id, "variant", labels.len()),
            Shape::Enum(labels) => self.write_named(text, id, "enum", labels.len()),
            Shape::Flags(labels) => self.write_named(text, id, "flags", labels.len()),
        }
    }

    /// Validation asks a component to export the types of its functions by name, so the other form is rare.
    fn write_named(self, text: &mut String, id: TypeId, kind: &str, length: usize) {
        match self.name(id) {
            Some(name) => text.push_str(&identifier(name)),
            None => text.push_str(&format!("{kind}-of-{length}")),
        }
    }

    fn write_parts(
        self,
        text: &mut String,
        kind: &str,
        parts: impl IntoIterator<Item = Option<TypeId>>,
        limit: usize,
    ) {
        text.push_str(kind);
        text.push('<');
        for (at, part) in parts.into_iter().enumerate() {
            if at > 0 {
                text.push_str(", ");
            }
            match part {
                Some(part) => self.write(text, part, limit),
                None => text.push('_'),
            }
            if text.ends_with('…') {
                return;
            }
        }
        text.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_and_escaped() {
        assert!(KEYWORDS.is_sorted());
        assert_eq!(identifier("list"), "%list");
        assert_eq!(identifier("lists"), "lists");
    }
}
