//! What wasmtime makes of the worlds, without and with futures, and one way to ask both.

use rivals_work::KINDS;
use wasmtime::component::HasSelf;
use wasmtime::{AsContextMut, Result};

use crate::job::{Answer, Job, Work};

/// For threads.
#[allow(missing_docs, unused_qualifications, reason = "generated")]
pub mod direct {
    pub mod work {
        wasmtime::component::bindgen!({
            path: ["../../wit/logs", "wit"],
            world: "prewarm:rivals/work",
        });
        prewarm::world!(Work, WorkIndices);
    }
    pub mod script {
        wasmtime::component::bindgen!({
            path: ["../../wit/logs", "wit"],
            world: "prewarm:rivals/script",
            with: { "example:logs/types": super::work::example::logs::types },
        });
        prewarm::world!(Script, ScriptIndices);
    }
}

/// For tasks.
#[allow(missing_docs, unused_qualifications, reason = "generated")]
pub mod task {
    wasmtime::component::bindgen!({
        path: ["../../wit/logs", "wit"],
        world: "prewarm:rivals/work",
        exports: { default: async },
        with: { "example:logs/types": super::direct::work::example::logs::types },
    });
    prewarm::world!(Work, WorkIndices);
}

use direct::script::example::logs::lookup;
use direct::work::example::logs::types::{self, Redacted, Secrets};

const KIND: [Secrets; KINDS] = [
    Secrets::TIMES,
    Secrets::EMAILS,
    Secrets::ADDRESSES,
    Secrets::VERSIONS,
    Secrets::PACKAGES,
];

/// Every secret there is. `Secrets::all` has bits of none, which Python refuses.
fn all() -> Secrets {
    KIND.into_iter().fold(Secrets::empty(), |a, b| a | b)
}

impl From<Redacted> for Answer {
    fn from(redacted: Redacted) -> Self {
        let mut counts = [0; KINDS];
        for (kind, count) in redacted.counts {
            if let Some(at) = KIND.iter().position(|other| *other == kind) {
                counts[at] = count;
            }
        }
        Self {
            text: redacted.text,
            counts,
        }
    }
}

/// The host's labels, which redacting does not ask for.
#[derive(Clone, Copy, Default)]
pub struct Labels;

impl types::Host for Labels {}

impl lookup::Host for Labels {
    fn label(&mut self, _: String) -> Result<Option<String>, types::Refusal> {
        Ok(None)
    }
}

/// Gives the scripts what they import.
pub fn add_labels<T: 'static>(
    linker: &mut wasmtime::component::Linker<T>,
    labels: fn(&mut T) -> &mut Labels,
) -> Result<()> {
    direct::script::Script::add_to_linker::<_, HasSelf<Labels>>(linker, labels)
}

/// A guest that can be asked from a thread.
pub trait Answers {
    /// Asks once.
    ///
    /// # Errors
    ///
    /// Where the guest traps.
    fn answer(&self, store: impl AsContextMut, job: &Job) -> Result<Answer>;
}

impl Answers for direct::work::Work {
    #[inline]
    fn answer(&self, store: impl AsContextMut, job: &Job) -> Result<Answer> {
        Ok(match job.work {
            Work::Echo => Answer::of_text(self.call_echo(store, &job.text)?),
            Work::Redact => self.call_redact(store, &job.text, all(), '*')?.into(),
        })
    }
}

impl Answers for direct::script::Script {
    #[inline]
    fn answer(&self, store: impl AsContextMut, job: &Job) -> Result<Answer> {
        Ok(match job.work {
            Work::Echo => wasmtime::bail!("the world of logs has no echo"),
            Work::Redact => self.call_redact(store, &job.text, all(), '*')?.into(),
        })
    }
}

impl task::Work {
    /// Asks once.
    ///
    /// # Errors
    ///
    /// Where the guest traps.
    #[inline]
    pub async fn answer(&self, store: impl AsContextMut<Data: Send>, job: &Job) -> Result<Answer> {
        Ok(match job.work {
            Work::Echo => Answer::of_text(self.call_echo(store, &job.text).await?),
            Work::Redact => self.call_redact(store, &job.text, all(), '*').await?.into(),
        })
    }
}
