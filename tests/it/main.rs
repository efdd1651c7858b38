//! Integration tests of prewarm: one binary, tests that read as tables.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;
mod guests;
mod hostile;

mod reuse;
mod queue;
mod cancel;
mod idle;
mod counters;
mod embedder;
mod faults;
mod imports;
mod lanes;
