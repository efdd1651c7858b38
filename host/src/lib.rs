//! Run WebAssembly components from bounded pools of instances.

// Modules in reading order, ground floor first: a module uses only those above it, and
// `cargo xtask tidy` checks it.

// Words: what things are called, and nothing else.
mod clock;
mod limits;
mod network;
mod stdio;
mod grants;
mod value_error;
mod error;
mod receipt;
mod stats;

// The machine: wasmtime and the disk.
mod cache;

// Decisions: pure functions.
mod config;
mod policy;

mod engine;
mod ticker;
mod refill;
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
mod pool;
pub mod blocking;
mod host;

pub use cache::{CacheConfig, CacheStats};
pub use call::{Call, Receipted};
pub use clock::Clock;
pub use component::{Component, Needs, Origin};
pub use config::{Allocation, HostConfig, PoolConfig, Reuse};
pub use engine::Lane;
pub use error::{
    CallError, Error, Fault, Frame, HostError, LoadError, MissingImport, Phase, PoolError, Source,
    Trap,
};
pub use exports::{ExportedFunc, Exports, Signature, Wit};
pub use grants::{GrantError, Grants};
pub use host::{Host, Progress, Wasm};
pub use lease::Lease;
pub use limits::{LimitHit, Limited, Limits};
pub use network::{AddressRange, AddressRangeError, Network};
pub use pool::{Pool, PoolBuilder};
pub use receipt::Receipt;
pub use state::State;
pub use stats::PoolStats;
pub use stdio::{Input, LineSink, Output, OutputBuffer};
pub use value::handles::Handles;
pub use value_error::{ResolveError, ValueError};
pub use wasmtime;
pub use wasmtime::component::Val;
pub use world::World;
