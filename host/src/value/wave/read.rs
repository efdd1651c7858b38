//! WAVE text to component values.

use wasm_wave::ast::{Node, NodeType};
use wasm_wave::parser::{Parser, ParserError, ParserErrorKind};
use wasm_wave::untyped::UntypedValue;
use wasmtime::component::Val;

use crate::value::check::{expect_length, unknown_case, unknown_field};
use crate::value::flags::FlagSet;
use crate::value::handles::Passing;
use crate::value::place::{Place, shorten};
use crate::value::shape::{Labels, Shape, TypeId, Types};
use crate::value_error::ValueError;

type Read<T> = Result<T, ValueError>;

/// A parsed list of parameters, not yet of any type.
#[derive(Debug)]
pub(crate) struct Arguments<'t> {
    /// A tuple, which in WAVE cannot be empty.
    tuple: Option<UntypedValue<'t>>,
}

impl<'t> Arguments<'t> {
    /// Parses `(1, "x")` or `1, "x"`. Parentheses around the whole text are those of the list, so a single
    /// tuple is written `((1, 2))`.
    pub(crate) fn parse(text: &'t str) -> Read<Self> {
        if text.trim_start().starts_with('(') {
            match UntypedValue::parse(text) {
                Ok(tuple) => return Ok(Self { tuple: Some(tuple) }),
                // `()`
                Err(error)
                    if error.kind() == ParserErrorKind::EmptyTuple
                        && ends_at(text, error.span().end) =>
                {
                    return Ok(Self { tuple: None });
                }
                // `(1), (2)`
                Err(error) if error.kind() == ParserErrorKind::TrailingCharacters => {}
                Err(error) => return Err(syntax(&error, text, 0)),
            }
        } else if ends_at(text, 0) {
            return Ok(Self { tuple: None });
        }
        // The line break ends a comment.
        let wrapped = format!("({text}\n)");
        match UntypedValue::parse(&wrapped) {
            Ok(tuple) => Ok(Self {
                tuple: Some(tuple.into_owned()),
            }),
            Err(error) => Err(syntax(&error, text, 1)),
        }
    }

    /// The parameters in the order of the text.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Argument<'_>> {
        let tuple = self.tuple.iter();
        tuple.flat_map(|tuple| {
            let nodes = tuple.node().as_tuple().into_iter().flatten();
            nodes.map(|node| Argument {
                text: tuple.source(),
                node,
            })
        })
    }
}

/// One parsed parameter.
#[derive(Debug)]
pub(crate) struct Argument<'a> {
    text: &'a str,
    node: &'a Node,
}

impl Argument<'_> {
    /// Reads the parameter as a value of the given type.
    pub(crate) fn read(
        &self,
        types: Types<'_>,
        id: TypeId,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Val> {
        Source {
            types,
            text: self.text,
        }
        .read(id, self.node, place, passing)
    }
}

/// Whether nothing but space and comments follows.
fn ends_at(text: &str, offset: usize) -> bool {
    Parser::new(&text[offset..]).finish().is_ok()
}

/// `shift` is how far the parsed text is ahead of the given one.
fn syntax(error: &ParserError, text: &str, shift: usize) -> ValueError {
    let start = error.span().start.saturating_sub(shift).min(text.len());
    let end = error.span().end.saturating_sub(shift).min(text.len());
    let piece = text
        .get(start..end)
        .filter(|piece| !piece.is_empty())
        .map(shorten);
    let problem = match (error.kind(), piece) {
        (ParserErrorKind::UnexpectedToken, None) => "unexpected end of input".to_owned(),
        (ParserErrorKind::UnexpectedToken | ParserErrorKind::InvalidToken, Some(piece)) => {
            format!("unexpected {piece:?}")
        }
        (kind, _) => match error.detail() {
            Some(detail) => format!("{kind}: {detail}"),
            None => kind.to_string(),
        },
    };
    ValueError::Syntax {
        offset: start,
        problem,
    }
}

/// Text that nodes refer to, and the types that lead the way through them.
#[derive(Clone, Copy)]
struct Source<'a> {
    types: Types<'a>,
    text: &'a str,
}

