//! The world of the guests that read logs, and the host's part in it.

use std::any::Any;

use prewarm::blocking::{Pool, PoolBuilder};
use prewarm::{CallError, Component, PoolConfig, Receipt};
use wasmtime::Result;
use wasmtime::component::HasSelf;

pub(crate) mod bare;

pub use self::bare::BareReader;
pub use self::bindings::Logs;
use self::bindings::example::logs::lookup;
pub use self::bindings::example::logs::types;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::missing_errors_doc,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "generated"
)]
mod bindings {
    wasmtime::component::bindgen!({ path: "../wit/logs", world: "logs" });
    prewarm::world!(Logs, LogsIndices);
}

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::missing_errors_doc,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "generated"
)]
mod part {
    wasmtime::component::bindgen!({ path: "../guest-examples/assemblyscript/wit", world: "redactor" });
    prewarm::world!(Redactor, RedactorIndices);
}

/// The host's labels: what a package's name says of it.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Labels;

const LABELS: [(&str, &str); 8] = [
    ("lib", "libraries"),
    ("linux-", "kernel"),
    ("python", "python"),
    ("node-", "javascript"),
    ("fonts-", "fonts"),
    ("x11-", "x11"),
    ("gir1.", "introspection"),
    ("golang", "golang"),
];

impl types::Host for Labels {}

impl lookup::Host for Labels {
    fn label(&mut self, name: String) -> Result<Option<String>, types::Refusal> {
        let label = LABELS.iter().find(|(prefix, _)| name.starts_with(prefix));
        Ok(label.map(|(_, label)| (*label).to_owned()))
    }
}

const KINDS: [(types::Secrets, part::Secrets); 5] = [
    (types::Secrets::TIMES, part::Secrets::TIMES),
    (types::Secrets::EMAILS, part::Secrets::EMAILS),
    (types::Secrets::ADDRESSES, part::Secrets::ADDRESSES),
    (types::Secrets::VERSIONS, part::Secrets::VERSIONS),
    (types::Secrets::PACKAGES, part::Secrets::PACKAGES),
];

/// Every secret there is. `Secrets::all` has bits of none, which Python refuses.
#[must_use]
pub fn secrets() -> types::Secrets {
    let kinds = KINDS.map(|(kind, _)| kind);
    kinds
        .into_iter()
        .fold(types::Secrets::empty(), |a, b| a | b)
}

/// The same for a guest that has only a part of the world.
fn secrets_of_part() -> part::Secrets {
    let kinds = KINDS.map(|(_, kind)| kind);
    kinds.into_iter().fold(part::Secrets::empty(), |a, b| a | b)
}

/// The guests that read logs, the last of which only redacts.
pub const GUESTS: [&str; 12] = [
    "rust",
    "rust-lean",
    "c",
    "cpp",
    "zig",
    "go",
    "javascript",
    "starlingmonkey",
    "typescript",
    "python",
    "python-pip",
    "assemblyscript",
];

/// A guest that reads logs, or one that only redacts.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reader {
    /// One that reads logs.
    Whole(Pool<Logs, Labels>),
    /// One that only redacts.
    Part(Pool<part::Redactor>),
}

impl Reader {
    /// A pool of it.
    ///
    /// # Errors
    ///
    /// Where the component is of neither world.
    pub fn new(component: &Component, config: PoolConfig) -> Result<Self> {
        if component.exports().find("analyze").is_err() {
            return Ok(Self::Part(Pool::new(component, config)?));
        }
        Ok(Self::Whole(pool(component, config)?))
    }

    /// A pool of it whose instances have redacted `text` before they are lent.
    ///
    /// # Errors
    ///
    /// Where the component is of neither world.
    pub fn warmed(component: &Component, config: PoolConfig, text: &str) -> Result<Self> {
        let text = text.to_owned();
        if component.exports().find("analyze").is_err() {
            let builder = Pool::builder(component, config, || ());
            let pool = builder.warm_up(move |guest: &part::Redactor, store| {
                guest.call_redact(store, &text, part::Secrets::TIMES, '*')?;
                Ok(())
            });
            return Ok(Self::Part(pool.build()?));
        }
        let pool = builder(component, config).warm_up(move |logs, store| {
            logs.call_redact(store, &text, secrets(), '*')?;
            Ok(())
        });
        Ok(Self::Whole(pool.build()?))
    }

    /// What its pool has done.
    #[must_use]
    pub fn stats(&self) -> prewarm::PoolStats {
        match self {
            Self::Part(pool) => pool.stats(),
            Self::Whole(pool) => pool.stats(),
        }
    }

    /// Sums up a log. `None` from one that only redacts.
    ///
    /// # Errors
    ///
    /// That of the call.
    pub fn analyze(
        &self,
        log: &str,
        options: types::Options,
    ) -> Result<Option<Result<types::Summary, types::ParseError>>, CallError> {
        match self {
            Self::Whole(pool) => pool
                .call(|logs, store| logs.call_analyze(store, log, options))
                .map(Some),
            Self::Part(_) => Ok(None),
        }
    }

    /// Holds one instance, after it redacted `text`, until what this returns is dropped.
    ///
    /// # Errors
    ///
    /// That of the call.
    pub fn hold(&self, text: &str) -> Result<Box<dyn Any>, CallError> {
        match self {
            Self::Whole(pool) => {
                let mut lease = pool.lease()?;
                lease.call(|logs, store| logs.call_redact(store, text, secrets(), '*'))?;
                Ok(Box::new(lease))
            }
            Self::Part(pool) => {
                let mut lease = pool.lease()?;
                lease
                    .call(|guest, store| guest.call_redact(store, text, secrets_of_part(), '*'))?;
                Ok(Box::new(lease))
            }
        }
    }

    /// Hides every secret, and says what that used.
    ///
    /// # Errors
    ///
    /// That of the call.
    pub fn redact(&self, text: &str) -> Result<(types::Redacted, Receipt), CallError> {
        match self {
            Self::Whole(pool) => {
                pool.call_with_receipt(|logs, store| logs.call_redact(store, text, secrets(), '*'))
            }
            Self::Part(pool) => {
                let (redacted, receipt) = pool.call_with_receipt(|guest, store| {
                    guest.call_redact(store, text, secrets_of_part(), '*')
                })?;
                let kind = |part| KINDS.iter().find(|(_, kind)| *kind == part);
                let count = |(part, count)| Some((kind(part)?.0, count));
                let redacted = types::Redacted {
                    text: redacted.text,
                    counts: redacted.counts.into_iter().filter_map(count).collect(),
                };
                Ok((redacted, receipt))
            }
        }
    }
}

/// A pool of a guest that reads logs.
///
/// # Errors
///
/// Where the component is not of that world.
pub fn pool(component: &Component, config: PoolConfig) -> Result<Pool<Logs, Labels>> {
    Ok(builder(component, config).build()?)
}

fn builder(component: &Component, config: PoolConfig) -> PoolBuilder<Logs, Labels> {
    Pool::builder(component, config, Labels::default).imports(|linker| {
        Logs::add_to_linker::<_, HasSelf<Labels>>(linker, |state| state.embedder_mut())
    })
}
