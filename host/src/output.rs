//! Where a guest's stdout and stderr go, and how much of them there may be.
//!
//! One [`Port`] serves one stream of one instance, for WASI 0.2 and 0.3 alike. Knows bytes and
//! lines; knows nothing of grants beyond [`Output`].

use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use crate::limits::{LimitHit, Limited};
use crate::meter::Meter;
use crate::stdio::{LineSink, Output, OutputBuffer};

/// What a guest may hand over in one write.
const PERMIT_BYTES: usize = 64 << 10;

/// A line longer than this is passed on in pieces.
const LINE_BYTES: usize = 8 << 10;

/// One output stream of one instance. Clones write to the same place.
#[derive(Clone)]
pub(crate) struct Port {
    sink: Sink,
    meter: Arc<Meter>,
}

#[derive(Clone)]
enum Sink {
    Null,
    Buffer(OutputBuffer),
    Stdout,
    Stderr,
    Lines(Arc<Mutex<Lines>>),
}

impl Port {
    pub(crate) fn stdout(output: &Output, meter: &Arc<Meter>) -> Self {
        Self::new(output, Sink::Stdout, meter)
    }

    pub(crate) fn stderr(output: &Output, meter: &Arc<Meter>) -> Self {
        Self::new(output, Sink::Stderr, meter)
    }

    fn new(output: &Output, inherited: Sink, meter: &Arc<Meter>) -> Self {
        let sink = match output {
            Output::Null => Sink::Null,
            Output::Buffer(buffer) => Sink::Buffer(buffer.clone()),
            Output::Inherit => inherited,
            Output::Lines(sink) => Sink::Lines(Arc::new(Mutex::new(Lines::new(sink.clone())))),
        };
        Self {
            sink,
            meter: meter.clone(),
        }
    }

    /// Passes on a line that has no end yet.
    pub(crate) fn end_line(&self) {
        if let Sink::Lines(lines) = &self.sink {
            lines.lock().unwrap_or_else(PoisonError::into_inner).end();
        }
    }

    /// Writes what the budget allows. The second result is whether that was all.
    fn put(&self, bytes: &[u8]) -> io::Result<Result<(), LimitHit>> {
        let allowed = self.meter.take_output(bytes.len());
        let fits = &bytes[..allowed];
        match &self.sink {
            Sink::Null => {}
            Sink::Buffer(buffer) => buffer.push(fits),
            Sink::Stdout => io::stdout().write_all(fits)?,
            Sink::Stderr => io::stderr().write_all(fits)?,
            Sink::Lines(lines) => lines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(fits),
        }
        if allowed == bytes.len() {
            return Ok(Ok(()));
        }
        let hit = self.meter.output_hit();
        Ok(Err(hit.unwrap_or(LimitHit::new(
            Limited::Output,
            self.meter.output_bytes(),
            None,
        ))))
    }

    fn flush_sink(&self) -> io::Result<()> {
        match &self.sink {
            Sink::Stdout => io::stdout().flush(),
            Sink::Stderr => io::stderr().flush(),
            Sink::Null | Sink::Buffer(_) | Sink::Lines(_) => Ok(()),
        }
    }
}

impl IsTerminal for Port {
    fn is_terminal(&self) -> bool {
        match &self.sink {
            Sink::Stdout => io::IsTerminal::is_terminal(&io::stdout()),
            Sink::Stderr => io::IsTerminal::is_terminal(&io::stderr()),
            Sink::Null | Sink::Buffer(_) | Sink::Lines(_) => false,
        }
    }
}

