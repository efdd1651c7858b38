//! Measures prewarm beside its rivals, which are built in a workspace of their own.

use std::ffi::OsStr;
use std::path::PathBuf;

use anyhow::Result;

use crate::bench::build_some;
use crate::guests;
use crate::paths::Paths;
use crate::process::Program;

/// Builds the rivals, and runs what measures them.
pub(crate) fn run(paths: &Paths, args: &[String]) -> Result<()> {
    // Extism is compared on a form of the rivals' own.
    if !args.iter().any(|arg| arg == "--extism-only") {
        build_some(paths)?;
    }
    let (program, forms) = prepare(paths)?;
    // A part of it is no page of its own.
    let whole = args.iter().all(|arg| arg == "--quick");
    let page = whole.then(|| paths.root.join("benches/rivals/RESULTS.md"));
    let page = page
        .iter()
        .flat_map(|page| [OsStr::new("--page"), page.as_os_str()]);
    // Where the caller stands: a file may be named in the arguments.
    Program::new(program)
        .without_env(&["RUST_BACKTRACE"])
        .arg("--forms")
        .arg(forms)
        .arg("--guests")
        .arg(&paths.guests)
        .arg("--root")
        .arg(&paths.root)
        .args(page)
        .args(args)
        .run()
}

/// Builds the program that measures them, and the work that they do. Says where both are.
pub(crate) fn prepare(paths: &Paths) -> Result<(PathBuf, PathBuf)> {
    let forms = guests::rivals::build(paths)?;
    Program::cargo()
        .args(["build", "--release", "--locked"])
        .dir(&paths.root.join("benches/rivals"))
        .env("CARGO_TARGET_DIR", paths.target.join("rivals"))
        .run()?;
    Ok((paths.binary("rivals/release/prewarm-rivals"), forms))
}
