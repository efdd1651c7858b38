//! The long forms of the tests that try to break a host: the gate runs the short ones.

use anyhow::Result;

use crate::bench::{build_some, in_repository};
use crate::paths::Paths;
use crate::process::Program;

/// Runs hostile guests, floods and misbehaving steps, a line for each: these parts, or all.
pub(crate) fn hostile(paths: &Paths, parts: &[String]) -> Result<()> {
    build(paths)?;
    program(paths, "hostile").args(parts).run()
}

/// Calls for some minutes and says whether the process stayed as it was.
pub(crate) fn soak(paths: &Paths, minutes: f64) -> Result<()> {
    build_some(paths)?;
    build(paths)?;
    println!("soaking for {minutes} min");
    program(paths, "soak").arg(minutes.to_string()).run()
}

fn build(paths: &Paths) -> Result<()> {
    // Of the whole workspace, lest other features have everything compiled again.
    let programs = ["--bin", "hostile", "--bin", "soak"];
    in_repository(paths, &["build", "--quiet", "--workspace"])
        .args(programs)
        .run()
}

fn program(paths: &Paths, name: &str) -> Program {
    Program::new(paths.binary(&format!("debug/{name}")))
        .without_env(&["RUST_BACKTRACE"])
        .env("PREWARM_GUESTS", &paths.guests)
}
