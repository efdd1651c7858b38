//! A public type of the library that its documentation names is a link, so that it cannot go stale.
//!
//! What counts is a name in backticks, alone or as the beginning of a path: `Pool`, `Pool::call`.
//! Code blocks are left out, and so is the documentation of the type itself. A type of another
//! crate with the same name passes as a path: `wasmtime::Store`.

use std::collections::HashSet;

use super::code::{Token, tokens};
use super::{File, Problem, Tree};

const KINDS: [&str; 4] = ["struct", "enum", "trait", "type"];

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let public = public_types(tree);
    let mut problems = Vec::new();
    for file in tree.library() {
        for (line, name) in unlinked(file, &public) {
            let message = format!("`{name}` is of this crate: make it a link");
            problems.push(Problem::new(file, line, message));
        }
    }
    problems
}

/// Names of the types that users of the library see.
fn public_types(tree: &Tree) -> HashSet<&str> {
    let Some(lib) = tree.file("host/src/lib.rs") else {
        return HashSet::new();
    };
    let lib = tokens(&lib.text);
    let mut seen: HashSet<&str> = HashSet::new();
    let mut public_modules = Vec::new();
    for (at, _) in lib
        .iter()
        .enumerate()
        .filter(|(_, token)| token.text == "pub")
    {
        let statement: Vec<&Token<'_>> = lib[at..]
            .iter()
            .take_while(|token| token.text != ";")
            .collect();
        match statement.get(1).map(|token| token.text) {
            Some("use") => seen.extend(statement.iter().map(|token| token.text)),
            Some("mod") => public_modules.extend(statement.get(2).map(|token| token.text)),
            _ => {}
        }
    }
    let mut public = HashSet::new();
    for file in tree.library() {
        let whole = file
            .module()
            .first()
            .is_none_or(|module| public_modules.contains(module));
        for window in tokens(&file.text).windows(3) {
            let [visibility, kind, name] = window else {
                continue;
            };
            let is_type = visibility.text == "pub" && KINDS.contains(&kind.text);
            if is_type && (whole || seen.contains(name.text)) {
                public.insert(name.text);
            }
        }
    }
    public
}

/// Lines and spans of the documentation in which a public type stands without a link.
fn unlinked<'a>(file: &'a File, public: &HashSet<&str>) -> Vec<(usize, &'a str)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let (mut found, mut fenced) = (Vec::new(), false);
    for (index, line) in lines.iter().enumerate() {
        let Some(text) = doc_text(line) else {
            fenced = false;
            continue;
        };
        if text.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            let own = documented(&lines[index..]);
            let spans = bare_spans(text).into_iter();
            found.extend(spans.filter_map(|span| {
                let name = type_name(span)?;
                (public.contains(name) && own != Some(name)).then_some((index + 1, span))
            }));
        }
    }
    found
}

fn doc_text(line: &str) -> Option<&str> {
    let line = line.trim_start();
    line.strip_prefix("//!")
        .or_else(|| line.strip_prefix("///"))
}

/// The name of the item below these lines of documentation and attributes.
fn documented<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let item = lines
        .iter()
        .skip_while(|line| doc_text(line).is_some())
        .take(12);
    let mut words = item.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
    words.find(|word| KINDS.contains(word))?;
    words.next()
}

/// What stands between backticks, outside square brackets.
fn bare_spans(text: &str) -> Vec<&str> {
    let (mut spans, mut depth) = (Vec::new(), 0_i32);
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 0 {
            let brackets = part.chars().filter(|c| matches!(c, '[' | ']'));
            depth = brackets.fold(depth, |depth, c| depth + if c == '[' { 1 } else { -1 });
        } else if depth <= 0 {
            spans.push(part);
        }
    }
    spans
}

/// The type that a span begins with.
fn type_name(span: &str) -> Option<&str> {
    let end = span
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(span.len());
    let (name, rest) = span.split_at(end);
    let path = rest.is_empty() || rest.starts_with("::");
    (name.starts_with(|c: char| c.is_ascii_uppercase()) && path).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const LIB: &str = "//! The library.\nmod pool;\npub mod http;\npub use pool::{Pool, Lease};\n";
    const POOL: &str = "pub struct Pool;\npub(crate) struct Slots;\npub struct Hidden;\n";

    fn check_docs(docs: &str) -> Vec<String> {
        let lease = format!("{docs}\n#[derive(Debug)]\npub struct Lease;\n{POOL}");
        let http = "pub enum Answer {}\n";
        let files = [
            ("host/src/lib.rs", LIB),
            ("host/src/pool.rs", lease.as_str()),
            ("host/src/http/mod.rs", http),
        ];
        found(check, &files)
    }

    #[test]
    fn linked_and_foreign_names_pass() {
        for docs in [
            "/// See [`Pool`], [`Pool::call`] and [the `Pool` above](Pool).",
            "/// A `Slots` or a `Hidden`, a `pool`, an `Arc<Pool>`, a `wasmtime::Pool`.",
            "/// ```\n/// let x = `Pool`;\n/// ```",
            "/// A `Lease` ends when dropped.",
            "// `Pool` in a plain comment.",
        ] {
            assert!(check_docs(docs).is_empty(), "{docs}");
        }
    }

    #[test]
    fn an_unlinked_name_fails() {
        for (docs, span) in [
            ("//! Makes a `Pool`.", "Pool"),
            ("/// Like `Pool::call`, not [`Lease`].", "Pool::call"),
            ("/// Gives an `Answer`.", "Answer"),
        ] {
            let message = format!("host/src/pool.rs:1: `{span}` is of this crate: make it a link");
            assert_eq!(check_docs(docs), [message]);
        }
    }
}
