//! Components that start initialised: what they keep, and what is refused.

use std::fs;
use std::time::Duration;

use prewarm::{
    CallError, Component, Fault, Host, Limited, Reuse, SnapshotConfig, SnapshotError, Val, Wasm,
};

use crate::support::{AnyPool, FACES, always, config, host};

/// `prepare` counts its runs, grows the memory by `n` pages and fills the last with `n`. The other
/// exports tell what an instance finds; `next` changes it.
pub(crate) const LAZY: &str = r#"(component
    (core module $m
        (memory (export "memory") 1)
        (data (i32.const 8) "data")
        (global $runs (mut i32) (i32.const 0))
        (global $wide (mut i64) (i64.const 0))
        (global $float (mut f32) (f32.const 0))
        (global $double (mut f64) (f64.const 0))
        (func (export "prepare") (param $n i32)
            (global.set $runs (i32.add (global.get $runs) (i32.const 1)))
            (global.set $wide (i64.const 0x100000002))
            (global.set $float (f32.const 1.5))
            (global.set $double (f64.const -2.5))
            (drop (memory.grow (local.get $n)))
            (memory.fill (i32.mul (local.get $n) (i32.const 65536)) (local.get $n) (i32.const 65536)))
        (func (export "runs") (result i32) (global.get $runs))
        (func (export "pages") (result i32) (memory.size))
        (func (export "last") (result i32)
            (i32.load8_u (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1))))
        (func (export "data") (result i32) (i32.load (i32.const 8)))
        (func (export "others") (result i32)
            (i32.and
                (i64.eq (global.get $wide) (i64.const 0x100000002))
                (i32.and
                    (f32.eq (global.get $float) (f32.const 1.5))
                    (f64.eq (global.get $double) (f64.const -2.5)))))
        (func (export "next") (result i32)
            (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
            (i32.load (i32.const 0))))
    (core instance $i (instantiate $m))
    (func (export "prepare") (param "n" u32) (canon lift (core func $i "prepare")))
    (func (export "runs") (result u32) (canon lift (core func $i "runs")))
    (func (export "pages") (result u32) (canon lift (core func $i "pages")))
    (func (export "last") (result u32) (canon lift (core func $i "last")))
    (func (export "data") (result u32) (canon lift (core func $i "data")))
    (func (export "others") (result u32) (canon lift (core func $i "others")))
    (func (export "next") (result u32) (canon lift (core func $i "next"))))"#;

const DATA: u32 = u32::from_le_bytes(*b"data");

/// What to do, with the bytes at hand.
pub(crate) fn settings(init: &str, params: &[Val], wat: &str) -> SnapshotConfig {
    let mut config = SnapshotConfig::new(init);
    config.params = params.to_vec();
    config.wasm = Some(Wasm::wat(wat));
    config
}

pub(crate) fn lazy() -> SnapshotConfig {
    settings("prepare", &[Val::U32(3)], LAZY)
}

pub(crate) fn load(host: &Host, wat: &str) -> Component {
    host.load_blocking(Wasm::wat(wat)).unwrap()
}

/// Tries the export `init` of `wat` as its initialisation.
pub(crate) fn attempt(
    wat: &str,
    set: impl FnOnce(&mut SnapshotConfig),
) -> Result<Component, SnapshotError> {
    let mut config = settings("init", &[], wat);
    set(&mut config);
    load(&host(), wat).snapshot_blocking(config)
}

#[test]
fn every_instance_starts_where_the_initialisation_ended() {
    let source = load(&host(), LAZY);
    let snapshot = source.snapshot_blocking(lazy()).unwrap();
    assert_eq!(snapshot.wit().wit(), source.wit().wit());
    assert_eq!(snapshot.lane(), source.lane());
    assert_ne!(snapshot.id(), source.id());
    for face in FACES {
        let plain = AnyPool::new(face, &source, config(4, Reuse::Never));
        let ready = AnyPool::new(face, &snapshot, config(4, Reuse::Never));
        for _ in 0..10 {
            for (name, before, after) in [
                ("runs", 0, 1),
                ("pages", 1, 4),
                ("last", 0, 3),
                ("data", DATA, DATA),
                ("others", 0, 1),
                ("next", 1, 1),
            ] {
                assert_eq!(plain.number(name).unwrap(), before, "{face:?} {name}");
                assert_eq!(ready.number(name).unwrap(), after, "{face:?} {name}");
            }
        }
    }
}

#[test]
fn the_initialisation_stays_an_export() {
    let snapshot = load(&host(), LAZY).snapshot_blocking(lazy()).unwrap();
    let pool = AnyPool::new(FACES[1], &snapshot, config(1, always()));
    pool.invoke("prepare", &[Val::U32(1)]).unwrap();
    assert_eq!(pool.number("runs").unwrap(), 2);
    assert_eq!(pool.number("pages").unwrap(), 5);
}

#[tokio::test]
async fn the_async_face_makes_the_same() {
    let host = host();
    let component = load(&host, LAZY);
    let snapshot = component.snapshot(lazy()).await.unwrap();
    let again = component.snapshot_blocking(lazy()).unwrap();
    assert_eq!(snapshot.id(), again.id());
    let pool = snapshot.pool::<()>(config(1, Reuse::Never)).unwrap();
    assert_eq!(pool.invoke("last", &[]).await.unwrap(), Some(Val::U32(3)));
}

