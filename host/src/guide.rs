//! Choosing isolation, limits and sizes.
//!
//! [`PoolConfig::new`] gives defaults that are safe: a clean instance per call, everything bounded,
//! nothing granted. This page goes through what to change, in the order in which it matters. The
//! examples use the [`blocking`](crate::blocking) face, because it is shorter; the settings are the
//! same for both.
//!
//! # Which isolation
//!
//! [`PoolConfig::reuse`] decides what a call may find in the guest's memory.
//!
//! | | [`Reuse::Never`], the default | [`Reuse::Calls`] |
//! | --- | --- | --- |
//! | a call finds | what the start and the warm-up left | what earlier calls left, too |
//! | a bug or an attack in one call reaches | that call | every later call of the instance |
//! | a leak in the guest | cannot grow | grows until the instance is retired |
//! | an instance is made | for every call, off the caller's path while refill keeps up | once in many calls |
//!
//! Take [`Reuse::Never`] where calls come from different people. Take [`Reuse::Calls`] where they
//! all come from one, and the guest is slow to start or keeps something worth keeping. Give it a
//! range that is not one number: each instance draws from it, so that no guest comes to rely on it,
//! and not all of them are replaced at once.
//!
//! ```
//! use prewarm::{Host, HostConfig, PoolConfig, Reuse, Val, blocking};
//!
//! # fn main() -> Result<(), prewarm::Error> {
//! let host = Host::new(HostConfig::default())?;
//! let counter = host.load_blocking("examples/wat/counter.wat")?; // `add` sums up what it is given
//!
//! let mut config = PoolConfig::new(1);
//! let fresh = blocking::Pool::<()>::new(&counter, config.clone())?;
//! fresh.invoke("add", &[Val::U32(1)])?;
//! assert_eq!(fresh.invoke("add", &[Val::U32(1)])?, Some(Val::U32(1)));
//!
//! config.reuse = Reuse::Calls(500..=1000);
//! let reused = blocking::Pool::<()>::new(&counter, config)?;
//! reused.invoke("add", &[Val::U32(1)])?;
//! assert_eq!(reused.invoke("add", &[Val::U32(1)])?, Some(Val::U32(2)));
//! # Ok(())
//! # }
//! ```
//!
//! Whatever the setting, an instance is not used again after a trap, a limit, a deadline, a panic
//! of a host function or a call that was dropped. For several calls that belong together there is a
//! [`Lease`]: one instance, and nobody else in between.
//!
//! Environment, granted directories and arguments are read once and then stand in the guest's
//! memory. With reuse, set [`PoolConfig::max_age`] if they must not grow old.
//!
//! # How many
//!
//! - [`PoolConfig::max_instances`] bounds them all: idle, in a call, being made, being dropped. For
//!   guests that compute, begin with the number of processors, or twice that with [`Reuse::Never`],
//!   so that refill has slots to work in. For guests that wait for the host, as many as may wait at
//!   once.
//! - [`PoolConfig::min_warm`] instances stand ready even when nobody calls. With 0, the default, an
//!   idle pool holds nothing in the end, and the first caller after a long pause makes its own. Set
//!   it to the calls that may come at once after such a pause. A [`Receipt`] says in
//!   `peak_memory_bytes` what one costs at most.
//! - [`PoolConfig::idle_ttl`] (10 s) is how long those beyond `min_warm` stand idle. Longer than
//!   the usual pause between bursts is enough.
//! - [`PoolConfig::max_queue`] (1024) callers wait in the order they came; the next gets
//!   [`CallError::Busy`] at once. A queue longer than what can be served before the deadlines only
//!   makes callers wait for an error. For 8 instances and calls of 5 ms, a deadline of 50 ms serves
//!   about 80 in line.
//! - [`PoolConfig::max_wait`] ends the wait before the deadline does, for callers that would rather
//!   go elsewhere.
//! - [`HostConfig::max_instances`](crate::HostConfig::max_instances) (1000 in each lane) bounds all
//!   pools together. When it is reached, idle instances of all pools beyond their `min_warm` are
//!   given up first; then calls wait in line, and get [`CallError::HostFull`] when their time is up
//!   or nobody will give an instance back. A pool that holds more than an equal share of them leaves
//!   a tenth free, as far as other pools in use may still ask for it, and does not take what they
//!   used in the last 100 ms: so one that is flooded does not keep the others' callers waiting.
//!
//! ```
//! use prewarm::{CallError, Host, HostConfig, PoolConfig, blocking};
//!
//! # fn main() -> Result<(), prewarm::Error> {
//! # let host = Host::new(HostConfig::default())?;
//! # let counter = host.load_blocking("examples/wat/counter.wat")?;
//! let mut config = PoolConfig::new(1);
//! config.max_queue = 0; // who finds every instance busy is told so at once
//! let pool = blocking::Pool::<()>::new(&counter, config)?;
//!
//! let held = pool.lease()?;
//! let error = pool.invoke("spin", &[]).unwrap_err();
//! assert!(matches!(error, CallError::Busy { .. }) && error.is_retryable());
//! # drop(held);
//! # Ok(())
//! # }
//! ```
//!
//! [`PoolStats`] says whether the sizes fit. `cold` growing beside `warm` under a steady load: the
//! slots are too few for refill to work in, or callers come faster than instances can be made.
//! `queued` growing: more instances, or fewer calls. `busy` or `left_queue` growing: callers are
//! being turned away. `put_off` growing: the host is full, and the pool stands below its `min_warm`.
//!
//! # Deadlines
//!
//! [`Limits::deadline`] (30 s) is one deadline for all of a call: the wait for an instance, its
//! start, its computing and its waits in host functions. In a [`Lease`] each call has one of its
//! own; the first counts from when the lease was asked for. What is over ends within two ticks
//! ([`HostConfig::tick`](crate::HostConfig::tick), 1 ms) with [`CallError::Deadline`], which says
//! in what phase.
//!
//! ```
//! # use std::time::Duration;
//! # use prewarm::{CallError, Host, HostConfig, PoolConfig, blocking};
//! # fn main() -> Result<(), prewarm::Error> {
//! # let host = Host::new(HostConfig::default())?;
//! # let counter = host.load_blocking("examples/wat/counter.wat")?;
//! let mut config = PoolConfig::new(4);
//! config.limits.deadline = Duration::from_millis(20);
//! let pool = blocking::Pool::<()>::new(&counter, config)?;
//!
//! let error = pool.invoke("spin", &[]).unwrap_err(); // loops for ever
//! assert_eq!(error.to_string(), "stopped at its deadline of 20ms, while it ran");
//! # Ok(())
//! # }
//! ```
//!
//! Set it to what the caller is willing to wait, not to what the call should take. To stop a call
//! before, drop its future. No deadline interrupts a host function of yours that blocks its thread,
//! so let it look at [`State::deadline`]; nor the reading and writing of files.
//!
//! [`Limits::fuel`] is for calls that must cost the same on every machine. It needs
//! [`HostConfig::fuel`](crate::HostConfig::fuel), slows tight loops down, and stops an endless loop
//! no better.
//!
//! # Memory and the other limits
//!
//! [`Limits`] lists the defaults. They are set for script guests; a tenant with a small Rust guest
//! should get less.
//!
//! | guest | its memory |
//! | --- | --- |
//! | Rust | what its inputs need: look at `peak_memory_bytes` after the largest, and leave room |
//! | JavaScript with QuickJS | starts with 1.4 MB |
//! | JavaScript with StarlingMonkey | starts with 9.5 MB, grows to about 90 MiB before it collects, traps under a limit of 64 MiB: give it 128 MiB |
//! | Python | starts with 13 to 15 MB |
//!
//! The limit is the sum over all memories and tables of an instance. A guest that meets it is told
//! that its memory does not grow; most then trap, and the call ends with [`CallError::Limit`],
//! which names the limit and what was needed. A component that cannot even start within its limits
//! is refused when the pool is made:
//!
//! ```
//! # use prewarm::{Host, HostConfig, PoolConfig, blocking};
//! # fn main() -> Result<(), prewarm::Error> {
//! # let host = Host::new(HostConfig::default())?;
//! let text = host.load_blocking("examples/wat/text.wat")?; // starts with a page of 64 KiB
//! let mut config = PoolConfig::new(4);
//! config.limits.memory_bytes = 1000;
//! let error = blocking::Pool::<()>::new(&text, config).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "Limits::memory_bytes is 1000, but this component starts with 65536"
//! );
//! # Ok(())
//! # }
//! ```
//!
//! [`Component::needs`] tells before, and a [`Receipt`] after a call. Deep recursion in a guest is
//! bounded by [`HostConfig::stack_bytes`](crate::HostConfig::stack_bytes) (512 KiB), for all pools
//! of a host alike.
//!
//! # What it prints
//!
//! Standard output and standard error go nowhere, until [`Grants`] say otherwise: to a buffer, to
//! the host's own streams, or line by line to a function ([`Output`]). Wherever they go,
//! [`Limits::output_bytes`] (1 MiB for each call) bounds them. For a service, lines into its log
//! are mostly right:
//!
//! ```
//! use prewarm::{Grants, Output, PoolConfig};
//!
//! let mut config = PoolConfig::new(4);
//! config.grants = Grants::none().stderr(Output::lines(|line| eprintln!("guest: {line}")));
//! ```
//!
//! A panic of a Rust guest says why on standard error, and the trap that follows does not.
//!
//! # Warming up
//!
//! An instance that was made ahead has started but not run. In script guests the first call touches
//! memory that later ones find in place, and may set up what later ones use. A warm-up call runs on
//! each instance before it is lent, off the callers' path:
//!
//! ```
//! # use prewarm::{Host, HostConfig, PoolConfig, Val, blocking};
//! # fn main() -> Result<(), prewarm::Error> {
//! # let host = Host::new(HostConfig::default())?;
//! # let counter = host.load_blocking("examples/wat/counter.wat")?;
//! let pool = blocking::Pool::<()>::builder(&counter, PoolConfig::new(4), || ())
//!     .warm_up_invoke("add", &[Val::U32(100)])?
//!     .build()?;
//! assert_eq!(pool.invoke("add", &[Val::U32(1)])?, Some(Val::U32(101)));
//! # Ok(())
//! # }
//! ```
//!
//! Choose a call that takes the paths that real calls take, and mind what it leaves: every caller
//! finds it. It runs under the limits of a call. With `warm_up` instead of `warm_up_invoke` it is a
//! closure over the world, as a call is.
//!
//! # Snapshots
//!
//! A warm-up is paid for by each instance. Where a guest builds the same tables each time, let it do
//! that in an export, and take a snapshot after it (`snapshot` of a component, with the feature of that name): every
//! instance then starts with the tables in its memory. Whatever it asked of the host meanwhile is
//! frozen with them: environment, time, seeds of random numbers. Script guests gain from both, since
//! a warm-up also touches the memory that a snapshot only maps.
//!
//! # Three pools to begin with
//!
//! ```
//! use std::time::Duration;
//!
//! use prewarm::{PoolConfig, Reuse};
//!
//! // Small functions of many tenants: clean, little, quick to refuse.
//! let mut tenant = PoolConfig::new(8);
//! tenant.max_queue = 64;
//! tenant.limits.memory_bytes = 16 << 20;
//! tenant.limits.output_bytes = 64 << 10;
//! tenant.limits.deadline = Duration::from_millis(100);
//!
//! // One's own rules engine, called all the time.
//! let mut rules = PoolConfig::new(std::thread::available_parallelism().map_or(1, usize::from));
//! rules.reuse = Reuse::Calls(5_000..=10_000);
//! rules.min_warm = rules.max_instances;
//! rules.limits.deadline = Duration::from_millis(20);
//!
//! // A Python report, seldom, and slow to start: two ready, a warm-up besides.
//! let mut report = PoolConfig::new(4);
//! report.min_warm = 2;
//! report.idle_ttl = Duration::from_secs(120);
//! report.limits.deadline = Duration::from_secs(10);
//! # let _ = (tenant, rules, report);
//! ```
//!
//! [`CallError::Busy`]: crate::CallError::Busy
//! [`CallError::Deadline`]: crate::CallError::Deadline
//! [`CallError::HostFull`]: crate::CallError::HostFull
//! [`CallError::Limit`]: crate::CallError::Limit
//! [`Component::needs`]: crate::Component::needs
//! [`Grants`]: crate::Grants
//! [`Lease`]: crate::Lease
//! [`Limits`]: crate::Limits
//! [`Limits::deadline`]: crate::Limits::deadline
//! [`Limits::fuel`]: crate::Limits::fuel
//! [`Limits::output_bytes`]: crate::Limits::output_bytes
//! [`Output`]: crate::Output
//! [`PoolConfig::idle_ttl`]: crate::PoolConfig::idle_ttl
//! [`PoolConfig::max_age`]: crate::PoolConfig::max_age
//! [`PoolConfig::max_instances`]: crate::PoolConfig::max_instances
//! [`PoolConfig::max_queue`]: crate::PoolConfig::max_queue
//! [`PoolConfig::max_wait`]: crate::PoolConfig::max_wait
//! [`PoolConfig::min_warm`]: crate::PoolConfig::min_warm
//! [`PoolConfig::new`]: crate::PoolConfig::new
//! [`PoolConfig::reuse`]: crate::PoolConfig::reuse
//! [`PoolStats`]: crate::PoolStats
//! [`Receipt`]: crate::Receipt
//! [`Reuse::Calls`]: crate::Reuse::Calls
//! [`Reuse::Never`]: crate::Reuse::Never
//! [`State::deadline`]: crate::State::deadline
