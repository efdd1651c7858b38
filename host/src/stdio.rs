//! What a guest's standard streams are joined to.
//!
//! Knows bytes and who wants them; the streams themselves are made in `output.rs` and `wasi.rs`.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a guest reads from stdin.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub enum Input {
    /// Nothing: the stream ends at once.
    #[default]
    Empty,
    /// These bytes, then the end.
    Bytes(Arc<[u8]>),
    /// What the host reads from its own stdin. Instances take bytes from each other.
    Inherit,
}

impl Input {
    /// [`Input::Bytes`] of anything that is bytes.
    #[must_use]
    pub fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bytes(bytes.as_ref().into())
    }
}

/// Where a guest's stdout or stderr goes. In every case it counts against
/// [`Limits::output_bytes`](crate::Limits::output_bytes).
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Output {
    /// Nowhere.
    #[default]
    Null,
    /// Into a buffer that the caller reads.
    Buffer(OutputBuffer),
    /// To the host's own stream of the same name.
    Inherit,
    /// Line by line to a function. See [`Output::lines`].
    Lines(LineSink),
}

/// The function behind [`Output::Lines`].
pub type LineSink = Arc<dyn Fn(&str) + Send + Sync>;

impl Output {
    /// Calls `sink` with each line, without its end.
    ///
    /// Lines are put together per instance, so lines of two instances never mix. What is not UTF-8
    /// is replaced, and a line longer than 8 KiB comes in pieces. What a call leaves without a line
    /// end comes when the next call starts or the instance is dropped. The sink runs on the guest's
    /// thread and inside its call: it must not block.
    #[must_use]
    pub fn lines(sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self::Lines(Arc::new(sink))
    }
}

impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Buffer(buffer) => f.debug_tuple("Buffer").field(buffer).finish(),
            Self::Inherit => f.write_str("Inherit"),
            Self::Lines(_) => f.write_str("Lines(..)"),
        }
    }
}

/// Bytes that guests wrote, shared by every instance of a pool and by whoever holds a clone.
///
/// Keeps the first 1 MiB between two [`take`](Self::take)s, or what
/// [`with_capacity`](Self::with_capacity) says, and counts what comes after.
#[derive(Clone)]
pub struct OutputBuffer {
    shared: Arc<Mutex<Kept>>,
    capacity: usize,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    dropped: u64,
}

impl OutputBuffer {
    /// An empty buffer that keeps at most `bytes` bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            shared: Arc::default(),
            capacity: bytes,
        }
    }

    /// Takes out what was written so far, and starts [`dropped`](Self::dropped) at zero again.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock()).bytes
    }

    /// A copy of what was written so far.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// How many bytes came when the buffer was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut kept = self.lock();
        let room = self.capacity.saturating_sub(kept.bytes.len());
        let fits = bytes.len().min(room);
        kept.bytes.extend_from_slice(&bytes[..fits]);
        kept.dropped += (bytes.len() - fits) as u64;
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for OutputBuffer {
    fn default() -> Self {
        Self::with_capacity(1 << 20)
    }
}

impl fmt::Debug for OutputBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.lock();
        f.debug_struct("OutputBuffer")
            .field("len", &kept.bytes.len())
            .field("dropped", &kept.dropped)
            .field("capacity", &self.capacity)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_keeps_the_first_bytes() {
        let buffer = OutputBuffer::with_capacity(4);
        buffer.clone().push(b"abc");
        buffer.push(b"def");
        assert_eq!((buffer.to_vec(), buffer.dropped()), (b"abcd".to_vec(), 2));
        assert_eq!((buffer.take(), buffer.dropped()), (b"abcd".to_vec(), 0));
        assert_eq!(buffer.take(), b"");
    }
}