#[test]
fn a_snapshot_can_be_snapshotted() {
    let host = host();
    let source = load(&host, LAZY);
    let wasm = source
        .snapshot_builder(lazy(), || ())
        .wasm_blocking()
        .unwrap();
    let snapshot = host.load_blocking(wasm.clone()).unwrap();
    let mut config_ = SnapshotConfig::new("prepare");
    config_.params = vec![Val::U32(2)];
    assert!(matches!(
        snapshot.snapshot_blocking(config_.clone()),
        Err(SnapshotError::NoBytes)
    ));
    config_.wasm = Some(wasm.into());
    let second = snapshot.snapshot_blocking(config_).unwrap();
    let pool = AnyPool::new(FACES[1], &second, config(1, Reuse::Never));
    assert_eq!(pool.number("runs").unwrap(), 2);
    assert_eq!(pool.number("pages").unwrap(), 6);
}

/// `init` answers with an error.
pub(crate) const FALLIBLE: &str = r#"(component
    (core module $m (func (export "f") (result i32) (i32.const 1)))
    (core instance $i (instantiate $m))
    (func (export "init") (result (result)) (canon lift (core func $i "f"))))"#;

/// A component of one module, whose export `f` is the initialisation.
pub(crate) fn around(module: &str) -> String {
    format!(
        r#"(component (core module $m {module}) (core instance $i (instantiate $m))
            (func (export "init") (canon lift (core func $i "f"))))"#
    )
}

