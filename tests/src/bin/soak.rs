//! Mixed load for some minutes, and what the process holds meanwhile.

#![allow(clippy::print_stdout, reason = "a tool for the terminal")]

use std::process::ExitCode;
use std::time::Duration;

use prewarm_tests::soak::soak;

fn main() -> ExitCode {
    // A panic of a host function is part of the load, and contained.
    std::panic::set_hook(Box::new(|_| {}));
    let minutes = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let Some(minutes) = minutes.filter(|minutes| (0.1..=10_000.0).contains(minutes)) else {
        println!("usage: soak MINUTES");
        return ExitCode::from(2);
    };
    let soaked = soak(Duration::from_secs_f64(minutes * 60.0), |passed, usage| {
        println!("after {:.0} min: {usage:?}", passed.as_secs_f64() / 60.0);
    });
    for (deed, calls) in &soaked.calls {
        println!("{deed:<46} {calls:>12}");
    }
    let mut ok = soaked.wrong.is_none();
    for verdict in soaked.verdicts() {
        ok &= verdict.flat;
        let word = if verdict.flat { "flat" } else { "GROWS" };
        println!(
            "{:<46} {:>12} -> {} {word}",
            verdict.name, verdict.early, verdict.late
        );
    }
    println!(
        "wrong answers: {}",
        soaked.wrong.as_deref().unwrap_or("none")
    );
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
