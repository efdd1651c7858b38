//! A host whose instances are all in use: who waits for what is given back, and in which order.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use parking_lot::Mutex;
use prewarm::{CallError, Clock, Component, Host, Pool, blocking};

use crate::guests::COUNTER;
use crate::support::{
    AnyPool, FACES, Face, PATIENCE, always, chain, config, host_with, load, number, poll_once,
    until, until_stats,
};

fn full_host(max_instances: u32) -> Host {
    host_with(|config| config.max_instances = max_instances)
}

#[tokio::test]
async fn callers_of_many_pools_are_served_as_they_came() {
    for reuse in [prewarm::Reuse::Never, always()] {
        let host = full_host(1);
        let component = load(&host, COUNTER);
        let pool = || component.pool::<()>(config(1, reuse.clone())).unwrap();
        let holder = pool();
        let lease = holder.lease().await.unwrap();
        let served = Arc::new(Mutex::new(Vec::new()));
        let mut calls = Vec::new();
        for caller in 0..10 {
            let (pool, order) = (pool(), Arc::clone(&served));
            let mut call = Box::pin(async move {
                let order = &order;
                let answer = pool.call(async move |(), _| {
                    order.lock().push(caller);
                    Ok(())
                });
                answer.await
            });
            assert!(poll_once(call.as_mut()).is_pending());
            calls.push(tokio::spawn(call));
        }
        drop(lease);
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(*served.lock(), (0..10).collect::<Vec<_>>(), "{reuse:?}");
    }
}

#[test]
fn threads_are_served_too() {
    for face in FACES {
        for reuse in [prewarm::Reuse::Never, always()] {
            let host = full_host(2);
            let component = load(&host, COUNTER);
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    let pool = AnyPool::new(face, &component, config(2, reuse.clone()));
                    scope.spawn(move || {
                        for _ in 0..100 {
                            let answer = pool.number("next");
                            assert!(answer.is_ok(), "{face:?}: {answer:?}, {:?}", pool.stats());
                        }
                    });
                }
            });
        }
    }
}

#[tokio::test]
async fn whoever_leaves_the_line_lets_the_next_one_in() {
    let host = full_host(1);
    let component = load(&host, COUNTER);
    let pools: [Pool; 3] = [(); 3].map(|()| component.pool(config(1, always())).unwrap());
    let lease = pools[0].lease().await.unwrap();
    let mut first = Box::pin(pools[1].lease());
    let mut second = Box::pin(pools[2].invoke("next", &[]));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    drop(first);
    drop(lease);
    assert_eq!(number(second.await.unwrap()), 1);
    until_stats(&pools[1], "it holds nothing", |stats| stats.starting == 0).await;
}

/// While the host is full, refill asks for a slot in vain, again and again. That must not pass for an
/// instance of which the ticker knows.
#[test]
fn a_pool_that_was_put_off_keeps_its_deadlines() {
    for face in FACES {
        let host = host_with(|config| {
            config.max_instances = 1;
            // So that a ticker that was told nothing parks long before the deadline.
            config.tick = Duration::from_micros(100);
        });
        let component = load(&host, COUNTER);
        let holder = blocking::Pool::<()>::new(&component, config(1, always())).unwrap();
        let lease = holder.lease().unwrap();
        let mut ahead = config(1, always());
        ahead.min_warm = 1;
        ahead.limits.deadline = Duration::from_millis(300);
        let pool = AnyPool::new(face, &component, ahead);
        pool.until("refill has asked in vain", |stats| stats.put_off > 0);
        drop(lease);
        drop(holder);
        pool.until("one is made ahead", |stats| stats.idle == 1);
        let (answer, answered) = mpsc::channel();
        // Not joined: with the fault it has no end.
        std::thread::spawn(move || answer.send(pool.number("spin")));
        let error = answered.recv_timeout(PATIENCE).map(Result::unwrap_err);
        assert!(
            matches!(error, Ok(CallError::Deadline { .. })),
            "{face:?}: {error:?}"
        );
    }
}

#[test]
fn nobody_waits_for_what_nobody_gives_back() {
    for face in FACES {
        let host = full_host(1);
        let component = load(&host, COUNTER);
        let mut keeps = config(1, always());
        keeps.min_warm = 1;
        let keeper = AnyPool::new(face, &component, keeps);
        keeper.until("one stands ready", |stats| stats.idle == 1);
        // With the default deadline it would wait for half a minute.
        let pool = AnyPool::new(face, &component, config(1, always()));
        let error = pool.number("next").unwrap_err();
        assert!(matches!(error, CallError::HostFull(_)), "{error:?}");
    }
}

