//! Calls without generated code: by name, with parameters as JSON, as WAVE text or as values.

#![allow(clippy::print_stdout, reason = "an example says what it does")]

use prewarm::{CallError, Host, HostConfig, PoolConfig, Val};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = Host::new(HostConfig::default())?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/wat/text.wat");
    let component = host.load(path).await?;

    println!("it exports");
    for function in component.exports().iter() {
        println!("  {}", function.wit());
    }

    let pool = component.pool::<()>(PoolConfig::new(4))?;

    let answer = pool.invoke_json("shout", &json!(["hello"])).await?;
    println!("JSON, in order: {answer}");
    assert_eq!(answer, json!("HELLO"));

    let params = json!({ "text": "ha", "times": 3 });
    let answer = pool.invoke_json("repeat", &params).await?;
    println!("JSON, by name: {answer}");
    assert_eq!(answer, json!({ "ok": "hahaha" }));

    let answer = pool.invoke_wave("repeat", r#""ha", 0"#).await?;
    println!("WAVE: {answer}");
    assert_eq!(answer, r#"err("at least once, please")"#);

    let text = Val::String("hello".into());
    let answer = pool.invoke("demo:text/tools@1.0.0#shout", &[text]).await?;
    println!("values, by the full name: {answer:?}");
    assert_eq!(answer, Some(Val::String("HELLO".into())));

    // What does not fit is refused before an instance is touched, and says where it does not.
    let error = pool.invoke_json("repeat", &json!(["ha", -1])).await;
    let error = error.expect_err("-1 is no u32");
    println!("refused: {error}");
    assert!(matches!(error, CallError::Value(_)));

    pool.close().await;
    Ok(())
}
