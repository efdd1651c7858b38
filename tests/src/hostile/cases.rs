//! What guests and host functions do that they should not.

use prewarm::{Lane, Limited};

use super::expect::Expect;
use super::{ELEMENTS, FUEL, HANDLES, HOSTCALL, MEMORY, OUTPUT, Setting};
use crate::support::Face;

/// One misdeed.
#[derive(Debug)]
pub struct Case {
    /// What happens.
    pub name: &'static str,
    /// The export that is called.
    pub export: &'static str,
    /// What the start function does, where that is the misdeed.
    pub mode: Option<u32>,
    /// What the caller must be told.
    pub expected: fn(&Setting) -> Expect,
}

const fn call(name: &'static str, export: &'static str, expected: fn(&Setting) -> Expect) -> Case {
    Case {
        name,
        export,
        mode: None,
        expected,
    }
}

const fn start(name: &'static str, mode: u32, expected: fn(&Setting) -> Expect) -> Case {
    Case {
        name,
        export: "good",
        mode: Some(mode),
        expected,
    }
}

/// An endless loop is stopped by what comes first.
fn endless(setting: &Setting) -> Expect {
    match setting.fuel {
        true => Expect::Limit(Limited::Fuel, FUEL),
        false => Expect::Deadline,
    }
}

/// Only a call from a task can be one of the guest's tasks.
fn of_tasks(setting: &Setting, expected: Expect) -> Expect {
    match (setting.lane, setting.face) {
        (Lane::Concurrent, Face::Async) => expected,
        _ => Expect::Impossible,
    }
}

const UNREACHABLE: &str = "wasm `unreachable` instruction executed";
const EXHAUSTED: &str = "call stack exhausted";

/// All of them.
pub const CASES: &[Case] = &[
    call("a loop without end", "spin", endless),
    call("a recursion without end", "recurse", |_| {
        Expect::Trap(EXHAUSTED)
    }),
    call("a memory that grows without end", "grow-memory", |_| {
        Expect::Limit(Limited::Memory, MEMORY)
    }),
    call("a table that grows without end", "grow-table", |_| {
        Expect::Limit(Limited::TableElements, ELEMENTS)
    }),
    call("a list beyond the guest's memory", "list-beyond", |_| {
        Expect::TrapOutside("list pointer/length out of bounds of memory")
    }),
    call("a list larger than the host takes", "list-large", |_| {
        Expect::Limit(Limited::Hostcall, HOSTCALL)
    }),
    call("a flood of output, errors ignored", "flood", |_| {
        Expect::Limit(Limited::Output, OUTPUT)
    }),
    call("a flood of handles", "handles", |_| {
        Expect::Limit(Limited::Handles, HANDLES as u64)
    }),
    call("a trap", "trap", |_| Expect::Trap(UNREACHABLE)),
    call("a division by zero", "divide", |_| {
        Expect::Trap("integer divide by zero")
    }),
    call("a read beyond memory", "far", |_| {
        Expect::Trap("out of bounds memory access")
    }),
    call("a trap after the answer", "trap-behind", |_| {
        Expect::Trap(UNREACHABLE)
    }),
    call("a loop after the answer", "spin-behind", endless),
    call("a host function that fails", "host-fail", |_| {
        Expect::Host("the disk is full")
    }),
    call("a host function that panics", "host-panic", |_| {
        Expect::HostPanic("the host function's own bug")
    }),
    call(
        "a host function that panics under a lock",
        "host-panic-locked",
        |_| Expect::HostPanic("a bug under a lock"),
    ),
    call("a host function that blocks", "host-block", |_| {
        Expect::Deadline
    }),
    call(
        "a host function that never returns",
        "host-never",
        |setting| {
            match setting.face {
                Face::Async => Expect::Deadline,
                // The host function's own error comes through.
                Face::Blocking => Expect::Host("the pool is closed"),
            }
        },
    ),
    call(
        "a task that goes on after its answer",
        "lingering",
        |setting| of_tasks(setting, Expect::Answer(1)),
    ),
    call("a task that never answers", "silent", |setting| {
        let reason = "deadlock detected: event loop cannot make further progress";
        of_tasks(setting, Expect::TrapOutside(reason))
    }),
    start("a start without end", 1, |setting| match setting.fuel {
        true => Expect::StartLimit(Limited::Fuel, FUEL),
        false => Expect::LateStart,
    }),
    start("a start that traps", 2, |_| Expect::StartTrap(UNREACHABLE)),
    start("a start that recurses without end", 3, |_| {
        Expect::StartTrap(EXHAUSTED)
    }),
    start("a start that grows without end", 4, |_| {
        Expect::StartLimit(Limited::Memory, MEMORY)
    }),
    start("a start whose host function fails", 5, |_| {
        Expect::StartHost("the disk is full")
    }),
    start("a start whose host function panics", 6, |_| {
        Expect::StartPanic("the host function's own bug")
    }),
    start("a start whose host function blocks", 7, |_| {
        Expect::LateStart
    }),
    start(
        "a start whose host function never returns",
        8,
        |setting| match setting.face {
            Face::Async => Expect::LateStart,
            Face::Blocking => Expect::StartHost("the pool is closed"),
        },
    ),
];
