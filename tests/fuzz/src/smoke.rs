//! The corpus of each target, and a fixed number of inputs that are near it.

use std::fs;
use std::path::Path;

use crate::TARGETS;

/// How many inputs near the corpus are tried of each target. As many as take a few seconds.
const TRIED: [usize; 4] = [60, 60, 120, 120];

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(name);
    let entries = fs::read_dir(&folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The same numbers in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end.max(1) as u64).unwrap()
    }

    /// Something like `one`, with pieces of `other`.
    fn near(&mut self, one: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = one.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let from = self.below(other.len());
            let to = other.len().min(from + self.below(32));
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.splice(at..at, other[from..to].iter().copied())),
                2 => bytes.insert(at, u8::try_from(self.below(256)).unwrap()),
                3 if at < bytes.len() => drop(bytes.remove(at)),
                4 if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                _ if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => bytes.push(0),
            }
        }
        bytes
    }
}

/// Says which input it was, where a target panics.
struct Shown<'a>(&'a str, &'a [u8]);

impl Drop for Shown<'_> {
    #[expect(
        clippy::print_stderr,
        reason = "what is printed is shown when a test fails"
    )]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input of `{}`: {:?}", self.0, self.1);
        }
    }
}

fn smoke(at: usize) {
    let (name, target) = TARGETS[at];
    let run = |input: &[u8]| {
        let _shown = Shown(name, input);
        target(input);
    };
    let corpus = corpus(name);
    assert!(corpus.len() >= 20, "{name} has {} files", corpus.len());
    corpus.iter().for_each(|input| run(input));
    let mut random = Random(1);
    for _ in 0..TRIED[at] {
        let (one, other) = (random.below(corpus.len()), random.below(corpus.len()));
        run(&random.near(&corpus[one], &corpus[other]));
    }
}

#[test]
fn components_load_or_say_why_not() {
    smoke(0);
}

#[test]
fn a_spoiled_cache_changes_no_answer() {
    smoke(1);
}

#[test]
fn values_survive_their_text_forms() {
    smoke(2);
}

#[test]
fn a_pool_does_what_the_model_says() {
    smoke(3);
}
