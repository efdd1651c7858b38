//! The real guests by generated code, on both faces.

use prewarm::{Handles, Pool, blocking};
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

/// Component values, WAVE, JSON and generated code, by the pool and by a lease.
#[tokio::test]
async fn every_form_of_a_call_agrees() {
    let text = "2026-05-09 10:20:30 status installed gzip:amd64 1.12-1 äöü";
    let hidden = "********** ******** status installed gzip:amd64 1.12-1 äöü";
    for (language, component) in &*GUESTS {
        let pool = waiting(component, Directory::default());
        let json = json!([text, ["times"], "*"]);
        let wave = format!("{text:?}, {{times}}, '*'");
        let function = pool.component().exports().find("redact").unwrap();
        let params = function
            .params_from_json(&json, &mut Handles::new())
            .unwrap();
        let named = json!({ "text": text, "what": ["times"], "mask": "*" });

        let mut answers = Vec::new();
        let mut values = vec![pool.invoke("redact", &params).await.unwrap()];
        answers.push(pool.invoke_json("redact", &json).await.unwrap());
        answers.push(pool.invoke_json("redact", &named).await.unwrap());
        let mut waves = vec![pool.invoke_wave("redact", &wave).await.unwrap()];
        let mut lease = pool.lease().await.unwrap();
        values.push(lease.invoke("redact", &params).await.unwrap());
        answers.push(lease.invoke_json("redact", &json).await.unwrap());
        waves.push(lease.invoke_wave("redact", &wave).await.unwrap());
        for value in values {
            let answer = function.results_to_json(value.into_iter().collect(), &mut Handles::new());
            answers.push(answer.unwrap());
        }
        for answer in answers {
            assert_eq!(answer["text"], hidden, "{language}");
            assert_eq!(answer["counts"], json!([[["times"], 2]]), "{language}");
        }
        for answer in waves {
            let expected = format!("{{text: {hidden:?}, counts: [({{times}}, 2)]}}");
            assert_eq!(answer, expected, "{language}");
        }
        let secrets = waiting::example::logs::types::Secrets::TIMES;
        let redacted = lease
            .call(async |logs, store| logs.call_redact(store, text, secrets, '*').await)
            .await
            .unwrap();
        assert_eq!(redacted.text, hidden, "{language}");
        assert_eq!(redacted.counts, [(secrets, 2)], "{language}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typed_calls_can_be_spawned_and_give_receipts() {
    let (_, component) = &GUESTS[0];
    let pool = waiting(component, Directory::default());
    let secrets = waiting::example::logs::types::Secrets::TIMES;
    let spawn = |n: usize| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let text = format!("10:20:30 {n}");
            pool.call(async |logs, store| logs.call_redact(store, &text, secrets, '*').await)
                .with_receipt()
                .await
        })
    };
    let tasks: Vec<_> = (0..50).map(spawn).collect();
    for (n, task) in tasks.into_iter().enumerate() {
        let (redacted, receipt) = task.await.unwrap().unwrap();
        assert_eq!(redacted.text, format!("******** {n}"));
        assert!(
            receipt.active <= receipt.wall && receipt.queued <= receipt.wall,
            "{receipt:?}"
        );
        assert_eq!(receipt.warm, receipt.start.is_zero(), "{receipt:?}");
        assert!(receipt.peak_memory_bytes >= 1 << 16, "{receipt:?}");
        assert_eq!((receipt.output_bytes, receipt.fuel), (0, None));
    }
}
