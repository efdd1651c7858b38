//! What the benches, the promises and the demo share: guests, bare wasmtime to compare with, pools,
//! and how to measure.

pub mod clock;
pub mod sample;
pub mod load;
pub mod cases;
pub mod guest;
pub mod logs;
pub mod words;
pub mod built;
pub mod bare;
pub mod pools;
pub mod loops;
pub mod echo;
pub mod burst;
pub mod dirt;
pub mod many;
pub mod memory;
pub mod scale;
