//! Each guest, called very often: what it keeps is bounded, and what a fresh instance left is gone.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use prewarm::{PoolConfig, Reuse, State, blocking};
use serde_json::json;
use wasmtime::Store;

use super::faces::{Keeper, pool_on_a_thread};
use super::rows::{Row, rows};
use crate::logs::LOG;
use crate::logs::direct::Logs;
use crate::logs::direct::example::logs::types::{Options, Secrets};

const CALLS: usize = 100_000;

/// Does the same for each guest, on as many threads as the smallest machine runs at a time.
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

/// The text of the nth call: short, of any length up to 400, and now and then the whole log.
fn text(n: usize) -> &'static str {
    match n % 5000 {
        4999 => LOG,
        _ => &LOG[..n * 37 % 400],
    }
}

/// What a guest says to the nth call, and the most memory it held.
fn answer(row: &Row, pool: &blocking::Pool<Logs, Keeper>, n: usize) -> (String, u64) {
    let options = Options {
        skip: 1,
        since: None,
        top: 3,
        quiet: 0.5,
        strict: false,
    };
    // Not `all`, which has bits that no secret has.
    let secrets = Secrets::TIMES | Secrets::EMAILS | Secrets::VERSIONS | Secrets::PACKAGES;
    let text = text(n);
    let call = |logs: &Logs, mut store: &mut Store<State<Keeper>>| {
        Ok(match n % 3 {
            0 => format!("{:?}", logs.call_analyze(store, text, options)?),
            1 => format!("{:?}", logs.call_redact(store, text, secrets, '█')?),
            _ => {
                let session = logs.example_logs_sessions().session();
                let made = session.call_constructor(&mut store, options)?;
                for piece in [&text[..text.len() / 2], &text[text.len() / 2..]] {
                    session.call_feed(&mut store, made, piece)?;
                }
                let summary = session.call_finish(&mut store, made)?;
                made.resource_drop(&mut store)?;
                format!("{summary:?}")
            }
        })
    };
    let (answer, receipt) = pool
        .call_with_receipt(call)
        .unwrap_or_else(|error| panic!("{}, call {n}: {error}", row.name));
    (answer, receipt.peak_memory_bytes)
}

fn settings(row: &Row, reuse: Reuse) -> PoolConfig {
    let mut config = PoolConfig::new(2);
    config.reuse = reuse;
    config.limits.memory_bytes = row.ceiling;
    config
}

fn always() -> Reuse {
    Reuse::Calls(u32::MAX..=u32::MAX)
}

/// What the first guest says to the nth call.
fn expected(n: usize) -> String {
    type Said = HashMap<(usize, usize), String>;
    static SAID: LazyLock<(blocking::Pool<Logs, Keeper>, Mutex<Said>)> = LazyLock::new(|| {
        let first = &rows()[0];
        let pool = pool_on_a_thread(first, Keeper::Labels, settings(first, always()));
        (pool, Mutex::default())
    });
    let (pool, said) = &*SAID;
    let mut said = said.lock();
    said.entry((text(n).len(), n % 3))
        .or_insert_with(|| answer(&rows()[0], pool, n).0)
        .clone()
}

/// For a guest of a smaller world.
fn redact_often(row: &Row, reuse: Reuse, calls: usize) -> u64 {
    let pool = blocking::Pool::<()>::new(row.component(), settings(row, reuse)).unwrap();
    for n in 0..calls {
        let text = format!("{n} 10:20:30 gzip:amd64");
        let answer = pool.invoke_json("redact", &json!([text, ["times"], "*"]));
        let redacted = answer.unwrap_or_else(|error| panic!("{}, call {n}: {error}", row.name));
        assert_eq!(redacted["text"], format!("{n} ******** gzip:amd64"));
    }
    pool.close();
    pool.stats().started
}

#[test]
fn memory_is_bounded_however_often_an_instance_is_called() {
    for_each_row(|row| {
        if !row.is_whole() {
            assert_eq!(redact_often(row, always(), CALLS), 1, "{}", row.name);
            return;
        }
        let pool = pool_on_a_thread(row, Keeper::Labels, settings(row, always()));
        for n in 0..CALLS {
            let (answer, _) = answer(row, &pool, n);
            assert!(answer == expected(n), "{}, call {n}: {answer}", row.name);
        }
        assert_eq!(pool.stats().started, 1, "{}", row.name);
    });
}

#[test]
fn fresh_instances_leave_nothing() {
    let calls = 1000;
    for_each_row(|row| {
        if !row.is_whole() {
            assert!(redact_often(row, Reuse::Never, calls) >= calls as u64);
            return;
        }
        let pool = pool_on_a_thread(row, Keeper::Labels, settings(row, Reuse::Never));
        let mut first = HashMap::new();
        for n in 0..calls {
            let (answer, memory) = answer(row, &pool, n);
            assert!(answer == expected(n), "{}, call {n}", row.name);
            // The same call takes the same memory, whatever came before it.
            let before = *first.entry((text(n).len(), n % 3)).or_insert(memory);
            assert_eq!(memory, before, "{}, call {n}", row.name);
        }
        pool.close();
        let stats = pool.stats();
        assert!(stats.started >= calls as u64, "{}: {stats:?}", row.name);
        assert_eq!(
            (stats.idle, stats.leased, stats.starting, stats.dying),
            (0, 0, 0, 0),
            "{}",
            row.name
        );
    });
}
