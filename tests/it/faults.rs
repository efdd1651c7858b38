//! What hostile and broken guests and host functions do: the exact error for each, on both faces,
//! with reuse and without, with fuel and without, in both lanes; the slot free again, the next
//! caller served as if nothing had been, and all the while a neighbour on the same host.

use prewarm::Lane;
use prewarm_tests::hostile::{CASES, Stage};

fn all_cases(lane: Lane, fuel: bool) {
    let stage = Stage::new(lane, fuel);
    let neighbour = stage.neighbour();
    let mut wrong = Vec::new();
    for case in CASES {
        for setting in stage.settings() {
            if let Err(problem) = stage.check(case, setting) {
                wrong.push(format!("{}, {setting}: {problem}", case.name));
            }
        }
    }
    let served = neighbour.end();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(served.wrong, None, "the neighbour's call");
    assert!(served.calls > 0);
}

#[test]
fn in_the_plain_lane() {
    all_cases(Lane::Plain, false);
}

#[test]
fn in_the_plain_lane_with_fuel() {
    all_cases(Lane::Plain, true);
}

#[test]
fn in_the_concurrent_lane() {
    all_cases(Lane::Concurrent, false);
}

#[test]
fn in_the_concurrent_lane_with_fuel() {
    all_cases(Lane::Concurrent, true);
}
