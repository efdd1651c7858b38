//! How a run ends: the exit code, and the one message on stderr.
//!
//! Knows the errors of the library and which option helps against which.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, Write as _};
use std::process::ExitCode;

use prewarm::{
    CallError, Fault, Limited, LoadError, PoolError, ResolveError, SnapshotError, ValueError,
};

/// What `--help` says of the exit codes.
pub(crate) const CODES: &str = "\
Exit codes:
  0  done; of a call, the function answered
  1  the function answered with an error, `err(..)`, which is printed as any other answer
  2  wrong usage: a bad flag, an unknown function, an argument that does not fit
  3  no usable component: unreadable, invalid, or with imports that nobody provides
  4  the guest trapped
  5  the guest met its deadline or another limit
  6  the guest ended itself with a status other than 0
  7  trouble of the host: the cache, the engine, the machine";

/// How a run ended; the exit code is its place in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Outcome {
    Done = 0,
    ErrorAnswer = 1,
    Usage = 2,
    NoComponent = 3,
    Trap = 4,
    Limit = 5,
    Exit = 6,
    Host = 7,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome as u8)
    }
}

/// A wrong use that clap could not see.
#[derive(Debug)]
pub(crate) struct Misuse {
    pub(crate) problem: String,
    pub(crate) advice: String,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)
    }
}

impl StdError for Misuse {}

/// What to make of an error.
struct Verdict<'a> {
    outcome: Outcome,
    fault: Fault,
    advice: &'a str,
}

impl<'a> Verdict<'a> {
    fn new(outcome: Outcome, fault: Fault, advice: &'a str) -> Self {
        Self {
            outcome,
            fault,
            advice,
        }
    }

    fn of(error: &'a anyhow::Error) -> Self {
        error
            .chain()
            .find_map(Self::of_cause)
            .unwrap_or(Self::new(Outcome::Host, Fault::Host, ""))
    }

    fn of_cause(cause: &'a (dyn StdError + 'static)) -> Option<Self> {
        let usage = |advice| Self::new(Outcome::Usage, Fault::Caller, advice);
        if let Some(misuse) = cause.downcast_ref::<Misuse>() {
            return Some(usage(&misuse.advice));
        }
        if cause.is::<ResolveError>() {
            return Some(usage("`prewarm inspect` lists the functions"));
        }
        if cause.is::<ValueError>() {
            return Some(usage(""));
        }
        if let Some(error) = cause.downcast_ref() {
            return Self::of_snapshot(error);
        }
        if let Some(error) = cause.downcast_ref() {
            return Some(Self::of_load(error));
        }
        if let Some(error) = cause.downcast_ref() {
            return Some(Self::of_pool(error));
        }
        cause.downcast_ref().map(Self::of_call)
    }

    fn of_load(error: &LoadError) -> Self {
        let outcome = match error {
            LoadError::Engine(_) | LoadError::CompilerPanic { .. } | LoadError::Cancelled => {
                Outcome::Host
            }
            _ => Outcome::NoComponent,
        };
        let advice = match error {
            LoadError::NotWasm { .. } => "give a component as .wasm or .wat",
            LoadError::Compile(_) => "build it again with current tools",
            _ => "",
        };
        Self::new(outcome, error.fault(), advice)
    }

    /// `None` where the cause says more.
    fn of_snapshot(error: &SnapshotError) -> Option<Self> {
        let (outcome, advice) = match error {
            SnapshotError::Prepare(_) | SnapshotError::Init(_) | SnapshotError::Load(_) => {
                return None;
            }
            SnapshotError::Resolve(_) => (Outcome::Usage, "`prewarm inspect` lists the functions"),
            SnapshotError::Value(_) => (Outcome::Usage, ""),
            SnapshotError::Answered { .. } => (Outcome::ErrorAnswer, ""),
            SnapshotError::Changed { .. } => (Outcome::NoComponent, "try again"),
            SnapshotError::Refused { .. } | SnapshotError::Open => (Outcome::NoComponent, ""),
            _ => (Outcome::Host, ""),
        };
        Some(Self::new(outcome, error.fault(), advice))
    }

    fn of_pool(error: &PoolError) -> Self {
        let (outcome, advice) = match error {
            PoolError::Config { setting, .. } => match *setting {
                "Limits::memory_bytes" => (Outcome::Limit, "allow more with --memory"),
                _ => (Outcome::Limit, ""),
            },
            PoolError::MissingImports { .. } => {
                (Outcome::NoComponent, "this tool provides WASI alone")
            }
            PoolError::Grant(_) => (Outcome::Usage, "give a folder that exists with --dir"),
            _ => (Outcome::NoComponent, ""),
        };
        Self::new(outcome, error.fault(), advice)
    }

    fn of_call(error: &CallError) -> Self {
        let (outcome, advice) = match error {
            CallError::Start(source) | CallError::WarmUp(source) => return Self::of_call(source),
            CallError::Trap(_) => (Outcome::Trap, ""),
            CallError::Exit { .. } => (Outcome::Exit, ""),
            CallError::Deadline { .. } => (Outcome::Limit, "allow more time with --deadline"),
            CallError::Limit(hit) => match hit.limited {
                Limited::Memory => (Outcome::Limit, "allow more with --memory"),
                Limited::Output => (Outcome::Limit, "allow more with --output"),
                Limited::Fuel => (Outcome::Limit, "allow more with --fuel"),
                _ => (Outcome::Limit, "this tool cannot raise it, the library can"),
            },
            CallError::Value(_) | CallError::Resolve(_) => (Outcome::Usage, ""),
            _ => (Outcome::Host, ""),
        };
        Self::new(outcome, error.fault(), advice)
    }
}

