//! Instances that stand ready: made ahead, kept for a while, gone when nobody needs them.

use std::time::Duration;

use prewarm::{Pool, PoolConfig, PoolStats, Reuse};

use crate::guests::{COUNTER, GATED, gate, gates};
use crate::support::{
    AnyPool, FACES, Face, RUNTIME, always, config, host_with, load, number, pass, poll_once,
    still_host, until, until_stats, used,
};

const TTL: Duration = Duration::from_secs(10);

fn ready(max_instances: usize, min_warm: usize, reuse: Reuse) -> PoolConfig {
    let mut config = config(max_instances, reuse);
    config.min_warm = min_warm;
    config.idle_ttl = TTL;
    config
}

#[test]
fn min_warm_is_made_ahead() {
    for face in FACES {
        for reuse in [Reuse::Never, always()] {
            let (host, _) = still_host();
            let pool = AnyPool::new(face, &load(&host, COUNTER), ready(4, 2, reuse.clone()));
            let stats = pool.until("two stand ready", |stats| stats.idle == 2);
            assert_eq!((stats.refilled, stats.started, stats.cold), (2, 2, 0));
            assert_eq!(pool.number("next").unwrap(), 1);
            let stats = pool.until("two stand ready again", |stats| stats.idle >= 2);
            assert_eq!((stats.warm, stats.cold), (1, 0), "{face:?} {reuse:?}");
        }
    }
}

#[test]
fn min_warm_is_made_up_again_after_faults() {
    for face in FACES {
        let (host, clock) = still_host();
        let pool = AnyPool::new(face, &load(&host, COUNTER), ready(3, 3, always()));
        for n in 1..=3 {
            pool.until("three stand ready", |stats| stats.idle == 3);
            pool.number("trap").unwrap_err();
            clock.advance(Duration::from_secs(1));
            assert_eq!(pool.stats().retired_faulty, n);
        }
        pool.until("three stand ready", |stats| stats.idle == 3);
    }
}

/// Has three idle instances, then no caller any more.
#[track_caller]
fn check_scales_down(min_warm: usize, steps: &[(u64, usize)]) {
    for face in FACES {
        let (host, clock) = still_host();
        let pool = AnyPool::new(face, &load(&host, COUNTER), ready(3, min_warm, always()));
        pool.until("those of min_warm stand ready", |stats| {
            stats.idle == min_warm
        });
        for lease in [pool.hold(), pool.hold(), pool.hold()] {
            drop(lease);
            clock.advance(Duration::from_secs(1));
        }
        for (seconds, left) in steps {
            clock.advance(Duration::from_secs(*seconds));
            let stats = pool.until(&format!("{left} are left"), |stats| used(stats) == *left);
            assert_eq!(stats.retired_idle, 3 - *left as u64);
        }
    }
}

#[test]
fn for_ever_is_a_time() {
    for face in FACES {
        for reuse in [Reuse::Never, always()] {
            let (host, clock) = still_host();
            let mut config = config(2, reuse);
            config.min_warm = 1;
            config.idle_ttl = Duration::MAX;
            config.max_age = Some(Duration::MAX);
            config.max_wait = Some(Duration::MAX);
            config.limits.deadline = Duration::MAX;
            let pool = AnyPool::new(face, &load(&host, COUNTER), config);
            pool.until("one stands ready", |stats| stats.idle == 1);
            drop((pool.hold(), pool.hold()));
            clock.advance(Duration::from_secs(86_400));
            assert!(pool.number("next").is_ok());
            assert_eq!(pool.stats().retired_idle, 0);
        }
    }
}

#[test]
fn an_idle_pool_shrinks_one_by_one_to_nothing() {
    // They stand idle since 3, 2 and 1 seconds.
    check_scales_down(0, &[(6, 3), (1, 2), (1, 1), (1, 0)]);
}

