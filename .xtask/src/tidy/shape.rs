//! Every Rust file says at its top what it is for, and is short enough to be read.

use super::{Problem, Tree};

const MOST_LINES: usize = 500;

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust() {
        let first = file.text.lines().find(|line| !line.trim().is_empty());
        if !first.is_some_and(|line| line.starts_with("//!")) {
            problems.push(Problem::new(
                file,
                1,
                "no `//!` at the top says what this file is for",
            ));
        }
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            let message = format!("{lines} lines, and {MOST_LINES} is the most");
            problems.push(Problem::new(file, 0, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    #[test]
    fn a_file_with_a_header_passes() {
        assert!(
            found(
                check,
                &[("host/src/a.rs", "\n//! What for.\nfn main() {}\n")]
            )
            .is_empty()
        );
        assert!(found(check, &[("README.md", "no header")]).is_empty());
    }

    #[test]
    fn a_file_without_a_header_fails() {
        for text in [
            "",
            "fn main() {}\n",
            "// Licence\n//! What for.\n",
            "/// Item.\nfn a() {}\n",
        ] {
            assert_eq!(
                found(check, &[("guest-examples/rust/src/lib.rs", text)]),
                [
                    "guest-examples/rust/src/lib.rs:1: no `//!` at the top says what this file \
                     is for"
                ]
            );
        }
    }

    #[test]
    fn a_long_file_fails() {
        let text = |lines: usize| format!("//! What for.\n{}", "\n".repeat(lines - 1));
        assert!(found(check, &[("a.rs", &text(500))]).is_empty());
        assert_eq!(
            found(check, &[("a.rs", &text(501))]),
            ["a.rs: 501 lines, and 500 is the most"]
        );
    }
}
