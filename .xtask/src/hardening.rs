//! The long forms of the tests that try to break a host: the gate runs the short ones.

use anyhow::Result;

use crate::bench::{build_some, in_repository};
use crate::paths::Paths;
use crate::pressure;
use crate::process::Program;

/// The part of the hostile tests that is not of their own program, which wants to be limited from
/// outside.
const PRESSURE: &str = "pressure";

/// Runs hostile guests, floods, misbehaving steps and tests that are short of memory, a line for each:
/// these parts, or all.
pub(crate) fn hostile(paths: &Paths, parts: &[String]) -> Result<()> {
    let (pressure, others): (Vec<_>, Vec<_>) = parts.iter().partition(|part| *part == PRESSURE);
    if !others.is_empty() || parts.is_empty() {
        build(paths)?;
        program(paths, "hostile").args(others).run()?;
    }
    if !pressure.is_empty() || parts.is_empty() {
        pressure::run(paths)?;
    }
    Ok(())
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
