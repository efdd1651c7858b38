//! Every row of the README's table of promises names a test or a bench that exists.
//!
//! The table is the one under the heading with the word "Promises". Its last column names, in
//! backticks, functions (`a_trap_retires`), paths to them (`tests/it/pool.rs::a_trap_retires`),
//! files, or names that a bench prints (`warm call`).

use super::{File, Problem, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let Some(readme) = tree.file("README.md") else {
        return Vec::new();
    };
    let rows = rows(readme);
    if rows.is_empty() {
        return vec![Problem::new(
            readme,
            0,
            "there is no table under a heading \"Promises\"",
        )];
    }
    let mut problems = Vec::new();
    for (line, cell) in rows {
        let proofs: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        if proofs.is_empty() {
            problems.push(Problem::new(
                readme,
                line,
                "this promise names no test and no bench",
            ));
        }
        for proof in proofs.into_iter().filter(|proof| !exists(tree, proof)) {
            let message = format!("there is no test or bench `{proof}`");
            problems.push(Problem::new(readme, line, message));
        }
    }
    problems
}

/// The lines and last cells of the table's rows.
fn rows(readme: &File) -> Vec<(usize, &str)> {
    let is_heading = |line: &str| line.starts_with('#');
    // A table's heading, and the line below it.
    let all: Vec<&str> = readme.text.lines().collect();
    let heads: Vec<&str> = all
        .windows(2)
        .filter(|pair| pair[1].starts_with("| ---"))
        .flatten()
        .copied()
        .collect();
    let lines = readme
        .text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    lines
        .skip_while(|(_, line)| !(is_heading(line) && line.to_lowercase().contains("promises")))
        .skip(1)
        .take_while(|(_, line)| !is_heading(line))
        .filter(|(_, line)| line.starts_with('|') && !heads.contains(line))
        .filter_map(|(number, line)| {
            Some((
                number,
                line.trim_end().trim_end_matches('|').rsplit('|').next()?,
            ))
        })
        .collect()
}

fn exists(tree: &Tree, proof: &str) -> bool {
    let (path, name) = proof.rsplit_once("::").unwrap_or(("", proof));
    if name.ends_with(".rs") {
        return tree.file(name).is_some();
    }
    let mut places = tree.rust().filter(|file| {
        let ours = !file.path.starts_with("guest-examples/") && !file.path.starts_with(".xtask/");
        if path.ends_with(".rs") {
            file.path == path
        } else {
            ours
        }
    });
    places.any(|file| {
        let is_bench = file.path.starts_with("benches/");
        has_function(&file.text, name) || (is_bench && file.text.contains(&format!("\"{name}")))
    })
}

fn has_function(text: &str, name: &str) -> bool {
    text.match_indices("fn ").any(|(index, _)| {
        let rest = &text[index + 3..];
        rest.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['(', '<']))
    })
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const TESTS: (&str, &str) = ("tests/it/pool.rs", "//! Pool.\nfn a_trap_retires() {}\n");
    const BENCH: (&str, &str) = ("benches/src/bin/promises.rs", "row(\"warm call, sync\");\n");

    fn check_row(cell: &str) -> Vec<String> {
        let readme = format!(
            "# prewarm\n\n| not | this |\n|-|-|\n| a | b |\n\n## Promises\n\nText.\n\n\
             | promise | shown by |\n| --- | --- |\n| traps retire | {cell} |\n\n## Next\n"
        );
        found(check, &[TESTS, BENCH, ("README.md", &readme)])
    }

    #[test]
    fn a_promise_with_its_proof_passes() {
        for cell in [
            "`a_trap_retires`",
            "`tests/it/pool.rs::a_trap_retires`",
            "`pool::a_trap_retires` and `warm call`",
            "`tests/it/pool.rs`",
        ] {
            assert!(check_row(cell).is_empty(), "{cell}");
        }
        assert!(found(check, &[]).is_empty());
    }

    #[test]
    fn a_promise_without_proof_fails() {
        assert_eq!(
            check_row("pending"),
            ["README.md:13: this promise names no test and no bench"]
        );
        for proof in [
            "a_trap",
            "tests/it/host.rs::a_trap_retires",
            "tests/it/host.rs",
            "cold",
        ] {
            assert_eq!(
                check_row(&format!("`{proof}`")),
                [format!("README.md:13: there is no test or bench `{proof}`")]
            );
        }
        assert_eq!(
            found(check, &[("README.md", "# prewarm\n")]),
            ["README.md: there is no table under a heading \"Promises\""]
        );
    }
}
