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
/// Most are ready at once: output is, and input often. Those cost no runtime.
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::grants::Grants;
    use crate::guests::{CLOCK, Guest, POLL, STDIO, component};
    use crate::limits::Limits;
    use crate::stdio::Input;
    use crate::wasi::Face;

    /// A guest that subscribes to a clock and then does `wait` with the pollable `$p`.
    fn sleeping(nanoseconds: u64, wait: &str) -> String {
        component(
            &format!("{POLL}{CLOCK}"),
            &[
                ("subscribe", "$clock", "subscribe-duration"),
                ("block", "$poll", "[method]pollable.block"),
                ("poll", "$poll", "poll"),
            ],
            &format!(
                r#"(import "" "memory" (memory 1))
                (import "" "subscribe" (func $subscribe (param i64) (result i32)))
                (import "" "block" (func $block (param i32)))
                (import "" "poll" (func $poll (param i32 i32 i32)))
                (func (export "run") (result i32) (local $p i32)
                    (local.set $p (call $subscribe (i64.const {nanoseconds})))
                    {wait}
                    (i32.const 7))"#
            ),
        )
    }

    const BLOCK: &str = "(call $block (local.get $p))";
    const POLL_LIST: &str = "(i32.store (i32.const 0) (local.get $p))
        (call $poll (i32.const 0) (i32.const 1) (i32.const 8192))";
    const HOUR: u64 = 3_600_000_000_000;

    fn run_for(guest: &mut Guest, time: Duration) -> Result<u32> {
        let now = tokio::time::Instant::now().into_std();
        guest.store.data_mut().begin_call(Some(now + time));
        guest.run()
    }

    #[test]
    fn waits_end_at_the_deadline() {
        for wait in [BLOCK, POLL_LIST] {
            let mut guest = Guest::blocking(&sleeping(HOUR, wait), Limits::default());
            let error = run_for(&mut guest, Duration::from_millis(20)).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&DeadlinePassed), "{error:?}");
        }
    }

    #[test]
    fn shorter_waits_end_by_themselves() {
        for wait in [BLOCK, POLL_LIST] {
            for nanoseconds in [0, 1_000_000] {
                let mut guest = Guest::blocking(&sleeping(nanoseconds, wait), Limits::default());
                assert_eq!(run_for(&mut guest, Duration::from_secs(3600)).unwrap(), 7);
                assert_eq!(guest.run().unwrap(), 7, "without a deadline");
            }
        }
    }

    #[test]
    fn a_runtime_around_the_thread_serves_as_well() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let run = tokio::task::spawn_blocking(|| {
                let mut guest = Guest::blocking(&sleeping(HOUR, BLOCK), Limits::default());
                run_for(&mut guest, Duration::from_millis(20))
            });
            let error = run.await.unwrap().unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&DeadlinePassed));
        });
    }

    #[tokio::test]
    async fn on_the_asynchronous_face_the_caller_stops_waiting() {
        let mut guest = Guest::new(
            &sleeping(HOUR, BLOCK),
            Face::Async,
            Limits::default(),
            &Grants::none(),
        );
        let run = guest.run_async();
        tokio::time::timeout(Duration::from_millis(20), run)
            .await
            .unwrap_err();
    }

    /// Answers the length that the first blocking read of stdin gave, or 100 at its end.
    fn reading() -> String {
        component(
            STDIO,
            &[
                ("stdin", "$stdin", "get-stdin"),
                ("read", "$streams", "[method]input-stream.blocking-read"),
            ],
            r#"(import "" "memory" (memory 1))
            (import "" "stdin" (func $stdin (result i32)))
            (import "" "read" (func $read (param i32 i64 i32)))
            (func (export "run") (result i32)
                (call $read (call $stdin) (i64.const 64) (i32.const 8192))
                (if (result i32) (i32.load8_u (i32.const 8192))
                    (then (i32.const 100))
                    (else (i32.load (i32.const 8200)))))"#,
        )
    }

    #[test]
    fn stdin_is_what_was_granted() {
        let grants = Grants::none().stdin(Input::bytes("hello"));
        for (grants, expected) in [(Grants::none(), 100), (grants, 5)] {
            let mut guest = Guest::new(&reading(), Face::Blocking, Limits::default(), &grants);
            assert_eq!(guest.run().unwrap(), expected);
        }
    }
}
