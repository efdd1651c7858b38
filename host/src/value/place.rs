//! Where in the parameters or the result a value stands.
//!
//! A place is a chain of frames on the stack: it costs nothing until an error prints it.

use std::fmt;

/// The place of one value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// A parameter, by name.
    Param(&'a str),
    /// The result of the function.
    #[cfg(any(feature = "json", feature = "wave"))]
    Result,
    /// A field of a record, the value of a case, or the entry of a map under a text key.
    Field(&'a Self, &'a str),
    /// An element of a list or a tuple.
    Index(&'a Self, usize),
}

impl Place<'_> {
    /// The place of a field, or of the value that a case carries.
    pub(crate) fn field<'a>(&'a self, name: &'a str) -> Place<'a> {
        Place::Field(self, name)
    }

    /// The place of an element.
    pub(crate) fn index(&self, index: usize) -> Place<'_> {
        Place::Index(self, index)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Param(name) => write!(f, "parameter {name:?}"),
            #[cfg(any(feature = "json", feature = "wave"))]
            Self::Result => f.write_str("result"),
            Self::Field(outer, name) => write!(f, "{outer}.{name}"),
            Self::Index(outer, index) => write!(f, "{outer}[{index}]"),
        }
    }
}

/// A short form of a piece of text for messages.
pub(crate) fn shorten(text: &str) -> String {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_like_an_expression() {
        let root = Place::Param("options");
        let limits = root.field("limits");
        let third = limits.index(2);
        assert_eq!(
            third.field("max").to_string(),
            "parameter \"options\".limits[2].max"
        );
        assert_eq!(root.index(0).to_string(), "parameter \"options\"[0]");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shorten("short"), "short");
        assert_eq!(shorten(&"é".repeat(50)), format!("{}…", "é".repeat(40)));
    }
}
