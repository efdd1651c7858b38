//! A module of the library uses only what stands above it in `lib.rs`.
//!
//! `lib.rs` lists the modules ground floor first. A file may say `crate::x`, or `super::x` up to
//! the root, only if `x` is its own module, a module that `lib.rs` lists before its own, or a name
//! that `lib.rs` re-exports from one of these. Tests may use everything.

use std::collections::HashMap;

use super::code::{Token, first_names, tokens};
use super::{Problem, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let Some(lib) = tree.file("host/src/lib.rs") else {
        return Vec::new();
    };
    let lib = tokens(&lib.text);
    let (order, exports) = (modules(&lib), reexports(&lib));
    let floor = |module: &str| order.iter().position(|other| *other == module);
    let mut problems = Vec::new();
    for file in tree.library() {
        let path = file.module();
        let Some((module, own)) = path.first().and_then(|name| Some((name, floor(name)?))) else {
            continue;
        };
        for name in names_at_root(&tokens(&file.text), path.len()) {
            let used = exports.get(name.text).copied().unwrap_or(name.text);
            if floor(used).is_some_and(|used| used > own) {
                let message = format!("`{module}` uses `{used}`, which stands below it");
                problems.push(Problem::new(file, name.line, message));
            }
        }
    }
    problems
}

/// The modules, in the order in which `lib.rs` declares them.
fn modules<'a>(lib: &[Token<'a>]) -> Vec<&'a str> {
    let declaration = |window: &[Token<'a>]| match window {
        [keyword, name, end] if keyword.text == "mod" && end.text == ";" => Some(name.text),
        _ => None,
    };
    lib.windows(3).filter_map(declaration).collect()
}

/// Which module each re-exported name comes from.
fn reexports<'a>(lib: &[Token<'a>]) -> HashMap<&'a str, &'a str> {
    let mut exports = HashMap::new();
    let is_root = |text: &str| matches!(text, "crate" | "self" | "::");
    for (at, _) in lib
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| pair[0].text == "pub" && pair[1].text == "use")
    {
        let statement = lib[at + 2..].iter().take_while(|token| token.text != ";");
        let mut names = statement
            .map(|token| token.text)
            .filter(|text| !is_root(text));
        if let Some(module) = names.next() {
            exports.extend(names.map(|name| (name, module)));
        }
    }
    exports
}

/// What follows `crate::`, or as many `super::` as lead to the root.
fn names_at_root<'a>(tokens: &[Token<'a>], depth: usize) -> Vec<Token<'a>> {
    let mut names = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let path = |length| tokens.get(at..at + 2 * length).unwrap_or_default();
        let is_super = |pair: &[Token<'_>]| pair[0].text == "super" && pair[1].text == "::";
        let supers = path(depth);
        let up = !supers.is_empty() && supers.chunks(2).all(is_super);
        let inner = at >= 2 && is_super(&tokens[at - 2..at]);
        let from_crate = token.text == "crate" && path(1).last().is_some_and(|t| t.text == "::");
        if from_crate {
            names.extend(first_names(&tokens[at + 2..]));
        } else if up && !inner {
            names.extend(first_names(&tokens[at + 2 * depth..]));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const LIB: &str = "//! The library.\nmod words;\n#[cfg(x)]\npub mod machine;\nmod pool;\n\
                       pub use pool::{Pool, PoolConfig};\npub use crate::words::Word;\n";

    fn check_file(path: &str, text: &str) -> Vec<String> {
        found(check, &[("host/src/lib.rs", LIB), (path, text)])
    }

    #[test]
    fn what_stands_above_may_be_used() {
        for (path, text) in [
            (
                "host/src/pool.rs",
                "use crate::words::Word;\nuse crate::{machine::Engine, words};",
            ),
            (
                "host/src/pool.rs",
                "use super::machine::Engine; use crate::pool::Slots;",
            ),
            (
                "host/src/machine/engine.rs",
                "use super::cache; use crate::Word;",
            ),
            (
                "host/src/words.rs",
                "//! See [`crate::pool`].\n// crate::pool\nconst A: &str = \"crate::pool\";",
            ),
            (
                "host/src/words.rs",
                "#[cfg(test)]\nmod tests { use crate::pool::Pool; }",
            ),
            ("host/src/words.rs", "crate::some_macro!();"),
            (
                "host/src/lib.rs",
                "//! x\nmod words;\nmod pool;\nuse crate::pool::Pool;",
            ),
            ("tests/it/main.rs", "use crate::pool;"),
        ] {
            assert!(check_file(path, text).is_empty(), "{path}: {text}");
        }
    }

    #[test]
    fn a_file_of_tests_may_use_everything() {
        let words = ("host/src/words.rs", "#[cfg(test)]\nmod tests;");
        let tests = ("host/src/words/tests/deep.rs", "use crate::pool::Pool;");
        assert!(found(check, &[("host/src/lib.rs", LIB), words, tests]).is_empty());
    }

    #[test]
    fn what_stands_below_may_not() {
        for (path, text) in [
            ("host/src/words.rs", "\nuse crate::pool::Pool;"),
            (
                "host/src/words.rs",
                "\nuse crate::{error, pool::{Pool, Slots}};",
            ),
            ("host/src/words.rs", "\nuse crate::PoolConfig;"),
            ("host/src/words.rs", "\nuse super::pool::Pool;"),
            ("host/src/words.rs", "\nfn f(_: &crate::pool::Pool) {}"),
            ("host/src/words/error.rs", "\nuse super::super::pool::Pool;"),
            ("host/src/words/mod.rs", "\nuse super::Pool;"),
        ] {
            let message = format!("{path}:2: `words` uses `pool`, which stands below it");
            assert_eq!(check_file(path, text), [message], "{text}");
        }
    }
}
