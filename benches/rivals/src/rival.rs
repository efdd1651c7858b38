//! What a rival is to the one code that measures them all.

use wasmtime::Result;

use crate::job::{Answer, Job};
use crate::memory;
use crate::turn::Turn;

/// What a call meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// What earlier calls left behind.
    Warm,
    /// Something that no other call has touched.
    Fresh,
}

impl Life {
    pub const BOTH: [Self; 2] = [Self::Warm, Self::Fresh];

    /// As it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warm => "warm",
            Self::Fresh => "fresh",
        }
    }
}

/// One way to have the work done.
pub trait Rival: Sync {
    /// Short, for tables.
    fn name(&self) -> &'static str;

    /// What it is and how it is set, in a line.
    fn settings(&self) -> String;

    /// Whether it can be asked that, in that way.
    fn does(&self, _job: &Job, _life: Life) -> bool {
        true
    }

    /// Somebody who calls, made on the thread that calls.
    ///
    /// # Errors
    ///
    /// Where what it needs does not start.
    fn caller(&self, life: Life) -> Result<Box<dyn Caller + '_>>;

    /// Resident bytes that one more live instance takes once it has answered. None where that
    /// cannot be told.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    fn resident(&self, job: &Job) -> Result<Option<u64>> {
        memory::of_each(|| {
            let mut caller = self.caller(Life::Warm)?;
            caller.call(job)?;
            Ok(caller)
        })
    }
}

/// Somebody who asks a rival, from one thread.
pub trait Caller {
    /// Asks once.
    ///
    /// # Errors
    ///
    /// Where the rival fails.
    fn call(&mut self, job: &Job) -> Result<Answer>;

    /// Asks as long as the turn goes on.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    fn take(&mut self, job: &Job, turn: &mut Turn) -> Result<()> {
        while turn.begin() {
            turn.end(self.call(job)?);
        }
        Ok(())
    }
}
