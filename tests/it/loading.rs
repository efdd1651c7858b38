//! From a path, bytes or text to a component, by way of the cache or not.

use std::fs;
use std::path::Path;

use prewarm::{CacheStats, Fault, Host, LoadError, Origin, Wasm, blocking};

use crate::guests::COUNTER;
use crate::support::{always, config, files, host, host_with, number};

fn binary() -> Vec<u8> {
    wat::parse_str(COUNTER).unwrap()
}

#[tokio::test]
async fn a_component_comes_from_a_path_bytes_or_text() {
    let folder = tempfile::tempdir().unwrap();
    let (wasm, wat) = (folder.path().join("c.wasm"), folder.path().join("c.wat"));
    fs::write(&wasm, binary()).unwrap();
    fs::write(&wat, COUNTER).unwrap();
    let sources: [Wasm; 7] = [
        wasm.clone().into(),
        wasm.as_path().into(),
        wasm.to_str().unwrap().into(),
        wat.to_str().unwrap().to_owned().into(),
        binary().into(),
        binary().as_slice().into(),
        Wasm::wat(COUNTER),
    ];
    for source in sources {
        let component = host().load(source.clone()).await.unwrap();
        let pool = blocking::Pool::<()>::new(&component, config(1, always())).unwrap();
        assert_eq!(number(pool.invoke("next", &[]).unwrap()), 1, "{source:?}");
    }
}

#[test]
fn what_is_no_component_is_named() {
    type Expected = fn(&LoadError) -> bool;
    let folder = tempfile::tempdir().unwrap();
    let module = wat::parse_str("(module)").unwrap();
    let truncated = binary()[..60].to_vec();
    let mut corrupted = binary();
    corrupted[20] ^= 0xff;
    let mut version = binary();
    version[4] = 0x7f;
    let invalid = "(component (core module $m (func (result i32) i64.const 0)))";
    let cases: [(&str, Wasm, Expected, Fault); 12] = [
        (
            "a file that is not there",
            folder.path().join("gone").into(),
            |e| matches!(e, LoadError::Read { .. }),
            Fault::Caller,
        ),
        (
            "a folder",
            folder.path().into(),
            |e| matches!(e, LoadError::Read { .. }),
            Fault::Caller,
        ),
        (
            "nothing",
            Vec::new().into(),
            |e| matches!(e, LoadError::NotWasm { start, .. } if start.is_empty()),
            Fault::Caller,
        ),
        (
            "an executable",
            b"\x7fELF\x02\x01\x01\0\0".to_vec().into(),
            |e| matches!(e, LoadError::NotWasm { start, .. } if start.len() == 8),
            Fault::Caller,
        ),
        (
            "a text",
            b"Dear Sir".to_vec().into(),
            |e| matches!(e, LoadError::NotWasm { .. }),
            Fault::Caller,
        ),
        (
            "wrong text",
            Wasm::wat("(component (func))"),
            |e| matches!(e, LoadError::Text(_)),
            Fault::Caller,
        ),
        (
            "a core module",
            module.into(),
            |e| matches!(e, LoadError::CoreModule),
            Fault::Guest,
        ),
        (
            "a core module in text",
            Wasm::wat("(module)"),
            |e| matches!(e, LoadError::CoreModule),
            Fault::Guest,
        ),
        (
            "half a component",
            truncated.into(),
            |e| matches!(e, LoadError::Compile(_)),
            Fault::Guest,
        ),
        (
            "a corrupted component",
            corrupted.into(),
            |e| matches!(e, LoadError::Compile(_)),
            Fault::Guest,
        ),
        (
            "another version",
            version.into(),
            |e| matches!(e, LoadError::Compile(_)),
            Fault::Guest,
        ),
        (
            "invalid code",
            Wasm::wat(invalid),
            |e| matches!(e, LoadError::Compile(_)),
            Fault::Guest,
        ),
    ];
    let host = host();
    for (what, wasm, expected, fault) in cases {
        let error = host.load_blocking(wasm).map(drop).unwrap_err();
        assert!(expected(&error), "{what}: {error:?}");
        assert_eq!(error.fault(), fault, "{what}");
    }
}

fn cached(folder: &Path) -> Host {
    host_with(|config| {
        config.cache.enabled = true;
        config.cache.dir = Some(folder.to_owned());
    })
}

/// Loads the counter with a new host, calls it, and says where it came from.
fn fetch(folder: &Path) -> (Origin, CacheStats) {
    let host = cached(folder);
    let component = host.load_blocking(binary()).unwrap();
    let pool = blocking::Pool::<()>::new(&component, config(1, always())).unwrap();
    assert_eq!(number(pool.invoke("next", &[]).unwrap()), 1);
    (component.origin(), host.cache_stats().unwrap())
}

#[test]
fn a_second_host_loads_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let (origin, stats) = fetch(folder.path());
    assert!(matches!(origin, Origin::Compiled { .. }));
    assert_eq!((stats.hits, stats.refused), (0, 0));
    for _ in 0..2 {
        let (origin, stats) = fetch(folder.path());
        assert_eq!(origin, Origin::Cache);
        assert_eq!((stats.hits, stats.refused), (1, 0));
    }
}

#[test]
fn a_forged_entry_is_refused_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fetch(folder.path());
    let entry = largest(folder.path());
    let mut forged = fs::read(&entry).unwrap();
    let middle = forged.len() / 2;
    forged[middle] ^= 1;
    // As an attacker would put it there: a file of its own under the same name.
    fs::remove_file(&entry).unwrap();
    fs::write(&entry, forged).unwrap();

    let (origin, stats) = fetch(folder.path());
    assert!(matches!(origin, Origin::Compiled { .. }), "{origin:?}");
    assert_eq!((stats.hits, stats.refused), (0, 1));
    assert_eq!(fetch(folder.path()).0, Origin::Cache);
}

/// The largest file below a folder: the entry, beside keys and records.
fn largest(folder: &Path) -> std::path::PathBuf {
    let sized = files(folder)
        .into_iter()
        .map(|path| (fs::metadata(&path).unwrap().len(), path));
    sized.max().unwrap().1
}

#[test]
fn without_a_cache_there_are_no_statistics() {
    assert!(host().cache_stats().is_none());
}
