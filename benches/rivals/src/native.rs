//! The function itself, linked into this program: what the work costs with nothing around it.

use wasmtime::Result;

use crate::job::{Answer, Job};
use crate::rival::{Caller, Life, Rival};

/// A call of a function.
pub struct Native;

impl Rival for Native {
    fn name(&self) -> &'static str {
        "function"
    }

    fn settings(&self) -> String {
        "the same Rust source linked into the caller: no isolation, the floor".to_owned()
    }

    fn does(&self, _: &Job, life: Life) -> bool {
        life == Life::Warm
    }

    fn caller(&self, _: Life) -> Result<Box<dyn Caller + '_>> {
        Ok(Box::new(Calls))
    }

    fn resident(&self, _: &Job) -> Result<Option<u64>> {
        // There are no instances.
        Ok(None)
    }
}

struct Calls;

impl Caller for Calls {
    fn call(&mut self, job: &Job) -> Result<Answer> {
        job.expected()
    }
}
