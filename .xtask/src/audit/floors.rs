//! The floors of the library that know no wasmtime: every order of their threads, sanitizers, miri.

use anyhow::{Context as _, Result};

use crate::paths::Paths;
use crate::process::Program;

/// The tests that stand in the library's files, and every order of the threads in `models`.
pub(crate) fn run(paths: &Paths) -> Result<()> {
    test(paths, &["--lib"]).run()?;
    test(paths, &["--features", "loom", "--test", "interleavings"]).run()
}

fn test(paths: &Paths, args: &[&str]) -> Program {
    in_floors(
        paths,
        Program::cargo()
            .args(["test", "--quiet", "--locked"])
            .args(args),
    )
    .env("CARGO_TARGET_DIR", paths.target.join("floors"))
}

fn in_floors(paths: &Paths, program: Program) -> Program {
    program
        .dir(&paths.root.join("tests/floors"))
        .without_env(&["RUST_BACKTRACE"])
}

/// The same tests where the memory is watched: by the address sanitizer, and by miri if it is here.
pub(crate) fn sanitize(paths: &Paths) -> Result<()> {
    let target = host_triple()?;
    println!("address sanitizer");
    in_floors(paths, Program::cargo())
        .args(["test", "--quiet", "--locked", "--lib", "--target", &target])
        .env("CARGO_TARGET_DIR", paths.target.join("floors-address"))
        // For a flag that only nightly compilers take by themselves.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .run()?;
    // The cargo of the PATH: it may be rustup's, which knows other toolchains.
    let miri = || Program::new("cargo").arg("+nightly").arg("miri");
    if miri().arg("--version").output().is_err() {
        println!(
            "miri is NOT run, because it is not here: `rustup toolchain install nightly --component miri`"
        );
        return Ok(());
    }
    println!("miri");
    in_floors(paths, miri())
        .args(["test", "--locked", "--lib"])
        .env("CARGO_TARGET_DIR", paths.target.join("floors-miri"))
        // Some tests read the clock, and count page faults in /proc.
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("PROPTEST_CASES", "4")
        .run()
}

/// What this machine's compiler compiles for by itself. Named, so that build scripts stay plain.
fn host_triple() -> Result<String> {
    let version = Program::new("rustc").arg("-vV").output()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}
