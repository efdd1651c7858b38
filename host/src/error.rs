//! Every error this crate returns: one enum per verb, each saying whose fault it is and what to do.
//!
//! Messages start lowercase, carry no final full stop, and never repeat their `source()`.

#[cfg(feature = "snapshot")]
mod snapshot;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::grants::GrantError;
use crate::limits::LimitHit;
use crate::value_error::{ResolveError, ValueError};

#[cfg(feature = "snapshot")]
pub use self::snapshot::SnapshotError;

/// The cause of an error, as the layer below reported it.
pub type Source = Box<dyn StdError + Send + Sync>;

/// Who has to change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The guest: it trapped, ran out, or asked for what it may not have.
    Guest,
    /// The caller: a wrong argument, a wrong setting, too many calls.
    Caller,
    /// The host: a host function, the engine or the machine.
    Host,
}

/// Why [`Host::new`](crate::Host::new) made no host.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// A setting cannot hold.
    #[error("{setting} {problem}")]
    #[non_exhaustive]
    Config {
        /// The field, as written in Rust.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Why [`Host::load`](crate::Host::load) gave no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read {path:?}")]
    #[non_exhaustive]
    Read {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },

    /// The text is not WebAssembly text.
    #[error("not valid WebAssembly text")]
    Text(#[source] Source),

    /// The bytes are a core module, not a component.
    #[error(
        "this is a core module, not a component: build for a component target such as wasm32-wasip2, or wrap it with `wasm-tools component new`"
    )]
    CoreModule,

    /// The bytes are no WebAssembly at all.
    #[error("this is not WebAssembly: it starts with {start:02x?}")]
    #[non_exhaustive]
    NotWasm {
        /// The first bytes, at most eight.
        start: Vec<u8>,
    },

    /// The component is invalid, or uses what this engine lacks.
    #[error("the component does not compile")]
    Compile(#[source] Source),

    /// The engine for this kind of component could not be made, or the machine has no thread left for
    /// the one that ends its guests at their deadlines. Loading it again tries again.
    #[error("no engine for this component")]
    Engine(#[source] Source),

    /// The compiler panicked: a hole in it, or the machine had no threads for it. The panic was
    /// contained; what is compiled already loads as before.
    #[error("the compiler panicked: {message}")]
    #[non_exhaustive]
    CompilerPanic {
        /// The panic's message.
        message: String,
    },

    /// The file does not hold any more what it held when the registered component was first loaded.
    /// Register it again to run what it holds now.
    #[error(
        "{path:?} has changed since it was first loaded, and what it was is gone: register it again"
    )]
    #[non_exhaustive]
    Changed {
        /// The file.
        path: std::path::PathBuf,
        /// The [id](crate::Component::id) of what was loaded.
        loaded: String,
        /// The id of what the file holds now.
        found: String,
    },

    /// The task that compiles was cancelled, because its runtime shut down.
    #[error("loading was cut short: the runtime shut down")]
    Cancelled,
}

impl LoadError {
    /// Who has to change something.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Read { .. } | Self::Text(_) | Self::NotWasm { .. } | Self::Changed { .. } => {
                Fault::Caller
            }
            Self::CoreModule | Self::Compile(_) => Fault::Guest,
            Self::Engine(_) | Self::CompilerPanic { .. } | Self::Cancelled => Fault::Host,
        }
    }
}

/// Why a component gave no pool.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The component imports what nobody provides.
    #[error("nothing provides {}", Listed(.missing))]
    #[non_exhaustive]
    MissingImports {
        /// Each import that is missing.
        missing: Vec<MissingImport>,
    },

    /// The component does not export what the world asks for, or not with its type.
    #[error("the component does not fit the world")]
    World(#[source] Source),

    /// An `add_to_linker` failed, or the component imports something with another type than the
    /// host gives it.
    #[error("the host's imports could not be linked")]
    Link(#[source] Source),

    /// A setting cannot hold.
    #[error("{setting} {problem}")]
    #[non_exhaustive]
    Config {
        /// The field, as written in Rust.
        setting: &'static str,
        /// What is wrong with it and what would do.
        problem: String,
    },

    /// A granted directory is not there.
    #[error(transparent)]
    Grant(#[from] GrantError),
}

/// An import that nobody provides.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MissingImport {
    /// Its full name, `pkg:name/interface@1.0.0#func`, or the interface where all of it is missing.
    pub name: String,
    /// What might help.
    pub hint: &'static str,
}

struct Listed<'a>(&'a [MissingImport]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, MissingImport { name, hint }) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{name} ({hint})")?;
        }
        Ok(())
    }
}

impl PoolError {
    /// Who has to change something.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault::Caller
    }
}

