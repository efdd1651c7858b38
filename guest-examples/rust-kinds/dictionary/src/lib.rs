//! The world `example:kinds/dictionary` in Rust: prepares itself when first asked to.

use std::collections::HashMap;
use std::sync::LazyLock;

wit_bindgen::generate!({ path: "../../../wit/kinds", world: "dictionary" });

const SIZE: u32 = 100_000;

static WORDS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    (1..=SIZE)
        .map(|n| (spell(n), format!("word {n}")))
        .collect()
});

struct Dictionary;

impl Guest for Dictionary {
    fn prepare() {
        LazyLock::force(&WORDS);
    }

    fn size() -> u32 {
        WORDS.len() as u32
    }

    fn look_up(word: String) -> Option<String> {
        WORDS.get(&word).cloned()
    }
}

/// How the word with this number is written.
fn spell(n: u32) -> String {
    let mut word = String::new();
    let mut rest = u64::from(n) * 48_271 % 2_147_483_647;
    while rest > 0 {
        let digit = (rest % 70) as usize;
        word.push(char::from(b"bdfgklmnprstvz"[digit / 5]));
        word.push(char::from(b"aeiou"[digit % 5]));
        rest /= 70;
    }
    word
}

export!(Dictionary);
