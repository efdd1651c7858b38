//! Functions of a component behind HTTP: `POST /shout` with a JSON array of parameters.
//!
//! Run as it is, it asks itself a few things and ends. With `--serve 127.0.0.1:8080` it serves:
//! `curl -d '["hello"]' -H content-type:application/json 127.0.0.1:8080/shout`.

#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use prewarm::{CallError, Fault, Host, HostConfig, Pool, PoolConfig};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Calls the function that the path names.
async fn call(
    State(pool): State<Pool>,
    Path(function): Path<String>,
    Json(params): Json<Value>,
) -> Result<Json<Value>, Failed> {
    // A client that goes away drops this future, which stops the guest.
    Ok(Json(pool.invoke_json(&function, &params).await?))
}

async fn health(State(pool): State<Pool>) -> String {
    format!("{:?}\n", pool.stats())
}

/// An error of a call, as HTTP has it.
struct Failed(CallError);

impl From<CallError> for Failed {
    fn from(error: CallError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = match &error {
            CallError::Resolve(_) => StatusCode::NOT_FOUND,
            CallError::Value(_) => StatusCode::BAD_REQUEST,
            CallError::Deadline { .. } => StatusCode::GATEWAY_TIMEOUT,
            error if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            error if error.fault() == Fault::Guest => StatusCode::BAD_GATEWAY,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({ "error": error.to_string() }))).into_response()
    }
}

async fn service() -> Result<(Router, Pool), prewarm::Error> {
    let host = Host::new(HostConfig::default())?;
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/wat/text.wat");
    let mut config = PoolConfig::new(16);
    config.min_warm = 2;
    config.max_queue = 64;
    config.limits.deadline = Duration::from_millis(250);
    let pool = host.load(path).await?.pool(config)?;
    let routes = Router::new()
        .route("/", get(health))
        .route("/{function}", post(call))
        .with_state(pool.clone());
    Ok((routes, pool))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (service, pool) = service().await?;
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, address] = &args[..]
        && flag == "--serve"
    {
        let listener = tokio::net::TcpListener::bind(address).await?;
        println!("serving at http://{}", listener.local_addr()?);
        axum::serve(listener, service).await?;
        return Ok(());
    }

    for (path, body, status, answer) in [
        ("/shout", r#"["hello"]"#, StatusCode::OK, r#""HELLO""#),
        (
            "/repeat",
            r#"{"text": "ha", "times": 2}"#,
            StatusCode::OK,
            r#"{"ok":"haha"}"#,
        ),
        ("/shout", "[1]", StatusCode::BAD_REQUEST, "expected string"),
        ("/whisper", "[]", StatusCode::NOT_FOUND, "no function"),
    ] {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from(body))?;
        let response = service.clone().oneshot(request).await?;
        let got = response.status();
        let text = String::from_utf8(to_bytes(response.into_body(), 1 << 20).await?.to_vec())?;
        println!("POST {path} {body}: {got} {text}");
        assert_eq!(got, status);
        assert!(text.contains(answer), "{text}");
    }
    pool.close().await;
    Ok(())
}
