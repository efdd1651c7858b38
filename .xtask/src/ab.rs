//! Two revisions side by side: the promises of both are measured in turns, and a rank test says
//! which figures differ by more than chance.

mod rank;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::bench::{build_release, build_some, in_repository};
use crate::paths::Paths;
use crate::process::Program;

/// What a figure was in each round, of the other revision and of the working tree.
type Figures = BTreeMap<String, [Vec<f64>; 2]>;

/// Compares the working tree with `revision`.
pub(crate) fn run(paths: &Paths, revision: &str, rounds: usize, names: &[String]) -> Result<()> {
    ensure!(
        rounds >= 4,
        "with fewer than 4 rounds no rank test can tell anything"
    );
    build_some(paths)?;
    let other = other(paths, revision)?;
    build_release(paths)?;
    let programs = [other, paths.binary("release/promises")];
    let mut figures = Figures::new();
    for round in 0..rounds {
        println!("round {} of {rounds}", round + 1);
        // Whoever comes second finds a warmer machine: they take turns at it.
        let order = if round % 2 == 0 { [0, 1] } else { [1, 0] };
        for which in order {
            for (name, value) in measure(paths, &programs[which], names)? {
                figures.entry(name).or_default()[which].push(value);
            }
        }
    }
    print(&figures, revision);
    Ok(())
}

/// The program that measures the promises of `revision`, built once.
fn other(paths: &Paths, revision: &str) -> Result<PathBuf> {
    let git = || Program::new("git").hint("install git").dir(&paths.root);
    let commit = format!("{revision}^{{commit}}");
    let hash = git().args(["rev-parse", "--verify", &commit]).output()?;
    let hash = hash.trim();
    let folder = paths.target.join("ab").join(hash);
    let program = folder.join("promises");
    if program.is_file() {
        return Ok(program);
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let tree = folder.join("tree");
    if !tree.is_dir() {
        git()
            .args(["worktree", "add", "--detach", "--force"])
            .arg(&tree)
            .arg(hash)
            .output()?;
    }
    // In the same target folder, so that what both depend on is compiled once.
    let built = in_repository(
        paths,
        &["build", "--release", "-p", "prewarm-benches", "--bins"],
    )
    .dir(&tree)
    .env("CARGO_TARGET_DIR", &paths.target)
    .run()
    .with_context(|| format!("the promises of {revision} do not build"));
    let copied = built.and_then(|()| {
        fs::copy(paths.binary("release/promises"), &program).context("the program is gone")
    });
    git()
        .args(["worktree", "remove", "--force"])
        .arg(&tree)
        .output()?;
    copied.map(|_| program)
}

/// The figures of one run, by name. Without the rivals: their program holds the working tree's prewarm,
/// whichever revision asks.
fn measure(paths: &Paths, program: &PathBuf, names: &[String]) -> Result<Vec<(String, f64)>> {
    let file = paths.target.join("ab").join("figures.json");
    Program::new(program)
        .without_env(&["RUST_BACKTRACE"])
        .env("PREWARM_GUESTS", &paths.guests)
        .args(names)
        .arg("--json")
        .arg(&file)
        .output()?;
    let text = fs::read_to_string(&file).context("no figures were written")?;
    let rows: Vec<Value> = serde_json::from_str(&text).context("the figures are no JSON")?;
    let figure = |row: Value| Some((row["name"].as_str()?.to_owned(), row["value"].as_f64()?));
    Ok(rows.into_iter().filter_map(figure).collect())
}

fn print(figures: &Figures, revision: &str) {
    println!(
        "{:<44} {revision:>14} {:>14} {:>8} {:>8}  verdict",
        "median of", "here", "ratio", "p"
    );
    for (name, [there, here]) in figures {
        let (before, now) = (rank::median(there), rank::median(here));
        let p = rank::p_value(there, here);
        let verdict = match p {
            Some(p) if p < 0.01 => "differs",
            Some(_) => "no difference seen",
            None => "too few figures",
        };
        let ratio = now / before;
        let p = p.map_or_else(|| "-".to_owned(), |p| format!("{p:.4}"));
        println!("{name:<44} {before:>14.3} {now:>14.3} {ratio:>8.3} {p:>8}  {verdict}");
    }
}