impl Source<'_> {
    fn read(
        self,
        id: TypeId,
        node: &Node,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Val> {
        let wrong = || self.wrong(id, node, place);
        let val = match self.types.shape(id) {
            Shape::Bool => node.as_bool().ok().map(Val::Bool),
            Shape::S8 => node.as_number(self.text).ok().map(Val::S8),
            Shape::U8 => node.as_number(self.text).ok().map(Val::U8),
            Shape::S16 => node.as_number(self.text).ok().map(Val::S16),
            Shape::U16 => node.as_number(self.text).ok().map(Val::U16),
            Shape::S32 => node.as_number(self.text).ok().map(Val::S32),
            Shape::U32 => node.as_number(self.text).ok().map(Val::U32),
            Shape::S64 => node.as_number(self.text).ok().map(Val::S64),
            Shape::U64 => node.as_number(self.text).ok().map(Val::U64),
            Shape::F32 => {
                let number = node.as_number(self.text).ok();
                number
                    .filter(|n: &f32| n.is_finite() || self.is_named_float(node))
                    .map(Val::Float32)
            }
            Shape::F64 => {
                let number = node.as_number(self.text).ok();
                number
                    .filter(|n: &f64| n.is_finite() || self.is_named_float(node))
                    .map(Val::Float64)
            }
            Shape::Char => node.as_char(self.text).ok().map(Val::Char),
            Shape::String => node
                .as_str(self.text)
                .ok()
                .map(|text| Val::String(text.into_owned())),
            Shape::List(element) => Some(Val::List(
                self.read_list(id, *element, node, place, passing)?,
            )),
            Shape::FixedList(element, length) => {
                let vals = self.read_list(id, *element, node, place, passing)?;
                expect_length(*length as usize, vals.len(), place)?;
                Some(Val::FixedLengthList(vals))
            }
            Shape::Map(key, value) => {
                let pairs = node.as_list().map_err(|_| wrong())?;
                let mut entries = Vec::with_capacity(pairs.len());
                for (at, pair) in pairs.enumerate() {
                    let place = place.index(at);
                    let mut vals = self
                        .read_tuple(id, &[*key, *value], pair, &place, passing)?
                        .into_iter();
                    entries.extend(vals.next().zip(vals.next()));
                }
                Some(Val::Map(entries))
            }
            Shape::Record(labels, parts) => Some(Val::Record(self.read_record(
                id,
                (labels, parts),
                node,
                place,
                passing,
            )?)),
            Shape::Tuple(parts) => Some(Val::Tuple(
                self.read_tuple(id, parts, node, place, passing)?,
            )),
            Shape::Variant(labels, payloads) => {
                let (case, given) = node.as_variant(self.text).map_err(|_| wrong())?;
                let at = labels
                    .position(case)
                    .ok_or_else(|| unknown_case(labels, case, place))?;
                let payload = self.read_payload(case, payloads[at], given, place, passing)?;
                Some(Val::Variant(case.to_owned(), payload))
            }
            Shape::Enum(labels) => {
                let case = node.as_enum(self.text).map_err(|_| wrong())?;
                labels
                    .position(case)
                    .ok_or_else(|| unknown_case(labels, case, place))?;
                Some(Val::Enum(case.to_owned()))
            }
            Shape::Option(some) => Some(Val::Option(match node.ty() {
                NodeType::OptionNone => None,
                NodeType::OptionSome => {
                    let payload = node.as_option().map_err(|_| wrong())?.ok_or_else(wrong)?;
                    Some(Box::new(self.read(*some, payload, place, passing)?))
                }
                _ if self.is_bare(*some) => Some(Box::new(self.read(*some, node, place, passing)?)),
                _ => return Err(wrong()),
            })),
            Shape::Result(ok, err) => Some(Val::Result(match (node.as_result(), ok) {
                (Ok(Ok(given)), _) => Ok(self.read_payload("ok", *ok, given, place, passing)?),
                (Ok(Err(given)), _) => Err(self.read_payload("err", *err, given, place, passing)?),
                (Err(_), Some(ok)) if self.is_bare(*ok) => Ok(Some(Box::new(self.read(
                    *ok,
                    node,
                    &place.field("ok"),
                    passing,
                )?))),
                (Err(_), _) => return Err(wrong()),
            })),
            Shape::Flags(labels) => {
                let mut set = FlagSet::new(labels);
                for flag in node.as_flags(self.text).map_err(|_| wrong())? {
                    set.insert(flag.strip_prefix('%').unwrap_or(flag), place)?;
                }
                Some(set.finish())
            }
            Shape::Own(kind) | Shape::Borrow(kind) => {
                let give = matches!(self.types.shape(id), Shape::Own(_));
                let handle = match node.as_variant(self.text) {
                    Ok(("handle", Some(number))) => number.as_number(self.text).ok(),
                    _ => None,
                };
                let handle = handle.ok_or_else(|| ValueError::Mismatch {
                    at: place.to_string(),
                    expected: format!("a handle of {}", self.types.resource(*kind)),
                    found: self.found(node),
                })?;
                Some(Val::Resource(
                    passing.resolve(self.types, *kind, give, handle, place)?,
                ))
            }
            Shape::Future(_) | Shape::Stream(_) | Shape::ErrorContext => {
                return Err(self.types.unsupported(id, place));
            }
        };
        val.ok_or_else(wrong)
    }

    fn read_list(
        self,
        id: TypeId,
        element: TypeId,
        node: &Node,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Vec<Val>> {
        let nodes = node.as_list().map_err(|_| self.wrong(id, node, place))?;
        let mut vals = Vec::with_capacity(nodes.len());
        for (at, node) in nodes.enumerate() {
            vals.push(self.read(element, node, &place.index(at), passing)?);
        }
        Ok(vals)
    }

    fn read_tuple(
        self,
        id: TypeId,
        parts: &[TypeId],
        node: &Node,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Vec<Val>> {
        let nodes = node.as_tuple().map_err(|_| self.wrong(id, node, place))?;
        expect_length(parts.len(), nodes.len(), place)?;
        let mut vals = Vec::with_capacity(parts.len());
        for (at, (&part, node)) in parts.iter().zip(nodes).enumerate() {
            vals.push(self.read(part, node, &place.index(at), passing)?);
        }
        Ok(vals)
    }

    fn read_record(
        self,
        id: TypeId,
        (labels, parts): (&Labels, &[TypeId]),
        node: &Node,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Vec<(String, Val)>> {
        let mut given: Vec<Option<Val>> = vec![None; labels.len()];
        match node.as_record(self.text) {
            Ok(fields) => {
                for (name, node) in fields {
                    let at = labels
                        .position(name)
                        .ok_or_else(|| unknown_field(labels, name, place))?;
                    given[at] = Some(self.read(parts[at], node, &place.field(name), passing)?);
                }
            }
            // `{}`, by the grammar no flags, is a record all of whose fields are left out.
            Err(_)
                if node
                    .as_flags(self.text)
                    .is_ok_and(|mut flags| flags.next().is_none()) => {}
            Err(_) => return Err(self.wrong(id, node, place)),
        }
        let fields =
            labels
                .iter()
                .zip(parts)
                .zip(given)
                .map(|((label, &part), given)| match given {
                    Some(val) => Ok((label.to_owned(), val)),
                    None if self.types.is_optional(part) => {
                        Ok((label.to_owned(), Val::Option(None)))
                    }
                    None => Err(self.types.missing_field(label, part, place)),
                });
        fields.collect()
    }

    fn read_payload(
        self,
        case: &str,
        expected: Option<TypeId>,
        given: Option<&Node>,
        place: &Place<'_>,
        passing: &mut Passing<'_>,
    ) -> Read<Option<Box<Val>>> {
        match self.types.payload(case, expected, given, place)? {
            None => Ok(None),
            Some((id, node)) => Ok(Some(Box::new(self.read(
                id,
                node,
                &place.field(case),
                passing,
            )?))),
        }
    }

    /// Whether `some(..)` or `ok(..)` may be left out around a value of this type.
    fn is_bare(self, id: TypeId) -> bool {
        !matches!(self.types.shape(id), Shape::Option(_) | Shape::Result(..))
    }

    fn is_named_float(self, node: &Node) -> bool {
        matches!(self.slice(node), "nan" | "inf" | "-inf")
    }

    fn wrong(self, id: TypeId, node: &Node, place: &Place<'_>) -> ValueError {
        self.types.mismatch(id, self.found(node), place)
    }

    fn found(self, node: &Node) -> String {
        shorten(self.slice(node))
    }

    fn slice(&self, node: &Node) -> &str {
        &self.text[node.span()]
    }
}
