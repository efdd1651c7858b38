//! Each guest, called very often: what it keeps is bounded, and what a fresh instance left is gone.

use std::sync::atomic::{AtomicUsize, Ordering};

use prewarm::{PoolConfig, Reuse, blocking};

use serde_json::json;

use super::faces::{Keeper, pool_on_a_thread};
use super::rows::{Row, rows};
use crate::logs::direct::Logs;
use crate::logs::direct::example::logs::types::{Options, Secrets};

const CALLS: usize = 100_000;

/// Does the same for each guest, on as many threads as run at a time.
fn for_each_row(work: impl Fn(&Row) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(row) = rows().get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(row);
                }
            });
        }
    });
}

/// A short call, and now and then one that makes a resource and asks the host.
fn call(row: &Row, pool: &blocking::Pool<Logs, Keeper>, number: usize) {
    let text = format!("{number} 10:20:30 gzip:amd64");
    let stars = "*".repeat(8);
    let redacted = pool.call(|logs, store| logs.call_redact(store, &text, Secrets::TIMES, '*'));
    let redacted = redacted.unwrap_or_else(|error| panic!("{}, call {number}: {error}", row.name));
    assert_eq!(
        redacted.text,
        format!("{number} {stars} gzip:amd64"),
        "{}",
        row.name
    );
    if number.is_multiple_of(100) {
        let log = "2026-05-09 10:20:30 status installed nginx:amd64 1.12-1\n".repeat(20);
        let options = Options {
            skip: 0,
            since: None,
            top: 5,
            quiet: 60.0,
            strict: true,
        };
        let summary = pool.call(|logs, store| {
            let sessions = logs.example_logs_sessions();
            let session = sessions.session().call_constructor(&mut *store, options)?;
            sessions.session().call_feed(&mut *store, session, &log)?;
            let summary = sessions.session().call_finish(&mut *store, session)?;
            session.resource_drop(store)?;
            Ok(summary)
        });
        let summary = summary.unwrap_or_else(|error| panic!("{}: {error}", row.name));
        assert_eq!(summary.unwrap().entries, 20, "{}", row.name);
    }
}

fn settings(row: &Row, reuse: Reuse) -> PoolConfig {
    let mut config = PoolConfig::new(2);
    config.reuse = reuse;
    config.limits.memory_bytes = row.ceiling;
    config
}

/// For a guest of a smaller world.
fn redact_often(row: &Row) {
    let config = settings(row, Reuse::Calls(u32::MAX..=u32::MAX));
    let pool = blocking::Pool::<()>::new(row.component(), config).unwrap();
    let params = json!(["10:20:30 gzip:amd64", ["times"], "*"]);
    for _ in 0..CALLS {
        let answer = pool.invoke_json("redact", &params).unwrap();
        assert_eq!(answer["text"], "******** gzip:amd64", "{}", row.name);
    }
    assert_eq!(pool.stats().started, 1, "{}", row.name);
}

#[test]
fn memory_is_bounded_however_often_an_instance_is_called() {
    for_each_row(|row| {
        if !row.is_whole() {
            return redact_often(row);
        }
        let config = settings(row, Reuse::Calls(u32::MAX..=u32::MAX));
        let pool = pool_on_a_thread(row, Keeper::Labels, config);
        for number in 0..CALLS {
            call(row, &pool, number);
        }
        let stats = pool.stats();
        assert_eq!((stats.started, stats.idle), (1, 1), "{}", row.name);
        pool.close();
    });
}

#[test]
fn fresh_instances_leave_nothing() {
    for_each_row(|row| {
        if !row.is_whole() {
            return;
        }
        let pool = pool_on_a_thread(row, Keeper::Labels, settings(row, Reuse::Never));
        for number in 0..1000 {
            call(row, &pool, number);
        }
        pool.close();
        let stats = pool.stats();
        assert_eq!(stats.warm + stats.cold, 1010, "{}", row.name);
        assert!(stats.started >= 1010, "{}: {stats:?}", row.name);
        assert_eq!(
            (stats.idle, stats.leased, stats.starting, stats.dying),
            (0, 0, 0, 0),
            "{}",
            row.name
        );
    });
}
