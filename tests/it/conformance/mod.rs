//! The same calls to every guest by three faces, with the same answers: those in `answers.golden`.
//!
//! `UPDATE_GOLDEN=1` writes that file anew, from what the first guest says by the first face.

mod cases;
mod faces;
pub(crate) mod rows;
mod soak;

use std::collections::BTreeMap;

use serde_json::Value;

use self::cases::{Case, cases};
use self::faces::FACES;
use self::rows::{Row, rows};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/it/conformance/answers.golden");

/// An answer longer than this is kept by its hash.
const LONG: usize = 16 << 10;

type Answers = BTreeMap<String, Vec<Value>>;

/// What a guest answers to one case, one call after the other on one instance.
fn short(answers: Vec<Value>) -> Vec<Value> {
    let short = |answer: Value| {
        let text = answer.to_string();
        match text.len() {
            0..LONG => answer,
            length => format!("{length} bytes, blake3 {}", blake3::hash(text.as_bytes())).into(),
        }
    };
    answers.into_iter().map(short).collect()
}

fn expected(row: &Row, case: &Case, golden: &Answers) -> Option<Vec<Value>> {
    let mut answers = golden
        .get(case.name)
        .unwrap_or_else(|| panic!("{GOLDEN} lacks {:?}: UPDATE_GOLDEN=1", case.name))
        .clone();
    (row.alter)(case.name, &mut answers);
    row.has(case).then_some(answers)
}

#[test]
fn every_guest_gives_the_same_answers_by_every_face() {
    let cases = cases();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let first = &rows()[0];
        let answers: Answers = cases
            .iter()
            .map(|case| (case.name.to_owned(), short(FACES[0].run(first, case))))
            .collect();
        let text = serde_json::to_string_pretty(&answers).unwrap() + "\n";
        std::fs::write(GOLDEN, text).unwrap();
    }
    let golden: Answers = serde_json::from_str(&std::fs::read_to_string(GOLDEN).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for row in rows() {
        for case in &cases {
            let Some(expected) = expected(row, case, &golden) else {
                continue;
            };
            for face in FACES {
                let found = short(face.run(row, case));
                if found != expected {
                    wrong.push(format!(
                        "{} by {}, {}:\n  expected {}\n  found    {}",
                        row.name,
                        face.name,
                        case.name,
                        serde_json::to_string(&expected).unwrap(),
                        serde_json::to_string(&found).unwrap()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
