//! Waits of the blocking face: the functions of `wasi:io` that block, cut short by the deadline.
//!
//! An epoch cannot stop a guest that sits in a host function, and on the blocking face there is no
//! future to drop. So these run wasmtime-wasi's own asynchronous versions until the deadline of
//! [`State`]. Every wait of WASI 0.2 passes through `wasi:io`, except for files.

use std::pin::pin;
use std::time::Instant;

use tokio::time::timeout_at;
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::{poll as async_poll, streams as async_streams};
use wasmtime_wasi::p2::bindings::sync::io::{poll, streams};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::{in_tokio, poll_noop, with_ambient_tokio_runtime};

use crate::limits::DeadlinePassed;
use crate::state::State;

/// Puts these functions in place of wasmtime-wasi's. Shadowing must be allowed.
pub(crate) fn add_to_linker<S: Send + 'static>(linker: &mut Linker<State<S>>) -> Result<()> {
    fn timed<S>(state: &mut State<S>) -> Timed<'_> {
        Timed {
            deadline: state.deadline(),
            table: state.resources(),
        }
    }
    poll::add_to_linker::<State<S>, TimedIo>(linker, timed)?;
    streams::add_to_linker::<State<S>, TimedIo>(linker, timed)
}

struct TimedIo;

impl HasData for TimedIo {
    type Data<'a> = Timed<'a>;
}

/// The resources of an instance, for which the guest waits no longer than to the deadline.
struct Timed<'a> {
    table: &'a mut ResourceTable,
    deadline: Option<Instant>,
}

/// Runs `future` on this thread until the deadline.
///
/// Most are ready at once: output is, and input often. Those cost no runtime. The others use the
/// runtime that the thread belongs to, as `spawn_blocking` gives it one, or else wasmtime-wasi's
/// own. On a thread that is itself polling a future, tokio panics.
fn wait<F: Future>(deadline: Option<Instant>, future: F) -> Result<F::Output, DeadlinePassed> {
    let mut future = pin!(future);
    if let Some(output) = with_ambient_tokio_runtime(|| poll_noop(future.as_mut())) {
        return Ok(output);
    }
    in_tokio(async {
        match deadline {
            None => Ok(future.await),
            Some(deadline) => timeout_at(deadline.into(), future)
                .await
                .map_err(|_| DeadlinePassed),
        }
    })
}

fn wait_stream<T>(
    deadline: Option<Instant>,
    future: impl Future<Output = StreamResult<T>>,
) -> StreamResult<T> {
    wait(deadline, future).map_err(|passed| StreamError::Trap(passed.into()))?
}

impl poll::Host for Timed<'_> {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> Result<Vec<u32>> {
        wait(self.deadline, async_poll::Host::poll(self.table, pollables))?
    }
}

impl poll::HostPollable for Timed<'_> {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> Result<bool> {
        poll::HostPollable::ready(self.table, pollable)
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        wait(
            self.deadline,
            async_poll::HostPollable::block(self.table, pollable),
        )?
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> Result<()> {
        async_poll::HostPollable::drop(self.table, pollable)
    }
}

impl streams::Host for Timed<'_> {
    fn convert_stream_error(&mut self, error: StreamError) -> Result<streams::StreamError> {
        streams::Host::convert_stream_error(self.table, error)
    }
}

impl streams::HostInputStream for Timed<'_> {
    fn read(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<Vec<u8>> {
        async_streams::HostInputStream::read(self.table, stream, len)
    }

    fn blocking_read(
        &mut self,
        stream: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<Vec<u8>> {
        wait_stream(
            self.deadline,
            async_streams::HostInputStream::blocking_read(self.table, stream, len),
        )
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        async_streams::HostInputStream::skip(self.table, stream, len)
    }

    fn blocking_skip(&mut self, stream: Resource<DynInputStream>, len: u64) -> StreamResult<u64> {
        wait_stream(
            self.deadline,
            async_streams::HostInputStream::blocking_skip(self.table, stream, len),
        )
    }

    fn subscribe(&mut self, stream: Resource<DynInputStream>) -> Result<Resource<DynPollable>> {
        async_streams::HostInputStream::subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<DynInputStream>) -> Result<()> {
        wait(
            self.deadline,
            async_streams::HostInputStream::drop(self.table, stream),
        )?
    }
}

impl streams::HostOutputStream for Timed<'_> {
    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        async_streams::HostOutputStream::check_write(self.table, stream)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        async_streams::HostOutputStream::write(self.table, stream, bytes)
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        wait_stream(
            self.deadline,
            async_streams::HostOutputStream::blocking_write_and_flush(self.table, stream, bytes),
        )
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        async_streams::HostOutputStream::flush(self.table, stream)
    }

    fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        wait_stream(
            self.deadline,
            async_streams::HostOutputStream::blocking_flush(self.table, stream),
        )
    }

    fn subscribe(&mut self, stream: Resource<DynOutputStream>) -> Result<Resource<DynPollable>> {
        async_streams::HostOutputStream::subscribe(self.table, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, len: u64) -> StreamResult<()> {
        async_streams::HostOutputStream::write_zeroes(self.table, stream, len)
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        len: u64,
    ) -> StreamResult<()> {
        wait_stream(
            self.deadline,
            async_streams::HostOutputStream::blocking_write_zeroes_and_flush(
                self.table, stream, len,
            ),
        )
    }

    fn splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        async_streams::HostOutputStream::splice(self.table, to, from, len)
    }

    fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        len: u64,
    ) -> StreamResult<u64> {
        wait_stream(
            self.deadline,
            async_streams::HostOutputStream::blocking_splice(self.table, to, from, len),
        )
    }

    fn drop(&mut self, stream: Resource<DynOutputStream>) -> Result<()> {
        wait(
            self.deadline,
            async_streams::HostOutputStream::drop(self.table, stream),
        )?
    }
}
