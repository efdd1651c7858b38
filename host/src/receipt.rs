//! What one call used.

use std::time::{Duration, Instant};

use crate::clock::Due;
use crate::error::CallError;

/// What one call used, as [`Call::with_receipt`](crate::Call::with_receipt) returns it.
///
/// ```
/// # async fn run(pool: prewarm::Pool) -> Result<(), prewarm::Error> {
/// let (_, receipt) = pool.invoke("greet", &[]).with_receipt().await?;
/// println!("{:?} in all, {:?} of it in the queue", receipt.wall, receipt.queued);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// Time spent waiting for a free slot. Zero when none had to be waited for.
    pub queued: Duration,
    /// Whether an instance stood ready; otherwise one was made while the caller waited.
    pub warm: bool,
    /// Time spent making the instance. Zero when [`Receipt::warm`].
    pub start: Duration,
    /// From the call of the function to its end: queue, start, call.
    pub wall: Duration,
    /// Time in which the guest or a host function ran for this call, host waits left out. At most
    /// [`Receipt::wall`]. In the blocking face host waits are part of it.
    pub active: Duration,
    /// Most memory the instance held during this call, in bytes: linear memories, and tables at 8
    /// bytes an element. Memories do not shrink, so an instance that serves several calls carries
    /// what it had from one to the next.
    pub peak_memory_bytes: u64,
    /// Bytes that the guest wrote to standard output and standard error during this call.
    pub output_bytes: u64,
    /// Fuel consumed, where [`HostConfig::fuel`](crate::HostConfig::fuel) is on.
    pub fuel: Option<u64>,
}

/// A receipt, where one is wanted. Boxed, so that the calls without one do not carry its room about.
pub(crate) type Measured = Option<Box<Receipt>>;

/// How a call ends, until it is handed to its caller. The error is boxed, or every layer would move
/// an answer with room for an error, in pieces at odd addresses where an error begins with small
/// fields. Each of these waits for the store before: 40 % of the time of a warm call's own future.
pub(crate) type Outcome<R> = Result<(R, Measured), Box<CallError>>;

/// The answer of a call.
pub(crate) fn answered<R>(outcome: Outcome<R>) -> Result<R, CallError> {
    match outcome {
        Ok((answer, _)) => Ok(answer),
        Err(error) => Err(*error),
    }
}

/// The answer of a call that was measured, with its receipt.
pub(crate) fn answered_and_measured<R>(outcome: Outcome<R>) -> Result<(R, Receipt), CallError> {
    match outcome {
        Ok((answer, receipt)) => Ok((answer, receipt.map(|receipt| *receipt).unwrap_or_default())),
        Err(error) => Err(*error),
    }
}

/// A call that has its instance.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) due: Due,
    /// Where a receipt is wanted, what it is to say of the time before. Boxed, so that the calls
    /// without one do not carry its room about.
    pub(crate) measured: Option<Box<Way>>,
}

/// How a caller came by its instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) arrived: Instant,
    pub(crate) queued: Duration,
    pub(crate) warm: bool,
    pub(crate) start: Duration,
}

impl Way {
    /// Of a caller who need not wait.
    pub(crate) fn from(arrived: Instant) -> Self {
        Self {
            arrived,
            queued: Duration::ZERO,
            warm: true,
            start: Duration::ZERO,
        }
    }

    /// Of a caller who comes `now`, or waits since before there was a pool.
    pub(crate) fn since(since: Option<Instant>, now: Instant) -> Self {
        let waited = |since| now.saturating_duration_since(since);
        Self {
            queued: since.map_or(Duration::ZERO, waited),
            ..Self::from(since.unwrap_or(now))
        }
    }

    /// The call that begins at its end.
    pub(crate) fn end(self, due: Due, measured: bool) -> Begun {
        Begun {
            due,
            measured: measured.then(|| Box::new(self)),
        }
    }

    /// When the instance was there and the call itself began.
    pub(crate) fn called(&self) -> Instant {
        self.arrived + (self.queued + self.start)
    }
}
