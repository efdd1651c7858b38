//! The work: the source of the Rust guest that reads logs, and an answer that any rival can carry.

#[allow(dead_code, missing_docs, reason = "redacting needs only a part of it")]
#[path = "../../../../../guest-examples/rust/src/line.rs"]
mod line;
#[path = "../../../../../guest-examples/rust/src/redact.rs"]
mod redaction;

pub use self::bindings::{Guest, example};
use self::example::logs::types::{Redacted, Secrets};

/// What the generator of bindings makes of the world.
#[allow(missing_docs, reason = "generated")]
pub mod bindings {
    wit_bindgen::generate!({
        path: ["../../../../wit/logs", "../../wit"],
        world: "prewarm:rivals/work",
        generate_all,
        default_bindings_module: "rivals_work::bindings",
        pub_export_macro: true,
    });
}

/// Kinds of secrets.
pub const KINDS: usize = 5;

/// Says the same.
pub fn echo(text: &str) -> String {
    text.to_owned()
}

/// Hides these secrets.
pub fn redact(text: &str, what: Secrets, mask: char) -> Redacted {
    redaction::redact(text, what, mask)
}

/// How often each kind of secret was hidden, in the order of `secrets`.
pub fn counts(redacted: &Redacted) -> [u32; KINDS] {
    let mut all = [0; KINDS];
    for (kind, count) in &redacted.counts {
        let at = Secrets::all().iter().position(|other| other == *kind);
        if let Some(at) = at {
            all[at] = *count;
        }
    }
    all
}

/// Does the work that the name says, and gives the answer as bytes, for rivals that have no types:
/// five 32-bit numbers, the least significant byte first, then the text. None where there is no such work.
pub fn answer(work: &str, text: &str) -> Option<Vec<u8>> {
    Some(match work {
        "echo" => wire([0; KINDS], &echo(text)),
        "redact" => {
            let redacted = redact(text, Secrets::all(), '*');
            wire(counts(&redacted), &redacted.text)
        }
        _ => return None,
    })
}

fn wire(counts: [u32; KINDS], text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(4 * KINDS + text.len());
    for count in counts {
        bytes.extend(count.to_le_bytes());
    }
    bytes.extend(text.as_bytes());
    bytes
}
