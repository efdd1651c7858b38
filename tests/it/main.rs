//! Integration tests of prewarm: one binary, tests that read as tables.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]
#![allow(
    clippy::result_large_err,
    clippy::type_complexity,
    reason = "helpers of tests pass errors and closures on as they are"
)]
#![allow(
    clippy::print_stderr,
    reason = "what is printed is shown when a test fails"
)]

mod guests;
mod conformance;

use prewarm_tests::support;

mod reuse;
mod reset;
mod leftovers;
mod queue;
mod session;
mod typed;
mod cancel;
mod idle;
mod room;
mod registry;
mod counters;
mod allocations;
mod backtraces;
mod embedder;
mod errors;
mod faults;
mod flood;
mod oversized;
mod machine;
mod misbehaviour;
mod reentrance;
mod imports;
mod loading;
mod logs;
mod kinds;
mod lanes;
mod snapshot;
mod snapshot_cache;
mod snapshot_guests;
