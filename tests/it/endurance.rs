//! Many calls of one instance, of all sizes: where a guest's memory goes wrong, if it does.

use std::collections::HashMap;

use prewarm::{Component, Grants, Output, PoolConfig, Reuse, State, blocking};
use wasmtime::component::HasSelf;

use crate::logs::direct::example::logs::types::{Options, Secrets};
use crate::logs::direct::{self, Logs};
use crate::logs::{Directory, GUESTS, LOG};

/// One instance, with as much memory as an embedder might give it.
fn pool(component: &Component) -> blocking::Pool<Logs, Directory> {
    let mut config = PoolConfig::new(1);
    config.reuse = Reuse::Calls(u32::MAX..=u32::MAX);
    config.limits.memory_bytes = 128 << 20;
    config.grants = Grants::none().stderr(Output::lines(|line| eprintln!("{line}")));
    blocking::Pool::builder(component, config, Directory::default)
        .imports(|linker| Logs::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut))
        .build()
        .unwrap()
}

/// The text and the kind of the nth call: mostly short, now and then the whole log.
fn nth(n: usize) -> (&'static str, usize) {
    let size = match n {
        _ if n % 1000 == 999 => LOG.len(),
        _ if n % 100 == 99 => 40_000,
        _ => n * 37 % 2000,
    };
    (&LOG[..size], n % 3)
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
    let call = |logs: &Logs, mut store: &mut wasmtime::Store<State<Directory>>| {
        Ok::<_, wasmtime::Error>(match kind {
            0 => format!("{:?}", logs.call_analyze(&mut store, text, options)?),
            1 => format!(
                "{:?}",
                logs.call_redact(&mut store, text, Secrets::all(), '█')?
            ),
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
