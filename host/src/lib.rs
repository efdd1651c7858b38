//! prewarm

mod limits;
mod network;
mod stdio;
mod grants;
mod meter;
mod usage;
mod output;
mod wasi;
mod blame;
mod state;
mod waits;
mod linker;
mod missing;

#[cfg(test)]
mod guest_tests;

pub use grants::{GrantError, Grants};
pub use limits::{LimitHit, Limited, Limits};
pub use network::{AddressRange, AddressRangeError, Network};
pub use state::State;
pub use stdio::{Input, LineSink, Output, OutputBuffer};
