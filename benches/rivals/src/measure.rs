//! Runs the rivals in turns, so that what slows a while down hits them all, and takes the median over
//! the rounds of what each found.

use std::sync::Barrier;
use std::time::Duration;

use wasmtime::error::Context as _;
use wasmtime::{Result, ensure};

use crate::job::Job;
use crate::rival::{Caller, Life, Rival};
use crate::turn::{Found, Turn};

/// How long it takes.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub rounds: usize,
    /// Of one turn. A rival that takes long gets five calls.
    pub turn: Duration,
}

/// How calls come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One thread, without a pause, what earlier calls left behind.
    Warm,
    /// One thread, with pauses of three to seven times what a fresh call takes, nothing left behind.
    FreshPaced,
    /// One thread, without a pause, nothing left behind.
    FreshBusy,
    /// So many threads, without a pause, counted and not timed.
    Rate(Life, usize),
}

impl Mode {
    pub const ALL: [Self; 7] = [
        Self::Warm,
        Self::FreshPaced,
        Self::FreshBusy,
        Self::Rate(Life::Warm, 1),
        Self::Rate(Life::Warm, 2),
        Self::Rate(Life::Fresh, 1),
        Self::Rate(Life::Fresh, 2),
    ];

    /// What a call meets.
    pub fn life(self) -> Life {
        match self {
            Self::Warm => Life::Warm,
            Self::FreshPaced | Self::FreshBusy => Life::Fresh,
            Self::Rate(life, _) => life,
        }
    }

    /// As it is called in JSON.
    pub fn name(self) -> String {
        match self {
            Self::Warm => "warm".to_owned(),
            Self::FreshPaced => "fresh-paced".to_owned(),
            Self::FreshBusy => "fresh-busy".to_owned(),
            Self::Rate(life, threads) => format!("{}-rate-{threads}", life.name()),
        }
    }
}

/// What one rival found in one mode, round by round.
pub struct Rounds {
    pub rival: &'static str,
    pub mode: Mode,
    pub found: Vec<Found>,
}

impl Rounds {
    /// The median over the rounds of what `figure` makes of each.
    pub fn median(&self, figure: impl Fn(&Found) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.found.iter().map(figure).collect();
        median(&mut figures)
    }

    /// The median over the rounds of the nanoseconds that `percent` of calls do not exceed. None where a
    /// round has too few calls to tell.
    pub fn nanos(&self, percent: f64) -> Option<f64> {
        let least = 100.0 / (100.0 - percent);
        let enough = |found: &Found| float(found.took.len()) >= least;
        if !self.found.iter().all(enough) {
            return None;
        }
        Some(self.median(|found| float(found.took.value_at_quantile(percent / 100.0))))
    }

    /// The most nanoseconds of any call.
    pub fn most(&self) -> Option<f64> {
        let most = self.found.iter().map(|found| found.took.max()).max();
        most.filter(|most| *most > 0).map(float)
    }

    /// Calls that were timed.
    pub fn calls(&self) -> u64 {
        self.found.iter().map(|found| found.took.len()).sum()
    }
}

/// The middle one. Sorts them.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers here are far below 2^53"
)]
fn float(number: u64) -> f64 {
    number as f64
}

/// Fails unless every rival gives the answer that the function gives.
///
/// # Errors
///
/// Which rival gives which other answer.
pub fn check(rivals: &[&dyn Rival], job: &Job) -> Result<()> {
    let expected = job.expected()?;
    for rival in rivals {
        for life in Life::BOTH {
            if !rival.does(job, life) {
                continue;
            }
            let failed = || format!("{}, {}, {}", rival.name(), life.name(), job.name);
            let mut caller = rival.caller(life).with_context(failed)?;
            // Twice, since what the first leaves behind may change the second.
            for _ in 0..2 {
                let answer = caller.call(job).with_context(failed)?;
                ensure!(
                    answer == expected,
                    "{}: the answer is {answer:?}, and the function's is {expected:?}",
                    failed()
                );
            }
        }
    }
    Ok(())
}

/// One rival in one mode.
struct Column<'a> {
    rival: &'a dyn Rival,
    mode: Mode,
    /// The caller of a mode with one thread.
    caller: Box<dyn Caller + 'a>,
    /// What a call without a pause takes.
    cost: Duration,
    found: Vec<Found>,
}

/// Measures each rival that does the job, in the mode beside it.
///
/// # Errors
///
/// That of the first call that fails.
pub fn in_turns(pairs: &[(&dyn Rival, Mode)], job: &Job, effort: Effort) -> Result<Vec<Rounds>> {
    let mut columns = Vec::new();
    for (rival, mode) in pairs {
        if rival.does(job, mode.life()) {
            let column = Column::new(*rival, *mode, job, effort);
            columns.push(column.with_context(|| rival.name().to_owned())?);
        }
    }
    for _ in 0..effort.rounds {
        for column in &mut columns {
            let found = column.turn(job, effort);
            column
                .found
                .push(found.with_context(|| column.rival.name().to_owned())?);
        }
    }
    let rounds = columns.into_iter().map(|column| Rounds {
        rival: column.rival.name(),
        mode: column.mode,
        found: column.found,
    });
    Ok(rounds.collect())
}

impl<'a> Column<'a> {
    fn new(rival: &'a dyn Rival, mode: Mode, job: &Job, effort: Effort) -> Result<Self> {
        let mut caller = rival.caller(mode.life())?;
        let mut turn = Turn::timed(effort.turn / 4);
        caller.take(job, &mut turn)?;
        // The median: the first call may have compiled something.
        let cost = Duration::from_nanos(turn.found().took.value_at_quantile(0.5));
        Ok(Self {
            rival,
            mode,
            caller,
            cost,
            found: Vec::new(),
        })
    }

    fn turn(&mut self, job: &Job, effort: Effort) -> Result<Found> {
        let mut turn = match self.mode {
            Mode::Warm | Mode::FreshBusy => Turn::timed(effort.turn),
            Mode::FreshPaced => Turn::paced(effort.turn, self.cost),
            Mode::Rate(_, 1) => Turn::counted(effort.turn, self.cost),
            Mode::Rate(life, threads) => return self.together(job, effort, life, threads),
        };
        self.caller.take(job, &mut turn)?;
        Ok(turn.found())
    }

    /// What so many threads find, their rates added up.
    fn together(&self, job: &Job, effort: Effort, life: Life, threads: usize) -> Result<Found> {
        let (rival, cost) = (self.rival, self.cost);
        let barrier = Barrier::new(threads);
        let one = || -> Result<Found> {
            let caller = rival.caller(life).and_then(|mut caller| {
                caller.call(job)?;
                Ok(caller)
            });
            // Whatever happened: the others wait.
            barrier.wait();
            let mut turn = Turn::counted(effort.turn, cost);
            caller?.take(job, &mut turn)?;
            Ok(turn.found())
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            let mut all: Option<Found> = None;
            for thread in threads {
                let found = thread.join().ok().context("a caller panicked")??;
                let rate = all.as_ref().map_or(0.0, |all| all.rate) + found.rate;
                all = Some(Found { rate, ..found });
            }
            all.context("there are no threads")
        })
    }
}
