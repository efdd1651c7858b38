//! Calls from threads, without a runtime: a clean instance per call, reuse, and a lease.

#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::time::Duration;

use prewarm::{CallError, Host, HostConfig, PoolConfig, Reuse, Val, blocking};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::new(HostConfig::default())?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/wat/counter.wat");
    let component = host.load_blocking(path)?;
    let add = |n| [Val::U32(n)];
    let sum = |n| Some(Val::U32(n));

    // By default no call sees what another left.
    let mut config = PoolConfig::new(4);
    config.limits.deadline = Duration::from_millis(50);
    let fresh = blocking::Pool::<()>::new(&component, config.clone())?;
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                for n in 0..100 {
                    assert_eq!(fresh.invoke("add", &add(n)).ok(), Some(sum(n)));
                }
            });
        }
    });
    println!("400 calls on instances of their own: {:?}", fresh.stats());

    // A call that does not end is stopped, and its instance with it.
    let (error, receipt) = (
        fresh.invoke("spin", &[]),
        fresh.invoke_with_receipt("add", &add(1))?.1,
    );
    let error = error.expect_err("it spins for ever");
    println!("spin: {error}; the next call took {:?}", receipt.wall);
    assert!(matches!(error, CallError::Deadline { .. }));

    // With reuse a call meets what the calls before it left.
    config.max_instances = 1;
    config.reuse = Reuse::Calls(1000..=1000);
    let reused = blocking::Pool::<()>::new(&component, config)?;
    let sums: Vec<_> = (1..=3)
        .map(|n| reused.invoke("add", &add(n)))
        .collect::<Result<_, _>>()?;
    println!("with reuse: {sums:?}");
    assert_eq!(sums, [sum(1), sum(3), sum(6)]);

    // A lease gives several calls one instance, here a fresh one, and nobody else comes between.
    let mut lease = fresh.lease()?;
    lease.invoke("add", &add(20))?;
    let answer = lease.invoke("add", &add(22))?;
    println!("in a lease: {answer:?}");
    assert_eq!(answer, sum(42));
    drop(lease);

    fresh.close();
    reused.close();
    Ok(())
}
