//! The demo, the benches and the promises, each with the guests built first.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::guests;
use crate::paths::Paths;
use crate::process::Program;

/// Shows what a pool does, on a log.
pub(crate) fn demo(paths: &Paths, file: Option<PathBuf>) -> Result<()> {
    let file = file.unwrap_or_else(|| paths.examples().join("data/dpkg.log"));
    let file = std::path::absolute(&file).context("the name of the log is empty")?;
    ensure!(file.is_file(), "{} is not a file", file.display());
    build_some(paths)?;
    // The whole workspace, lest other features have everything compiled again.
    in_repository(paths, &["build", "--workspace", "--bins"]).run()?;
    Program::new(paths.binary("debug/demo"))
        .without_env(&["RUST_BACKTRACE"])
        .arg("--guests")
        .arg(&paths.guests)
        .arg(file)
        .run()
}

/// Runs the benches of criterion.
pub(crate) fn bench(paths: &Paths, args: &[String]) -> Result<()> {
    build_some(paths)?;
    in_repository(paths, &["bench", "-p", "prewarm-benches"])
        .args(args)
        .run()
}

/// Measures every promise and says which are kept.
pub(crate) fn promises(paths: &Paths, args: &[String]) -> Result<()> {
    build_some(paths)?;
    build_release(paths)?;
    // Where the caller stands: files may be named in the arguments.
    Program::new(paths.binary("release/promises"))
        .without_env(&["RUST_BACKTRACE"])
        .env("PREWARM_GUESTS", &paths.guests)
        .args(args)
        .run()
}

/// Measures what each guest costs, and puts the table where guest authors read it.
pub(crate) fn costs(paths: &Paths) -> Result<()> {
    guests::build(paths, &[])?;
    build_release(paths)?;
    println!("measuring: takes a minute or two, on a machine that does nothing else");
    let table = Program::new(paths.binary("release/costs"))
        .without_env(&["RUST_BACKTRACE"])
        .arg("--guests")
        .arg(&paths.guests)
        .arg(paths.examples().join("data/dpkg.log"))
        .output()?;
    println!("{table}");
    let readme = paths.examples().join("README.md");
    let text = fs::read_to_string(&readme).context("no README of the guests")?;
    fs::write(&readme, with_table(&text, &table)?).context("the README cannot be written")
}

fn build_release(paths: &Paths) -> Result<()> {
    in_repository(
        paths,
        &["build", "--release", "-p", "prewarm-benches", "--bins"],
    )
    .run()
}

const FROM: &str = "<!-- costs -->\n";
const TO: &str = "<!-- end of costs -->";

/// The text with another table between the marks.
fn with_table(text: &str, table: &str) -> Result<String> {
    let (before, rest) = text
        .split_once(FROM)
        .context("the README lacks `<!-- costs -->`")?;
    let (_, after) = rest
        .split_once(TO)
        .context("the README lacks `<!-- end of costs -->`")?;
    Ok(format!("{before}{FROM}{table}{TO}{after}"))
}

/// Builds the guests that can be built here: one is enough to go on.
pub(crate) fn build_some(paths: &Paths) -> Result<()> {
    match guests::build(paths, &[]) {
        Err(error) if any_component(&paths.guests) => {
            println!("{error:#}; going on without");
            Ok(())
        }
        outcome => outcome,
    }
}

fn any_component(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.path().extension().is_some_and(|it| it == "wasm"))
}

/// A cargo that works in the repository and whose programs can find the guests.
pub(crate) fn in_repository(paths: &Paths, args: &[&str]) -> Program {
    Program::cargo()
        .args(args)
        .dir(&paths.root)
        .env("PREWARM_GUESTS", &paths.guests)
        // With it every error of wasmtime looks up its own stack: minutes in the tests of faults.
        .without_env(&["RUST_BACKTRACE"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_goes_between_its_marks() {
        let text = format!("a\n{FROM}old\n{TO}\nb\n");
        let expected = format!("a\n{FROM}new\n{TO}\nb\n");
        assert_eq!(with_table(&text, "new\n").unwrap(), expected);
        assert!(with_table("a", "new").is_err());
    }
}
