//! What the benches, the promises and the demo share: guests, bare wasmtime to compare with, pools,
//! and how to measure.

pub mod clock;
pub mod sample;
pub mod guest;
pub mod logs;
pub mod bare;
pub mod pools;
pub mod loops;
pub mod memory;
pub mod scale;
