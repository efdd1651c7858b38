//! The real guests by generated code, on both faces.

use prewarm::{Pool, blocking};
use serde_json::json;

use crate::logs::{Directory, GUESTS, LOG, direct, options, waiting};

/// The typed faces, field by field.
macro_rules! typed {
    ($bindings:ident, $answer:expr) => {{
        use $bindings::example::logs::types::ParseError;
        let (summary, empty) = $answer;
        let summary = summary.unwrap();
        assert_eq!(
            (summary.lines, summary.entries, summary.unknown),
            (4487, 4487, 0)
        );
        assert_eq!(summary.span, Some((1_795_502_834, 1_795_504_173)));
        assert_eq!(summary.per_hour, 12_063.629_574_309_187);
        assert_eq!(summary.busiest[1].label.as_deref(), Some("server"));
        assert!(matches!(empty, Err(ParseError::Empty)));
    }};
}

macro_rules! typed_options {
    ($bindings:ident) => {
        $bindings::example::logs::types::Options {
            skip: 0,
            since: None,
            top: 5,
            quiet: 60.0,
            strict: false,
        }
    };
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_calls_agree_on_both_faces() {
    for (_, component) in &*GUESTS {
        let options = typed_options!(waiting);
        let pool = waiting(component, Directory::default());
        let analyze = async |pool: &Pool<waiting::Logs, _>, log| {
            pool.call(async |logs, store| logs.call_analyze(store, log, options).await)
                .await
                .unwrap()
        };
        typed!(
            waiting,
            (analyze(&pool, LOG).await, analyze(&pool, "").await,)
        );
        let component = component.clone();
        let direct = move || {
            let options = typed_options!(direct);
            let pool = direct(&component, Directory::default());
            let analyze = |pool: &blocking::Pool<direct::Logs, _>, log| {
                pool.call(|logs, store| logs.call_analyze(store, log, options))
                    .unwrap()
            };
            typed!(direct, (analyze(&pool, LOG), analyze(&pool, "")));
        };
        tokio::task::spawn_blocking(direct).await.unwrap();
    }
}

#[tokio::test]
async fn an_error_of_a_host_function_reaches_the_guest() {
    for (language, component) in &*GUESTS {
        let pool = waiting(component, Directory { refuses: true });
        let answer = pool.invoke_json("analyze", &json!([LOG, options()])).await;
        assert_eq!(
            answer.unwrap(),
            json!({ "err": { "lookup": { "busy": 5 } } }),
            "{language}"
        );
    }
}
