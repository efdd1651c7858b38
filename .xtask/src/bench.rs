//! The demo, the benches, the report and the promises, each with the guests built first.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::guests;
use crate::paths::Paths;
use crate::process::Program;
use crate::rivals;

/// Shows what a pool does, on a log.
pub(crate) fn demo(paths: &Paths, file: Option<PathBuf>) -> Result<()> {
    let file = file.unwrap_or_else(|| paths.examples().join("data/dpkg.log"));
    let file = std::path::absolute(&file).context("the name of the log is empty")?;
    ensure!(file.is_file(), "{} is not a file", file.display());
    build_some(paths)?;
    // The whole workspace, lest other features have everything compiled again.
    in_repository(paths, &["build", "--workspace", "--bins"]).run()?;
    Program::new(paths.binary("debug/demo"))
        .without_env(&["RUST_BACKTRACE"])
        .arg("--guests")
        .arg(&paths.guests)
        .arg(file)
        .run()
}

/// Runs the benches of criterion.
pub(crate) fn bench(paths: &Paths, args: &[String]) -> Result<()> {
    build_some(paths)?;
    in_repository(paths, &["bench", "-p", "prewarm-benches"])
        .args(args)
        .run()
}

/// Measures cold starts and writes `benches/REPORT.md` with its plots, or prints single chapters.
pub(crate) fn report(paths: &Paths, args: &[String]) -> Result<()> {
    build_some(paths)?;
    build_release(paths)?;
    let whole = !args.iter().any(|arg| arg.starts_with("--only"));
    let out = if whole {
        paths.root.join("benches")
    } else {
        paths.target.clone()
    };
    // Where the caller stands: the file for JSON may be named in the arguments.
    Program::new(paths.binary("release/report"))
        .without_env(&["RUST_BACKTRACE"])
        .env("PREWARM_GUESTS", &paths.guests)
        .arg("--out")
        .arg(out)
        .args(args)
        .run()
}

/// Measures every promise and says which are kept.
pub(crate) fn promises(paths: &Paths, args: &[String]) -> Result<()> {
    build_some(paths)?;
    build_release(paths)?;
    let (rivals, forms) = rivals::prepare(paths)?;
    // Where the caller stands: files may be named in the arguments.
    Program::new(paths.binary("release/promises"))
        .without_env(&["RUST_BACKTRACE"])
        .env("PREWARM_GUESTS", &paths.guests)
        .arg("--rivals")
        .arg(rivals)
        .arg("--forms")
        .arg(forms)
        .args(args)
        .run()
}

/// The same, and puts the table where users read it.
pub(crate) fn promises_into_readme(paths: &Paths, args: &[String]) -> Result<()> {
    let mut args = args.to_vec();
    let file = match args.iter().skip_while(|arg| *arg != "--json").nth(1) {
        Some(file) => PathBuf::from(file),
        None => {
            let file = paths.target.join("promises.json");
            args.extend(["--json".to_owned(), file.display().to_string()]);
            file
        }
    };
    promises(paths, &args)?;
    let rows = fs::read_to_string(&file).context("no figures were written")?;
    let rows: Vec<Value> = serde_json::from_str(&rows).context("the figures are no JSON")?;
    put_table(
        &paths.root.join("README.md"),
        "promises",
        &promise_table(&rows),
    )
}

fn promise_table(rows: &[Value]) -> String {
    let mut table = "| promise | goal | measured | row |\n| --- | --- | --- | --- |\n".to_owned();
    for row in rows {
        let text = |name: &str| row[name].as_str().unwrap_or_default();
        let unit = text("unit");
        let space = if unit.is_empty() || unit == "x" {
            ""
        } else {
            " "
        };
        let measured = match row["value"].as_f64() {
            Some(value) => format!("{value:.2}{space}{unit}, {}", text("verdict")),
            None => text("verdict").to_owned(),
        };
        table += &format!(
            "| {} | {}{space}{unit} | {measured} | `{}` |\n",
            text("promise"),
            text("goal"),
            text("name")
        );
    }
    table
}

