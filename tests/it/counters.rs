//! Every figure of a pool's statistics moves, and they fit each other.

use std::collections::BTreeMap;
use std::time::Duration;

use prewarm::{Pool, PoolStats, Reuse};

use crate::guests::{COUNTER, GATED, gate, gates};
use crate::support::{
    AnyPool, FACES, always, config, host_with, load, poll_once, still_host, until_stats,
    until_then, used,
};

/// Name and value of each field, so that none can be forgotten here.
fn figures(stats: &PoolStats) -> BTreeMap<String, String> {
    let text = format!("{stats:?}");
    let fields = text
        .trim_start_matches("PoolStats { ")
        .trim_end_matches(" }");
    fields
        .split(", ")
        .filter_map(|field| field.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[tokio::test]
async fn each_figure_moves() {
    let (host, clock) = still_host();
    let (begin, mut at_begin) = gate();
    let (enter, mut at_enter) = gate();
    let component = load(&host, GATED);
    let mut config = config(2, Reuse::Calls(2..=2));
    config.max_queue = 1;
    config.max_age = Some(Duration::from_secs(100));
    config.idle_ttl = Duration::from_secs(10);
    let mut ahead = config.clone();
    ahead.min_warm = 1;
    let pool_of = |config| -> Pool<()> {
        Pool::builder(&component, config, || ())
            .imports(gates(begin.clone(), enter.clone()))
            .build()
            .unwrap()
    };
    let mut seen = Vec::new();

    // Refill makes one.
    let pool = pool_of(ahead);
    at_begin.came().await;
    seen.push(pool.stats());
    at_begin.let_through(1);
    seen.push(until_stats(&pool, "one stands ready", |stats| stats.idle == 1).await);
    drop(pool);

    let pool = pool_of(config);
    // One is left while it starts.
    {
        let mut cold = Box::pin(pool.lease());
        until_then(cold.as_mut(), at_begin.came()).await;
        seen.push(pool.stats());
    }
    at_begin.let_through(100);
    drop(pool.lease().await.unwrap());
    let warm = pool.lease().await.unwrap();
    let cold = pool.lease().await.unwrap();
    // One queues and leaves, another is turned away.
    {
        let mut waiting = Box::pin(pool.lease());
        assert!(poll_once(waiting.as_mut()).is_pending());
        pool.lease().await.unwrap_err();
        seen.push(pool.stats());
    }
    drop((warm, cold));
    seen.push(pool.stats());
    clock.advance(Duration::from_secs(10));
    seen.push(
        until_stats(&pool, "one stood idle too long", |stats| {
            stats.retired_idle == 1
        })
        .await,
    );
    // One is cancelled in the guest.
    {
        let params = [prewarm::Val::U32(1)];
        let mut call = Box::pin(pool.invoke("pass", &params));
        until_then(call.as_mut(), at_enter.came()).await;
    }
    drop(pool.lease().await.unwrap());
    seen.push(pool.stats());
    clock.advance(Duration::from_secs(100));
    seen.push(until_stats(&pool, "one was too old", |stats| stats.retired_aged > 0).await);
    // What is being dropped can be seen from the embedder's value alone.
    seen.push(dying().await);
    seen.push(put_off().await);
    pool.close().await;
    seen.push(pool.stats());

    let mut still: BTreeMap<String, String> = figures(&PoolStats::default());
    assert!(still.len() >= 21, "{still:?}");
    for stats in &seen {
        still.retain(|name, value| figures(stats)[name] == *value);
    }
    assert_eq!(still, BTreeMap::new(), "these never moved in {seen:#?}");
}

/// The figures of a pool for which refill found the host full.
async fn put_off() -> PoolStats {
    let host = host_with(|config| config.max_instances = 1);
    let component = load(&host, COUNTER);
    let holder: Pool = component.pool(config(1, always())).unwrap();
    let _lease = holder.lease().await.unwrap();
    let mut ahead = config(1, always());
    ahead.min_warm = 1;
    let pool: Pool = component.pool(ahead).unwrap();
    until_stats(&pool, "refill asked in vain", |stats| stats.put_off > 0).await
}

/// The figures of a pool whose only instance is being dropped.
async fn dying() -> PoolStats {
    type Look = Box<dyn Fn() + Send>;
    struct OnDrop(Option<Look>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            if let Some(look) = &self.0 {
                look();
            }
        }
    }
    let (host, _) = still_host();
    let (send, receive) = std::sync::mpsc::channel();
    let pool: Pool<(), OnDrop> =
        Pool::builder(&load(&host, COUNTER), config(1, Reuse::Never), || {
            OnDrop(None)
        })
        .build()
        .unwrap();
    let mut lease = pool.lease().await.unwrap();
    let looked = pool.clone();
    lease.embedder_mut().unwrap().0 = Some(Box::new(move || send.send(looked.stats()).unwrap()));
    drop(lease);
    receive.recv().unwrap()
}

#[test]
fn figures_fit_each_other() {
    for face in FACES {
        for reuse in [Reuse::Never, Reuse::Calls(2..=6), always()] {
            let (host, _) = still_host();
            let mut config = config(4, reuse);
            config.min_warm = 1;
            let pool = AnyPool::new(face, &load(&host, COUNTER), config);
            let (callers, calls) = (6, 100);
            std::thread::scope(|scope| {
                for caller in 0..callers {
                    let pool = &pool;
                    scope.spawn(move || {
                        for call in 0..calls {
                            let name = if (caller + call) % 10 == 0 {
                                "trap"
                            } else {
                                "next"
                            };
                            assert_eq!(pool.number(name).is_err(), name == "trap");
                            let stats = pool.stats();
                            assert!(used(&stats) <= 4, "{stats:?}");
                        }
                    });
                }
            });
            pool.close();
            let stats = pool.stats();
            let retired =
                stats.retired_used + stats.retired_aged + stats.retired_idle + stats.retired_faulty;
            assert_eq!(stats.warm + stats.cold, callers * calls, "{stats:?}");
            assert_eq!(stats.retired_faulty, 60, "{stats:?}");
            assert_eq!(stats.started, stats.cold + stats.refilled, "{stats:?}");
            assert!(retired <= stats.started, "{stats:?}");
            assert_eq!((used(&stats), stats.waiting), (0, 0), "{stats:?}");
            assert_eq!(
                (stats.busy, stats.left_queue, stats.start_failures),
                (0, 0, 0)
            );
        }
    }
}
