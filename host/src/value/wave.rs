//! Component values from and to WAVE text, led by the WIT type.
//!
//! WAVE is the text form that the component tools share: `"text"`, `'c'`, `[1, 2]`, `(1, "x")`, `{a: 1, b: none}`,
//! `case(1)`, `some(1)`, `ok(1)`, `{flag-a, flag-b}`. Two forms are added where it has none: a resource is
//! `handle(3)` (see [`Handles`](crate::Handles)), a map is a list of pairs. As usual in WAVE, `some(..)` and
//! `ok(..)` may be left out where nothing else could be meant, and so may fields and last parameters that are
//! options.
//!
//! Streams, futures and error contexts have no text form. The parser gives up at a nesting of 100.

mod read;
mod write;

pub(crate) use read::Arguments;

#[cfg(test)]
mod tests;
