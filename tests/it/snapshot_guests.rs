//! Snapshots of guests in real languages: the dictionaries, and what a guest saw of its host.

use prewarm::{
    CallError, Component, Grants, Host, Reuse, SnapshotConfig, SnapshotError, Val, Wasm, blocking,
};

use crate::conformance::rows::load;
use crate::kinds::{PREPARING, spell};
use crate::support::{config, host_with};

const PREPARE: &str = "prepare";

fn text(text: impl Into<String>) -> Val {
    Val::String(text.into())
}

fn found(word: Option<&str>) -> Option<Val> {
    Some(Val::Option(word.map(|word| Box::new(text(word)))))
}

fn fresh(component: &Component) -> blocking::Pool {
    blocking::Pool::new(component, config(4, Reuse::Never)).unwrap()
}

#[test]
fn a_dictionary_starts_with_its_words() {
    for language in PREPARING {
        let source = load(&format!("{language}-dictionary"));
        let snapshot = source
            .snapshot_blocking(SnapshotConfig::new(PREPARE))
            .unwrap_or_else(|error| panic!("{language}: {:?}", crate::support::chain(&error)));
        assert_eq!(snapshot.wit().wit(), source.wit().wit(), "{language}");
        let pool = fresh(&snapshot);
        for n in [1, 2, 70, 4_711, 50_000, 99_999, 100_000] {
            let word = format!("word {n}");
            let answer = pool.invoke("look-up", &[text(spell(n))]).unwrap();
            assert_eq!(answer, found(Some(&word)), "{language}");
        }
        for word in ["", "x", "petud", &spell(100_001)] {
            let answer = pool.invoke("look-up", &[text(word)]).unwrap();
            assert_eq!(answer, found(None), "{language}: {word}");
        }
        let size = pool.invoke("size", &[]).unwrap();
        assert_eq!(size, Some(Val::U32(100_000)), "{language}");
    }
}

#[test]
fn a_prepared_guest_does_not_prepare_itself_again() {
    let host = fuelled();
    let path = crate::conformance::rows::folder().join("rust-dictionary.wasm");
    let source = host.load_blocking(path.as_path()).unwrap();
    let snapshot = source
        .snapshot_blocking(SnapshotConfig::new(PREPARE))
        .unwrap();
    let [long, short] = [&source, &snapshot].map(|component| {
        let mut config = config(1, Reuse::Never);
        config.limits.fuel = Some(u64::MAX);
        let pool = blocking::Pool::<()>::new(component, config).unwrap();
        let (_, receipt) = pool
            .invoke_with_receipt("look-up", &[text(spell(4_711))])
            .unwrap();
        receipt.fuel.unwrap()
    });
    assert!(short * 1000 < long, "{short} of {long}");

    // The initialisation can have its fuel counted as well.
    let mut config = SnapshotConfig::new(PREPARE);
    config.limits.fuel = Some(long / 2);
    config.depends_on = Some("little fuel".into());
    let error = source.snapshot_blocking(config).unwrap_err();
    assert!(
        matches!(&error, SnapshotError::Init(CallError::Limit(_))),
        "{error:?}"
    );
}

fn fuelled() -> Host {
    host_with(|config| config.fuel = true)
}

/// `init` asks the host for the environment and a random number; the others tell what was answered.
const CURIOUS: &str = r#"(component
    (import "wasi:cli/environment@0.2.0" (instance $cli
        (export "get-environment" (func (result (list (tuple string string)))))))
    (import "wasi:random/random@0.2.0" (instance $random
        (export "get-random-u64" (func (result u64)))))
    (core module $memory
        (memory (export "memory") 1)
        (global $free (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $free
                (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
            (global.get $free)
            (global.set $free (i32.add (global.get $free) (local.get 3)))))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $mem))
    (core func $env (canon lower (func $cli "get-environment")
        (memory $mem) (realloc (core func $memory "realloc"))))
    (core func $random (canon lower (func $random "get-random-u64")))
    (core module $m
        (import "memory" "memory" (memory 1))
        (import "host" "env" (func $env (param i32)))
        (import "host" "random" (func $random (result i64)))
        (global $seed (mut i64) (i64.const 0))
        (func (export "init") (call $env (i32.const 8)) (global.set $seed (call $random)))
        (func (export "variables") (result i32) (i32.load (i32.const 12)))
        (func (export "seed") (result i64) (global.get $seed)))
    (core instance $i (instantiate $m
        (with "memory" (instance $memory))
        (with "host" (instance (export "env" (func $env)) (export "random" (func $random))))))
    (func (export "init") (canon lift (core func $i "init")))
    (func (export "variables") (result u32) (canon lift (core func $i "variables")))
    (func (export "seed") (result u64) (canon lift (core func $i "seed"))))"#;

#[test]
fn what_was_read_of_the_host_is_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let make = |grants: Grants| {
        let host = host_with(|config| {
            config.cache.enabled = true;
            config.cache.dir = Some(folder.path().to_owned());
        });
        let mut settings = SnapshotConfig::new("init");
        settings.wasm = Some(Wasm::wat(CURIOUS));
        settings.grants = grants;
        let source = host.load_blocking(Wasm::wat(CURIOUS)).unwrap();
        let snapshot = source.snapshot_blocking(settings).unwrap();
        // What the instances are granted is too late.
        let mut config = config(2, Reuse::Never);
        config.grants = Grants::none().env("A", "1").env("B", "2").env("C", "3");
        let pool = blocking::Pool::<()>::new(&snapshot, config).unwrap();
        let ask = |name| pool.invoke(name, &[]).unwrap();
        let seed = ask("seed");
        assert_eq!(ask("seed"), seed);
        (ask("variables"), seed)
    };
    let alone = make(Grants::none());
    assert_eq!(alone.0, Some(Val::U32(0)));
    // Even in another process, while the cache has it.
    assert_eq!(make(Grants::none()), alone);
    // Other grants make another snapshot.
    let with = make(Grants::none().env("SECRET", "1"));
    assert_eq!(with.0, Some(Val::U32(1)));
    assert_ne!(with.1, alone.1);
    let seeded = || make(Grants::none().deterministic(7)).1;
    assert_eq!(seeded(), seeded());
}

#[test]
fn an_open_folder_is_not_snapshotted() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = SnapshotConfig::new("list-folder");
    settings.params = vec![text("/data")];
    settings.grants = Grants::none().dir_read_only(folder.path(), "/data");
    // Libc opens the standard streams and the granted folders for good.
    let error = load("rust-outside")
        .snapshot_blocking(settings)
        .unwrap_err();
    assert!(matches!(error, SnapshotError::Open), "{error:?}");
}
