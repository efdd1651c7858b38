//! Mixed load for as long as one likes, and what the process holds meanwhile: it must stay flat.

mod load;
mod usage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prewarm::Clock;

use crate::support::pass;

pub use self::usage::Usage;

/// Callers at a time.
const CALLERS: usize = 4;
/// How often the process is looked at.
const PERIOD: Duration = Duration::from_secs(1);
/// Pieces of the time, of which the second is compared with the last: the first warms up.
const PIECES: usize = 6;

/// What a soak met.
#[derive(Debug)]
pub struct Soaked {
    /// Calls, by what was done.
    pub calls: Vec<(&'static str, usize)>,
    /// The first answer that was wrong.
    pub wrong: Option<String>,
    /// Medians of each piece of the time.
    pub pieces: Vec<Usage>,
}

/// Calls for `time`. `said` is told once a minute.
pub fn soak(time: Duration, mut said: impl FnMut(Duration, &Usage)) -> Soaked {
    let clock = Clock::system();
    let start = clock.now();
    let stop = Arc::new(AtomicBool::new(false));
    let loads = Arc::new(load::Loads::new());
    let callers: Vec<_> = (0..CALLERS)
        .map(|seed| {
            let (loads, stop) = (Arc::clone(&loads), Arc::clone(&stop));
            std::thread::spawn(move || loads.run(seed as u64, &stop))
        })
        .collect();
    let mut seen = Vec::new();
    while clock.now() - start < time {
        pass(PERIOD);
        let usage = Usage::now();
        if seen.len() % 60 == 59 {
            said(clock.now() - start, &usage);
        }
        seen.push(usage);
    }
    stop.store(true, Ordering::SeqCst);
    let ended: Vec<_> = callers
        .into_iter()
        .map(|caller| caller.join().unwrap())
        .collect();
    let piece = seen.len().div_ceil(PIECES).max(1);
    Soaked {
        calls: loads.counts(),
        wrong: ended.into_iter().flatten().next(),
        pieces: seen.chunks(piece).map(Usage::median).collect(),
    }
}

impl Soaked {
    /// Each measure, early and late, and whether it is flat.
    pub fn verdicts(&self) -> Vec<Verdict> {
        let early = self.pieces.get(1).or(self.pieces.first()).copied();
        let late = self.pieces.last().copied();
        let (early, late) = (early.unwrap_or_default(), late.unwrap_or_default());
        let verdict = |name, of: fn(&Usage) -> u64, room: fn(u64) -> u64| {
            let (early, late) = (of(&early), of(&late));
            Verdict {
                name,
                early,
                late,
                flat: late <= early + room(early),
            }
        };
        vec![
            // What an allocator keeps differs from minute to minute.
            verdict(
                "resident KiB",
                |usage| usage.resident_kib,
                |early| early / 10 + (16 << 10),
            ),
            verdict("descriptors", |usage| usage.descriptors, |_| 4),
            verdict("threads", |usage| usage.threads, |_| 4),
            verdict("mappings", |usage| usage.mappings, |early| early / 10 + 32),
        ]
    }
}

/// Whether one measure is flat.
#[derive(Debug)]
pub struct Verdict {
    /// Of what.
    pub name: &'static str,
    /// After the warm-up.
    pub early: u64,
    /// At the end.
    pub late: u64,
    /// Whether the one is no more than the other, within what comes and goes.
    pub flat: bool,
}
