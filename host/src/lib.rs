//! Runs WebAssembly components from bounded pools of instances.
//!
//! A [`Host`] loads a [`Component`]; a [`Pool`] of it makes instances ahead of its callers and drops them behind. A call
//! meets an instance that is ready and that no other call has touched, within [`Limits`] and with no
//! more than its [`Grants`]. Guests need nothing of this crate.
//!
//! ```
//! use prewarm::{Host, HostConfig, PoolConfig, Val};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), prewarm::Error> {
//! let host = Host::new(HostConfig::default())?; // one per process
//! let component = host.load("examples/wat/text.wat").await?; // compiled once, then mapped from disk
//!
//! let mut config = PoolConfig::new(8); // at most 8 live instances
//! config.limits.memory_bytes = 16 << 20;
//! config.limits.deadline = std::time::Duration::from_secs(1); // queue, start, compute and host waits
//!
//! let pool = component.pool::<()>(config)?;
//! let loud = pool.invoke("shout", &[Val::String("hello".into())]).await?;
//! assert_eq!(loud, Some(Val::String("HELLO".into())));
//! # Ok(())
//! # }
//! ```
//!
//! | you want | look at |
//! | --- | --- |
//! | settings that suit your guests | the [guide] |
//! | where the time of a cold start goes | [cold starts](cold_starts) |
//! | typed calls over `bindgen!` | [`world!`], [`Pool::call`] |
//! | calls by name | [`Pool::invoke`]; the same with JSON (feature `json`) or WAVE text (feature `wave`) |
//! | more components than are in use | [`Host::register`]: loaded when called, unloaded when others need the room |
//! | several calls on one instance | [`Pool::lease`] |
//! | no async runtime, and cheaper calls | [`blocking`] |
//! | host functions of your own | [`PoolBuilder::imports`], [`State`] |
//! | guests that start initialised | `snapshot` of a component (feature `snapshot`) |
//! | what a component offers | [`Component::exports`], [`Component::wit`] |
//! | what a call used, a pool and a host did | [`Call::with_receipt`], [`Pool::stats`], [`Host::stats`] |
//! | whose fault an error is, and whether to try again | [`CallError::fault`], [`CallError::is_retryable`] |
//!
//! Everything is bounded by default and nothing is granted by default. The engine is wasmtime, whose
//! types are part of this API: use the one that is re-exported as [`wasmtime`].

// The embedder's process is not ours to stop.
#![warn(clippy::expect_used, clippy::panic)]

// Modules in reading order, ground floor first: a module uses only those above it, and
// `cargo xtask tidy` checks it.

// What threads share and wait by.
mod sync;

// Words: what things are called, and nothing else.
mod clock;
mod limits;
mod network;
mod stdio;
mod grants;
mod value_error;
mod error;
mod receipt;
mod reset;
mod stats;

// The machine: wasmtime and the disk.
mod cache;

// Decisions: pure functions.
mod config;
mod policy;

mod engine;
mod park;
mod room;
mod ticker;
mod refill;
mod dirt;
mod loads;
mod registry;
mod value;
mod exports;
mod component;
mod meter;
mod usage;
mod output;
mod wasi;
mod blame;
mod state;
mod waits;
mod linker;
mod missing;
mod world;
mod fault;
mod bound;
mod instance;

#[cfg(test)]
mod guest_tests;

// Sharing: who gets which instance when.
mod slots;
mod pockets;
mod call;
mod lending;
mod lease;
mod plan;

// Faces: what a program sees.
mod host;
#[cfg(feature = "snapshot")]
mod snapshot;
mod pool;
mod entry;
mod registered;
pub mod blocking;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(any(doc, doctest))]
#[doc = include_str!("cold_starts.md")]
pub mod cold_starts {}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

pub use cache::{CacheConfig, CacheStats};
pub use call::{Call, Receipted};
pub use clock::Clock;
pub use component::{Component, Needs, Origin};
pub use config::{Allocation, HostConfig, PoolConfig, Reuse};
pub use engine::Lane;
#[cfg(feature = "snapshot")]
pub use error::SnapshotError;
pub use error::{
    CallError, Error, Fault, Frame, HostError, LoadError, MissingImport, Phase, PoolError, Source,
    Trap,
};
pub use exports::{ExportedFunc, Exports, Signature, Wit};
pub use grants::{GrantError, Grants};
pub use host::{Host, Progress, Wasm};
pub use instance::WarmUpFuture;
pub use lease::Lease;
pub use limits::{LimitHit, Limited, Limits};
pub use network::{AddressRange, AddressRangeError, Network};
pub use pool::{Pool, PoolBuilder};
pub use receipt::Receipt;
pub use registered::{Registered, RegisteredBuilder};
pub use reset::Reset;
#[cfg(feature = "snapshot")]
pub use snapshot::{SnapshotBuilder, SnapshotConfig};
pub use state::State;
pub use stats::{HostStats, PoolStats};
pub use stdio::{Input, LineSink, Output, OutputBuffer};
pub use value::handles::Handles;
pub use value_error::{ResolveError, ValueError};
pub use wasmtime;
pub use wasmtime::component::Val;
pub use world::World;
