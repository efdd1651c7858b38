//! One guest: loaded, called and timed.

use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;
use prewarm::{CallError, Component, Host, Origin, PoolConfig, Progress};
use prewarm_benches::clock::{now, time};
use prewarm_benches::logs::Reader;
use prewarm_benches::logs::types::{Options, ParseError, Redacted, Summary};
use prewarm_benches::pools;
use wasmtime::Result;

use crate::words;

/// What the guests read.
pub(crate) struct Log {
    pub(crate) name: String,
    pub(crate) bytes: usize,
    pub(crate) text: String,
}

impl Log {
    pub(crate) fn new(file: &Path, bytes: &[u8]) -> Self {
        Self {
            name: words::shown(&file.display().to_string()),
            bytes: bytes.len(),
            text: String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// A line of it, to be timed with: a call that is short, so that its costs are seen.
    fn line(&self) -> &str {
        let line = self.text.lines().next().unwrap_or_default();
        line.get(..200).unwrap_or(line)
    }
}

/// What one guest said, and what it took.
pub(crate) struct Outcome {
    /// None of a guest that only redacts.
    pub(crate) summary: Option<Result<Summary, ParseError>>,
    pub(crate) redacted: Redacted,
    pub(crate) times: Times,
}

pub(crate) struct Times {
    pub(crate) size: u64,
    /// None where it was in the cache.
    pub(crate) compile: Option<Duration>,
    pub(crate) load: Duration,
    /// The first call of a line, its instance made meanwhile.
    pub(crate) cold: Duration,
    pub(crate) warm: Duration,
    pub(crate) fresh: Duration,
    pub(crate) fresh_p99: Duration,
    pub(crate) whole: Option<Duration>,
    pub(crate) peak_memory: u64,
}

/// What a person sees meanwhile.
pub(crate) struct Spinner(ProgressBar);

impl Spinner {
    pub(crate) fn new(language: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_prefix(language);
        if let Ok(style) =
            indicatif::ProgressStyle::with_template("{spinner} {prefix:14} {msg} ({elapsed})")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    fn say(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// One line stays, about where its code came from.
    pub(crate) fn done(self, outcome: &Result<Outcome>) {
        self.0.finish_and_clear();
        let language = self.0.prefix();
        match outcome {
            Ok(outcome) => {
                let load = words::duration(outcome.times.load);
                match outcome.times.compile {
                    Some(took) => println!(
                        "{language:14} compiled in {}, from now on loaded in {load}",
                        words::duration(took)
                    ),
                    None => println!("{language:14} loaded from the cache in {load}"),
                }
            }
            Err(error) => {
                let error = format!("{error:#}");
                let first = error.lines().next().unwrap_or_default();
                println!("{language:14} failed: {first}");
            }
        }
    }
}

/// Loads a guest, has it read the log, and times it.
pub(crate) fn guest(host: &Host, file: &Path, log: &Log, spinner: &Spinner) -> Result<Outcome> {
    let component = host.load_blocking_with(file, |progress| {
        spinner.say(match progress {
            Progress::Looking => "looks into the cache",
            Progress::Compiling { .. } => "is compiled, once",
            Progress::Storing => "is stored",
            _ => "is loaded",
        });
    })?;
    let compile = match component.origin() {
        Origin::Compiled { took, .. } => Some(took),
        _ => None,
    };
    // As a new process would.
    let (again, load) =
        time(|| -> Result<Component> { Ok(pools::user_host()?.load_blocking(file)?) });
    drop(again?);

    spinner.say("reads the log");
    let reused = Reader::new(&component, pools::reused(2))?;
    let cold = reused.redact(log.line())?.1.wall;
    let mut whole = Vec::new();
    let summary = repeat(&mut whole, 5, || reused.analyze(&log.text, options()))?;
    let (redacted, receipt) = reused.redact(&log.text)?;

    spinner.say("reads a line, again and again");
    let mut warm = Vec::new();
    repeat(&mut warm, 5000, || reused.redact(log.line()))?;
    let fresh = each_fresh(&component, log)?;
    let times = Times {
        size: std::fs::metadata(file).map_or(0, |data| data.len()),
        compile,
        load,
        cold,
        warm: percentile(&mut warm, 50),
        fresh: fresh.0,
        fresh_p99: fresh.1,
        whole: summary.is_some().then(|| percentile(&mut whole, 50)),
        peak_memory: receipt.peak_memory_bytes,
    };
    Ok(Outcome {
        summary,
        redacted,
        times,
    })
}

fn each_fresh(component: &Component, log: &Log) -> Result<(Duration, Duration)> {
    let fresh = Reader::new(component, PoolConfig::new(8))?;
    let mut took = Vec::new();
    repeat(&mut took, 2000, || fresh.redact(log.line()))?;
    Ok((percentile(&mut took, 50), percentile(&mut took, 99)))
}

fn options() -> Options {
    Options {
        skip: 0,
        since: None,
        top: 5,
        quiet: 3600.0,
        strict: false,
    }
}

/// Runs `call` as often as it takes to be sure, and gives its last answer.
fn repeat<R>(
    took: &mut Vec<Duration>,
    most: usize,
    mut call: impl FnMut() -> Result<R, CallError>,
) -> Result<R> {
    let until = now() + Duration::from_secs(1);
    loop {
        let (answer, duration) = time(&mut call);
        let answer = answer?;
        took.push(duration);
        if took.len() >= most || now() >= until {
            return Ok(answer);
        }
    }
}

fn percentile(took: &mut [Duration], percent: usize) -> Duration {
    took.sort();
    let at = took.len().saturating_sub(1) * percent / 100;
    took.get(at).copied().unwrap_or_default()
}
