//! The tool from outside: what it prints where, and with which exit code it ends.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set up its run has failed"
)]

mod desk;
mod answers;
mod faults;
mod looks;
mod machine;
mod snapshots;
