//! Errors of dynamic calls: a function that cannot be found, a value that does not fit its WIT type.
//!
//! Both are the caller's fault and neither goes away by trying again. Messages start lowercase, carry no
//! final full stop, and never repeat their `source()` (there is none).

use std::fmt;

/// How many names a message lists before it only counts the rest.
const NAMES_SHOWN: usize = 12;

/// Why a function name did not lead to one function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// No function has this name.
    #[error("no function {name:?} is exported{}", Hint { near, available })]
    #[non_exhaustive]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// Full names that look like it, nearest first.
        near: Vec<String>,
        /// Every function that is exported, by full name.
        available: Vec<String>,
    },

    /// Several functions have this short name; one of the candidates must be named in full.
    #[error("function {name:?} is exported {} times: {}", candidates.len(), Names(candidates))]
    #[non_exhaustive]
    Ambiguous {
        /// The name that was asked for.
        name: String,
        /// The functions that it could mean, by full name.
        candidates: Vec<String>,
    },
}

/// Why a value cannot be passed to, or taken from, a function.
///
/// `at` is the place of the value: `parameter "options".limits[2].max`, or `result.items[0]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Too many parameters, or too few.
    #[error("expected {} ({}), got {given}", Count { count: parameters.len(), what: "parameter" }, Names(parameters))]
    #[non_exhaustive]
    ParameterCount {
        /// The names of the parameters that the function takes.
        parameters: Vec<String>,
        /// How many were given.
        given: usize,
    },

    /// A function without parameters was given some.
    #[error("expected no parameters, got {given}")]
    #[non_exhaustive]
    NoParameters {
        /// How many were given.
        given: usize,
    },

    /// The parameters are neither an array nor an object.
    #[error("expected an array or an object of parameters, got {found}")]
    #[non_exhaustive]
    NotParameters {
        /// What was given.
        found: String,
    },

    /// A parameter that is not optional was left out.
    #[error("parameter {name:?} is missing: expected {expected}")]
    #[non_exhaustive]
    MissingParameter {
        /// Name of the parameter.
        name: String,
        /// Its WIT type.
        expected: String,
    },

    /// The function has no such parameter.
    #[error("no parameter {name:?}; known are {}", Names(known))]
    #[non_exhaustive]
    UnknownParameter {
        /// The name that was given.
        name: String,
        /// The names of the parameters that the function takes.
        known: Vec<String>,
    },

    /// The value is of another type, or out of the range of its type.
    #[error("{at}: expected {expected}, got {found}")]
    #[non_exhaustive]
    Mismatch {
        /// Place of the value.
        at: String,
        /// The WIT type that belongs there.
        expected: String,
        /// What was found, shortened.
        found: String,
    },

    /// A tuple or a fixed-length list has another length.
    #[error("{at}: expected {}, got {given}", Count { count: *expected, what: "element" })]
    #[non_exhaustive]
    Length {
        /// Place of the value.
        at: String,
        /// How many elements the type has.
        expected: usize,
        /// How many were given.
        given: usize,
    },

    /// A field of a record is missing and not optional.
    #[error("{at}: field {field:?} is missing: expected {expected}")]
    #[non_exhaustive]
    MissingField {
        /// Place of the record.
        at: String,
        /// Name of the field.
        field: String,
        /// Its WIT type.
        expected: String,
    },

    /// A record has no such field.
    #[error("{at}: no field {field:?}; known are {}", Names(known))]
    #[non_exhaustive]
    UnknownField {
        /// Place of the record.
        at: String,
        /// The name that was given.
        field: String,
        /// The fields that the record has.
        known: Vec<String>,
    },

    /// A variant or an enum has no such case.
    #[error("{at}: no case {case:?}; known are {}", Names(known))]
    #[non_exhaustive]
    UnknownCase {
        /// Place of the value.
        at: String,
        /// The case that was given.
        case: String,
        /// The cases that the type has.
        known: Vec<String>,
    },

    /// There is no such flag.
    #[error("{at}: no flag {flag:?}; known are {}", Names(known))]
    #[non_exhaustive]
    UnknownFlag {
        /// Place of the value.
        at: String,
        /// The flag that was given.
        flag: String,
        /// The flags that the type has.
        known: Vec<String>,
    },

    /// A flag was given twice.
    #[error("{at}: flag {flag:?} is given twice")]
    #[non_exhaustive]
    RepeatedFlag {
        /// Place of the value.
        at: String,
        /// The flag.
        flag: String,
    },

    /// A case that carries a value came without one.
    #[error("{at}: case {case:?} needs a value: expected {expected}")]
    #[non_exhaustive]
    MissingPayload {
        /// Place of the value.
        at: String,
        /// The case.
        case: String,
        /// The WIT type of its value.
        expected: String,
    },

    /// A case that carries no value came with one.
    #[error("{at}: case {case:?} takes no value")]
    #[non_exhaustive]
    UnexpectedPayload {
        /// Place of the value.
        at: String,
        /// The case.
        case: String,
    },

    /// No resource was ever given out under this number.
    #[error("{at}: there is no handle {handle}")]
    #[non_exhaustive]
    UnknownHandle {
        /// Place of the value.
        at: String,
        /// The number.
        handle: u32,
    },

    /// The resource was passed on as `own`, or dropped, and is no longer the caller's.
    #[error("{at}: handle {handle} was already given away")]
    #[non_exhaustive]
    SpentHandle {
        /// Place of the value.
        at: String,
        /// The number.
        handle: u32,
    },

    /// The same resource is passed as `own` and once more in one call.
    #[error("{at}: handle {handle} is passed twice, at least once as own")]
    #[non_exhaustive]
    RepeatedHandle {
        /// Place of the value.
        at: String,
        /// The number.
        handle: u32,
    },

    /// The resource is of another type.
    #[error("{at}: expected {expected}, got handle {handle} of {found}")]
    #[non_exhaustive]
    ForeignHandle {
        /// Place of the value.
        at: String,
        /// The number.
        handle: u32,
        /// The resource type that belongs there.
        expected: String,
        /// The resource type behind the number.
        found: String,
    },

    /// Streams, futures and error contexts have no text form: use a typed call.
    #[error("{at}: {found} is not supported in dynamic calls")]
    #[non_exhaustive]
    Unsupported {
        /// Place of the value.
        at: String,
        /// The WIT type.
        found: String,
    },

    /// The text is not WAVE.
    #[error("not a valid list of values at byte {offset}: {problem}")]
    #[non_exhaustive]
    Syntax {
        /// Where in the text, in bytes.
        offset: usize,
        /// What is wrong there.
        problem: String,
    },
}

