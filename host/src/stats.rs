//! What a pool holds and has done, as one consistent snapshot.

use crate::reset::Reset;

/// A snapshot of a [`Pool`](crate::Pool), taken at one instant under its locks, so that the
/// figures fit each other: `idle + leased + starting + dying <= max_instances`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Slots of the pool.
    pub max_instances: usize,
    /// Instances that stand ready.
    pub idle: usize,
    /// Instances that serve a call or a lease.
    pub leased: usize,
    /// Slots in which an instance is being made.
    pub starting: usize,
    /// Retired instances that still hold their slot, because their store is not dropped yet.
    pub dying: usize,
    /// Callers in the queue.
    pub waiting: usize,
    /// Whether [`Pool::close`](crate::Pool::close) was called.
    pub closed: bool,
    /// How the slots of its next instances are reset. `None` where there are no slots, because
    /// memory is mapped on demand.
    pub reset: Option<Reset>,

    /// Leases begun on an instance that stood ready.
    pub warm: u64,
    /// Leases begun on an instance that was made for the caller.
    pub cold: u64,
    /// Callers that had to queue.
    pub queued: u64,
    /// Callers turned away because the queue was full.
    pub busy: u64,
    /// Callers that gave up or ran out of time in the queue.
    pub left_queue: u64,
    /// Instances made, by callers and by refill.
    pub started: u64,
    /// Instances made by refill, off the callers' path.
    pub refilled: u64,
    /// Times refill asked the host for a slot and got none. It asks again after 10 ms.
    pub put_off: u64,
    /// Instances that could not be made.
    pub start_failures: u64,
    /// Instances retired because their calls were used up: after one call, unless
    /// [`Reuse`](crate::Reuse) says otherwise.
    pub retired_used: u64,
    /// Instances retired because they were older than their maximum age.
    pub retired_aged: u64,
    /// Instances retired because they stood idle too long, or the host needed their slot.
    pub retired_idle: u64,
    /// Instances retired after a fault: a trap, a limit, a deadline, a cancelled call, a panic.
    pub retired_faulty: u64,
}

/// What a [`Host`](crate::Host) does for its registered components, taken at one instant. Counted as
/// things happen: taking it costs the same for one component as for ten thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostStats {
    /// Components that are registered: those of which a [`Registered`](crate::Registered) is held.
    pub registered: usize,
    /// Of these, those that are loaded: their code is mapped, and their pool exists.
    pub loaded: usize,
    /// Loads under way. Never more than there are processors.
    pub loading: usize,
    /// Bytes of code and data of those that are loaded. Code that several share counts once.
    pub code_bytes: u64,

    /// Loads that ended well.
    pub loads: u64,
    /// Loads that ended in an error.
    pub load_failures: u64,
    /// Components unloaded because others needed their room.
    pub unloads: u64,
}
