//! What one instance and one call may consume, and which of it ran out.
//!
//! Knows amounts and names; knows nothing of wasmtime. [`Limits`] is what an embedder sets,
//! [`LimitHit`] what an error later says.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// What one instance, and one call of it, may consume. Everything is bounded by default.
///
/// | field | default | counted over |
/// | --- | --- | --- |
/// | [`memory_bytes`](Self::memory_bytes) | 256 MiB | instance |
/// | [`table_elements`](Self::table_elements) | 65,536 | instance |
/// | [`instances`](Self::instances) | 128 | instance |
/// | [`memories`](Self::memories) | 16 | instance |
/// | [`tables`](Self::tables) | 16 | instance |
/// | [`handles`](Self::handles) | 10,000 | instance |
/// | [`output_bytes`](Self::output_bytes) | 1 MiB | call |
/// | [`hostcall_bytes`](Self::hostcall_bytes) | 64 MiB | each crossing from guest to host |
/// | [`fuel`](Self::fuel) | off | call |
/// | [`deadline`](Self::deadline) | 30 s | call |
///
/// ```
/// use std::time::Duration;
///
/// let mut limits = prewarm::Limits::default();
/// limits.memory_bytes = 64 << 20;
/// limits.deadline = Duration::from_millis(50);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of all linear memories and tables of one instance together, a table element counting
    /// eight. Default 256 MiB, which fits Python and StarlingMonkey guests.
    ///
    /// A guest that grows beyond it gets the failure that WebAssembly defines (`memory.grow`
    /// answers -1), and most then trap. Costs nothing until the guest touches the memory: the
    /// address space of a slot is of one size, whatever the limit. One memory holds at most 4 GiB.
    pub memory_bytes: u64,

    /// Elements of all tables of one instance together. Default 65,536; the largest script guests
    /// need 8,000. Costs eight bytes each once they are used. Where slots are reserved ahead, one
    /// table holds at most 131,072, however high the limit.
    pub table_elements: u64,

    /// Core module instances that one instance of the component is made of. Default 128; a Python
    /// guest has 38. All instances of a host share room for 64 times
    /// [`HostConfig::max_instances`](crate::HostConfig::max_instances) of them.
    pub instances: u32,

    /// Linear memories of one instance. Default 16; composed components have one or more each.
    pub memories: u32,

    /// Tables of one instance. Default 16.
    pub tables: u32,

    /// Resources that the guest may hold open at a time: files, streams, pollables, and those that
    /// host imports hand out. Default 10,000, at about 100 bytes of host memory each, beyond what
    /// the resource itself holds.
    pub handles: u32,

    /// Bytes that one call may write to stdout and stderr together, wherever they go. Default
    /// 1 MiB. The write that passes it is cut there and ends the call.
    pub output_bytes: u64,

    /// Bytes that the host copies out of the guest in one crossing: the arguments of an import, or
    /// the answer of an export. Default 64 MiB. Bounds what a guest can make the host allocate;
    /// costs a subtraction for each list and string.
    pub hostcall_bytes: u64,

    /// Units of work, about one per WebAssembly instruction, that one call may take. Default none:
    /// counting them slows a tight loop by half and more, and the [`deadline`](Self::deadline)
    /// stops an endless one as well. Set it where a call must cost the same on every machine.
    pub fuel: Option<u64>,

    /// How long one call may take from being asked for to being answered: the wait for an instance,
    /// its start, its computing and its waits in host functions. Default 30 s. Met within two ticks
    /// of the host's clock. [`Duration::MAX`] means never.
    pub deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 << 20,
            table_elements: 1 << 16,
            instances: 128,
            memories: 16,
            tables: 16,
            handles: 10_000,
            output_bytes: 1 << 20,
            hostcall_bytes: 64 << 20,
            fuel: None,
            deadline: Duration::from_secs(30),
        }
    }
}

/// Which field of [`Limits`] a guest ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Limited {
    /// [`Limits::memory_bytes`]
    Memory,
    /// [`Limits::table_elements`]
    TableElements,
    /// [`Limits::instances`]
    Instances,
    /// [`Limits::memories`]
    Memories,
    /// [`Limits::tables`]
    Tables,
    /// [`Limits::handles`]
    Handles,
    /// [`Limits::output_bytes`]
    Output,
    /// [`Limits::hostcall_bytes`]
    Hostcall,
    /// [`Limits::fuel`]
    Fuel,
}

impl Limited {
    /// The name of the field, as an embedder writes it.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Memory => "memory_bytes",
            Self::TableElements => "table_elements",
            Self::Instances => "instances",
            Self::Memories => "memories",
            Self::Tables => "tables",
            Self::Handles => "handles",
            Self::Output => "output_bytes",
            Self::Hostcall => "hostcall_bytes",
            Self::Fuel => "fuel",
        }
    }
}

/// A limit that a guest ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitHit {
    /// Which one.
    pub limited: Limited,
    /// What was set.
    pub limit: u64,
    /// What the guest would have needed to go on, where that is known.
    pub needed: Option<u64>,
}

impl LimitHit {
    pub(crate) fn new(limited: Limited, limit: u64, needed: Option<u64>) -> Self {
        Self {
            limited,
            limit,
            needed,
        }
    }
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "limit `{}` of {} reached",
            self.limited.field(),
            self.limit
        )?;
        match self.needed {
            Some(needed) => write!(f, ", {needed} needed"),
            None => Ok(()),
        }
    }
}

impl StdError for LimitHit {}

/// The error with which a wait inside a host function ends when the call's deadline comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeadlinePassed;

impl fmt::Display for DeadlinePassed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deadline came while the guest waited for the host")
    }
}

impl StdError for DeadlinePassed {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_names_the_field() {
        let hit = LimitHit::new(Limited::Memory, 65_536, Some(131_072));
        assert_eq!(
            hit.to_string(),
            "limit `memory_bytes` of 65536 reached, 131072 needed"
        );
        let hit = LimitHit::new(Limited::Handles, 8, None);
        assert_eq!(hit.to_string(), "limit `handles` of 8 reached");
    }
}