#[test]
fn the_wait_ends_at_the_deadline_and_says_why() {
    for face in FACES {
        let host = full_host(1);
        let component = load(&host, COUNTER);
        let held = AnyPool::new(face, &component, config(1, always())).hold();
        let mut short = config(1, always());
        short.limits.deadline = Duration::from_millis(5);
        let pools = [(); 2].map(|()| AnyPool::new(face, &component, short.clone()));
        std::thread::scope(|scope| {
            for pool in &pools {
                scope.spawn(|| {
                    let error = pool.number("next").unwrap_err();
                    assert!(matches!(error, CallError::HostFull(_)), "{error:?}");
                    assert!(error.is_retryable());
                });
            }
        });
        drop(held);
        assert_eq!(pools[0].number("next").unwrap(), 1);
    }
}

/// What refill keeps ready of one pool is no use to a caller of another.
#[test]
fn refill_stays_behind_callers() {
    let host = full_host(2);
    let component = load(&host, COUNTER);
    let greedy = blocking::Pool::<()>::new(&component, config(2, prewarm::Reuse::Never)).unwrap();
    let other = blocking::Pool::<()>::new(&component, config(2, prewarm::Reuse::Never)).unwrap();
    for _ in 0..200 {
        greedy.invoke("next", &[]).unwrap();
        other.invoke("next", &[]).unwrap();
    }
    until("both are quiet", || {
        let stats = [greedy.stats(), other.stats()];
        match stats.iter().all(|stats| stats.leased + stats.starting == 0) {
            true => Ok(()),
            false => Err(stats),
        }
    });
}

/// A pool that gives up at once where the host has no instance for it.
fn impatient(face: Face, component: &Component, max_instances: usize) -> AnyPool {
    let mut config = config(max_instances, always());
    config.max_wait = Some(Duration::ZERO);
    AnyPool::new(face, component, config)
}

/// Holds as many instances as the host lets it have.
fn hold_all(pool: &AnyPool) -> Vec<Box<dyn Send>> {
    let mut held = Vec::new();
    loop {
        match pool.try_hold() {
            Ok(lease) => held.push(lease),
            Err(CallError::HostFull(_) | CallError::Busy { .. } | CallError::Waited { .. }) => {
                return held;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
}

#[test]
fn a_pool_with_more_than_its_share_leaves_others_some() {
    for face in FACES {
        let host = full_host(20);
        let component = load(&host, COUNTER);
        let flooded = impatient(face, &component, 20);
        let other = impatient(face, &component, 20);
        let one = other.hold();
        let held = hold_all(&flooded);
        assert_eq!(held.len(), 17, "{face:?}: a tenth is left");
        let error = flooded.number("next").unwrap_err();
        assert_eq!(
            chain(&error)[1],
            "18 of 20 instances are in use, 17 of them by this pool"
        );
        let more = hold_all(&other);
        assert_eq!(more.len(), 2, "{face:?}");
        drop((one, more, held));
        assert_eq!(flooded.number("next").unwrap(), 1);
    }
}

#[test]
fn what_a_pool_used_just_now_is_kept_from_those_with_more() {
    for face in FACES {
        let clock = Clock::manual();
        let host = host_with(|config| {
            config.max_instances = 4;
            config.clock = clock.clone();
        });
        let component = load(&host, COUNTER);
        let other = impatient(face, &component, 4);
        assert_eq!(other.number("next").unwrap(), 1);
        let flooded = impatient(face, &component, 4);
        let mut held = hold_all(&flooded);
        assert_eq!(held.len(), 3, "{face:?}");
        assert_eq!(other.number("next").unwrap(), 2, "{face:?}: its own still");
        clock.advance(Duration::from_millis(99));
        assert!(flooded.try_hold().is_err(), "{face:?}");
        clock.advance(Duration::from_millis(1));
        held.push(flooded.hold());
        assert_eq!(other.stats().retired_idle, 1, "{face:?}");
        drop(held);
        assert_eq!(other.number("next").unwrap(), 1);
    }
}

/// The caller who came later is served first, since its pool holds nothing.
#[tokio::test]
async fn a_slot_goes_to_whose_pool_has_less() {
    let host = full_host(2);
    let component = load(&host, COUNTER);
    let pool = |instances| component.pool::<()>(config(instances, always())).unwrap();
    let (flooded, other) = (pool(4), pool(1));
    let first = flooded.lease().await.unwrap();
    let second = flooded.lease().await.unwrap();
    let mut third = Box::pin(flooded.lease());
    assert!(poll_once(third.as_mut()).is_pending());
    let mut call = Box::pin(other.lease());
    assert!(poll_once(call.as_mut()).is_pending());
    drop(first);
    let served = call.await.unwrap();
    assert!(poll_once(third.as_mut()).is_pending());
    drop((second, served));
    drop(third.await.unwrap());
}
