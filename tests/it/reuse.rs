//! What one call leaves for the next: nothing, unless reuse was asked for.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prewarm::{CallError, Reuse};

use crate::guests::COUNTER;
use crate::support::{
    Alive, AnyPool, FACES, Face, always, config, counter, host, load, number, still_host, until,
};

fn counting(face: Face, max_instances: usize, reuse: Reuse) -> AnyPool {
    AnyPool::new(face, &load(&host(), COUNTER), config(max_instances, reuse))
}

#[test]
fn a_fresh_instance_per_call_leaves_no_state() {
    for face in FACES {
        let pool = counting(face, 4, Reuse::Never);
        for _ in 0..50 {
            assert_eq!(pool.number("next").unwrap(), 1, "{face:?}");
        }
    }
}

#[test]
fn reuse_is_sampled_within_its_range() {
    for face in FACES {
        for range in [1..=1, 3..=5, 7..=7] {
            let pool = counting(face, 1, Reuse::Calls(range.clone()));
            let answers: Vec<u32> = (0..200).map(|_| pool.number("next").unwrap()).collect();
            let lengths: Vec<u32> = answers
                .windows(2)
                .filter(|pair| pair[1] == 1)
                .map(|pair| pair[0])
                .collect();
            assert!(
                lengths.iter().all(|length| range.contains(length)),
                "{range:?} gave {lengths:?}"
            );
            let different: BTreeSet<_> = lengths.iter().collect();
            assert_eq!(
                different.len() > 1,
                range.start() != range.end(),
                "{lengths:?}"
            );
        }
    }
}

#[tokio::test]
async fn calls_of_a_lease_meet_one_instance() {
    let component = load(&host(), COUNTER);
    let pool = component.pool::<()>(config(2, Reuse::Never)).unwrap();
    let mut lease = pool.lease().await.unwrap();
    for n in 1..=3 {
        assert_eq!(number(lease.invoke("next", &[]).await.unwrap()), n);
    }
    drop(lease);
    assert_eq!(number(pool.invoke("next", &[]).await.unwrap()), 1);

    let pool = prewarm::blocking::Pool::<()>::new(&component, config(2, Reuse::Never)).unwrap();
    let mut lease = pool.lease().unwrap();
    for n in 1..=3 {
        assert_eq!(number(lease.invoke("next", &[]).unwrap()), n);
    }
}

#[test]
fn a_guest_that_trapped_is_not_lent_again() {
    for face in FACES {
        let pool = counting(face, 1, always());
        assert_eq!(pool.number("next").unwrap(), 1);
        assert_eq!(pool.number("next").unwrap(), 2);
        let error = pool.number("trap").unwrap_err();
        assert!(matches!(error, CallError::Trap(_)), "{error:?}");
        assert_eq!(pool.number("next").unwrap(), 1);
        assert_eq!(pool.stats().retired_faulty, 1);
    }
}

#[tokio::test]
async fn a_lease_that_trapped_serves_no_more() {
    let pool = load(&host(), COUNTER)
        .pool::<()>(config(1, always()))
        .unwrap();
    let mut lease = pool.lease().await.unwrap();
    lease.invoke("trap", &[]).await.unwrap_err();
    for _ in 0..2 {
        let error = lease.invoke("next", &[]).await.unwrap_err();
        assert!(matches!(error, CallError::Retired), "{error:?}");
    }
    drop(lease);
    assert_eq!(number(pool.invoke("next", &[]).await.unwrap()), 1);
}

#[test]
fn an_instance_is_lent_up_to_its_age() {
    for face in FACES {
        let (host, clock) = still_host();
        let mut config = config(1, always());
        config.max_age = Some(Duration::from_secs(60));
        // Lest it goes for standing idle before.
        config.idle_ttl = Duration::from_secs(3600);
        let pool = AnyPool::new(face, &load(&host, COUNTER), config);
        for answer in [1, 2, 3] {
            assert_eq!(pool.number("next").unwrap(), answer);
            clock.advance(Duration::from_secs(29));
        }
        // Now it is 87 s old.
        assert_eq!(pool.number("next").unwrap(), 1);
        let stats = pool.until("one was retired", |stats| stats.retired_aged == 1);
        assert_eq!((stats.warm, stats.cold), (2, 2));
        clock.advance(Duration::from_secs(60));
        let stats = pool.until("nobody calls, it goes all the same", |stats| {
            stats.idle == 0 && stats.dying == 0
        });
        assert_eq!((stats.retired_aged, stats.retired_idle), (2, 0));
    }
}

#[test]
fn an_instance_that_another_thread_used_is_lent_up_to_its_age() {
    for face in FACES {
        let (host, clock) = still_host();
        let mut config = config(2, always());
        config.max_age = Some(Duration::from_secs(60));
        config.idle_ttl = Duration::from_secs(3600);
        let pool = AnyPool::new(face, &load(&host, COUNTER), config);
        let elsewhere = || {
            std::thread::scope(|scope| scope.spawn(|| pool.number("next").unwrap()).join().unwrap())
        };
        assert_eq!(elsewhere(), 1);
        assert_eq!(pool.number("next").unwrap(), 2, "it is found there");
        clock.advance(Duration::from_secs(60));
        assert_eq!(elsewhere(), 1);
        let stats = pool.until("one was retired", |stats| stats.retired_aged == 1);
        assert_eq!((stats.warm, stats.cold), (1, 2));
    }
}

#[test]
fn there_are_never_more_instances_than_slots() {
    for face in FACES {
        for reuse in [Reuse::Never, Reuse::Calls(2..=4)] {
            let (now, most) = (counter(), counter());
            let state = move || {
                let alive = Alive::new(now);
                most.fetch_max(now.load(Ordering::SeqCst), Ordering::SeqCst);
                alive
            };
            let component = load(&host(), COUNTER);
            let pool =
                AnyPool::with(face, &component, config(3, reuse), state, |_| Ok(())).unwrap();
            std::thread::scope(|scope| {
                for _ in 0..6 {
                    scope.spawn(|| {
                        for _ in 0..200 {
                            pool.number("next").unwrap();
                        }
                    });
                }
            });
            let most = most.load(Ordering::SeqCst);
            assert!((1..=3).contains(&most), "{most} lived at once");
            pool.close();
            assert_eq!(now.load(Ordering::SeqCst), 0, "closed, and some live on");
        }
    }
}

#[test]
fn the_last_handle_takes_the_instances_along() {
    for face in FACES {
        let now = counter();
        let component = load(&host(), COUNTER);
        let pool = AnyPool::with(
            face,
            &component,
            config(3, always()),
            move || Alive::new(now),
            |_| Ok(()),
        )
        .unwrap();
        let other = pool.share();
        pool.number("next").unwrap();
        drop(pool);
        assert_eq!(now.load(Ordering::SeqCst), 1);
        assert_eq!(other.number("next").unwrap(), 2);
        drop(other);
        until("the instance is gone", || {
            match now.load(Ordering::SeqCst) {
                0 => Ok(()),
                left => Err(left),
            }
        });
    }
}
