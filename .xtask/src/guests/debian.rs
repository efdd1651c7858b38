//! A stand-in for `rustup target add`, for a machine that has Debian's packages and not that.
//!
//! Debian ships a recent rustc with the sources that it was built from, and a libc for WASI. A
//! target's standard library is compiled once and put beside links to the rest, so that
//! `RUSTC=<there>/bin/rustc cargo build --target wasm32-wasip2` works with rustup's own cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};

use super::progress::Line;
use crate::paths::Paths;
use crate::process::Program;

/// The packages, which are always of the same version, as they must be.
const PACKAGES: [&str; 2] = ["rustc-web", "rust-web-src"];
/// The package that only targets with WASI need.
const LIBC_PACKAGE: &str = "wasi-libc";
const RUSTC: &str = "/usr/bin/rustc";
const SOURCES: &str = "/usr/lib/rustlib/src/rust/library";
const LIBC: &str = "/usr/lib/wasm32-wasi";
/// What std calls and that libc lacks.
const STUB: &str = include_str!("../../std/pthread_stub.rs");

/// One at a time, since all targets share the compiler.
static INSTALLING: Mutex<()> = Mutex::new(());

/// Which compiler it is, as far as what `target` needs is there.
pub(super) fn version(target: &str) -> Result<String> {
    if is_installed(target) {
        Program::new(RUSTC).arg("-vV").output()
    } else {
        Ok(String::new())
    }
}

/// A rustc that can compile for `target`.
pub(super) fn rustc(paths: &Paths, target: &str, line: &Line) -> Result<PathBuf> {
    let _guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_installed(target) {
        install(target, line)?;
    }
    let version = version(target)?;
    let field = |name: &str| {
        let value = version.lines().find_map(|line| line.strip_prefix(name));
        value.with_context(|| format!("`{RUSTC} -vV` does not say {name:?}"))
    };
    let (release, host) = (field("release: ")?, field("host: ")?);
    let sysroot = paths
        .guests
        .join("toolchains")
        .join(format!("rust-{release}"));
    let rustc = sysroot.join("bin/rustc");
    let done = sysroot.join(format!("{target}.done"));
    if !done.exists() {
        line.say(format!("compiling std for {target}, this once"));
        // Lest it change under another guest, which may be compiling with it.
        if !rustc.exists() {
            link_host(&sysroot, host)?;
        }
        compile_std(&sysroot, target)?;
        if has_libc(target) {
            add_libc(&sysroot, target)?;
        }
        fs::write(&done, "")?;
    }
    Ok(rustc)
}

fn has_libc(target: &str) -> bool {
    target.contains("wasi")
}

fn is_installed(target: &str) -> bool {
    let exists = |path: &str| Path::new(path).exists();
    exists(RUSTC) && exists(SOURCES) && (exists(LIBC) || !has_libc(target))
}

fn install(target: &str, line: &Line) -> Result<()> {
    let mut packages = PACKAGES.to_vec();
    if has_libc(target) {
        packages.push(LIBC_PACKAGE);
    }
    let list = packages.join(" ");
    let root = Program::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.trim() == "0");
    if !root || !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "rustc has no standard library for {target}: `rustup target add {target}`, \
             or on Debian `sudo apt-get install {list}`"
        );
    }
    line.say(format!("installing Debian's {list}"));
    let apt = || Program::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive");
    apt().arg("update").output()?;
    apt()
        .args(["install", "--yes", "--no-install-recommends"])
        .args(packages)
        .output()?;
    Ok(())
}

/// The part that is the host's: Debian's libraries, rustup's linkers, and a rustc that knows.
fn link_host(sysroot: &Path, host: &str) -> Result<()> {
    let libraries = Program::new(RUSTC)
        .args(["--print", "target-libdir"])
        .output()?;
    let rustup = Program::new("rustc")
        .args(["--print", "sysroot"])
        .output()?;
    let linkers = Path::new(rustup.trim())
        .join("lib/rustlib")
        .join(host)
        .join("bin");
    let own = sysroot.join("lib/rustlib").join(host);
    fs::create_dir_all(&own)?;
    fs::create_dir_all(sysroot.join("bin"))?;
    for (from, to) in [(Path::new(libraries.trim()), "lib"), (&linkers, "bin")] {
        Program::new("ln")
            .arg("-sfn")
            .args([from, &own.join(to)])
            .output()?;
    }
    let rustc = sysroot.join("bin/rustc");
    let script = format!(
        "#!/bin/sh\nexec {RUSTC} --sysroot '{}' \"$@\"\n",
        sysroot.display()
    );
    fs::write(&rustc, script)?;
    Program::new("chmod").arg("+x").arg(&rustc).output()?;
    Ok(())
}

/// Compiles std as a dependency of an empty crate.
fn compile_std(sysroot: &Path, target: &str) -> Result<()> {
    let seed = sysroot.join("seed");
    fs::create_dir_all(seed.join("src"))?;
    fs::write(
        seed.join("Cargo.toml"),
        "[package]\nname = \"seed\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    fs::write(seed.join("src/lib.rs"), "#![no_std]\n")?;
    Program::cargo()
        .args([
            "build",
            "--release",
            "-Zbuild-std=std,panic_abort",
            "--target",
            target,
        ])
        .dir(&seed)
        .without_env(&["RUSTFLAGS", "CARGO_BUILD_TARGET"])
        .env("RUSTC", RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", seed.join("target"))
        .env(
            "CARGO_ENCODED_RUSTFLAGS",
            "-Cembed-bitcode=yes\u{1f}-Zforce-unstable-if-unmarked",
        )
        .output()?;
    let libraries = library_folder(sysroot, target);
    fs::create_dir_all(&libraries)?;
    for entry in fs::read_dir(seed.join("target").join(target).join("release/deps"))? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        let is_seed = name.to_string_lossy().starts_with("libseed-");
        if path
            .extension()
            .is_some_and(|extension| extension == "rlib")
            && !is_seed
        {
            fs::copy(&path, libraries.join(name))?;
        }
    }
    fs::remove_dir_all(&seed).context("the scratch folder of std will not go")
}

/// Puts Debian's libc where rustc looks for its own.
fn add_libc(sysroot: &Path, target: &str) -> Result<()> {
    let folder = library_folder(sysroot, target).join("self-contained");
    fs::create_dir_all(&folder)?;
    for file in ["libc.a", "crt1-command.o", "crt1-reactor.o"] {
        fs::copy(Path::new(LIBC).join(file), folder.join(file)).context(file)?;
    }
    let (source, object) = (
        folder.join("pthread_stub.rs"),
        folder.join("pthread_stub.o"),
    );
    fs::write(&source, STUB)?;
    Program::new(sysroot.join("bin/rustc"))
        .args([
            "--edition=2024",
            "--crate-type=lib",
            "--emit=obj",
            "-O",
            "-Cpanic=abort",
        ])
        .args(["--target", target, "-o"])
        .args([&object, &source])
        .output()?;
    Program::new("ar")
        .hint("install binutils")
        .arg("q")
        .args([&folder.join("libc.a"), &object])
        .output()?;
    Ok(())
}

fn library_folder(sysroot: &Path, target: &str) -> PathBuf {
    sysroot.join("lib/rustlib").join(target).join("lib")
}
