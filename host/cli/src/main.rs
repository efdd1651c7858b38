//! `prewarm`: looks into WebAssembly components, compiles them ahead, and calls their functions.
//!
//! Uses nothing but the public API of the library.

#![warn(clippy::expect_used, clippy::panic)]

mod outcome;
mod options;
mod parse;
mod text;
mod load;
mod inspect;
mod compile;
mod calls;
mod call;
mod snapshot;

use std::process::ExitCode;

use clap::Parser as _;

use crate::options::{Options, Verb};

fn main() -> ExitCode {
    let options = Options::parse();
    let ended = match &options.verb {
        Verb::Inspect(inspect) => inspect::run(inspect),
        Verb::Call(call) => call::run(call),
        Verb::Compile(compile) => compile::run(compile),
        Verb::Snapshot(snapshot) => snapshot::run(snapshot),
    };
    ended.unwrap_or_else(|error| outcome::report(&error)).into()
}
