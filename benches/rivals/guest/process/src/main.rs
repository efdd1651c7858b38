//! The work as a program: `rivals-process WORK TEXT` writes the answer's bytes and ends. With a third
//! argument it then waits for its input to end, so that somebody can look at its memory.

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(work), Some(text)) = (args.next(), args.next()) else {
        return ExitCode::FAILURE;
    };
    let Some(answer) = rivals_work::answer(&work, &text) else {
        return ExitCode::FAILURE;
    };
    let mut out = io::stdout().lock();
    if out.write_all(&answer).and_then(|()| out.flush()).is_err() {
        return ExitCode::FAILURE;
    }
    if args.next().is_some() {
        let _ = io::stdin().lock().read(&mut [0]);
    }
    ExitCode::SUCCESS
}
