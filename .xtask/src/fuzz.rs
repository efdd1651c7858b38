//! Runs the fuzz targets with libFuzzer, built by cargo-fuzz on the stable toolchain.
//!
//! Without a sanitizer: what the targets look for is a panic, a wrong answer or a call that hangs. The
//! library has one file of `unsafe`, which only hands compiled code to wasmtime, and no sanitizer
//! sees into that code.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::paths::Paths;
use crate::process::Program;
use crate::time::{self, Stopwatch};

/// The newest that was tried.
const CARGO_FUZZ: &str = "0.13.2";

const TARGETS: [&str; 4] = ["component", "cache", "values", "pool"];

/// The longest input, in bytes: room for everything that a target reads of one.
const MOST_BYTES: u32 = 1024;

/// One input that takes so many seconds is a finding. A target gives up waiting after 10.
const INPUT_SECONDS: u32 = 60;

/// Beyond so many MiB resident memory it is one too.
const MEMORY_MIB: u32 = 4096;

/// Runs each target for so long, and fails if one of them found anything.
pub(crate) fn run(paths: &Paths, minutes: f64, names: &[String]) -> Result<()> {
    ensure!(minutes > 0.0, "a run takes some time");
    for name in names {
        let known = TARGETS.join(", ");
        ensure!(
            TARGETS.contains(&name.as_str()),
            "no target {name:?}; known are {known}"
        );
    }
    let folder = paths.target.join("fuzz");
    build(paths, &folder)?;
    let seconds = (minutes * 60.0).ceil();
    println!(
        "{:<10} {:>8} {:>10} {:>9} {:>7} {:>8}  result",
        "target", "seconds", "runs", "coverage", "corpus", "crashes"
    );
    let chosen = |name: &&str| names.is_empty() || names.iter().any(|it| it == name);
    let mut found = 0;
    for name in TARGETS.into_iter().filter(chosen) {
        let case = case(paths, &folder, name, seconds)?;
        println!("{}", case.line(name));
        found += case.crashes.len();
        for crash in &case.crashes {
            println!("{:<10} {}", "", crash.display());
        }
        ensure!(
            case.ended_well || !case.crashes.is_empty(),
            "see {}",
            case.log.display()
        );
    }
    match found {
        0 => Ok(()),
        count => bail!("{count} crashes: run each with its target's program, and make it a test"),
    }
}

/// Installs cargo-fuzz where nothing else sees it, and builds all targets with it.
fn build(paths: &Paths, folder: &Path) -> Result<()> {
    let tools = folder.join("tools");
    let cargo_fuzz = tools.join(format!("bin/cargo-fuzz{}", std::env::consts::EXE_SUFFIX));
    let version = Program::new(&cargo_fuzz).arg("--version").output();
    if !version.is_ok_and(|version| version.trim_end().ends_with(CARGO_FUZZ)) {
        println!("installing cargo-fuzz {CARGO_FUZZ}");
        Program::cargo()
            .args([
                "install",
                "--quiet",
                "--locked",
                "cargo-fuzz",
                "--version",
                CARGO_FUZZ,
            ])
            .arg("--root")
            .arg(&tools)
            .arg("--target-dir")
            .arg(tools.join("build"))
            .run()?;
    }
    println!("building the targets: takes a while the first time");
    let watch = Stopwatch::start();
    // Ours keep their assertions, by the profile of their workspace; `-O` drops those of all others.
    Program::new(&cargo_fuzz)
        .args([
            "build",
            "-O",
            "--sanitizer",
            "none",
            "--codegen-units",
            "16",
        ])
        .arg("--fuzz-dir")
        .arg(paths.root.join("tests/fuzz/libfuzzer"))
        .arg("--target-dir")
        .arg(folder.join("build"))
        .run()?;
    println!("built: {}", time::seconds(watch.elapsed()));
    Ok(())
}

/// How one run ended.
struct Case {
    seconds: u64,
    runs: u64,
    coverage: u64,
    corpus: usize,
    crashes: Vec<PathBuf>,
    ended_well: bool,
    log: PathBuf,
}

impl Case {
    fn line(&self, name: &str) -> String {
        let result = match (self.crashes.is_empty(), self.ended_well) {
            (true, true) => "clean",
            (true, false) => "FAILED",
            (false, _) => "CRASHED",
        };
        format!(
            "{name:<10} {:>8} {:>10} {:>9} {:>7} {:>8}  {result}",
            self.seconds,
            self.runs,
            self.coverage,
            self.corpus,
            self.crashes.len()
        )
    }
}

fn case(paths: &Paths, folder: &Path, name: &str, seconds: f64) -> Result<Case> {
    // What the fuzzer finds stays here, and is where the next run begins.
    let corpus = folder.join("corpus").join(name);
    let crashes = folder.join("crashes").join(name);
    for folder in [&corpus, &crashes] {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    let before = files(&crashes)?;
    let log = folder.join(format!("{name}.log"));
    let watch = Stopwatch::start();
    let ended_well = Program::new(program(folder, name)?)
        .without_env(&["RUST_BACKTRACE"])
        .arg(&corpus)
        .arg(paths.root.join("tests/fuzz/corpus").join(name))
        .arg(format!("-max_total_time={seconds}"))
        // At full length from the beginning: a short input is all defaults.
        .args([
            "-len_control=0".to_owned(),
            format!("-max_len={MOST_BYTES}"),
        ])
        .arg(format!("-timeout={INPUT_SECONDS}"))
        // On a machine that is busy, an input may take longer than libFuzzer finds right.
        .arg(format!("-report_slow_units={INPUT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!("-artifact_prefix={}/", crashes.display()))
        .arg("-print_final_stats=1")
        .logged(&log)?;
    let text = fs::read(&log).with_context(|| format!("{} is gone", log.display()))?;
    let text = String::from_utf8_lossy(&text);
    let mut found = files(&crashes)?;
    found.retain(|crash| !before.contains(crash));
    Ok(Case {
        seconds: watch.elapsed().as_secs(),
        runs: number_after(&text, "stat::number_of_executed_units:").unwrap_or(0),
        coverage: number_after(&text, " cov: ").unwrap_or(0),
        corpus: files(&corpus)?.len(),
        crashes: found,
        ended_well,
        log,
    })
}

/// Where cargo-fuzz put the program of a target: below the name of the machine's platform.
fn program(folder: &Path, name: &str) -> Result<PathBuf> {
    let build = folder.join("build");
    let place = format!("release/{name}{}", std::env::consts::EXE_SUFFIX);
    let entries = fs::read_dir(&build).context("nothing was built")?;
    let programs = entries.flatten().map(|entry| entry.path().join(&place));
    let mut programs = programs.filter(|program| program.is_file());
    programs
        .next()
        .with_context(|| format!("{} has no {place}", build.display()))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder);
    let entries = entries.with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    Ok(files)
}

/// The number after the last place where a log has these words.
fn number_after(log: &str, words: &str) -> Option<u64> {
    let (_, rest) = log.rsplit_once(words)?;
    let rest = rest.trim_start();
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_number_counts() {
        let log = "#2 INITED cov: 5 ft: 6\n#9 DONE   cov: 71 ft: 8\n\
                   stat::number_of_executed_units: 1234\nstat::new_units_added: 4";
        assert_eq!(number_after(log, " cov: "), Some(71));
        assert_eq!(
            number_after(log, "stat::number_of_executed_units:"),
            Some(1234)
        );
        assert_eq!(number_after(log, "stat::peak_rss_mb:"), None);
    }
}
