//! How a snapshot is found again, without being made.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use prewarm::{Host, Origin, Reuse, SnapshotError};

use crate::snapshot::{LAZY, attempt, lazy, load, settings};
use crate::support::{AnyPool, FACES, config, counter, host, host_with};

fn cached(folder: &Path) -> Host {
    host_with(|config| {
        config.cache.enabled = true;
        config.cache.dir = Some(folder.to_owned());
    })
}

/// Asks the host what it becomes.
pub(crate) const ASKING: &str = r#"(component
    (import "ask" (func $ask (result u32)))
    (core func $ask (canon lower (func $ask)))
    (core module $m (import "" "ask" (func $ask (result i32)))
        (global $told (mut i32) (i32.const 0))
        (func (export "init") (global.set $told (call $ask)))
        (func (export "told") (result i32) (global.get $told)))
    (core instance $i (instantiate $m (with "" (instance (export "ask" (func $ask))))))
    (func (export "init") (canon lift (core func $i "init")))
    (func (export "told") (result u32) (canon lift (core func $i "told"))))"#;

/// A snapshot with a host function that answers how often it was asked.
fn asking(host: &Host, depends_on: Option<&str>, asked: &'static AtomicUsize) -> (u32, Origin) {
    let mut settings = settings("init", &[], ASKING);
    settings.depends_on = depends_on.map(str::to_owned);
    let ask = |asked: &'static AtomicUsize| {
        move |linker: &mut wasmtime::component::Linker<prewarm::State<u8>>| {
            linker.root().func_wrap("ask", move |_, (): ()| {
                let before = asked.fetch_add(1, Ordering::SeqCst);
                Ok((u32::try_from(before)? + 1,))
            })
        }
    };
    let snapshot = load(host, ASKING)
        .snapshot_builder(settings, || 7)
        .imports(ask(asked))
        .load_blocking()
        .unwrap();
    let pool = AnyPool::with(
        FACES[1],
        &snapshot,
        config(1, Reuse::Never),
        || 7,
        ask(counter()),
    );
    (pool.unwrap().number("told").unwrap(), snapshot.origin())
}

#[test]
fn a_second_host_finds_the_snapshot_and_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let asked = counter();
    let is_compiled = |origin| matches!(origin, Origin::Compiled { .. });
    let (told, origin) = asking(&cached(folder.path()), Some("v1"), asked);
    assert!(told == 1 && is_compiled(origin), "{told} {origin:?}");
    for _ in 0..2 {
        let found = asking(&cached(folder.path()), Some("v1"), asked);
        assert_eq!(found, (1, Origin::Cache));
    }
    // Another recipe is another snapshot, and what nothing is known of is never found.
    assert_eq!(asking(&cached(folder.path()), Some("v2"), asked).0, 2);
    assert_eq!(asking(&cached(folder.path()), None, asked).0, 3);
    assert_eq!(asking(&cached(folder.path()), None, asked).0, 4);
    assert_eq!(asking(&cached(folder.path()), Some("v2"), asked).0, 2);
    assert_eq!(asked.load(Ordering::SeqCst), 4);

    // A host that has it loaded finds it without a cache.
    let host = host();
    let mut settings_ = lazy();
    let component = load(&host, LAZY);
    let first = component.snapshot_blocking(settings_.clone()).unwrap();
    settings_.wasm = None;
    let second = component.snapshot_blocking(settings_).unwrap();
    assert_eq!(first.id(), second.id());
}

#[test]
fn a_snapshot_whose_entry_is_gone_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let fetch = || {
        let host = cached(folder.path());
        let snapshot = load(&host, LAZY).snapshot_blocking(lazy()).unwrap();
        (snapshot.origin(), snapshot.id().to_owned())
    };
    let (_, id) = fetch();
    assert_eq!(fetch(), (Origin::Cache, id.clone()));
    // An entry is named after its component.
    let mut folders = vec![folder.path().to_owned()];
    let mut removed = 0;
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if name.starts_with(&id[..16]) {
                fs::remove_file(path).unwrap();
                removed += 1;
            }
        }
    }
    assert!(removed > 0);
    let (origin, again) = fetch();
    assert!(matches!(origin, Origin::Compiled { .. }), "{origin:?}");
    assert_eq!(again, id);
}

#[test]
fn what_is_missing_is_named() {
    let error = attempt(ASKING, |_| {}).unwrap_err();
    let chain = crate::support::chain(&error);
    assert!(matches!(error, SnapshotError::Prepare(_)), "{error:?}");
    assert!(chain[1].contains("ask"), "{chain:?}");
}
