//! What one call used.

use std::time::Duration;

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

/// The answer of a call with its receipt.
pub(crate) fn unboxed<R>((answer, receipt): (R, Measured)) -> (R, Receipt) {
    (
        answer,
        receipt.map_or_else(Receipt::default, |receipt| *receipt),
    )
}
