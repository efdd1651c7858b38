//! What the host gives to guests: functions made by `bindgen!`, a value per instance, a warm-up.

use std::time::Duration;

use prewarm::{CallError, Pool, PoolError, Reuse, State, Val, blocking};
use wasmtime::component::HasSelf;

use crate::guests::COUNTER;
use crate::support::{always, config, host, load, number, until_stats};

mod waiting {
    wasmtime::component::bindgen!({
        inline: r#"
            package demo:shop;
            interface prices { price: func(item: u32) -> u32; }
            world shop {
                import prices;
                import note: func(sum: u32);
                export total: func(items: u32) -> u32;
            }"#,
        imports: { default: async },
        exports: { default: async },
    });
    prewarm::world!(Shop, ShopIndices);
}

mod direct {
    wasmtime::component::bindgen!({
        inline: r#"
            package demo:shop;
            interface prices { price: func(item: u32) -> u32; }
            world shop {
                import prices;
                import note: func(sum: u32);
                export total: func(items: u32) -> u32;
            }"#,
    });
    prewarm::world!(Shop, ShopIndices);
}

/// Answers the sum of the prices of items 1 to `items`, and notes it. Traps at 13 items.
const SHOP: &str = r#"(component
    (import "demo:shop/prices" (instance $prices
        (export "price" (func (param "item" u32) (result u32)))))
    (import "note" (func $note (param "sum" u32)))
    (core func $price (canon lower (func $prices "price")))
    (core func $note (canon lower (func $note)))
    (core module $m
        (import "" "price" (func $price (param i32) (result i32)))
        (import "" "note" (func $note (param i32)))
        (func (export "total") (param $items i32) (result i32) (local $sum i32)
            (if (i32.eq (local.get $items) (i32.const 13)) (then unreachable))
            (loop $next
                (local.set $sum (i32.add (local.get $sum) (call $price (local.get $items))))
                (br_if $next (local.tee $items (i32.sub (local.get $items) (i32.const 1)))))
            (call $note (local.get $sum))
            (local.get $sum)))
    (core instance $i (instantiate $m (with "" (instance
        (export "price" (func $price)) (export "note" (func $note))))))
    (func (export "total") (param "items" u32) (result u32) (canon lift (core func $i "total"))))"#;

/// The embedder's value of an instance.
#[derive(Debug, Default)]
struct Till {
    markup: u32,
    notes: Vec<u32>,
}

impl Till {
    fn new() -> Self {
        Self {
            markup: 1,
            notes: Vec::new(),
        }
    }
}

impl waiting::demo::shop::prices::Host for Till {
    async fn price(&mut self, item: u32) -> u32 {
        tokio::task::yield_now().await;
        item * self.markup
    }
}

impl waiting::ShopImports for Till {
    async fn note(&mut self, sum: u32) {
        self.notes.push(sum);
    }
}

impl direct::demo::shop::prices::Host for Till {
    fn price(&mut self, item: u32) -> u32 {
        item * self.markup
    }
}

impl direct::ShopImports for Till {
    fn note(&mut self, sum: u32) {
        self.notes.push(sum);
    }
}

fn waiting_shop(reuse: Reuse) -> prewarm::PoolBuilder<waiting::Shop, Till> {
    Pool::builder(&load(&host(), SHOP), config(2, reuse), Till::new).imports(|linker| {
        waiting::Shop::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut)
    })
}

fn direct_shop(reuse: Reuse) -> blocking::PoolBuilder<direct::Shop, Till> {
    blocking::Pool::builder(&load(&host(), SHOP), config(2, reuse), Till::new)
        .imports(|linker| direct::Shop::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut))
}

#[tokio::test]
async fn asynchronous_imports() {
    let pool = waiting_shop(always()).build().unwrap();
    let sum = pool.call(async |shop, store| shop.call_total(store, 4).await);
    assert_eq!(sum.await.unwrap(), 10);
    // The value is the instance's, so it is found again.
    let mut lease = pool.lease().await.unwrap();
    assert_eq!(lease.embedder().unwrap().notes, [10]);
    lease.embedder_mut().unwrap().markup = 3;
    let sum = lease.call(async |shop, store| shop.call_total(store, 4).await);
    assert_eq!(sum.await.unwrap(), 30);
    assert_eq!(lease.embedder().unwrap().notes, [10, 30]);
    // A call can look at it too.
    let notes = lease.call(async |_, store| Ok(store.data().embedder().notes.clone()));
    assert_eq!(notes.await.unwrap(), [10, 30]);
}

#[tokio::test]
async fn synchronous_imports_on_the_asynchronous_face() {
    let component = load(&host(), SHOP);
    let pool: Pool<waiting::Shop, Till> =
        Pool::builder(&component, config(2, Reuse::Never), Till::new)
            .imports(|linker| {
                direct::Shop::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut)
            })
            .build()
            .unwrap();
    for _ in 0..3 {
        let mut lease = pool.lease().await.unwrap();
        let sum = lease.call(async |shop, store| shop.call_total(store, 4).await);
        assert_eq!(sum.await.unwrap(), 10);
        assert_eq!(lease.embedder().unwrap().notes, [10], "each has its own");
    }
}

#[test]
fn imports_on_the_blocking_face() {
    let pool = direct_shop(always()).build().unwrap();
    let sum = pool.call(|shop, store| shop.call_total(store, 4));
    assert_eq!(sum.unwrap(), 10);
    let mut lease = pool.lease().unwrap();
    lease.embedder_mut().unwrap().markup = 3;
    let sum = lease.call(|shop, store| shop.call_total(store, 4));
    assert_eq!(sum.unwrap(), 30);
    assert_eq!(lease.embedder().unwrap().notes, [10, 30]);
}