#[test]
fn what_cannot_be_snapshotted_says_why() {
    let twice = r#"(component
        (core module $m (func (export "f")))
        (core instance $i (instantiate $m))
        (core instance (instantiate $m))
        (func (export "init") (canon lift (core func $i "f"))))"#;
    let nested = r#"(component
        (component $c
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func (export "f") (canon lift (core func $i "f"))))
        (instance $c (instantiate $c))
        (func $f (alias export $c "f"))
        (export "init" (func $f)))"#;
    let tasks = r#"(component
        (core func $return (canon task.return))
        (core module $m (import "" "return" (func $return))
            (func (export "f") (result i32) (call $return) (i32.const 0))
            (func (export "c") (param i32 i32 i32) (result i32) unreachable))
        (core instance $i (instantiate $m (with "" (instance (export "return" (func $return))))))
        (func (export "init") async
            (canon lift (core func $i "f") async (callback (core func $i "c")))))"#;
    let cases = [
        (twice.to_owned(), "instantiated at most once"),
        (nested.to_owned(), "nested components with modules"),
        (tasks.to_owned(), "component-model async"),
        (
            around(
                r#"(table 1 funcref) (func (export "f") (table.set (i32.const 0) (ref.null func)))"#,
            ),
            "table.set",
        ),
        (
            around(r#"(global (mut v128) (v128.const i64x2 0 0)) (func (export "f"))"#),
            "v128",
        ),
        (
            around(r#"(global (mut funcref) (ref.null func)) (func (export "f"))"#),
            "reference type",
        ),
        (
            around(r#"(memory (export "__wizer_memory_0") 1) (func (export "f"))"#),
            "__wizer_",
        ),
        (around(r#"(memory i64 1) (func (export "f"))"#), "64 bits"),
        (around(r#"(memory 1 1) (func (export "f"))"#), "cannot grow"),
        (
            around(r#"(memory 1 2) (func (export "f") (drop (memory.grow (i32.const 1))))"#),
            "as large as it can be",
        ),
    ];
    for (wat, reason) in cases {
        let error = attempt(&wat, |_| {}).unwrap_err();
        assert!(matches!(error, SnapshotError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{reason}: {error}");
        assert_eq!(error.fault(), Fault::Guest);
        assert!(!error.is_retryable());
    }
}

#[test]
fn an_initialisation_that_does_not_end_well_makes_nothing() {
    type Expected = fn(&SnapshotError) -> bool;
    type Set = fn(&mut SnapshotConfig);
    let cases: [(&str, String, Set, Expected); 7] = [
        (
            "trap",
            around(r#"(func (export "f") unreachable)"#),
            |_| {},
            |e| matches!(e, SnapshotError::Init(CallError::Trap(_))),
        ),
        (
            "trap at the start",
            around(r#"(func $s unreachable) (start $s) (func (export "f"))"#),
            |_| {},
            |e| {
                matches!(
                    e,
                    SnapshotError::Init(CallError::Trap(_) | CallError::Start(_))
                )
            },
        ),
        (
            "spin",
            around(r#"(func (export "f") (loop $l (br $l)))"#),
            |c| c.limits.deadline = Duration::from_millis(20),
            |e| matches!(e, SnapshotError::Init(CallError::Deadline { .. })),
        ),
        (
            "spin at the start",
            around(r#"(func $s (loop $l (br $l))) (start $s) (func (export "f"))"#),
            |c| c.limits.deadline = Duration::from_millis(20),
            |e| matches!(e, SnapshotError::Init(CallError::Deadline { .. })),
        ),
        (
            "hog",
            around(
                r#"(memory 1) (func (export "f") (loop $l
                    (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable)"#,
            ),
            |c| c.limits.memory_bytes = 1 << 20,
            |e| {
                matches!(e, SnapshotError::Init(CallError::Limit(hit))
                    if hit.limited == Limited::Memory)
            },
        ),
        (
            "too big to start",
            around(r#"(memory 100) (func (export "f"))"#),
            |c| c.limits.memory_bytes = 1 << 20,
            |e| matches!(e, SnapshotError::Prepare(_)),
        ),
        (
            "err",
            FALLIBLE.to_owned(),
            |_| {},
            |e| {
                matches!(
                    e,
                    SnapshotError::Answered {
                        answer: Val::Result(Err(_)),
                        ..
                    }
                )
            },
        ),
    ];
    for (what, wat, set, expected) in cases {
        let error = attempt(&wat, set).unwrap_err();
        assert!(expected(&error), "{what}: {error:?}");
    }
    // One that uses all that it may is read none the less.
    let full = around(r#"(memory 1) (func (export "f") (drop (memory.grow (i32.const 15))))"#);
    attempt(&full, |c| c.limits.memory_bytes = 1 << 20).unwrap();
}

/// `init` makes and drops resources of its own.
pub(crate) fn resourceful(code: &str) -> String {
    format!(
        r#"(component
            (type $r (resource (rep i32)))
            (core func $new (canon resource.new $r))
            (core func $drop (canon resource.drop $r))
            (core module $m
                (import "" "new" (func $new (param i32) (result i32)))
                (import "" "drop" (func $drop (param i32)))
                (func (export "f") {code}))
            (core instance $i (instantiate $m (with "" (instance
                (export "new" (func $new)) (export "drop" (func $drop))))))
            (func (export "init") (canon lift (core func $i "f"))))"#
    )
}

#[test]
fn resources_must_not_stay_open() {
    attempt(
        &resourceful("(call $drop (call $new (i32.const 7)))"),
        |_| {},
    )
    .unwrap();
    let error = attempt(&resourceful("(drop (call $new (i32.const 7)))"), |_| {}).unwrap_err();
    assert!(matches!(error, SnapshotError::Open), "{error:?}");

    let gives = r#"(component
        (type $r' (resource (rep i32)))
        (export $r "r" (type $r'))
        (core func $new (canon resource.new $r))
        (core module $m (import "" "new" (func $new (param i32) (result i32)))
            (func (export "f") (result i32) (call $new (i32.const 7))))
        (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
        (func (export "init") (result (own $r)) (canon lift (core func $i "f"))))"#;
    let error = attempt(gives, |_| {}).unwrap_err();
    assert!(matches!(error, SnapshotError::Open), "{error:?}");
}

#[test]
fn a_wrong_function_or_parameter_is_the_callers_fault() {
    let component = load(&host(), LAZY);
    let cases = [
        settings("prepair", &[], LAZY),
        settings("prepare", &[], LAZY),
        settings("prepare", &[Val::String("3".into())], LAZY),
    ];
    let errors = cases.map(|config| component.snapshot_blocking(config).unwrap_err());
    assert!(matches!(errors[0], SnapshotError::Resolve(_)));
    assert!(matches!(errors[1], SnapshotError::Value(_)));
    assert!(matches!(errors[2], SnapshotError::Value(_)));
    for error in errors {
        assert_eq!(error.fault(), Fault::Caller, "{error:?}");
    }
}

#[test]
fn the_bytes_must_be_those_of_the_component() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lazy.wat");
    fs::write(&path, LAZY).unwrap();
    let host = host();
    let config = |n, wasm| {
        let mut config = settings("prepare", &[Val::U32(n)], LAZY);
        config.wasm = wasm;
        config
    };

    // Nothing is kept of bytes, until the same was loaded from a file.
    let component = load(&host, LAZY);
    let error = component.snapshot_blocking(config(1, None)).unwrap_err();
    assert!(matches!(error, SnapshotError::NoBytes), "{error:?}");
    host.load_blocking(path.as_path()).unwrap();
    component.snapshot_blocking(config(1, None)).unwrap();

    fs::write(&path, LAZY.replace("data\")", "atad\")")).unwrap();
    let error = component.snapshot_blocking(config(2, None)).unwrap_err();
    assert!(
        matches!(&error, SnapshotError::Changed { path: Some(p), expected, .. }
            if *p == path && expected == component.id()),
        "{error:?}"
    );
    fs::remove_file(&path).unwrap();
    let error = component.snapshot_blocking(config(2, None)).unwrap_err();
    assert!(matches!(error, SnapshotError::Load(_)), "{error:?}");

    for hostile in [&b""[..], b"\0asm", b"\0asm\x0d\0\x01\0\xff\xff\xff\xff\x0f"] {
        let error = component
            .snapshot_blocking(config(2, Some(hostile.into())))
            .unwrap_err();
        assert!(
            matches!(error, SnapshotError::Changed { path: None, .. }),
            "{error:?}"
        );
    }
}