/// Why a call gave no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// No slot came free in time, or the queue was full. Call again later, or raise
    /// [`PoolConfig::max_instances`](crate::PoolConfig::max_instances).
    #[error("all {max_instances} instances are busy and {waiting} callers wait already")]
    #[non_exhaustive]
    Busy {
        /// Size of the pool.
        max_instances: usize,
        /// Callers in the queue.
        waiting: usize,
    },

    /// No slot came free within [`PoolConfig::max_wait`](crate::PoolConfig::max_wait).
    #[error("all {max_instances} instances stayed busy for {max_wait:?}")]
    #[non_exhaustive]
    Waited {
        /// Size of the pool.
        max_instances: usize,
        /// The longest wait allowed.
        max_wait: Duration,
    },

    /// The pool was closed. Final.
    #[error("the pool is closed")]
    Closed,

    /// All instances of the host are in use, in this pool and others, and stayed so for as long as
    /// the call could wait; or nobody holds any that could be given back. Call again later, or raise
    /// [`HostConfig::max_instances`](crate::HostConfig::max_instances).
    #[error("the host has no room for another instance")]
    HostFull(#[source] Source),

    /// The registered component was not loaded, or gave no pool. For a while calls get the same
    /// error, then one of them tries again.
    #[error("the component could not be loaded")]
    Load(#[source] Arc<Error>),

    /// The instance did not start.
    #[error("the instance did not start")]
    Start(#[source] Box<Self>),

    /// The warm-up call failed.
    #[error("the warm-up call failed")]
    WarmUp(#[source] Box<Self>),

    /// The call did not end by its deadline, and was stopped.
    #[error("stopped at its deadline of {deadline:?}, {phase}")]
    #[non_exhaustive]
    Deadline {
        /// The whole time the call had.
        deadline: Duration,
        /// What it was doing.
        phase: Phase,
    },

    /// The guest trapped.
    #[error(transparent)]
    Trap(Trap),

    /// The guest asked for more than its limits allow.
    #[error("{0}")]
    Limit(LimitHit),

    /// The guest ended itself with `exit`.
    #[error("the guest exited with status {status}")]
    #[non_exhaustive]
    Exit {
        /// Its status.
        status: i32,
    },

    /// A host function panicked. The panic was contained, and the instance dropped.
    #[error("a host function panicked: {message}")]
    #[non_exhaustive]
    HostPanic {
        /// The panic's message.
        message: String,
    },

    /// A host function, or the closure of the call, returned an error that is no trap.
    #[error("a host function failed")]
    Host(#[source] Source),

    /// An argument does not fit the function's type.
    #[error(transparent)]
    Value(#[from] ValueError),

    /// There is no such function.
    #[error(transparent)]
    Resolve(#[from] ResolveError),

    /// The lease's instance had a fault before, and serves no more calls.
    #[error("the instance is gone: an earlier call of this lease did not end well")]
    Retired,
}

impl CallError {
    /// Who has to change something.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Start(source) | Self::WarmUp(source) => source.fault(),
            Self::Load(source) => source.fault(),
            Self::Deadline {
                phase: Phase::Queue | Phase::Load,
                ..
            } => Fault::Caller,
            Self::Trap(_) | Self::Limit(_) | Self::Exit { .. } | Self::Deadline { .. } => {
                Fault::Guest
            }
            Self::Busy { .. }
            | Self::Waited { .. }
            | Self::Closed
            | Self::Value(_)
            | Self::Resolve(_)
            | Self::Retired => Fault::Caller,
            Self::HostFull(_) | Self::HostPanic { .. } | Self::Host(_) => Fault::Host,
        }
    }

    /// Whether the same call may succeed later with nothing changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Busy { .. } | Self::Waited { .. } | Self::HostFull(_) => true,
            Self::Deadline { phase, .. } => {
                matches!(phase, Phase::Load | Phase::Queue | Phase::Start)
            }
            Self::Start(source) | Self::WarmUp(source) => source.is_retryable(),
            Self::Load(source) => source.is_retryable(),
            _ => false,
        }
    }
}

/// What a call was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for its component to be loaded.
    Load,
    /// Waiting for a free slot.
    Queue,
    /// Making an instance.
    Start,
    /// Running the guest or waiting for a host function.
    Call,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Load => "while its component was loaded",
            Self::Queue => "while it waited for a free instance",
            Self::Start => "while its instance was made",
            Self::Call => "while it ran",
        })
    }
}

/// A trap, with the guest's stack.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub struct Trap {
    /// What happened, in the engine's words.
    pub reason: String,
    /// The guest's stack, innermost first. Empty where the trap came from outside any function.
    pub frames: Vec<Frame>,
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the guest trapped: {}", self.reason)?;
        for (depth, frame) in self.frames.iter().enumerate() {
            write!(f, "\n  {depth}: {frame}")?;
        }
        Ok(())
    }
}

/// One function of a guest's stack.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// Its core module, where it has a name.
    pub module: Option<String>,
    /// Its name, demangled; `None` where the guest was stripped.
    pub function: Option<String>,
    /// Source file, where the guest has debug information.
    pub file: Option<String>,
    /// Line in the file, from 1.
    pub line: Option<u32>,
    /// Offset in the module, in bytes.
    pub offset: Option<usize>,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.function, self.offset) {
            (Some(name), _) => f.write_str(name)?,
            (None, Some(offset)) => write!(f, "<unnamed at {offset:#x}>")?,
            (None, None) => f.write_str("<unnamed>")?,
        }
        if let Some(module) = &self.module {
            write!(f, " in {module}")?;
        }
        if let Some(file) = &self.file {
            write!(f, " at {file}")?;
            if let Some(line) = self.line {
                write!(f, ":{line}")?;
            }
        }
        Ok(())
    }
}

/// Any error of this crate, for callers who do not tell them apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// From [`Host::new`](crate::Host::new).
    #[error(transparent)]
    Host(#[from] HostError),
    /// From loading a component.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// From making a pool.
    #[error(transparent)]
    Pool(#[from] PoolError),
    /// From calling.
    #[error(transparent)]
    Call(#[from] CallError),
    /// From making a snapshot.
    #[cfg(feature = "snapshot")]
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// An argument or a result of a dynamic call.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// There is no such function.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
}

impl Error {
    /// Who has to change something.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Host(_) => Fault::Caller,
            Self::Load(error) => error.fault(),
            Self::Pool(error) => error.fault(),
            Self::Call(error) => error.fault(),
            #[cfg(feature = "snapshot")]
            Self::Snapshot(error) => error.fault(),
            Self::Value(_) | Self::Resolve(_) => Fault::Caller,
        }
    }

    /// Whether the same may succeed later with nothing changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Call(error) => error.is_retryable(),
            #[cfg(feature = "snapshot")]
            Self::Snapshot(error) => error.is_retryable(),
            _ => false,
        }
    }
}
