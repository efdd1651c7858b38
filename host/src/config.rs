//! What an embedder can set, for the host and for each pool. Every field has a default.

use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::LazyLock;
use std::time::Duration;

use crate::cache::CacheConfig;
use crate::clock::Clock;
use crate::grants::Grants;
use crate::limits::Limits;
use crate::reset::Reset;

/// Settings of a [`Host`](crate::Host): one per process.
///
/// ```
/// let mut config = prewarm::HostConfig::default();
/// config.max_instances = 200;
/// config.cache.enabled = false;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HostConfig {
    /// The cache of compiled components on disk. On by default.
    pub cache: CacheConfig,
    /// How often running guests look at their deadline. Default 1 ms. A call that must be stopped
    /// ends within two ticks of its deadline, unless the machine keeps the thread that ticks from its
    /// processor; a shorter tick costs one more wake-up of one thread
    /// per tick while calls run, and nothing while none do.
    pub tick: Duration,
    /// Most component instances alive at once in each lane, over all pools. Default 1000. Pools have
    /// equal shares of them, as far as they need them: see [the guide](crate::guide). Each reserves
    /// address space for up to four linear memories, and no memory until it is used. Reserving takes
    /// 2 to 3 µs each, once, when the first component of a lane is loaded: a process that starts,
    /// answers and ends had better ask for few.
    pub max_instances: u32,
    /// Deepest stack of a guest, in bytes. Default 512 KiB. A guest that needs more traps.
    pub stack_bytes: usize,
    /// Whether compiled code counts fuel, which [`Limits::fuel`] needs. Default off: counting makes
    /// tight loops up to twice as slow.
    pub fuel: bool,
    /// Threads that make instances ahead and drop used ones. Default: half the processors, at
    /// least one. They start with the first pool that needs them and are parked when idle.
    pub refill_threads: usize,
    /// How instances get their memory. Default [`Allocation::Auto`].
    pub allocation: Allocation,
    /// Most components of [`Host::register`](crate::Host::register) that stay loaded. Default 1000.
    /// Beyond, those that were not used for longest are unloaded, and loaded again when they are
    /// called; what is in use stays. Each takes a few maps of the process, of which Linux allows
    /// 65,530 unless told otherwise.
    pub max_loaded: usize,
    /// Most bytes of code and data that they keep mapped, as [`Component::code_bytes`] counts them.
    /// Default 4 GiB. Mapped is not resident: the system gives memory only to what was touched, and
    /// takes back what comes from the cache when it needs to.
    ///
    /// [`Component::code_bytes`]: crate::Component::code_bytes
    pub max_code_bytes: u64,
    /// The source of time. Default the system's clock; tests pass [`Clock::manual`].
    pub clock: Clock,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            cache: CacheConfig::default(),
            tick: Duration::from_millis(1),
            max_instances: 1000,
            stack_bytes: 512 << 10,
            fuel: false,
            refill_threads: (processors() / 2).max(1),
            allocation: Allocation::Auto,
            max_loaded: 1000,
            max_code_bytes: 4 << 30,
            clock: Clock::system(),
        }
    }
}

/// How many threads run at a time. Asking the system takes 100 µs, since it asks for quotas too.
pub(crate) fn processors() -> usize {
    static PROCESSORS: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(2, NonZero::get));
    *PROCESSORS
}

/// How instances get their memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Allocation {
    /// Slots reserved ahead where the address space allows it, memory mapped on demand elsewhere,
    /// with a warning.
    #[default]
    Auto,
    /// Slots reserved ahead, or an error.
    Pooling,
    /// Memory mapped for each instance: several times slower to start, and no address space is
    /// reserved ahead.
    OnDemand,
}

/// Settings of one pool.
///
/// ```
/// use std::time::Duration;
///
/// use prewarm::{Grants, PoolConfig, Reuse};
///
/// let mut config = PoolConfig::new(8);
/// config.min_warm = 2;
/// config.reuse = Reuse::Calls(500..=1000);
/// config.limits.memory_bytes = 64 << 20;
/// config.limits.deadline = Duration::from_millis(50);
/// config.grants = Grants::none().env("LANG", "C");
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PoolConfig {
    /// Most instances alive at once: idle, leased, being made and being dropped. At least 1.
    pub max_instances: usize,
    /// Instances kept ready even when nobody calls. Default 0: the pool scales to zero. Each costs
    /// what [`PoolConfig::idle_ttl`] would otherwise free: from 20 KiB for a small Rust guest to 5 MiB
    /// for a Python one (resident, `cargo xtask costs`).
    pub min_warm: usize,
    /// Callers that may wait for a slot. Default 1024. One more is turned away at once with
    /// [`CallError::Busy`](crate::CallError::Busy).
    pub max_queue: usize,
    /// Longest wait for a slot. Default: as long as the deadline allows.
    pub max_wait: Option<Duration>,
    /// How long an instance above [`PoolConfig::min_warm`] may stand idle. Default 10 s.
    pub idle_ttl: Duration,
    /// Oldest age at which an instance is lent. Default: any. It matters with [`Reuse::Calls`] and
    /// for guests whose environment or time must not be stale.
    pub max_age: Option<Duration>,
    /// Whether an instance serves more than one call. Default [`Reuse::Never`].
    pub reuse: Reuse,
    /// How the memory of a used slot is made new for the next instance. Default `None`: what the
    /// host learned of the component, from the page faults of its first calls, see
    /// [`Component::reset`](crate::Component::reset).
    pub reset: Option<Reset>,
    /// What one instance and one call may consume.
    pub limits: Limits,
    /// What the guest may touch. Default nothing.
    pub grants: Grants,
}

impl PoolConfig {
    /// The defaults, with at most `max_instances` live instances.
    #[must_use]
    pub fn new(max_instances: usize) -> Self {
        Self {
            max_instances,
            min_warm: 0,
            max_queue: 1024,
            max_wait: None,
            idle_ttl: Duration::from_secs(10),
            max_age: None,
            reuse: Reuse::Never,
            reset: None,
            limits: Limits::default(),
            grants: Grants::none(),
        }
    }
}

/// Whether an instance serves more than one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reuse {
    /// Every call gets an instance that no call has touched. Nothing can leak from one call to the
    /// next, at the price of making an instance per call, off the caller's path.
    #[default]
    Never,
    /// An instance serves this many calls, sampled for each instance so that guests cannot come to
    /// rely on it. What one call leaves in the guest's memory the next one can see.
    Calls(RangeInclusive<u32>),
}