impl StdoutStream for Port {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

/// WASI 0.2: a write beyond the budget is a trap.
impl OutputStream for Port {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.put(&bytes)
            .map_err(stream_error)?
            .map_err(|hit| StreamError::Trap(hit.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.flush_sink().map_err(stream_error)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Port {
    async fn ready(&mut self) {}
}

fn stream_error(error: io::Error) -> StreamError {
    match error.kind() {
        io::ErrorKind::BrokenPipe => StreamError::Closed,
        _ => StreamError::LastOperationFailed(error.into()),
    }
}

/// WASI 0.3 cannot trap from here: a write beyond the budget fails, and the call ends at its next
/// tick.
impl AsyncWrite for Port {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.put(bytes).and_then(|put| match put {
            Ok(()) => Ok(bytes.len()),
            Err(hit) => {
                self.meter.cancel();
                Err(io::Error::other(hit))
            }
        }))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.flush_sink())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// Puts lines together for a [`LineSink`].
struct Lines {
    begun: Vec<u8>,
    sink: LineSink,
}

impl Lines {
    fn new(sink: LineSink) -> Self {
        Self {
            begun: Vec::new(),
            sink,
        }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(&bytes[..end]);
            self.pass();
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes);
    }

    fn extend(&mut self, mut bytes: &[u8]) {
        while self.begun.len() + bytes.len() > LINE_BYTES {
            let (piece, rest) = bytes.split_at(LINE_BYTES - self.begun.len());
            self.begun.extend_from_slice(piece);
            self.pass();
            bytes = rest;
        }
        self.begun.extend_from_slice(bytes);
    }

    fn end(&mut self) {
        if !self.begun.is_empty() {
            self.pass();
        }
    }

    fn pass(&mut self) {
        let line = self.begun.strip_suffix(b"\r").unwrap_or(&self.begun);
        (self.sink)(&String::from_utf8_lossy(line));
        self.begun.clear();
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        // A sink that panics while the guest's panic unwinds would abort the process.
        if !std::thread::panicking() {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(writes: &[&[u8]]) -> Vec<String> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = seen.clone();
        let output = Output::lines(move |line| sink.lock().unwrap().push(line.to_owned()));
        let mut port = Port::stdout(&output, &Arc::new(Meter::new(1 << 20)));
        for bytes in writes {
            port.write(Bytes::copy_from_slice(bytes)).unwrap();
        }
        drop((port, output));
        Arc::into_inner(seen).unwrap().into_inner().unwrap()
    }

    #[test]
    fn lines_are_put_together() {
        assert_eq!(lines_of(&[b"a", b"b\nc\r\n\n", b"d"]), ["ab", "c", "", "d"]);
        assert_eq!(lines_of(&[b"caf\xe9\n"]), ["caf\u{fffd}"]);
        assert_eq!(lines_of(&[b""]), [""; 0]);
    }

    #[test]
    fn a_long_line_comes_in_pieces() {
        let long = vec![b'x'; 2 * LINE_BYTES + 3];
        let lengths: Vec<_> = lines_of(&[&long, b"\ny"]).iter().map(String::len).collect();
        assert_eq!(lengths, [LINE_BYTES, LINE_BYTES, 3, 1]);
    }

    #[test]
    fn a_write_beyond_the_budget_is_cut_and_traps() {
        let buffer = OutputBuffer::default();
        let meter = Arc::new(Meter::new(5));
        let mut port = Port::stderr(&Output::Buffer(buffer.clone()), &meter);
        port.write(Bytes::from_static(b"abc")).unwrap();
        let error = port.write(Bytes::from_static(b"defg")).unwrap_err();
        let StreamError::Trap(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            error.downcast_ref(),
            Some(&LimitHit::new(Limited::Output, 5, Some(7)))
        );
        assert_eq!(buffer.to_vec(), b"abcde");
    }

    #[test]
    fn without_a_trap_such_a_write_fails_and_cancels() {
        let meter = Arc::new(Meter::new(5));
        let mut port = Port::stdout(&Output::Null, &meter);
        let mut write = |bytes| {
            Pin::new(&mut port)
                .poll_write(&mut Context::from_waker(std::task::Waker::noop()), bytes)
        };
        assert!(matches!(write(b"abcde"), Poll::Ready(Ok(5))));
        assert!(!meter.is_cancelled());
        assert!(matches!(write(b"f"), Poll::Ready(Err(_))));
        assert!(meter.is_cancelled() && meter.output_hit().is_some());
    }
}
