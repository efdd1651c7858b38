//! A typed call, spawned, and a blocking one.

use prewarm::{Host, HostConfig, PoolConfig, Reuse, Val, Wasm};

wasmtime::component::bindgen!({
    inline: "package demo:text; world adder { export add: func(a: u32, b: u32) -> u32; }",
    exports: { default: async },
});

prewarm::world!(Adder, AdderIndices);

const ADD: &str = r#"(component
    (core module $m (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_calls_can_be_spawned() {
    let mut config = HostConfig::default();
    config.cache.enabled = false;
    let host = Host::new(config).unwrap();
    let component = host.load(Wasm::wat(ADD)).await.unwrap();
    for reuse in [Reuse::Never, Reuse::Calls(3..=5)] {
        let mut config = PoolConfig::new(4);
        config.reuse = reuse;
        let pool = component.pool::<Adder>(config).unwrap();
        let mut tasks = Vec::new();
        for n in 0..100u32 {
            let pool = pool.clone();
            tasks.push(tokio::spawn(async move {
                pool.call(async |adder, store| adder.call_add(store, n, 1).await)
                    .await
            }));
        }
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap().unwrap(), n as u32 + 1);
        }
        let answer = pool
            .invoke_json("add", &serde_json::json!([1, 2]))
            .await
            .unwrap();
        assert_eq!(answer, serde_json::json!(3));
        let (answer, receipt) = pool
            .invoke_wave("add", "1, 2")
            .with_receipt()
            .await
            .unwrap();
        assert_eq!(answer, "3");
        println!("{receipt:?} {:?}", pool.stats());
        pool.close().await;
        println!("{:?}", pool.stats());
    }
}

#[test]
fn blocking() {
    let host = Host::new(HostConfig::default()).unwrap();
    let component = host.load_blocking(Wasm::wat(ADD)).unwrap();
    let pool = prewarm::blocking::Pool::<()>::new(&component, PoolConfig::new(4)).unwrap();
    for n in 0..1000u32 {
        assert_eq!(
            pool.invoke("add", &[Val::U32(n), Val::U32(1)]).unwrap(),
            Some(Val::U32(n + 1))
        );
    }
    println!("{:?}", pool.stats());
    pool.close();
}
