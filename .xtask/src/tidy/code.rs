//! Rust code as a list of words and signs, without comments, literals and tests.

/// One word or sign of the code, with the number of its line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

/// The code's tokens, without items under `#[cfg(test)]`. `::` is one token.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    without_tests(&all_tokens(text))
}

/// The modules in files of their own that exist only for tests.
pub(super) fn test_modules(text: &str) -> Vec<&str> {
    let tokens = all_tokens(text);
    let items = (0..tokens.len()).filter_map(|at| {
        let rest = &tokens[at + test_mark(&tokens[at..])?..];
        match &rest[..item(rest)] {
            [.., keyword, name, end] if keyword.text == "mod" && end.text == ";" => Some(name.text),
            _ => None,
        }
    });
    items.collect()
}

/// The names that follow `path::`: one, or those that begin each part of a group.
pub(super) fn first_names<'a>(after: &[Token<'a>]) -> Vec<Token<'a>> {
    let Some(first) = after.first() else {
        return Vec::new();
    };
    if first.text != "{" {
        return vec![*first];
    }
    let (mut names, mut depth, mut starts) = (Vec::new(), 0, false);
    for token in after {
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," => {}
            _ if depth == 1 && starts => names.push(*token),
            _ => {}
        }
        if depth == 0 {
            break;
        }
        starts = depth == 1 && matches!(token.text, "{" | ",");
    }
    names
}

/// The same with tests.
pub(super) fn all_tokens(text: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let length = comment_or_literal(rest);
        let (skipped, length) = match length {
            0 if is_in_word(first) => (false, word(rest)),
            0 if rest.starts_with("::") => (false, 2),
            0 => (first.is_whitespace(), first.len_utf8()),
            length => (true, length),
        };
        let (text, after) = rest.split_at(length);
        if !skipped {
            tokens.push(Token { text, line });
        }
        line += text.matches('\n').count();
        rest = after;
    }
    tokens
}

/// The length of the comment or literal that the code begins with, or 0.
fn comment_or_literal(code: &str) -> usize {
    let until = |end: &str, from: usize| code[from..].find(end).map_or(code.len(), |i| from + i);
    if code.starts_with("//") {
        until("\n", 0)
    } else if code.starts_with("/*") {
        block_comment(code)
    } else if code.starts_with('"') {
        quoted(code)
    } else if let Some(hashes) = raw_string(code) {
        let end = format!("\"{}", "#".repeat(hashes));
        let start = code.find('"').unwrap_or(0) + 1;
        (until(&end, start) + end.len()).min(code.len())
    } else if code.starts_with("'\\") {
        (until("'", 3.min(code.len())) + 1).min(code.len())
    } else if code.starts_with('\'') {
        // Else it is a lifetime.
        let mut chars = code.char_indices().skip(2);
        chars
            .next()
            .filter(|(_, c)| *c == '\'')
            .map_or(0, |(index, _)| index + 1)
    } else {
        0
    }
}

fn block_comment(code: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < code.len() {
        if code[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if code[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += code[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    code.len()
}

fn quoted(code: &str) -> usize {
    let mut escaped = true; // so that the first quote does not end it
    for (index, c) in code.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return index + 1,
            _ => {}
        }
    }
    code.len()
}

/// How many `#` the raw string has that the code begins with.
fn raw_string(code: &str) -> Option<usize> {
    let code = code.strip_prefix('b').unwrap_or(code).strip_prefix('r')?;
    let hashes = code.len() - code.trim_start_matches('#').len();
    code[hashes..].starts_with('"').then_some(hashes)
}

fn word(code: &str) -> usize {
    code.find(|c| !is_in_word(c)).unwrap_or(code.len())
}

fn is_in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Leaves out each item that stands under `#[cfg(test)]`.
fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let (mut kept, mut at) = (Vec::new(), 0);
    while let Some(token) = tokens.get(at) {
        match test_mark(&tokens[at..]) {
            Some(mark) => at += mark + item(&tokens[at + mark..]),
            None => {
                kept.push(*token);
                at += 1;
            }
        }
    }
    kept
}

/// How many tokens the attribute has that says "only for tests", if the code begins with one.
fn test_mark(tokens: &[Token<'_>]) -> Option<usize> {
    let begins = |mark: &[&str]| {
        tokens
            .iter()
            .map(|token| token.text)
            .take(mark.len())
            .eq(mark.iter().copied())
    };
    if begins(&["#", "[", "cfg", "(", "test", ")"])
        || begins(&["#", "[", "cfg", "(", "all", "(", "test"])
    {
        tokens
            .iter()
            .position(|token| token.text == "]")
            .map(|end| end + 1)
    } else {
        None
    }
}

/// How many tokens the item at the beginning has: up to its `;` or the end of its block.
fn item(tokens: &[Token<'_>]) -> usize {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        match token.text {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(token.text, "}" | ";") {
            return index + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_literals_and_tests_are_left_out() {
        assert_eq!(words("// crate::a\na /* crate::b /* */ */ b"), ["a", "b"]);
        assert_eq!(words(r#"a "crate::b \" c" b"#), ["a", "b"]);
        assert_eq!(words(r###"a r#"crate::b "c"# b"###), ["a", "b"]);
        assert_eq!(
            words(r"a '\'' b '{' &'static c"),
            ["a", "b", "&", "'", "static", "c"]
        );
        assert_eq!(words("a #[cfg(test)] mod t { x { y } } b"), ["a", "b"]);
        assert_eq!(words("#[cfg(test)] use x; b"), ["b"]);
    }

    #[test]
    fn modules_for_tests_are_found() {
        let text =
            "mod a; #[cfg(test)] mod b; #[cfg(test)] mod c { mod d; } // #[cfg(test)] mod e;";
        assert_eq!(test_modules(text), ["b"]);
    }

    #[test]
    fn names_and_lines_are_found() {
        let tokens = tokens("use\ncrate::{a::{b, c}, d as e,\n f};");
        let names = first_names(&tokens[3..]);
        let names: Vec<_> = names.iter().map(|token| (token.text, token.line)).collect();
        assert_eq!(names, [("a", 2), ("d", 2), ("f", 3)]);
    }
}