#[tokio::test]
async fn a_warm_up_runs_before_an_instance_is_lent() {
    let by_closure = waiting_shop(Reuse::Never).warm_up(|shop, store| {
        Box::pin(async move {
            shop.call_total(&mut *store, 3).await?;
            store.data_mut().embedder_mut().markup = 2;
            Ok(())
        })
    });
    let by_name = waiting_shop(Reuse::Never)
        .warm_up_invoke("total", &[Val::U32(3)])
        .unwrap();
    for (builder, sum) in [(by_closure, 20), (by_name, 10)] {
        let pool = builder.build().unwrap();
        for _ in 0..3 {
            let mut lease = pool.lease().await.unwrap();
            assert_eq!(lease.embedder().unwrap().notes, [6]);
            let answer = lease.invoke("total", &[Val::U32(4)]).await.unwrap();
            assert_eq!(number(answer), sum);
        }
    }
}

#[test]
fn a_warm_up_runs_on_the_blocking_face() {
    let by_closure =
        direct_shop(Reuse::Never).warm_up(|shop, store| shop.call_total(store, 3).map(drop));
    let by_name = direct_shop(Reuse::Never)
        .warm_up_invoke("total", &[Val::U32(3)])
        .unwrap();
    for builder in [by_closure, by_name] {
        let pool = builder.build().unwrap();
        assert_eq!(pool.lease().unwrap().embedder().unwrap().notes, [6]);
    }
}

/// Made ahead too, where its thread has nothing else to do: the warm-up may look at the time while the
/// guest computes.
#[tokio::test]
async fn a_warm_up_can_bound_its_guest() {
    let mut config = config(1, always());
    config.min_warm = 1;
    config.limits.deadline = Duration::MAX;
    let pool = Pool::builder(&load(&host(), SHOP), config, Till::new)
        .imports(|linker| {
            waiting::Shop::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut)
        })
        .warm_up(|shop: &waiting::Shop, store| {
            Box::pin(async move {
                let total = shop.call_total(store, u32::MAX);
                let in_time = tokio::time::timeout(Duration::from_millis(20), total).await;
                in_time.map_err(wasmtime::Error::from)??;
                Ok(())
            })
        })
        .build()
        .unwrap();
    until_stats(&pool, "refill gives up", |stats| stats.start_failures > 0).await;
}

#[tokio::test]
async fn an_instance_whose_warm_up_failed_is_not_lent() {
    let trap = waiting_shop(always())
        .warm_up_invoke("total", &[Val::U32(13)])
        .unwrap();
    let error = waiting_shop(always())
        .warm_up(|_, _| Box::pin(async { Err(wasmtime::Error::msg("cold hands")) }));
    let panic = waiting_shop(always()).warm_up(|_, _| Box::pin(async { panic!("hot hands") }));
    let cases: [(_, fn(&CallError) -> bool); 3] = [
        (trap, |source| matches!(source, CallError::Trap(_))),
        (error, |source| matches!(source, CallError::Host(_))),
        (panic, |source| {
            matches!(source, CallError::HostPanic { .. })
        }),
    ];
    for (builder, expected) in cases {
        let pool = builder.build().unwrap();
        for n in 1..=3 {
            let error = pool.lease().await.unwrap_err();
            match &error {
                CallError::WarmUp(source) => assert!(expected(source), "{error:?}"),
                // A panic is told the same wherever it came from.
                CallError::Start(source) => assert!(expected(source), "{error:?}"),
                _ => panic!("{error:?}"),
            }
            let stats = pool.stats();
            assert_eq!((stats.start_failures, crate::support::used(&stats)), (n, 0));
        }
    }
}

#[test]
fn a_warm_up_that_cannot_be_called_gives_no_pool() {
    for (name, params) in [("totals", [Val::U32(1)]), ("total", [Val::S32(1)])] {
        let error = direct_shop(always())
            .warm_up_invoke(name, &params)
            .unwrap_err();
        assert!(matches!(error, PoolError::World(_)), "{error:?}");
    }
}

#[test]
fn every_missing_import_is_named() {
    let component = load(&host(), SHOP);
    let error = blocking::Pool::<()>::new(&component, config(1, always())).unwrap_err();
    let PoolError::MissingImports { missing, .. } = error else {
        panic!("{error:?}")
    };
    let names: Vec<_> = missing.iter().map(|import| import.name.as_str()).collect();
    assert_eq!(names, ["demo:shop/prices", "note"]);

    let pool = blocking::Pool::<(), ()>::builder(&component, config(1, always()), || ());
    let error = pool
        .imports(|linker| linker.root().func_wrap("note", |_, (_,): (u32,)| Ok(())))
        .build()
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("nothing provides demo:shop/prices ("),
        "{error}"
    );
}

#[test]
fn what_does_not_fit_gives_no_pool() {
    let shop = load(&host(), SHOP);
    let wrong_type = blocking::Pool::<(), Till>::builder(&shop, config(1, always()), Till::new)
        .imports(|linker| direct::Shop::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut))
        .imports(|linker| linker.root().func_wrap("note", |_, (_,): (String,)| Ok(())))
        .build()
        .unwrap_err();
    assert!(matches!(wrong_type, PoolError::Link(_)), "{wrong_type:?}");
    let no_shop = load(&host(), COUNTER)
        .pool::<waiting::Shop>(config(1, always()))
        .unwrap_err();
    assert!(matches!(no_shop, PoolError::World(_)), "{no_shop:?}");
}
