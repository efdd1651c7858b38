//! A typed call: `bindgen!` makes Rust of a WIT world, one line joins it to a pool.

#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::time::Duration;

use prewarm::{Host, HostConfig, PoolConfig};
use text::TextTools;

mod text {
    prewarm::wasmtime::component::bindgen!({
        path: "examples/wat/text.wit",
        exports: { default: async },
        wasmtime_crate: prewarm::wasmtime,
    });
    prewarm::world!(TextTools, TextToolsIndices);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::new(HostConfig::default())?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/wat/text.wat");
    let component = host.load(path).await?;

    let mut config = PoolConfig::new(8);
    config.min_warm = 2;
    config.limits.memory_bytes = 16 << 20;
    config.limits.deadline = Duration::from_secs(1);
    let pool = component.pool::<TextTools>(config)?;

    let loud = pool
        .call(async |world, store| world.demo_text_tools().call_shout(store, "hello").await)
        .await?;
    println!("shout: {loud}");
    assert_eq!(loud, "HELLO");

    // A `result` is an answer, whichever case it has: the outer error is of the call.
    let twice = pool
        .call(async |world, store| world.demo_text_tools().call_repeat(store, "ha", 0).await)
        .await?;
    println!("repeat: {twice:?}");
    assert_eq!(twice, Err("at least once, please".to_owned()));

    // Calls run side by side, each on an instance of its own.
    let mut calls = tokio::task::JoinSet::new();
    for times in 1..=20 {
        let pool = pool.clone();
        calls.spawn(async move {
            pool.call(async |world, store| {
                world
                    .demo_text_tools()
                    .call_repeat(store, "ha", times)
                    .await
            })
            .with_receipt()
            .await
        });
    }
    let mut warm = 0;
    while let Some(call) = calls.join_next().await {
        let (laugh, receipt) = call??;
        assert!(laugh.is_ok_and(|laugh| laugh.starts_with("ha")));
        warm += u32::from(receipt.warm);
    }
    println!("20 calls, {warm} of them met an instance that stood ready");

    pool.close().await;
    println!("{:?}", pool.stats());
    assert_eq!(pool.stats().idle, 0);
    Ok(())
}
