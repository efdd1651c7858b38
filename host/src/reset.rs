//! How a slot is made new.

/// How the memory of a slot is made new between two instances. It matters where instances are
/// fresh, and only with [`Allocation::Pooling`](crate::Allocation::Pooling).
///
/// Figures are of a two-core x86-64 machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reset {
    /// The kernel says which pages the guest wrote, and those are rewritten: up to 2 MiB of them in
    /// up to 32 runs. What is beyond goes back to the system, and each such page costs the next
    /// instance a page fault, 2 to 3 µs. Best for nearly every guest. Where the kernel does not say
    /// (before Linux 6.7, on other systems, or with swap on) the first 128 KiB are rewritten
    /// instead.
    Dirty,
    /// All of the memory is rewritten, up to 16 MiB: 24 µs for a MiB of zeros, twice that where it
    /// holds data from the start. Best for a small memory with writes scattered all over it.
    /// Instances in such slots are counted against a
    /// [`HostConfig::max_instances`](crate::HostConfig::max_instances) of their own.
    Whole,
}

impl Reset {
    /// The other way.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Dirty => Self::Whole,
            Self::Whole => Self::Dirty,
        }
    }
}
