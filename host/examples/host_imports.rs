//! Host imports of one's own, over a value that each instance has: asynchronous and blocking.

#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::collections::HashMap;
use std::sync::Arc;

use prewarm::wasmtime::component::HasSelf;
use prewarm::wasmtime::{Error, Result};
use prewarm::{Host, HostConfig, Pool, PoolConfig, State, blocking};

/// What each instance has: a list that all share, and a count of its own.
struct Shop {
    prices: Arc<HashMap<&'static str, u32>>,
    asked: u32,
}

impl Shop {
    fn look_up(&mut self, item: &str) -> Result<u32> {
        self.asked += 1;
        let price = self.prices.get(item).copied();
        price.ok_or_else(|| Error::msg(format!("nobody sells {item:?}")))
    }
}

mod awaited {
    prewarm::wasmtime::component::bindgen!({
        path: "examples/wat/till.wit",
        imports: { default: async | trappable },
        exports: { default: async },
        wasmtime_crate: prewarm::wasmtime,
    });
    prewarm::world!(Till, TillIndices);

    impl demo::till::prices::Host for super::Shop {
        async fn price(&mut self, item: String) -> super::Result<u32> {
            tokio::task::yield_now().await; // a database, say
            self.look_up(&item)
        }
    }
}

mod direct {
    prewarm::wasmtime::component::bindgen!({
        path: "examples/wat/till.wit",
        imports: { default: trappable },
        wasmtime_crate: prewarm::wasmtime,
    });
    prewarm::world!(Till, TillIndices);

    impl demo::till::prices::Host for super::Shop {
        fn price(&mut self, item: String) -> super::Result<u32> {
            self.look_up(&item)
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::new(HostConfig::default())?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/wat/till.wat");
    let component = host.load(path).await?;
    let prices = Arc::new(HashMap::from([("apple", 40), ("pear", 55)]));
    let shop = move || Shop {
        prices: Arc::clone(&prices),
        asked: 0,
    };
    let items = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };

    // Without the import there is no pool, and the error says what is missing.
    let error = component.pool::<()>(PoolConfig::new(1)).err();
    let error = error.expect("nobody gives prices");
    println!("without imports: {error}");
    assert!(error.to_string().contains("demo:till/prices"));

    let pool = Pool::<awaited::Till, Shop>::builder(&component, PoolConfig::new(4), shop.clone())
        .imports(|linker| {
            awaited::Till::add_to_linker::<_, HasSelf<Shop>>(linker, State::embedder_mut)
        })
        .build()?;
    let two = items(&["apple", "pear"]);
    let total = pool
        .call(async |till, store| till.call_total(store, &two).await)
        .await?;
    println!("an apple and a pear: {total}");
    assert_eq!(total, 95);

    // An error of a host function ends the call and is its source.
    let plum = items(&["plum"]);
    let error = pool
        .call(async |till, store| till.call_total(store, &plum).await)
        .await
        .expect_err("there are no plums");
    let told = format!("{:#}", anyhow::Error::from(error));
    println!("a plum: {told}");
    assert!(told.contains("nobody sells \"plum\""));

    // A lease reads and sets the value of its instance between calls.
    let mut lease = pool.lease().await?;
    lease
        .call(async |till, store| till.call_total(store, &two).await)
        .await?;
    assert_eq!(lease.embedder().map(|shop| shop.asked), Some(2));
    drop(lease);
    pool.close().await;

    let pool = blocking::Pool::<direct::Till, Shop>::builder(&component, PoolConfig::new(4), shop)
        .imports(|linker| {
            direct::Till::add_to_linker::<_, HasSelf<Shop>>(linker, State::embedder_mut)
        })
        .build()?;
    let total = pool.call(|till, store| till.call_total(store, &two))?;
    println!("the same on this thread: {total}");
    assert_eq!(total, 95);
    pool.close();
    Ok(())
}
