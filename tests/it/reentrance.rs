//! A host function that calls back into the instance that called it.

use prewarm::{CallError, Pool, Reuse, State, blocking};
use wasmtime::component::{Instance, InstancePre, Linker, TypedFunc};
use wasmtime::{AsContextMut, Result, Store};

use crate::support::{always, config, host, load};

/// `outer` calls the import, which calls `twice`.
const GUEST: &str = r#"(component
    (import "again" (func $again (result u32)))
    (core func $again (canon lower (func $again)))
    (core module $m
        (import "" "again" (func $again (result i32)))
        (func (export "twice") (param i32) (result i32)
            (i32.mul (local.get 0) (i32.const 2)))
        (func (export "outer") (result i32) (call $again)))
    (core instance $i (instantiate $m (with "" (instance (export "again" (func $again))))))
    (func (export "twice") (param "n" u32) (result u32) (canon lift (core func $i "twice")))
    (func (export "outer") (result u32) (canon lift (core func $i "outer"))))"#;

struct Exports {
    twice: TypedFunc<(u32,), (u32,)>,
    outer: TypedFunc<(), (u32,)>,
}

impl prewarm::World for Exports {
    type Indices = ();

    fn indices<T: 'static>(_: &InstancePre<T>) -> Result<()> {
        Ok(())
    }

    fn load<T: 'static>((): &(), store: &mut Store<T>, instance: &Instance) -> Result<Self> {
        Ok(Self {
            twice: instance.get_typed_func(&mut *store, "twice")?,
            outer: instance.get_typed_func(&mut *store, "outer")?,
        })
    }
}

/// What the host function calls.
#[derive(Clone, Copy)]
enum Again {
    Nothing,
    /// Something that ends.
    Twice(TypedFunc<(u32,), (u32,)>),
    /// The function that called it.
    Outer(TypedFunc<(), (u32,)>),
}

fn on_a_thread(reuse: Reuse) -> blocking::Pool<Exports, Again> {
    let component = load(&host(), GUEST);
    blocking::Pool::builder(&component, config(1, reuse), || Again::Nothing)
        .imports(|linker: &mut Linker<State<Again>>| {
            linker.root().func_wrap("again", |mut store, (): ()| {
                let again = *store.data().embedder();
                let store = store.as_context_mut();
                match again {
                    Again::Nothing => Ok((0,)),
                    Again::Twice(twice) => twice.call(store, (21,)),
                    Again::Outer(outer) => outer.call(store, ()),
                }
            })
        })
        .build()
        .unwrap()
}

fn in_a_task(reuse: Reuse) -> Pool<Exports, Again> {
    let component = load(&host(), GUEST);
    Pool::builder(&component, config(1, reuse), || Again::Nothing)
        .imports(|linker: &mut Linker<State<Again>>| {
            linker.root().func_wrap_async("again", |mut store, (): ()| {
                Box::new(async move {
                    let again = *store.data().embedder();
                    let store = store.as_context_mut();
                    match again {
                        Again::Nothing => Ok((0,)),
                        Again::Twice(twice) => twice.call_async(store, (21,)).await,
                        Again::Outer(outer) => outer.call_async(store, ()).await,
                    }
                })
            })
        })
        .build()
        .unwrap()
}

#[test]
fn is_answered_on_a_thread() {
    for reuse in [Reuse::Never, always()] {
        let pool = on_a_thread(reuse);
        for _ in 0..2 {
            let answer = pool.call(|exports, store| {
                *store.data_mut().embedder_mut() = Again::Twice(exports.twice);
                exports.outer.call(store, ())
            });
            assert_eq!(answer.unwrap(), (42,));
        }
    }
}

#[tokio::test]
async fn is_answered_in_a_task() {
    for reuse in [Reuse::Never, always()] {
        let pool = in_a_task(reuse);
        for _ in 0..2 {
            let call = pool.call(async |exports, store| {
                *store.data_mut().embedder_mut() = Again::Twice(exports.twice);
                exports.outer.call_async(store, ()).await
            });
            assert_eq!(call.await.unwrap(), (42,));
        }
    }
}

/// The guest's stack ends it, whose limit counts the host's frames too.
#[test]
fn without_end_is_a_trap_on_a_thread() {
    for reuse in [Reuse::Never, always()] {
        let pool = on_a_thread(reuse);
        for _ in 0..2 {
            let answer = pool.call(|exports, store| {
                *store.data_mut().embedder_mut() = Again::Outer(exports.outer);
                exports.outer.call(store, ())
            });
            match answer.unwrap_err() {
                CallError::Trap(trap) => assert_eq!(trap.reason, "call stack exhausted"),
                other => panic!("{other:?}"),
            }
            let answer = pool.call(|exports, store| {
                *store.data_mut().embedder_mut() = Again::Nothing;
                exports.outer.call(store, ())
            });
            assert_eq!(answer.unwrap(), (0,));
        }
    }
}

/// Each call in a task has a stack of its own, and there are only so many.
#[tokio::test]
async fn without_end_is_an_error_in_a_task() {
    for reuse in [Reuse::Never, always()] {
        let pool = in_a_task(reuse);
        for _ in 0..2 {
            let call = pool.call(async |exports, store| {
                *store.data_mut().embedder_mut() = Again::Outer(exports.outer);
                exports.outer.call_async(store, ()).await
            });
            let error = call.await.unwrap_err();
            let full = matches!(error, CallError::HostFull(_));
            assert!(full || matches!(error, CallError::Trap(_)), "{error:?}");
            let call = pool.call(async |exports, store| {
                *store.data_mut().embedder_mut() = Again::Nothing;
                exports.outer.call_async(store, ()).await
            });
            assert_eq!(call.await.unwrap(), (0,));
        }
    }
}
