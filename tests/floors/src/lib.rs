//! The floors of the library that know no wasmtime, compiled from its own files.
//!
//! Plain, it runs the tests that stand in those files: under miri or a sanitizer, and in seconds.
//! With the feature `loom`, the library's protocols between threads are compiled on top of loom's
//! atomics, locks and threads, with a small stand-in for the engine below them, and [`models`] tries
//! every order in which the threads may run.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the files are written for the library, and not all of it is here"
)]

#[path = "../../../host/src"]
mod library {
    #[cfg(not(feature = "loom"))]
    pub(crate) mod sync;

    pub(crate) mod clock;
    pub(crate) mod error;
    pub(crate) mod grants;
    pub(crate) mod limits;
    pub(crate) mod network;
    pub(crate) mod receipt;
    pub(crate) mod reset;
    pub(crate) mod stats;
    pub(crate) mod stdio;
    pub(crate) mod value_error;

    pub(crate) mod cache {
        mod config;

        pub use self::config::{CacheConfig, CacheStats};
    }

    pub(crate) mod config;
    pub(crate) mod policy;

    pub(crate) mod dirt;
    pub(crate) mod loads;
    pub(crate) mod meter;
    pub(crate) mod park;
    pub(crate) mod pockets;
    pub(crate) mod refill;
    pub(crate) mod registry;
    pub(crate) mod room;
    pub(crate) mod slots;

    #[cfg(feature = "loom")]
    pub(crate) mod lending;
    #[cfg(feature = "loom")]
    pub(crate) mod ticker;
}

#[cfg(feature = "loom")]
mod machine;
#[cfg(feature = "loom")]
pub mod models;
#[cfg(feature = "loom")]
mod sync;

use self::library::*;
#[cfg(feature = "loom")]
use self::machine::{component, engine, exports, instance, runtime, world};

/// What the library asks of wasmtime's WASI, under the name by which it does.
#[cfg(feature = "loom")]
extern crate self as wasmtime_wasi;

/// Names by which the library's files know their own crate's types.
use self::library::clock::Clock;
