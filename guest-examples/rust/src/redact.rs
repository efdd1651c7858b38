//! Hides what should not leave the house.

use crate::example::logs::types::{Redacted, Secrets};
use crate::line::numbers;

pub fn redact(text: &str, what: Secrets, mask: char) -> Redacted {
    let mut counts: Vec<(Secrets, u32)> = Secrets::all().iter().map(|kind| (kind, 0)).collect();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(in_word) {
        let (gap, tail) = rest.split_at(start);
        let end = tail.find(|c| !in_word(c)).unwrap_or(tail.len());
        let word = tail[..end].trim_end_matches(['.', ':', '-']);
        out += gap;
        match kind(word).filter(|kind| what.contains(*kind)) {
            Some(kind) => {
                out.extend(std::iter::repeat_n(mask, word.len()));
                counts
                    .iter_mut()
                    .filter(|(other, _)| *other == kind)
                    .for_each(|(_, n)| *n += 1);
            }
            None => out += word,
        }
        out += &tail[word.len()..end];
        rest = &tail[end..];
    }
    out += rest;
    counts.retain(|(_, n)| *n > 0);
    Redacted { text: out, counts }
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "@.:+~_-".contains(c)
}

/// The first kind of secret that the word looks like.
fn kind(word: &str) -> Option<Secrets> {
    let dated = numbers(word, '-', [4, 2, 2]).or_else(|| numbers(word, ':', [2, 2, 2]));
    if dated.is_some() {
        Some(Secrets::TIMES)
    } else if is_email(word) {
        Some(Secrets::EMAILS)
    } else if is_address(word) {
        Some(Secrets::ADDRESSES)
    } else if word.starts_with(|c: char| c.is_ascii_digit()) && word.contains(['.', '+', '~', '-'])
    {
        Some(Secrets::VERSIONS)
    } else if is_package(word) {
        Some(Secrets::PACKAGES)
    } else {
        None
    }
}

fn is_email(word: &str) -> bool {
    word.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !host.contains('@'))
}

fn is_address(word: &str) -> bool {
    let (host, port) = word.split_once(':').unwrap_or((word, "0"));
    let digits = |text: &str, most| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let parts: Vec<&str> = host.split('.').collect();
    parts.len() == 4
        && parts
            .iter()
            .all(|part| digits(part, 3) && part.parse::<u8>().is_ok())
        && digits(port, 5)
}

fn is_package(word: &str) -> bool {
    word.split_once(':').is_some_and(|(name, arch)| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && arch.starts_with(|c: char| c.is_ascii_lowercase())
            && !arch.contains(':')
    })
}