#[test]
fn an_idle_pool_shrinks_to_min_warm() {
    check_scales_down(1, &[(6, 3), (100, 1), (100, 1)]);
    check_scales_down(3, &[(100, 3)]);
}

#[test]
fn the_last_used_is_kept() {
    for face in FACES {
        let (host, clock) = still_host();
        let pool = AnyPool::new(face, &load(&host, COUNTER), ready(2, 0, always()));
        drop((pool.hold(), pool.hold()));
        for n in 1..=20 {
            assert_eq!(pool.number("next").unwrap(), n, "always the same one");
            clock.advance(Duration::from_secs(1));
        }
        let stats = pool.until("the other is gone", |stats| used(stats) == 1);
        assert_eq!((stats.idle, stats.retired_idle), (1, 1));
        assert_eq!(pool.number("next").unwrap(), 21);
    }
}

/// The look that was due finds nothing beside the thread that holds the instance, and gives it back
/// just then: the next look is for this one.
#[test]
fn what_falls_idle_while_refill_looks_goes_too() {
    let (host, clock) = still_host();
    let component = load(&host, COUNTER);
    for face in FACES {
        let pool = AnyPool::new(face, &component, ready(8, 0, always()));
        for round in 1..=3000 {
            // Has a look due in a TTL.
            drop(pool.hold());
            let held = pool.hold();
            clock.advance(TTL);
            for _ in 0..round % 100 * 100 {
                std::hint::spin_loop();
            }
            drop(held);
            clock.advance(TTL);
            let stats = pool.until("it is gone", |stats| used(stats) == 0);
            assert_eq!(stats.retired_idle, round, "{face:?}");
        }
    }
}

#[test]
fn what_was_made_ahead_for_callers_goes_when_they_stay_away() {
    for face in FACES {
        let (host, clock) = still_host();
        let pool = AnyPool::new(face, &load(&host, COUNTER), ready(4, 0, Reuse::Never));
        // No time passes, so no figure depends on what refill did meanwhile.
        for _ in 0..20 {
            pool.number("next").unwrap();
        }
        // It looks again at what the last call left to do.
        clock.advance(Duration::from_millis(20));
        let made_ahead = |stats: &PoolStats| stats.refilled > 0 && stats.idle > 0;
        pool.until("some are made ahead", made_ahead);
        pool.until("refill is done", |stats| {
            (stats.idle, stats.starting, stats.dying) == (3, 0, 0)
        });
        clock.advance(2 * TTL);
        pool.until("it scaled to zero", |stats| used(stats) == 0);
        assert_eq!(pool.number("next").unwrap(), 1);
    }
}

/// An instance that comes back because a caller left expires too, and is no younger for it.
#[tokio::test]
async fn what_a_caller_left_behind_goes_too() {
    for max_age in [None, Some(TTL / 2)] {
        let (host, clock) = still_host();
        let mut config = ready(1, 0, always());
        config.max_age = max_age;
        let pool = load(&host, COUNTER).pool::<()>(config).unwrap();
        let lease = pool.lease().await.unwrap();
        let mut waiting = Box::pin(pool.lease());
        assert!(poll_once(waiting.as_mut()).is_pending());
        drop(lease);
        assert_eq!(pool.stats().waiting, 0, "it was granted");
        clock.advance(TTL / 4);
        drop(waiting);
        assert_eq!(pool.stats().idle, 1);
        clock.advance(max_age.map_or(TTL, |_| TTL / 4));
        until_stats(&pool, "it is gone", |stats| used(stats) == 0).await;
    }
}

