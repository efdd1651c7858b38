//! What threads share and wait by.
//!
//! The modules that pass something between threads take their atomics, locks and threads from
//! here, so that `tests/floors` can put others in their place and try every order in which the
//! threads may run. Knows nothing of this crate.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
pub(crate) use std::thread;
pub(crate) use std::thread_local;

pub(crate) use crossbeam_utils::atomic::AtomicCell;
pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
