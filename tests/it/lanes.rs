//! Which engine a component runs on, and hosts that threads share.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use prewarm::{Lane, Origin, Progress, Reuse, Wasm, blocking};

use crate::guests::COUNTER;
use crate::support::{always, config, host, load, number};

/// Exports a function that the guest runs as a task, beside a plain one.
const TASKS: &str = r#"(component
    (core func $return (canon task.return (result u32)))
    (core module $m
        (import "" "return" (func $return (param i32)))
        (func (export "triple") (param i32) (result i32)
            (call $return (i32.mul (local.get 0) (i32.const 3)))
            (i32.const 0))
        (func (export "continue") (param i32 i32 i32) (result i32) unreachable)
        (func (export "same") (param i32) (result i32) (local.get 0)))
    (core instance $i (instantiate $m (with "" (instance (export "return" (func $return))))))
    (func (export "triple") async (param "n" u32) (result u32)
        (canon lift (core func $i "triple") async (callback (core func $i "continue"))))
    (func (export "same") (param "n" u32) (result u32)
        (canon lift (core func $i "same"))))"#;

#[tokio::test]
async fn tasks_run_in_the_concurrent_lane() {
    let component = load(&host(), TASKS);
    assert_eq!(component.lane(), Lane::Concurrent);
    for reuse in [Reuse::Never, always()] {
        let pool = component.pool::<()>(config(2, reuse)).unwrap();
        for (name, answer) in [("triple", 21), ("same", 7)] {
            for _ in 0..3 {
                let params = [prewarm::Val::U32(7)];
                assert_eq!(
                    number(pool.invoke(name, &params).await.unwrap()),
                    answer,
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn both_lanes_serve_one_host() {
    let host = host();
    let plain = load(&host, COUNTER);
    let tasks = load(&host, TASKS);
    assert_eq!(
        (plain.lane(), tasks.lane()),
        (Lane::Plain, Lane::Concurrent)
    );
    let pool = blocking::Pool::<()>::new(&plain, config(1, always())).unwrap();
    assert_eq!(number(pool.invoke("next", &[]).unwrap()), 1);
    let pool = blocking::Pool::<()>::new(&tasks, config(1, always())).unwrap();
    let params = [prewarm::Val::U32(7)];
    assert_eq!(number(pool.invoke("same", &params).unwrap()), 7);
}

#[test]
fn the_same_bytes_are_compiled_once() {
    let host = host();
    let (compiled, threads) = (AtomicUsize::new(0), 8);
    let start = Barrier::new(threads);
    let components: Vec<_> = std::thread::scope(|scope| {
        let load = || {
            start.wait();
            host.clone()
                .load_blocking_with(Wasm::wat(COUNTER), |progress| {
                    if let Progress::Compiling { .. } = progress {
                        compiled.fetch_add(1, Ordering::SeqCst);
                    }
                })
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(load)).collect();
        let loaded = threads.into_iter().map(|thread| thread.join().unwrap());
        loaded.map(Result::unwrap).collect()
    });
    assert_eq!(compiled.load(Ordering::SeqCst), 1);
    for component in &components {
        assert_eq!(component.id(), components[0].id());
        assert!(matches!(component.origin(), Origin::Compiled { .. }));
    }
    // While one of them lives, it is found again.
    let seen = std::sync::Mutex::new(Vec::new());
    host.load_blocking_with(Wasm::wat(COUNTER), |progress| {
        seen.lock().unwrap().push(progress)
    })
    .unwrap();
    assert_eq!(
        seen.into_inner().unwrap(),
        [Progress::Looking, Progress::Ready(components[0].origin())]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_share_a_host_and_its_pools() {
    let host = host();
    let component = host.load(Wasm::wat(COUNTER)).await.unwrap();
    let pool = component.pool::<()>(config(4, Reuse::Never)).unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.invoke("next", &[]).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(number(task.await.unwrap().unwrap()), 1);
    }
    // The pool keeps its host alive.
    drop((host, component));
    assert_eq!(number(pool.invoke("next", &[]).await.unwrap()), 1);
}
