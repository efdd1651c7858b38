//! Why there is no snapshot.

use super::{CallError, Fault, LoadError, PoolError, Source};
use crate::value_error::{ResolveError, ValueError};

/// Why [`Component::snapshot`](crate::Component::snapshot) gave no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The component was loaded from bytes or text, which it does not keep, or is itself a snapshot.
    /// Give them once more in [`SnapshotConfig::wasm`](crate::SnapshotConfig::wasm).
    #[error("the component's bytes are not at hand: it was not loaded from a file")]
    NoBytes,

    /// The file, or [`SnapshotConfig::wasm`](crate::SnapshotConfig::wasm), is not what the component
    /// was made of. Load it again.
    #[error("{} is no longer the component that was loaded: its hash is {found}, not {expected}",
        .path.as_ref().map_or_else(|| "what was given".to_owned(), |path| format!("{path:?}")))]
    #[non_exhaustive]
    Changed {
        /// The file, if it is one.
        path: Option<std::path::PathBuf>,
        /// What [`Component::id`](crate::Component::id) says.
        expected: String,
        /// The hash of what is there now.
        found: String,
    },

    /// There is no such function as [`SnapshotConfig::init`](crate::SnapshotConfig::init).
    #[error(transparent)]
    Resolve(#[from] ResolveError),

    /// A parameter does not fit that function.
    #[error(transparent)]
    Value(#[from] ValueError),

    /// No component of this kind can be snapshotted. Build the guest otherwise, or use a warm-up.
    #[error("this component cannot be snapshotted: {reason}")]
    #[non_exhaustive]
    Refused {
        /// What stands in the way.
        reason: String,
    },

    /// Nothing could be run: an import is missing, or a limit or grant cannot hold.
    #[error("the initialisation cannot be run")]
    Prepare(#[source] PoolError),

    /// The initialisation trapped, met a limit or its deadline, or failed in a host function.
    #[error("the initialisation did not end well")]
    Init(#[source] CallError),

    /// The initialisation answered with `err(..)`: the guest says itself that it is not initialised.
    #[error("the initialisation answered with an error: {answer:?}")]
    #[non_exhaustive]
    Answered {
        /// The whole answer.
        answer: wasmtime::component::Val,
    },

    /// After the initialisation the guest, or its answer, still holds resources: files, streams,
    /// sockets, or objects of its own. They are not part of its memory and would be missing in the
    /// instances. Let the initialisation close what it opens.
    #[error(
        "the initialisation left resources open, which no snapshot can hold: let it close what it opens"
    )]
    Open,

    /// What came out is not the same component, initialised. A fault of this crate or of wizer.
    #[error("the snapshot is broken: {problem}")]
    #[non_exhaustive]
    Broken {
        /// What is wrong with it.
        problem: &'static str,
        /// Where something said so.
        source: Option<Source>,
    },

    /// The component could not be read again, or the snapshot not be compiled.
    #[error("the component or its snapshot could not be loaded")]
    Load(#[source] LoadError),
}

impl SnapshotError {
    /// Who has to change something.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoBytes | Self::Changed { .. } | Self::Resolve(_) | Self::Value(_) => {
                Fault::Caller
            }
            Self::Refused { .. } | Self::Answered { .. } | Self::Open => Fault::Guest,
            Self::Broken { .. } => Fault::Host,
            Self::Prepare(error) => error.fault(),
            Self::Init(error) => error.fault(),
            Self::Load(error) => error.fault(),
        }
    }

    /// Whether the same may succeed later with nothing changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Init(error) if error.is_retryable())
    }
}