/// Says on stderr what went wrong, whose fault it is and what to do, and gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> Outcome {
    // Whoever reads us has seen enough.
    let closed = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    if error.downcast_ref().is_some_and(closed) {
        return Outcome::Done;
    }
    let verdict = Verdict::of(error);
    // With stderr closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "error: {}", message(error, &verdict));
    verdict.outcome
}

/// The whole chain on one line with the verdict at its end, and a guest's stack below it.
fn message(error: &anyhow::Error, verdict: &Verdict<'_>) -> String {
    let mut chain = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if chain.is_empty() {
            chain = cause;
        } else if !chain.contains(&cause) {
            chain = format!("{chain}: {cause}");
        }
    }
    let (line, rest) = chain.split_at(chain.find('\n').unwrap_or(chain.len()));
    let whose = match verdict.fault {
        Fault::Guest => "guest's fault",
        Fault::Caller => "caller's fault",
        _ => "host's fault",
    };
    let colon = if verdict.advice.is_empty() { "" } else { ": " };
    format!("{line} ({whose}{colon}{}){rest}", verdict.advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_help() {
        for (outcome, word) in [
            (Outcome::Done, "done"),
            (Outcome::ErrorAnswer, "err(..)"),
            (Outcome::Usage, "usage"),
            (Outcome::NoComponent, "component"),
            (Outcome::Trap, "trapped"),
            (Outcome::Limit, "limit"),
            (Outcome::Exit, "status"),
            (Outcome::Host, "host"),
        ] {
            let start = format!("  {}  ", outcome as u8);
            let line = CODES.lines().find(|line| line.starts_with(&start));
            assert!(line.is_some_and(|line| line.contains(word)), "{word}");
        }
    }

    #[test]
    fn a_message_is_one_line_and_repeats_nothing() {
        let error = anyhow::Error::msg("no room")
            .context("no room")
            .context("cannot start");
        let verdict = Verdict::new(Outcome::Host, Fault::Host, "try later");
        assert_eq!(
            message(&error, &verdict),
            "cannot start: no room (host's fault: try later)"
        );
    }
}
