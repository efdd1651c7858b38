//! Rust, in two ways: with the `wasm32-wasip2` target, whose linker makes components, and lean, with
//! `wasm32-unknown-unknown`. Their standard libraries are rustup's, or a stand-in made from Debian
//! packages.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::{Job, component, debian};
use crate::process::Program;

const WASI: &str = "wasm32-wasip2";
/// The target without WASI.
pub(super) const LEAN: &str = "wasm32-unknown-unknown";

pub(super) fn tools() -> Result<String> {
    version(WASI)
}

pub(super) fn lean_tools() -> Result<String> {
    version(LEAN)
}

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    with_wasi(job, "logs")
}

pub(super) fn lean(job: &Job<'_>) -> Result<()> {
    let module = compile(job, LEAN, "logs")?;
    component::encode(&module, &job.output)
}

pub(super) fn outside(job: &Job<'_>) -> Result<()> {
    with_wasi(job, "outside")
}

pub(super) fn dictionary(job: &Job<'_>) -> Result<()> {
    with_wasi(job, "dictionary")
}

fn with_wasi(job: &Job<'_>, package: &str) -> Result<()> {
    let component = compile(job, WASI, package)?;
    fs::copy(component, &job.output)
        .map(drop)
        .context("cargo left no component")
}

fn version(target: &str) -> Result<String> {
    if has_std(target)? {
        rustc().arg("-vV").output()
    } else {
        debian::version(target)
    }
}

/// Compiles a package, and says where cargo left what came out.
pub(super) fn compile(job: &Job<'_>, target: &str, package: &str) -> Result<PathBuf> {
    let folder = target_folder(job);
    let mut cargo = cargo(job, package).args(["--target", target]);
    if !has_std(target)? {
        cargo = cargo.env("RUSTC", debian::rustc(job.paths, target, job.line)?);
    }
    job.line.say("compiling");
    cargo.output()?;
    let built = folder.join(target).join("release");
    let name = package.replace('-', "_");
    Ok(built.join(name).with_extension("wasm"))
}

/// Compiles a program for this machine, and says where cargo left it.
pub(super) fn native(job: &Job<'_>, package: &str) -> Result<PathBuf> {
    job.line.say("compiling");
    cargo(job, package).output()?;
    let name = format!("{package}{}", std::env::consts::EXE_SUFFIX);
    Ok(target_folder(job).join("release").join(name))
}

fn target_folder(job: &Job<'_>) -> PathBuf {
    job.paths.guests.join("build/rust")
}

/// A cargo that builds a package, and that nobody's settings reach.
fn cargo(job: &Job<'_>, package: &str) -> Program {
    Program::cargo()
        .args(["build", "--release", "--locked", "--package", package])
        .dir(&job.source)
        .without_env(&[
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "RUSTC",
        ])
        .env("CARGO_TARGET_DIR", target_folder(job))
}

/// Whether the rustc in use has the target's standard library.
fn has_std(target: &str) -> Result<bool> {
    let folder = rustc()
        .args(["--print", "target-libdir", "--target", target])
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
    Program::new("rustc")
        .hint("install Rust, then `rustup target add wasm32-wasip2 wasm32-unknown-unknown`")
}
