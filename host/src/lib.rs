//! prewarm

mod limits;
mod network;
mod stdio;
mod grants;
mod meter;
mod usage;
mod output;
mod wasi;
mod state;

pub use grants::{GrantError, Grants};
pub use limits::{LimitHit, Limited, Limits};
pub use network::{AddressRange, AddressRangeError, Network};
pub use state::State;
pub use stdio::{Input, LineSink, Output, OutputBuffer};
