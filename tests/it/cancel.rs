//! Calls that are dropped before they end, at each place where they can be.

use std::sync::atomic::Ordering;

use prewarm::{Pool, PoolStats, Reuse, Val};

use crate::guests::{COUNTER, GATED, Keeper, gate, gates};
use crate::support::{
    Alive, always, config, counter, host, load, number, poll_once, until_stats, until_then, used,
};

type Gated = Pool<(), Alive>;

fn gated(
    reuse: Reuse,
) -> (
    Gated,
    Keeper,
    Keeper,
    &'static std::sync::atomic::AtomicUsize,
) {
    let (begin, at_begin) = gate();
    let (enter, at_enter) = gate();
    let alive = counter();
    let pool = Pool::builder(&load(&host(), GATED), config(1, reuse), move || {
        Alive::new(alive)
    })
    .imports(gates(begin, enter))
    .build()
    .unwrap();
    (pool, at_begin, at_enter, alive)
}

/// The pool serves the next caller as if nothing had been.
async fn serves_again(pool: &Gated, at_begin: &Keeper, at_enter: &Keeper) -> PoolStats {
    at_begin.let_through(100);
    at_enter.let_through(1);
    assert_eq!(
        number(pool.invoke("pass", &[Val::U32(7)]).await.unwrap()),
        1
    );
    pool.stats()
}

#[tokio::test]
async fn while_its_instance_is_made() {
    for reuse in [Reuse::Never, always()] {
        let (pool, mut at_begin, at_enter, alive) = gated(reuse);
        {
            let params = [Val::U32(1)];
            let mut call = Box::pin(pool.invoke("pass", &params));
            until_then(call.as_mut(), at_begin.came()).await;
            assert_eq!(pool.stats().starting, 1);
        }
        assert_eq!(alive.load(Ordering::SeqCst), 0, "the store lives on");
        let stats = pool.stats();
        assert_eq!((used(&stats), stats.start_failures), (0, 1));
        serves_again(&pool, &at_begin, &at_enter).await;
    }
}

#[tokio::test]
async fn while_it_runs() {
    for reuse in [Reuse::Never, always()] {
        let (pool, at_begin, mut at_enter, alive) = gated(reuse);
        at_begin.let_through(100);
        {
            let params = [Val::U32(1)];
            let mut call = Box::pin(pool.invoke("pass", &params));
            assert_eq!(until_then(call.as_mut(), at_enter.came()).await, 1);
            assert_eq!(pool.stats().leased, 1);
        }
        let gone = |stats: &PoolStats| stats.leased + stats.dying == 0;
        let stats = until_stats(&pool, "it is gone", gone).await;
        assert_eq!(stats.retired_faulty, 1);
        // Refill may have made the next one already.
        assert!(alive.load(Ordering::SeqCst) <= 1);
        serves_again(&pool, &at_begin, &at_enter).await;
    }
}

#[tokio::test]
async fn while_it_waits_in_the_queue() {
    let (pool, at_begin, at_enter, _) = gated(always());
    at_begin.let_through(1);
    let lease = pool.lease().await.unwrap();
    {
        let mut call = Box::pin(pool.lease());
        assert!(poll_once(call.as_mut()).is_pending());
        assert_eq!(pool.stats().waiting, 1);
    }
    let stats = pool.stats();
    assert_eq!((stats.waiting, stats.left_queue), (0, 1));
    drop(lease);
    serves_again(&pool, &at_begin, &at_enter).await;
}

/// A turn that was granted and never taken goes to the next in the queue, or back.
#[tokio::test]
async fn when_its_turn_was_granted() {
    for reuse in [Reuse::Never, always()] {
        let (pool, at_begin, at_enter, _) = gated(reuse);
        at_begin.let_through(100);
        let lease = pool.lease().await.unwrap();
        let mut first = Box::pin(pool.lease());
        let mut second = Box::pin(pool.lease());
        assert!(poll_once(first.as_mut()).is_pending());
        assert!(poll_once(second.as_mut()).is_pending());
        drop(lease);
        until_stats(&pool, "the first was granted a turn", |stats| {
            stats.waiting == 1
        })
        .await;
        drop(first);
        drop(second.await.unwrap());
        // The next one may have to queue too, while the last instance is dropped.
        let stats = pool.stats();
        assert_eq!((stats.queued, stats.left_queue), (2, 1));
        let stats = serves_again(&pool, &at_begin, &at_enter).await;
        assert_eq!(stats.warm + stats.cold, 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_guest_computes() {
    let pool = load(&host(), COUNTER)
        .pool::<()>(config(1, always()))
        .unwrap();
    for n in 1..=3 {
        let spinning = tokio::spawn({
            let pool = pool.clone();
            async move { pool.invoke("spin", &[]).await }
        });
        until_stats(&pool, "it spins", |stats| stats.leased == 1).await;
        spinning.abort();
        assert!(spinning.await.unwrap_err().is_cancelled());
        let stats = until_stats(&pool, "it is gone", |stats| used(stats) == 0).await;
        assert_eq!(stats.retired_faulty, n);
    }
    assert_eq!(number(pool.invoke("next", &[]).await.unwrap()), 1);
}

#[tokio::test]
async fn a_call_that_was_never_polled_does_nothing() {
    let (pool, _at_begin, _at_enter, alive) = gated(always());
    let params = [Val::U32(1)];
    drop(pool.invoke("pass", &params));
    drop(pool.lease());
    assert_eq!(pool.stats().warm + pool.stats().cold, 0);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn closing_that_was_dropped_goes_on() {
    let (pool, at_begin, _at_enter, alive) = gated(always());
    at_begin.let_through(1);
    let lease = pool.lease().await.unwrap();
    {
        let mut closing = Box::pin(pool.close());
        assert!(poll_once(closing.as_mut()).is_pending());
    }
    drop(lease);
    assert!(pool.stats().closed);
    assert_eq!((used(&pool.stats()), alive.load(Ordering::SeqCst)), (0, 0));
}