#[test]
fn a_full_host_takes_idle_instances_of_other_pools() {
    for face in FACES {
        let clock = prewarm::Clock::manual();
        let host = host_with(|config| {
            config.max_instances = 2;
            config.clock = clock.clone();
        });
        let component = load(&host, COUNTER);
        let idle = AnyPool::new(face, &component, ready(2, 0, always()));
        drop((idle.hold(), idle.hold()));
        assert_eq!(idle.stats().idle, 2);
        let pool = AnyPool::new(face, &component, ready(2, 0, always()));
        let held = (pool.hold(), pool.hold());
        assert_eq!((used(&idle.stats()), idle.stats().retired_idle), (0, 2));

        // Now nothing is idle that could be taken.
        let mut impatient = ready(2, 0, always());
        impatient.max_wait = Some(Duration::ZERO);
        let idle = AnyPool::new(face, &component, impatient);
        let error = idle.number("next").unwrap_err();
        assert!(
            matches!(error, prewarm::CallError::HostFull(_)),
            "{error:?}"
        );
        assert!(error.is_retryable());
        assert_eq!(idle.stats().start_failures, 1);
        drop(held);
        assert_eq!(idle.number("next").unwrap(), 1);
    }
}

/// One stood idle beside a thread and was needed for `min_warm` when refill looked; then another came.
#[test]
fn what_was_needed_goes_when_another_came() {
    for face in FACES {
        let (host, clock) = still_host();
        let pool = AnyPool::new(face, &load(&host, COUNTER), ready(2, 1, always()));
        let held = pool.hold();
        assert!(pool.number("next").is_ok());
        clock.advance(TTL);
        // Nothing tells that refill has looked.
        pass(Duration::from_millis(20));
        drop(held);
        assert_eq!(pool.stats().idle, 2);
        clock.advance(TTL);
        pool.until("one is left", |stats| used(stats) == 1);
    }
}

#[tokio::test]
async fn a_pool_made_outside_a_runtime_is_refilled() {
    let (host, _) = still_host();
    let pool = std::thread::spawn(move || {
        load(&host, COUNTER)
            .pool::<()>(ready(2, 2, always()))
            .unwrap()
    })
    .join()
    .unwrap();
    until_stats(&pool, "two stand ready", |stats| stats.idle == 2).await;
    assert_eq!(number(pool.invoke("next", &[]).await.unwrap()), 1);
}

/// tokio panics in whoever waits with the timer of a runtime that has shut down.
#[test]
fn a_runtime_that_goes_away_takes_no_refill_along() {
    let host = host_with(|config| config.refill_threads = 1);
    let (begin, mut at_begin) = gate();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let pool: Pool<()> = {
        let _runtime = runtime.enter();
        Pool::builder(&load(&host, GATED), ready(1, 1, always()), || ())
            .imports(gates(begin.clone(), begin))
            .build()
            .unwrap()
    };
    runtime.block_on(at_begin.came());
    drop(runtime);
    let other = AnyPool::new(Face::Blocking, &load(&host, COUNTER), ready(1, 1, always()));
    other.until("one stands ready", |stats| stats.idle == 1);
    at_begin.let_through(1);
    RUNTIME.block_on(pool.lease()).unwrap();
}

/// A guest that only computes as it starts needs nothing of a runtime: a program that ends with its
/// pools would else end with a panic of a thread it knows nothing of.
#[test]
fn a_runtime_that_goes_away_fails_no_start_that_computes() {
    const SLOW: &str = r#"(component
        (core module $m
            (func $compute (local $n i32)
                (loop $next
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br_if $next (i32.lt_u (local.get $n) (i32.const 100000000)))))
            (start $compute))
        (core instance (instantiate $m)))"#;
    let host = host_with(|_| {});
    let component = load(&host, SLOW);
    for _ in 0..3 {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let pool: Pool<()> = {
            let _runtime = runtime.enter();
            component.pool(ready(1, 1, always())).unwrap()
        };
        until("one starts", || match pool.stats() {
            stats if stats.starting == 1 => Ok(()),
            stats => Err(stats),
        });
        drop(runtime);
        until("one stands ready", || match pool.stats() {
            stats if stats.idle == 1 => Ok(()),
            stats => Err(stats),
        });
        assert_eq!(pool.stats().start_failures, 0);
    }
}
