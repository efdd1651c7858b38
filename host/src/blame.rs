//! Which limit an error of the engine is about.
//!
//! wasmtime has types for some of its refusals and only words for others. The words are those of
//! the pinned version, and the tests in `guest_tests` fail when they change.

use wasmtime::component::ResourceTableError;
use wasmtime::{Error, Trap};

use crate::limits::{LimitHit, Limited, Limits};

/// The limit that `error` says was reached, if it is about one.
pub(crate) fn limit_of(error: &Error, limits: &Limits) -> Option<LimitHit> {
    if let Some(hit) = error.downcast_ref::<LimitHit>() {
        return Some(*hit);
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref() {
        return Some(LimitHit::new(Limited::Handles, limits.handles.into(), None));
    }
    if let Some(Trap::OutOfFuel) = error.downcast_ref() {
        return limits
            .fuel
            .map(|fuel| LimitHit::new(Limited::Fuel, fuel, None));
    }
    error
        .chain()
        .find_map(|cause| limit_in_words(&cause.to_string(), limits))
}

fn limit_in_words(message: &str, limits: &Limits) -> Option<LimitHit> {
    if message.contains("store handle limit exceeded") {
        return Some(LimitHit::new(Limited::Handles, limits.handles.into(), None));
    }
    if message.contains("fuel allocated for hostcalls has been exhausted") {
        return Some(LimitHit::new(
            Limited::Hostcall,
            limits.hostcall_bytes,
            None,
        ));
    }
    let (counted, needed) = message
        .strip_prefix("resource limit exceeded: ")?
        .split_once(" count too high at ")?;
    let (limited, limit) = match counted {
        "instance" => (Limited::Instances, limits.instances),
        "memory" => (Limited::Memories, limits.memories),
        "table" => (Limited::Tables, limits.tables),
        _ => return None,
    };
    Some(LimitHit::new(limited, limit.into(), needed.parse().ok()))
}
