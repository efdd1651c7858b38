//! `unsafe` stands in one file of the library, and says there why it has to; and in a rival's, which does
//! what the library's is measured against.

use super::code::all_tokens;
use super::{Problem, Tree};

const ONLY: &str = "host/src/cache.rs";
const BASELINE: &str = "benches/rivals/src/first_answer.rs";

/// Code of guests, and what stands in for a C library beneath them.
const OTHERS: [&str; 3] = ["guest-examples/", "benches/rivals/guest/", ".xtask/std/"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust() {
        if OTHERS.iter().any(|other| file.path.starts_with(other)) {
            continue;
        }
        let justified =
            file.text.contains("JUSTIFICATION:") && [ONLY, BASELINE].contains(&file.path.as_str());
        let marks = all_tokens(&file.text).into_iter();
        // The keyword, and the lint that would let it pass.
        let marks = marks.filter(|token| ["unsafe", "unsafe_code"].contains(&token.text));
        if !justified {
            let message = format!("`unsafe` belongs in {ONLY}, with its JUSTIFICATION");
            problems.extend(marks.map(|mark| Problem::new(file, mark.line, message.clone())));
        }
    }
    for file in tree
        .files
        .iter()
        .filter(|file| is_manifest_of_ours(&file.path))
    {
        let held = file.text.contains("[lints]\nworkspace = true")
            || file.text.contains("unsafe_code = ")
            || !file.text.contains("[package]");
        if !held {
            let message = "no `[lints]`, so that `unsafe` would pass";
            problems.push(Problem::new(file, 0, message));
        }
    }
    problems
}

fn is_manifest_of_ours(path: &str) -> bool {
    path.ends_with("Cargo.toml") && !OTHERS.iter().any(|other| path.starts_with(other))
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn words_and_the_one_file_pass() {
        for (path, text) in [
            ("host/src/pool.rs", "// unsafe\nlet a = \"unsafe\";"),
            (ONLY, "// JUSTIFICATION: no safe way\nunsafe { a() }"),
            (BASELINE, "// JUSTIFICATION: no other\nunsafe { a() }"),
            ("guest-examples/rust/src/lib.rs", "unsafe { a() }"),
            (
                "tests/Cargo.toml",
                "[package]\n\n[lints]\nworkspace = true\n",
            ),
            (
                "a/Cargo.toml",
                "[package]\n[lints.rust]\nunsafe_code = \"forbid\"\n",
            ),
            ("Cargo.toml", "[workspace]\n"),
        ] {
            assert!(found(check, &[(path, text)]).is_empty(), "{path}");
        }
    }

    #[test]
    fn others_and_an_unjustified_one_fail() {
        for (path, text) in [
            ("host/src/pool.rs", "\nunsafe { a() }"),
            (
                "host/src/pool.rs",
                "\n#[expect(unsafe_code, reason = \"fast\")]",
            ),
            (
                "tests/it/main.rs",
                "\n#[cfg(test)] mod t { unsafe fn a() {} }",
            ),
            (ONLY, "\nunsafe { a() }"),
        ] {
            let message = format!("{path}:2: `unsafe` belongs in {ONLY}, with its JUSTIFICATION");
            assert_eq!(found(check, &[(path, text)]), [message], "{text}");
        }
        assert_eq!(
            found(check, &[("host/cli/Cargo.toml", "[package]\n")]),
            ["host/cli/Cargo.toml: no `[lints]`, so that `unsafe` would pass"]
        );
    }
}
