//! A resource of the real guests, by its handle in a lease.

use prewarm::{CallError, ValueError};
use serde_json::{Value, json};

use crate::logs::{Directory, GUESTS, LOG, direct, options, waiting};

/// What a session that was fed the log in three pieces says, and what one call says of it.
fn pieces() -> [&'static str; 3] {
    let (start, rest) = LOG.split_at(LOG.len() / 3);
    let (middle, end) = rest.split_at(rest.len() / 2);
    [start, middle, end]
}

macro_rules! session {
    ($lease:ident $($wait:tt)*) => {{
        let made = $lease.invoke_json("session", &json!([options()])) $($wait)*.unwrap();
        assert_eq!(made, json!({ "handle": 1 }));
        let settings = $lease.invoke_json("session.settings", &json!([made])) $($wait)*.unwrap();
        assert_eq!(settings, options());
        let mut lines = Vec::new();
        for piece in pieces() {
            let fed = $lease.invoke_json("session.feed", &json!([made, piece])) $($wait)*;
            lines.push(fed.unwrap().as_u64().unwrap());
        }
        assert!(lines.is_sorted() && lines[0] > 0, "{lines:?}");
        assert_eq!(lines[2], LOG.lines().count() as u64);
        $lease.invoke_json("session.finish", &json!([made])) $($wait)*.unwrap()
    }};
}

#[tokio::test]
async fn sums_up_what_comes_in_pieces() {
    for (language, component) in &*GUESTS {
        let pool = waiting(component, Directory::default());
        let expected: Value = pool
            .invoke_json("analyze", &json!([LOG, options()]))
            .await
            .unwrap();
        let mut lease = pool.lease().await.unwrap();
        assert_eq!(session!(lease.await), expected, "{language}");
        drop(lease);
        // It still had a resource in it, so it was not lent again.
        assert_eq!(pool.stats().retired_faulty, 1, "{language}");

        let component = component.clone();
        let found = tokio::task::spawn_blocking(move || {
            let pool = direct(&component, Directory::default());
            let mut lease = pool.lease().unwrap();
            session!(lease)
        });
        assert_eq!(found.await.unwrap(), expected, "{language}, blocking");
    }
}

#[tokio::test]
async fn two_sessions_of_one_instance_do_not_mix() {
    for (language, component) in &*GUESTS {
        let pool = waiting(component, Directory::default());
        let mut lease = pool.lease().await.unwrap();
        for handle in [1, 2] {
            let made = lease
                .invoke_json("session", &json!([options()]))
                .await
                .unwrap();
            assert_eq!(made, json!({ "handle": handle }));
        }
        for (handle, text, lines) in [(1, "a\nb\n", 2), (2, "c\n", 1), (1, "d\n", 3)] {
            let params = json!([{ "handle": handle }, text]);
            let fed = lease.invoke_json("session.feed", &params).await.unwrap();
            assert_eq!(fed, json!(lines), "{language}");
        }
        let wave = lease
            .invoke_wave("session.feed", r#"handle(2), "e\n""#)
            .await
            .unwrap();
        assert_eq!(wave, "2", "{language}");
    }
}

#[tokio::test]
async fn a_handle_means_nothing_elsewhere() {
    let (_, component) = &GUESTS[0];
    let pool = waiting(component, Directory::default());
    let made = pool
        .invoke_json("session", &json!([options()]))
        .await
        .unwrap();
    // The instance is gone, and the resource with it: only a lease keeps handles.
    let error = pool
        .invoke_json("session.settings", &json!([made]))
        .await
        .unwrap_err();
    assert!(
        matches!(error, CallError::Value(ValueError::UnknownHandle { .. })),
        "{error:?}"
    );
    let mut lease = pool.lease().await.unwrap();
    let error = lease
        .invoke_json("session.settings", &json!([{ "handle": 7 }]))
        .await
        .unwrap_err();
    assert!(
        matches!(error, CallError::Value(ValueError::UnknownHandle { .. })),
        "{error:?}"
    );
    // A wrong argument is no fault of the instance's.
    lease
        .invoke_json("session", &json!([options()]))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_instance_whose_resources_were_dropped_is_lent_again() {
    for (language, component) in &*GUESTS {
        let pool = waiting(component, Directory::default());
        let mut lease = pool.lease().await.unwrap();
        let made = lease
            .invoke_json("session", &json!([options()]))
            .await
            .unwrap();
        lease.drop_resource(1).await.unwrap();
        let error = lease
            .invoke_json("session.settings", &json!([made]))
            .await
            .unwrap_err();
        assert!(
            matches!(error, CallError::Value(ValueError::SpentHandle { .. })),
            "{error:?}"
        );
        let error = lease.drop_resource(7).await.unwrap_err();
        assert_eq!(error.to_string(), "the handle: there is no handle 7");
        drop(lease);
        assert_eq!(pool.stats().retired_faulty, 0, "{language}");

        let component = component.clone();
        let blocking = move || {
            let pool = direct(&component, Directory::default());
            let mut lease = pool.lease().unwrap();
            lease.invoke_json("session", &json!([options()])).unwrap();
            lease.drop_resource(1).unwrap();
            let error = lease.drop_resource(1).unwrap_err();
            assert!(
                matches!(error, CallError::Value(ValueError::SpentHandle { .. })),
                "{error:?}"
            );
            drop(lease);
            pool.stats().retired_faulty
        };
        let faulty = tokio::task::spawn_blocking(blocking).await.unwrap();
        assert_eq!(faulty, 0, "{language}");
    }
}
