//! Steps that misbehave, in all combinations, with callers who give up.

use prewarm_tests::misbehaviour::{Deeds, Matrix, Told, Waits};

/// Runs of each combination. `cargo xtask hostile` does more.
const RUNS: usize = 4;

#[test]
fn of_any_step_loses_no_slot_and_no_caller() {
    let matrix = Matrix::default();
    let mut told = Told::default();
    for n in 0..Deeds::COUNT {
        let (deeds, seed) = (Deeds::nth(n), n as u64);
        matrix.run(deeds, Waits::InTheHost, RUNS, seed, &mut told);
        // Takes real time.
        if n % 4 == 0 {
            matrix.run(deeds, Waits::Computing, RUNS, seed, &mut told);
        }
    }
    // All of it happened.
    assert!(told.answers > Deeds::COUNT, "{told:?}");
    assert!(told.computed > Deeds::COUNT / 4, "{told:?}");
    for kind in [
        "Load",
        "Start",
        "WarmUp",
        "Deadline",
        "Busy",
        "Trap",
        "HostPanic",
    ] {
        assert!(
            told.errors.get(kind).is_some_and(|count| *count > 100),
            "{kind}: {told:?}"
        );
    }
}