/// Measures what each guest costs, and puts the tables where guest authors and embedders read them.
pub(crate) fn costs(paths: &Paths) -> Result<()> {
    guests::build(paths, &[])?;
    build_release(paths)?;
    println!("measuring: takes a minute or two, on a machine that does nothing else");
    let table = Program::new(paths.binary("release/costs"))
        .without_env(&["RUST_BACKTRACE"])
        .arg("--guests")
        .arg(&paths.guests)
        .arg(paths.examples().join("data/dpkg.log"))
        .output()?;
    println!("{table}");
    put_table(&paths.examples().join("README.md"), "costs", &table)?;
    let table = Program::new(paths.binary("release/steps"))
        .without_env(&["RUST_BACKTRACE"])
        .arg("--guests")
        .arg(&paths.guests)
        .output()?;
    println!("{table}");
    put_table(&paths.root.join("host/src/cold_starts.md"), "steps", &table)
}

pub(crate) fn build_release(paths: &Paths) -> Result<()> {
    in_repository(
        paths,
        &["build", "--release", "-p", "prewarm-benches", "--bins"],
    )
    .run()
}

/// Puts another table between the marks of that name in a page.
fn put_table(page: &Path, name: &str, table: &str) -> Result<()> {
    let text = fs::read_to_string(page);
    let text = text.with_context(|| format!("{} cannot be read", page.display()))?;
    let text = with_table(&text, name, table).with_context(|| format!("in {}", page.display()))?;
    fs::write(page, text).with_context(|| format!("{} cannot be written", page.display()))
}

/// The text with another table between the marks of that name.
fn with_table(text: &str, name: &str, table: &str) -> Result<String> {
    let (from, to) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    let lacks = |mark: &str| format!("the page lacks `{}`", mark.trim_end());
    let (before, rest) = text.split_once(&from).with_context(|| lacks(&from))?;
    let (_, after) = rest.split_once(&to).with_context(|| lacks(&to))?;
    Ok(format!("{before}{from}{table}{to}{after}"))
}

/// Builds the guests that can be built here: one is enough to go on.
pub(crate) fn build_some(paths: &Paths) -> Result<()> {
    match guests::build(paths, &[]) {
        Err(error) if any_component(&paths.guests) => {
            println!("{error:#}; going on without");
            Ok(())
        }
        outcome => outcome,
    }
}

fn any_component(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else {
        return false;
    };
    entries
        .flatten()
        .any(|entry| entry.path().extension().is_some_and(|it| it == "wasm"))
}

/// A cargo that works in the repository and whose programs can find the guests.
pub(crate) fn in_repository(paths: &Paths, args: &[&str]) -> Program {
    Program::cargo()
        .args(args)
        .dir(&paths.root)
        .env("PREWARM_GUESTS", &paths.guests)
        // With it every error of wasmtime looks up its own stack: minutes in the tests of faults.
        .without_env(&["RUST_BACKTRACE"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_goes_between_its_marks() {
        let text = "a\n<!-- n -->\nold\n<!-- end of n -->\nb\n";
        let expected = "a\n<!-- n -->\nnew\n<!-- end of n -->\nb\n";
        assert_eq!(with_table(text, "n", "new\n").unwrap(), expected);
        assert!(with_table("a", "n", "new").is_err());
    }

    #[test]
    fn a_promise_shows_its_goal_and_what_was_measured() {
        let rows = [
            serde_json::json!({"promise": "Fast", "name": "fast", "goal": "<= 5", "unit": "ms", "value": 4.031, "verdict": "pass"}),
            serde_json::json!({"promise": "Far", "name": "far", "goal": ">= 2", "unit": "x", "value": null, "verdict": "not measured"}),
        ];
        let table = promise_table(&rows);
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| Fast | <= 5 ms | 4.03 ms, pass | `fast` |",
                "| Far | >= 2x | not measured | `far` |"
            ]
        );
    }
}
