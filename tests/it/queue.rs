//! Callers who wait: in order, bounded in number and in time, until the pool is closed.

use std::sync::Mutex;
use std::time::Duration;

use prewarm::{CallError, Phase, PoolConfig, Reuse};

use crate::guests::COUNTER;
use crate::support::{
    AnyPool, FACES, Face, RUNTIME, always, config, host, load, number, poll_once, until_stats, used,
};

const SHORT: Duration = Duration::from_millis(5);

fn counting(face: Face, config: PoolConfig) -> AnyPool {
    AnyPool::new(face, &load(&host(), COUNTER), config)
}

#[test]
fn waiters_are_served_in_the_order_they_came() {
    for face in FACES {
        for reuse in [Reuse::Never, always()] {
            let pool = counting(face, config(1, reuse));
            let held = pool.hold();
            let served = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for n in 0..8 {
                    let (pool, served) = (&pool, &served);
                    scope.spawn(move || {
                        let lease = pool.hold();
                        served.lock().unwrap().push(n);
                        drop(lease);
                    });
                    pool.until("it waits", |stats| stats.waiting == n + 1);
                }
                drop(held);
            });
            assert_eq!(served.into_inner().unwrap(), [0, 1, 2, 3, 4, 5, 6, 7]);
            let stats = pool.stats();
            assert_eq!((stats.queued, stats.waiting, stats.left_queue), (8, 0, 0));
        }
    }
}

#[test]
fn nobody_overtakes_a_queue() {
    let pool = counting(Face::Async, config(1, always()));
    let AnyPool::Async(asynchronous) = &pool else {
        unreachable!()
    };
    let held = pool.hold();
    let _runtime = RUNTIME.enter();
    let mut first = Box::pin(asynchronous.lease());
    let mut second = Box::pin(asynchronous.lease());
    assert!(poll_once(first.as_mut()).is_pending());
    drop(held);
    // The instance is granted to the first, who has not looked yet.
    assert!(poll_once(second.as_mut()).is_pending());
    let std::task::Poll::Ready(Ok(_first)) = poll_once(first.as_mut()) else {
        panic!("the first in the queue was not served")
    };
    assert!(poll_once(second.as_mut()).is_pending());
}

#[test]
fn beyond_its_bound_the_queue_turns_callers_away_at_once() {
    for face in FACES {
        for max_queue in [0, 1, 3] {
            let mut config = config(1, always());
            config.max_queue = max_queue;
            let pool = counting(face, config);
            let held = pool.hold();
            std::thread::scope(|scope| {
                for _ in 0..max_queue {
                    scope.spawn(|| pool.number("next").unwrap());
                }
                pool.until("the queue is full", |stats| stats.waiting == max_queue);
                for _ in 0..2 {
                    let error = pool.number("next").unwrap_err();
                    assert!(error.is_retryable());
                    let CallError::Busy {
                        max_instances,
                        waiting,
                        ..
                    } = error
                    else {
                        panic!("{error:?}")
                    };
                    assert_eq!((max_instances, waiting), (1, max_queue));
                }
                drop(held);
            });
            assert_eq!(pool.stats().busy, 2);
            pool.number("next").unwrap();
        }
    }
}

#[test]
fn a_wait_ends_at_its_bound() {
    for face in FACES {
        let mut max_wait = config(1, always());
        max_wait.max_wait = Some(SHORT);
        let mut deadline = config(1, always());
        deadline.limits.deadline = SHORT;
        let mut both = max_wait.clone();
        both.limits.deadline = Duration::from_millis(1);
        for (config, waited) in [(max_wait, true), (deadline, false), (both, false)] {
            let pool = counting(face, config);
            let held = pool.hold();
            let error = pool.number("next").unwrap_err();
            assert!(error.is_retryable());
            match error {
                CallError::Waited { max_wait, .. } if waited => assert_eq!(max_wait, SHORT),
                CallError::Deadline { phase, .. } if !waited => assert_eq!(phase, Phase::Queue),
                other => panic!("{face:?}: {other:?}"),
            }
            let stats = pool.stats();
            assert_eq!((stats.queued, stats.left_queue, stats.waiting), (1, 1, 0));
            drop(held);
            assert_eq!((used(&pool.stats()), pool.stats().idle), (1, 1));
        }
    }
}

#[test]
fn close_drains_and_refuses() {
    for face in FACES {
        let pool = counting(face, config(2, always()));
        let (held, second) = (pool.hold(), pool.hold());
        drop(second);
        assert_eq!(pool.stats().idle, 1);
        let second = pool.hold();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| pool.number("next"));
            pool.until("one waits", |stats| stats.waiting == 1);
            let closing = scope.spawn(|| pool.close());
            pool.until("it is closed", |stats| stats.closed);
            let refused = [waiter.join().unwrap(), pool.number("next")];
            for error in refused.map(Result::unwrap_err) {
                assert!(matches!(error, CallError::Closed), "{error:?}");
            }
            drop(second);
            pool.until("one is left", |stats| used(stats) == 1);
            assert!(!closing.is_finished(), "a lease is still held");
            drop(held);
            closing.join().unwrap();
        });
        let stats = pool.stats();
        assert_eq!((used(&stats), stats.waiting), (0, 0));
        pool.close();
    }
}

#[tokio::test]
async fn a_lease_that_is_held_works_while_its_pool_closes() {
    let pool = load(&host(), COUNTER)
        .pool::<()>(config(1, always()))
        .unwrap();
    let mut lease = pool.lease().await.unwrap();
    let mut closing = Box::pin(pool.close());
    assert!(poll_once(closing.as_mut()).is_pending());
    assert_eq!(number(lease.invoke("next", &[]).await.unwrap()), 1);
    drop(lease);
    closing.await;
    assert_eq!(used(&pool.stats()), 0);
}

#[tokio::test]
async fn a_closed_pool_drops_what_refill_makes() {
    for _ in 0..20 {
        let mut config = config(4, Reuse::Never);
        config.min_warm = 4;
        let pool = load(&host(), COUNTER).pool::<()>(config).unwrap();
        pool.close().await;
        until_stats(&pool, "nothing is left", |stats| used(stats) == 0).await;
    }
}
