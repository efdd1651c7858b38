//! Rust, with the `wasm32-wasip2` target of rustup or a stand-in made from Debian packages.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Job, debian};
use crate::process::Program;

const TARGET: &str = "wasm32-wasip2";

pub(super) fn tools() -> Result<String> {
    if has_std()? {
        rustc().arg("-vV").output()
    } else {
        debian::version()
    }
}

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    compile(job, "logs")
}

pub(super) fn outside(job: &Job<'_>) -> Result<()> {
    compile(job, "outside")
}

pub(super) fn dictionary(job: &Job<'_>) -> Result<()> {
    compile(job, "dictionary")
}

/// Compiles the package of this name, which leaves a component called like it.
fn compile(job: &Job<'_>, package: &str) -> Result<()> {
    let target = job.paths.guests.join("build/rust");
    let mut cargo = Program::cargo()
        .args(["build", "--release", "--locked", "--target", TARGET])
        .args(["--package", package])
        .dir(&job.source)
        .without_env(&[
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "RUSTC",
        ])
        .env("CARGO_TARGET_DIR", &target);
    if !has_std()? {
        cargo = cargo.env("RUSTC", debian::rustc(job.paths, TARGET, job.line)?);
    }
    job.line.say("compiling");
    cargo.output()?;
    let built = target.join(TARGET).join("release").join(package);
    fs::copy(built.with_extension("wasm"), &job.output)
        .map(drop)
        .context("cargo left no component")
}

/// Whether the rustc in use has the target's standard library.
fn has_std() -> Result<bool> {
    let folder = rustc()
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    let Ok(entries) = fs::read_dir(Path::new(folder.trim())) else {
        return Ok(false);
    };
    Ok(entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    }))
}

fn rustc() -> Program {
    Program::new("rustc").hint("install Rust, then `rustup target add wasm32-wasip2`")
}
