//! Runs every hostile guest in every setting beside a neighbour, floods a pool beside another, and
//! lets every step of a pool misbehave, and prints a line for each. Parameters name the parts to run:
//! `guests`, `floods`, `steps`.

#![allow(clippy::print_stdout, reason = "a tool for the terminal")]

use std::process::ExitCode;
use std::time::Duration;

use prewarm::Lane;
use prewarm_tests::flood::{KINDS, Kind, beside};
use prewarm_tests::hostile::{CASES, Served, Stage};
use prewarm_tests::misbehaviour::{Deeds, Matrix, Told, Waits};
use prewarm_tests::support::pass;

/// How long the neighbour is called alone.
const ALONE: Duration = Duration::from_secs(2);
/// How long it is called without a flood, and beside it.
const FLOOD: Duration = Duration::from_secs(10);
/// Runs of each combination of misbehaving steps: 100,000 in all.
const RUNS: usize = 32;

/// The same where guests compute, which takes real time.
const COMPUTING_RUNS: usize = 4;

fn main() -> ExitCode {
    // A panic of a host function is part of the matrix, and contained.
    std::panic::set_hook(Box::new(|_| {}));
    let only: Vec<String> = std::env::args().skip(1).collect();
    let chosen = |name: &str| only.is_empty() || only.iter().any(|one| one == name);
    let mut failed = 0;
    if chosen("guests") {
        failed += guests();
    }
    if chosen("floods") {
        failed += floods();
    }
    if chosen("steps") {
        failed += steps();
    }
    println!("{failed} of them are not as they must be");
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn guests() -> usize {
    let mut failed = 0;
    for (lane, fuel) in [
        (Lane::Plain, false),
        (Lane::Plain, true),
        (Lane::Concurrent, false),
        (Lane::Concurrent, true),
    ] {
        let stage = Stage::new(lane, fuel);
        let neighbour = stage.neighbour();
        pass(ALONE);
        let alone = neighbour.end();
        let neighbour = stage.neighbour();
        for case in CASES {
            for setting in stage.settings() {
                let result = stage.check(case, setting);
                failed += usize::from(result.is_err());
                let verdict = result.err().unwrap_or_else(|| "as it must".to_owned());
                println!("{:<46} {setting:<36} {verdict}", case.name);
            }
        }
        let beside = neighbour.end();
        failed += usize::from(alone.wrong.is_some()) + usize::from(beside.wrong.is_some());
        say("the neighbour alone", &alone);
        say("the neighbour beside all that", &beside);
    }
    failed
}

fn floods() -> usize {
    let mut failed = 0;
    for kind in KINDS {
        let (without, beside, told) = beside(kind, FLOOD);
        let wrong = [&without.wrong, &beside.wrong];
        failed += wrong.into_iter().flatten().count() + told.other.len();
        let company = match kind {
            Kind::Waits | Kind::Slots => "alone",
            Kind::Work => "beside threads that compute",
        };
        say(&format!("{company}, before a flood of {kind:?}"), &without);
        say(&format!("beside a flood of {kind:?}"), &beside);
        let ratio = beside.quantile(990).as_secs_f64() / without.quantile(990).as_secs_f64();
        println!(
            "{:<46} {} served, {} refused at once, {} otherwise; p99 of the neighbour {ratio:.2}x{}",
            format!("the flood of {kind:?}"),
            told.served,
            told.busy,
            told.other.len(),
            match cfg!(debug_assertions) {
                true => ", not optimised (`cargo xtask promises flood` tells what users get)",
                false => "",
            }
        );
    }
    failed
}

/// A combination that is not as it must be panics: so it is tried on a thread of its own.
fn steps() -> usize {
    let ran = std::thread::spawn(|| {
        let matrix = Matrix::default();
        let mut told = Told::default();
        for n in 0..Deeds::COUNT {
            let (deeds, seed) = (Deeds::nth(n), n as u64);
            matrix.run(deeds, Waits::InTheHost, RUNS, seed, &mut told);
            matrix.run(deeds, Waits::Computing, COMPUTING_RUNS, seed, &mut told);
        }
        told
    })
    .join();
    let what = format!(
        "{} combinations, {RUNS} + {COMPUTING_RUNS} runs each",
        Deeds::COUNT
    );
    match ran {
        Ok(told) => {
            println!(
                "{what:<46} as it must: {} answers, {} long computations, {:?}",
                told.answers, told.computed, told.errors
            );
            0
        }
        Err(panic) => {
            let said = panic
                .downcast_ref::<String>()
                .map_or("no message", String::as_str);
            println!("{what:<46} {said}");
            1
        }
    }
}

fn say(who: &str, served: &Served) {
    let wrong = served.wrong.as_deref().unwrap_or("none");
    println!(
        "{who:<46} {} calls answered, wrong: {wrong}; p50 {:?}, p99 {:?}, p99.9 {:?}",
        served.calls,
        served.quantile(500),
        served.quantile(990),
        served.quantile(999)
    );
}
