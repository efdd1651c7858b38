//! Tells what an error of wasmtime means for the caller.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;

use wasmtime::{PoolConcurrencyLimitError, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::error::{CallError, Frame, Phase, Trap};
use crate::limits::{DeadlinePassed, Limited};
use crate::state::{State, Stop};

/// What the caller is told of `error`, with which a call or a start in `phase` ended.
pub(crate) fn call_error<S>(error: wasmtime::Error, state: &State<S>, phase: Phase) -> CallError {
    if error.is::<Stop>() || error.is::<DeadlinePassed>() {
        return match state.limit_hit() {
            Some(hit) if hit.limited == Limited::Output => CallError::Limit(hit),
            _ => CallError::Deadline {
                deadline: state.limits().deadline,
                phase,
            },
        };
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return CallError::Exit { status: exit.0 };
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return CallError::HostFull(error.into());
    }
    // A guest whose memory could not grow usually traps a moment later: say why it could not.
    if let Some(hit) = state.limit_behind(&error) {
        return CallError::Limit(hit);
    }
    let trap = error.downcast_ref::<wasmtime::Trap>().copied();
    let frames = error.downcast_ref::<WasmBacktrace>().map(frames);
    match (trap, frames) {
        (Some(trap), frames) => CallError::Trap(Trap {
            reason: trap_reason(trap),
            frames: frames.unwrap_or_default(),
        }),
        (None, None) if error.is::<BrokenAnswer>() => CallError::Trap(Trap {
            reason: error.root_cause().to_string(),
            frames: Vec::new(),
        }),
        (None, frames) => CallError::Host(Box::new(HostFailure {
            beneath: frames.is_some(),
            error,
        })),
    }
}

/// Marks an error of a dynamic call that came from no code: parameters were checked before, so what
/// the guest answered, or where it put the parameters, breaks the canonical ABI.
#[derive(Debug)]
struct BrokenAnswer;

impl fmt::Display for BrokenAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the guest breaks the canonical ABI")
    }
}

/// The error of a dynamic call, marked where the guest's answer is at fault.
pub(crate) fn dynamic(error: wasmtime::Error) -> wasmtime::Error {
    if error.is::<wasmtime::Trap>() || error.is::<WasmBacktrace>() {
        error
    } else {
        error.context(BrokenAnswer)
    }
}

/// An error of a host function, without the guest's stack that wasmtime puts in front of it.
#[derive(Debug)]
struct HostFailure {
    error: wasmtime::Error,
    /// Whether the stack is in front.
    beneath: bool,
}

impl HostFailure {
    fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.chain().nth(usize::from(self.beneath))
    }
}

impl fmt::Display for HostFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause() {
            Some(cause) => fmt::Display::fmt(cause, f),
            None => fmt::Display::fmt(&self.error, f),
        }
    }
}

impl StdError for HostFailure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause()?.source()
    }
}

impl CallError {
    /// The error that a host function, or the closure of the call, returned, if it is an `E`.
    #[must_use]
    pub fn host_error<E>(&self) -> Option<&E>
    where
        E: fmt::Display + fmt::Debug + Send + Sync + 'static,
    {
        match self {
            Self::Host(source) => source.downcast_ref::<HostFailure>()?.error.downcast_ref(),
            Self::Start(error) | Self::WarmUp(error) => error.host_error(),
            _ => None,
        }
    }
}

/// What the caller is told of a panic that crossed a call.
pub(crate) fn host_panic(panic: &(dyn Any + Send)) -> CallError {
    let message = panic_message(panic);
    CallError::HostPanic { message }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned())
}

fn trap_reason(trap: wasmtime::Trap) -> String {
    let text = trap.to_string();
    text.strip_prefix("wasm trap: ")
        .map(str::to_owned)
        .unwrap_or(text)
}

fn frames(backtrace: &WasmBacktrace) -> Vec<Frame> {
    backtrace
        .frames()
        .iter()
        .flat_map(|frame| {
            let module = frame.module().name().map(str::to_owned);
            let name = frame.func_name().map(demangled);
            let offset = frame.module_offset();
            let plain = Frame {
                module: module.clone(),
                function: name.clone(),
                file: None,
                line: None,
                offset,
            };
            // A function that others were inlined into has a symbol for each of them.
            let inlined: Vec<Frame> = frame
                .symbols()
                .iter()
                .map(|symbol| Frame {
                    module: module.clone(),
                    function: symbol.name().map(demangled).or_else(|| name.clone()),
                    file: symbol.file().map(str::to_owned),
                    line: symbol.line(),
                    offset,
                })
                .collect();
            if inlined.is_empty() {
                vec![plain]
            } else {
                inlined
            }
        })
        .collect()
}

fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}
