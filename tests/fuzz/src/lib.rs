//! The fuzz targets, as plain functions over bytes: `cargo xtask fuzz` runs them for minutes, the
//! test of this crate runs the corpus of each and some mutations of it.
//!
//! A target panics where a promise is broken. Whatever the bytes are, it returns.

#![allow(clippy::unwrap_used, reason = "a fuzz target is a test")]

pub mod cache;
pub mod component;
pub mod pool;
pub mod values;

mod guest;
mod model;
#[cfg(test)]
mod smoke;
mod types;
mod vals;

/// What is run with the bytes that the fuzzer thought of.
pub type Target = fn(&[u8]);

/// Every target with its name, which is also the name of its folder in `corpus`.
pub const TARGETS: [(&str, Target); 4] = [
    ("component", component::target),
    ("cache", cache::target),
    ("values", values::target),
    ("pool", pool::target),
];

/// What an error says, from the outside in.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
