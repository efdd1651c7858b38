//! What the benches, the promises and the demo share: guests, bare wasmtime to compare with, pools,
//! and how to measure.

#![allow(
    missing_docs,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    reason = "nobody depends on this package, and half of it is made by `bindgen!`"
)]

pub mod clock;
pub mod sample;
pub mod guest;
pub mod logs;
pub mod bare;
pub mod pools;
pub mod loops;
