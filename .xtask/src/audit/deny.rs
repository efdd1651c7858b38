//! Runs cargo-deny over every workspace: licences, sources, banned crates, and known faults.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use super::licences::WORKSPACES;
use crate::paths::Paths;
use crate::process::Program;

const VERSION: &str = "0.20.2";

/// Checks everything that can be checked here, and says what cannot.
pub(crate) fn run(paths: &Paths) -> Result<()> {
    let tool = tool(paths)?;
    let check = |folder: &str, what: &[&str]| {
        Program::new(&tool)
            .arg("--manifest-path")
            .arg(paths.root.join(folder).join("Cargo.toml"))
            .arg("--config")
            .arg(paths.root.join("deny.toml"))
            // A licence that one workspace needs is not needed by all.
            .args(["check", "--allow", "license-not-encountered"])
            .args(what)
    };
    for folder in WORKSPACES {
        println!("{folder}: bans, licences, sources");
        check(folder, &["bans", "licenses", "sources"]).run()?;
    }
    // The rivals bring engines of their own, and nobody is given what is built of them.
    println!("benches/rivals: sources");
    check("benches/rivals", &["sources"]).run()?;
    for folder in WORKSPACES {
        match check(folder, &["advisories"]).output() {
            Ok(_) => println!("{folder}: advisories and yanked crates: none"),
            Err(error) if format!("{error:#}").contains("failed to fetch advisory database") => {
                println!(
                    "{folder}: advisories and yanked crates are NOT checked: git cannot clone the \
                     database from here"
                );
            }
            Err(error) => bail!(error),
        }
    }
    Ok(())
}

/// cargo-deny, built once.
fn tool(paths: &Paths) -> Result<PathBuf> {
    let tools = paths.target.join("tools");
    let tool = paths.binary(&format!("tools/cargo-deny-{VERSION}/bin/cargo-deny"));
    if tool.is_file() {
        return Ok(tool);
    }
    println!("building cargo-deny {VERSION}, which takes some minutes");
    let build = tools.join("build");
    Program::cargo()
        .args(["install", "cargo-deny", "--locked", "--version", VERSION])
        .arg("--root")
        .arg(tools.join(format!("cargo-deny-{VERSION}")))
        .env("CARGO_TARGET_DIR", &build)
        .run()?;
    fs::remove_dir_all(&build).context("what is left of the build cannot be removed")?;
    Ok(tool)
}
