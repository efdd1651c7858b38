//! The public API of the library as a list in `host/api.txt`, so that nobody changes it unawares.
//!
//! The list is made of what rustdoc writes for programs. That form is not stable yet, so rustdoc has
//! to be told that it may: only rustdoc, or cargo would compile all dependencies anew. So cargo runs
//! this program in rustdoc's place, which then runs rustdoc.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};
use public_api::{Builder, PublicApi};

use crate::bench::in_repository;
use crate::paths::Paths;

const LIST: &str = "host/api.txt";

/// Set where this program stands in for rustdoc.
const STANDS_IN: &str = "XTASK_STANDS_IN_FOR_RUSTDOC";

/// Compares the API with the list, or writes the list anew.
pub(crate) fn run(paths: &Paths, write: bool) -> Result<()> {
    let (file, now) = (paths.root.join(LIST), list(paths)?);
    if write {
        fs::write(&file, now).with_context(|| format!("{LIST} cannot be written"))?;
        return Ok(());
    }
    let before = fs::read_to_string(&file).with_context(|| format!("{LIST} cannot be read"))?;
    let changes = changes(&before, &now);
    if changes.is_empty() {
        return Ok(());
    }
    bail!(
        "the public API is not the one in {LIST}:\n{}\nif that is meant, `cargo xtask api --write`",
        changes.join("\n")
    )
}

/// Lines that went and lines that came.
fn changes(before: &str, now: &str) -> Vec<String> {
    let set = |text| str::lines(text).collect::<BTreeSet<_>>();
    let (before, now) = (set(before), set(now));
    let went = before.difference(&now).map(|line| format!("- {line}"));
    let came = now.difference(&before).map(|line| format!("+ {line}"));
    went.chain(came).collect()
}

fn list(paths: &Paths) -> Result<String> {
    // The workspace, with the features that everything else of it is built with.
    in_repository(
        paths,
        &["doc", "--quiet", "--workspace", "--no-deps", "--lib"],
    )
    .env("RUSTDOC", env::current_exe().context("who is this?")?)
    .env(STANDS_IN, "1")
    // In the flags, so that cargo does not take the pages of `cargo doc` for these.
    .env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json")
    .run()?;
    let json = paths.target.join("doc/prewarm.json");
    let api = Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .build()
        .context("what rustdoc wrote is not of Rust 1.95")?;
    Ok(lines(&api))
}

fn lines(api: &PublicApi) -> String {
    let items = api.items().map(ToString::to_string);
    // Traits of the compiler's own, which nobody can name.
    let hidden = ["core::marker::Freeze", "core::marker::UnsafeUnpin"];
    let items = items.filter(|item| !hidden.iter().any(|name| item.contains(name)));
    items.map(|item| item + "\n").collect()
}

/// Runs rustdoc, if this program was started in its place.
pub(crate) fn stand_in() -> Option<ExitCode> {
    env::var_os(STANDS_IN)?;
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    let crate_name = args.windows(2).find(|pair| pair[0] == "--crate-name");
    if crate_name.is_some_and(|pair| pair[1] != "prewarm") {
        return Some(ExitCode::SUCCESS);
    }
    let status = Command::new("rustdoc")
        .env("RUSTC_BOOTSTRAP", "1")
        .args(args)
        .status();
    Some(match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rustdoc does not start: {error}");
            ExitCode::FAILURE
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_what_went_and_what_came() {
        assert!(changes("a\nb\n", "a\nb\n").is_empty());
        assert_eq!(changes("a\nb\nd\n", "a\nc\nd\n"), ["- b", "+ c"]);
    }
}
