//! The guests of these tests, as WebAssembly text, and the host functions that hold them up.

use std::sync::Arc;

use prewarm::State;
use tokio::sync::{Semaphore, mpsc};
use wasmtime::component::Linker;

/// Imports nothing. `next` counts the calls of its instance, `trap` traps, `spin` never ends.
pub(crate) const COUNTER: &str = r#"(component
    (core module $m
        (global $calls (mut i32) (i32.const 0))
        (func (export "next") (result i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (global.get $calls))
        (func (export "trap") (result i32) unreachable)
        (func (export "spin") (result i32) (loop $l (br $l)) (i32.const 0)))
    (core instance $i (instantiate $m))
    (func (export "next") (result u32) (canon lift (core func $i "next")))
    (func (export "trap") (result u32) (canon lift (core func $i "trap")))
    (func (export "spin") (result u32) (canon lift (core func $i "spin"))))"#;

/// Imports `begin`, which its start function calls, and `enter`, which `pass` calls with its
/// parameter before it counts the call.
pub(crate) const GATED: &str = r#"(component
    (import "begin" (func $begin))
    (import "enter" (func $enter (param "n" u32)))
    (core func $begin (canon lower (func $begin)))
    (core func $enter (canon lower (func $enter)))
    (core module $m
        (import "" "begin" (func $begin))
        (import "" "enter" (func $enter (param i32)))
        (start $begin)
        (global $calls (mut i32) (i32.const 0))
        (func (export "pass") (param i32) (result i32)
            (call $enter (local.get 0))
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (global.get $calls)))
    (core instance $i (instantiate $m (with "" (instance
        (export "begin" (func $begin)) (export "enter" (func $enter))))))
    (func (export "pass") (param "n" u32) (result u32) (canon lift (core func $i "pass"))))"#;

/// A place in a guest where it waits to be let on.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    came: mpsc::UnboundedSender<u32>,
    open: Arc<Semaphore>,
}

/// The gatekeeper of a [`Gate`].
#[derive(Debug)]
pub(crate) struct Keeper {
    came: mpsc::UnboundedReceiver<u32>,
    open: Arc<Semaphore>,
}

pub(crate) fn gate() -> (Gate, Keeper) {
    let (send, receive) = mpsc::unbounded_channel();
    let open = Arc::new(Semaphore::new(0));
    let gate = Gate {
        came: send,
        open: open.clone(),
    };
    let came = receive;
    (gate, Keeper { came, open })
}

impl Gate {
    async fn pass(&self, n: u32) {
        self.came.send(n).unwrap();
        self.open.acquire().await.unwrap().forget();
    }
}

impl Keeper {
    /// The next who came to the gate.
    pub(crate) async fn came(&mut self) -> u32 {
        self.came.recv().await.unwrap()
    }

    /// Lets so many through.
    pub(crate) fn let_through(&self, count: usize) {
        self.open.add_permits(count);
    }
}

/// Gives [`GATED`] its imports.
pub(crate) fn gates<S: Send + 'static>(
    begin: Gate,
    enter: Gate,
) -> impl Fn(&mut Linker<State<S>>) -> wasmtime::Result<()> {
    move |linker| {
        let (begin, enter) = (begin.clone(), enter.clone());
        let mut root = linker.root();
        root.func_wrap_async("begin", move |_, (): ()| {
            let begin = begin.clone();
            Box::new(async move {
                begin.pass(0).await;
                Ok(())
            })
        })?;
        root.func_wrap_async("enter", move |_, (n,): (u32,)| {
            let enter = enter.clone();
            Box::new(async move {
                enter.pass(n).await;
                Ok(())
            })
        })
    }
}
