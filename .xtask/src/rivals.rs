//! Measures prewarm beside its rivals, which are built in a workspace of their own.

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
    let forms = guests::rivals::build(paths)?;
    let target = paths.target.join("rivals");
    Program::cargo()
        .args(["build", "--release", "--locked"])
        .dir(&paths.root.join("benches/rivals"))
        .env("CARGO_TARGET_DIR", &target)
        .run()?;
    // Where the caller stands: a file may be named in the arguments.
    Program::new(paths.binary("rivals/release/prewarm-rivals"))
        .without_env(&["RUST_BACKTRACE"])
        .arg("--forms")
        .arg(forms)
        .arg("--guests")
        .arg(&paths.guests)
        .arg("--root")
        .arg(&paths.root)
        .args(args)
        .run()
}
