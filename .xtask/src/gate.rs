//! The gate: everything that must hold before a change goes in, cheapest first.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::audit::{api, floors, licences};
use crate::bench::in_repository;
use crate::paths::Paths;
use crate::process::Program;
use crate::time::{self, Stopwatch};
use crate::{guests, hardening, tidy};

type Step = (&'static str, fn(&Paths) -> Result<()>);

const STEPS: &[Step] = &[
    ("fmt", fmt),
    ("tidy", tidy::run),
    ("licences", licences::check),
    ("clippy", clippy),
    ("doc", doc),
    ("public API", |paths| api::run(paths, false)),
    ("orders of threads", floors::run),
    ("guests", |paths| guests::build(paths, &[])),
    ("test", test),
    ("soak", |paths| hardening::soak(paths, SOAK_MINUTES)),
    ("benches, once each", smoke_benches),
    ("examples", examples),
];

/// `cargo xtask soak` runs as long as one likes.
const SOAK_MINUTES: f64 = 2.0;

/// Runs every step, and stops at the first that fails.
pub(crate) fn run(paths: &Paths) -> Result<()> {
    let whole = Stopwatch::start();
    #[cfg(unix)]
    note_room(paths);
    let count = STEPS.len();
    for (index, (name, step)) in STEPS.iter().enumerate() {
        println!("[{}/{count}] {name}", index + 1);
        let watch = Stopwatch::start();
        step(paths).with_context(|| format!("the gate stops at {name}"))?;
        println!(
            "[{}/{count}] {name}: {}",
            index + 1,
            time::seconds(watch.elapsed())
        );
    }
    println!("the gate is passed: {}", time::seconds(whole.elapsed()));
    Ok(())
}

/// Says beforehand where the disk may be too small: the linker, which meets that first, does not say.
#[cfg(unix)]
fn note_room(paths: &Paths) {
    /// What the gate leaves under `target/` where it began with nothing.
    const ROOM_GIB: u64 = 13;
    if let Ok(disk) = rustix::fs::statvfs(&paths.root) {
        let free_gib = (disk.f_bavail * disk.f_frsize) >> 30;
        if free_gib < ROOM_GIB {
            println!(
                "{free_gib} GiB are free here: a gate that begins with nothing needs {ROOM_GIB}"
            );
        }
    }
}

fn fmt(paths: &Paths) -> Result<()> {
    in_repository(paths, &["fmt", "--all", "--check"]).run()?;
    for folder in [
        "guest-examples/rust",
        "guest-examples/rust-kinds",
        "benches/rivals",
        "benches/rivals/guest",
        "tests/floors",
        "tests/fuzz/libfuzzer",
    ] {
        Program::cargo()
            .args(["fmt", "--all", "--check"])
            .dir(&paths.root.join(folder))
            .run()?;
    }
    Ok(())
}

fn clippy(paths: &Paths) -> Result<()> {
    in_repository(
        paths,
        &["clippy", "--quiet", "--workspace", "--all-targets"],
    )
    .args(["--", "-D", "warnings"])
    .run()
}

fn doc(paths: &Paths) -> Result<()> {
    in_repository(paths, &["doc", "--quiet", "--workspace", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run()
}

fn test(paths: &Paths) -> Result<()> {
    in_repository(paths, &["test", "--workspace"]).run()
}

/// Criterion runs each bench once when nobody asks it to measure.
fn smoke_benches(paths: &Paths) -> Result<()> {
    if names(&paths.root.join("benches/benches"))?.is_empty() {
        return Ok(());
    }
    // Of the whole workspace, lest other features have everything compiled again.
    in_repository(paths, &["test", "--quiet", "--workspace", "--bench", "*"]).run()
}

/// Runs each example of the library. An example must end by itself.
fn examples(paths: &Paths) -> Result<()> {
    in_repository(paths, &["build", "--quiet", "--workspace", "--examples"]).run()?;
    for name in names(&paths.root.join("host/examples"))? {
        println!("example {name}");
        Program::new(paths.binary(&format!("debug/examples/{name}")))
            .dir(&paths.root)
            .env("PREWARM_GUESTS", &paths.guests)
            .run()?;
    }
    Ok(())
}

/// Names of a folder's Rust files, and of the folders with a `main.rs`, in alphabetical order.
fn names(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).context("a folder cannot be listed")? {
        let path = entry?.path();
        let is_file = path.extension().is_some_and(|extension| extension == "rs");
        if is_file || path.join("main.rs").is_file() {
            names.extend(
                path.file_stem()
                    .map(|stem| stem.to_string_lossy().into_owned()),
            );
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_found_in_files_and_folders() {
        let folder = std::env::temp_dir().join(format!("xtask-examples-{}", std::process::id()));
        fs::create_dir_all(folder.join("service")).unwrap();
        for file in ["typed.rs", "service/main.rs", "README.md"] {
            fs::write(folder.join(file), "").unwrap();
        }
        assert_eq!(names(&folder).unwrap(), ["service", "typed"]);
        fs::remove_dir_all(&folder).unwrap();
        assert!(names(&folder).unwrap().is_empty());
    }
}
