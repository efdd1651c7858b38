//! The page, and the numbers for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::chapter::{Bench, Chapter};
use crate::machine;

const COMMAND: &str = "cargo xtask bench --report";

/// The report as Markdown.
pub(crate) fn markdown(bench: &Bench, chapters: &[Chapter], took: Duration) -> String {
    let quick = bench.or_quick("", " --quick");
    let mut text = String::from("# Cold starts, measured\n\n");
    for chapter in chapters {
        let anchor = anchor(chapter.title);
        _ = writeln!(
            text,
            "- [{}](#{anchor}): {}",
            chapter.title, chapter.finding
        );
    }
    _ = writeln!(
        text,
        "\nWritten by `{COMMAND}{quick}` in {:.0} s, every figure taken in that run. *Tuned* wasmtime is \
         wasmtime with the settings that prewarm uses, and no pool around it: what a pool can reach.\n",
        took.as_secs_f64()
    );
    text += "| machine and versions | |\n| --- | --- |\n";
    for (name, value) in machine::machine() {
        _ = writeln!(text, "| {name} | {value} |");
    }
    if !bench.built.missing.is_empty() {
        _ = writeln!(text, "| not built | {} |", bench.built.missing.join(", "));
    }
    for chapter in chapters {
        let name = chapter.name;
        _ = writeln!(text, "\n## {}\n\n**{}**", chapter.title, chapter.finding);
        if let Some(plot) = &chapter.plot {
            _ = writeln!(text, "\n![{}](report/{name}.svg)", plot.title);
        }
        _ = writeln!(text, "\n{}", chapter.table.trim_end());
        _ = writeln!(
            text,
            "\n{} `{COMMAND} --only {name}{quick}`",
            chapter.method
        );
    }
    text
}

/// What a renderer makes of a heading.
fn anchor(title: &str) -> String {
    let letters = title.to_lowercase().replace(' ', "-");
    letters
        .chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == '-')
        .collect()
}

/// Every number of the run.
pub(crate) fn json(bench: &Bench, chapters: &[Chapter]) -> Value {
    let chapters: Value = chapters
        .iter()
        .map(|chapter| {
            let value = json!({ "finding": chapter.finding, "numbers": chapter.numbers });
            (chapter.name.to_owned(), value)
        })
        .collect();
    json!({
        "machine": machine::json(&machine::machine()),
        "quick": bench.quick,
        "missing": bench.built.missing,
        "chapters": chapters,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_found() {
        assert_eq!(anchor("From zero: a burst"), "from-zero-a-burst");
    }
}
