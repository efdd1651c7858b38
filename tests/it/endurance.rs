//! Many calls of one instance, of all sizes: where a guest's memory goes wrong, if it does.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use prewarm::{Component, Grants, Output, PoolConfig, Reuse, State, blocking};
use wasmtime::component::HasSelf;

use crate::logs::direct::example::logs::types::{Options, Secrets};
use crate::logs::direct::{self, Logs};
use crate::logs::{Directory, GUESTS, LOG};

/// One instance.
fn pool(component: &Component) -> blocking::Pool<Logs, Directory> {
    let mut config = PoolConfig::new(1);
    config.reuse = Reuse::Calls(u32::MAX..=u32::MAX);
    config.limits.deadline = Duration::MAX;
    config.grants = Grants::none().stderr(Output::lines(|line| eprintln!("{line}")));
    blocking::Pool::builder(component, config, Directory::default)
        .imports(|linker| Logs::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut))
        .build()
        .unwrap()
}

static LONG: LazyLock<String> = LazyLock::new(|| LOG.repeat(16));

/// The text and the kind of the nth call: mostly short, now and then long.
fn nth(n: usize) -> (&'static str, usize) {
    let size = match n {
        _ if n % 100 == 99 => LOG.len() * (1 + n / 100 % 16),
        _ => n * 37 % 2000,
    };
    (&LONG[..size], n % 3)
}

/// What a guest says, and the most memory that it held.
fn answer(pool: &blocking::Pool<Logs, Directory>, (text, kind): (&str, usize)) -> (String, u64) {
    let options = Options {
        skip: 1,
        since: None,
        top: 3,
        quiet: 0.5,
        strict: false,
    };
    // Not `all`, which has bits that no secret has.
    let secrets = Secrets::TIMES | Secrets::EMAILS | Secrets::VERSIONS | Secrets::PACKAGES;
    let call = |logs: &Logs, mut store: &mut wasmtime::Store<State<Directory>>| {
        Ok::<_, wasmtime::Error>(match kind {
            0 => format!("{:?}", logs.call_analyze(&mut store, text, options)?),
            1 => format!("{:?}", logs.call_redact(&mut store, text, secrets, '█')?),
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
    let (answer, receipt) = pool.call_with_receipt(call).unwrap();
    (answer, receipt.peak_memory_bytes)
}

/// Calls one instance of every guest so often, each answer held against the first guest's.
fn endure(calls: usize, languages: &[&str]) {
    let mut expected = HashMap::new();
    let oracle = pool(&GUESTS[0].1);
    for (language, component) in &*GUESTS {
        if !languages.is_empty() && !languages.contains(language) {
            continue;
        }
        let pool = pool(component);
        let mut most = [0; 2];
        for n in 0..calls {
            let (text, kind) = nth(n);
            let (answer, memory) = answer(&pool, (text, kind));
            let expected = expected
                .entry((text.len(), kind))
                .or_insert_with(|| self::answer(&oracle, (text, kind)).0);
            assert!(answer == *expected, "{language}, call {n}");
            let half = usize::from(n >= calls / 2);
            most[half] = most[half].max(memory);
        }
        let stats = pool.stats();
        assert_eq!(stats.started, 1, "{language}");
        eprintln!("{language}: {calls} calls, {most:?} bytes at most in each half");
    }
}

#[test]
fn a_guest_answers_call_after_call() {
    endure(300, &[]);
}

/// `PREWARM_CALLS=100000 PREWARM_LANGUAGES=go cargo test --workspace --test it -- --ignored --nocapture endurance`
#[test]
#[ignore = "takes minutes, to be run when a guest's runtime changes"]
fn a_guest_answers_for_long() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let calls = variable("PREWARM_CALLS").parse().unwrap_or(100_000);
    let languages = variable("PREWARM_LANGUAGES");
    endure(calls, &languages.split_terminator(',').collect::<Vec<_>>());
}