/// A list of names, cut where it gets long.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (i, name) in self.0.iter().take(NAMES_SHOWN).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name}")?;
        }
        match self.0.len().saturating_sub(NAMES_SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// `1 parameter`, `2 parameters`.
struct Count {
    count: usize,
    what: &'static str,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, what } = self;
        write!(f, "{count} {what}{}", if *count == 1 { "" } else { "s" })
    }
}

/// The end of [`ResolveError::Unknown`]: what could have been meant.
struct Hint<'a> {
    near: &'a [String],
    available: &'a [String],
}

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { near, available } = *self;
        match (near, available) {
            (_, []) => f.write_str("; the component exports no function"),
            ([], all) => write!(f, "; there are {}", Names(all)),
            (near, _) => write!(f, "; did you mean {}?", Names(near)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_of_names_are_cut() {
        let known = (0..20).map(|i| format!("c{i}")).collect();
        let error = ValueError::UnknownCase {
            at: "result".into(),
            case: "x".into(),
            known,
        };
        assert_eq!(
            error.to_string(),
            "result: no case \"x\"; known are c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 and 8 more"
        );
    }

    #[test]
    fn hints_follow_what_is_known() {
        let unknown = |near: &[&str], available: &[&str]| {
            let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
            ResolveError::Unknown {
                name: "f".into(),
                near: own(near),
                available: own(available),
            }
            .to_string()
        };
        assert_eq!(
            unknown(&[], &[]),
            "no function \"f\" is exported; the component exports no function"
        );
        assert_eq!(
            unknown(&[], &["a", "b"]),
            "no function \"f\" is exported; there are a, b"
        );
        assert_eq!(
            unknown(&["fo"], &["fo", "b"]),
            "no function \"f\" is exported; did you mean fo?"
        );
    }
}
