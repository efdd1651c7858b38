//! Every message that a caller can meet, with all that is behind it, in `errors.golden`.
//!
//! `UPDATE_GOLDEN=1` writes the file anew.

use std::fmt::Write as _;
use std::time::Duration;

use prewarm::{
    Error, Grants, Host, HostConfig, Lane, PoolConfig, Reuse, SnapshotConfig, Val, Wasm, blocking,
};

use crate::guests::COUNTER;
use crate::support::{always, chain, config, host, host_with, load};
use crate::{snapshot, snapshot_cache};
use prewarm_tests::hostile::guests::{at_start, hostile};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/it/errors.golden");

type Pool = blocking::Pool<()>;
type Registered = blocking::Registered<()>;

/// Errors under names, each really provoked.
struct Found(Vec<(&'static str, Error)>);

impl Found {
    fn add<T>(&mut self, name: &'static str, result: Result<T, impl Into<Error>>) {
        match result {
            Ok(_) => panic!("{name}: no error"),
            Err(error) => self.0.push((name, error.into())),
        }
    }
}

fn of_hosts(found: &mut Found) {
    let mut config = HostConfig::default();
    config.tick = Duration::ZERO;
    found.add("HostError::Config", Host::new(config));
    let mut config = HostConfig::default();
    config.max_instances = 0;
    found.add("HostError::Config", Host::new(config));
    let mut config = HostConfig::default();
    config.max_loaded = 0;
    found.add("HostError::Config", Host::new(config));
}

fn of_loading(found: &mut Found) {
    let host = host();
    let cases: [(&str, Wasm); 6] = [
        ("LoadError::Read", "no/such/file.wasm".into()),
        ("LoadError::Text", Wasm::wat("(component\n  (func))")),
        ("LoadError::CoreModule", Wasm::wat("(module)")),
        ("LoadError::NotWasm", b"Dear Sir".to_vec().into()),
        ("LoadError::NotWasm", Vec::new().into()),
        (
            "LoadError::Compile",
            Wasm::wat("(component (core module (func (result i32) i64.const 0)))"),
        ),
    ];
    for (name, wasm) in cases {
        found.add(name, host.load_blocking(wasm));
    }
    let full = host_with(|config| {
        config.allocation = prewarm::Allocation::Pooling;
        config.max_instances = u32::MAX;
    });
    found.add("LoadError::Engine", full.load_blocking(Wasm::wat(COUNTER)));
}

fn of_pools(found: &mut Found) {
    let counter = load(&host(), COUNTER);
    let pool = |set: &dyn Fn(&mut PoolConfig)| {
        let mut config = config(1, always());
        set(&mut config);
        Pool::new(&counter, config)
    };
    found.add("PoolError::Config", pool(&|c| c.max_instances = 0));
    found.add("PoolError::Config", pool(&|c| c.min_warm = 2));
    found.add(
        "PoolError::Config",
        pool(&|c| c.reuse = Reuse::Calls(0..=3)),
    );
    found.add("PoolError::Config", pool(&|c| c.limits.fuel = Some(1)));
    let big = load(
        &host(),
        "(component (core module $m (memory 9)) (core instance (instantiate $m)))",
    );
    let mut small = config(1, always());
    small.limits.memory_bytes = 65_536;
    found.add("PoolError::Config", Pool::new(&big, small));
    found.add(
        "PoolError::MissingImports",
        Pool::new(&load(&host(), &hostile(Lane::Plain)), config(1, always())),
    );
    let imports = r#"(component (import "wasi:http/types@0.2.0" (instance
        (export "fields" (type (sub resource))))) (import "wasi:clocks/x@0.3.0" (instance (export "f" (func)))))"#;
    found.add(
        "PoolError::MissingImports",
        Pool::new(&load(&host(), imports), config(1, always())),
    );
    found.add(
        "PoolError::World",
        Pool::builder(&counter, config(1, always()), || ()).warm_up_invoke("nxt", &[]),
    );
    found.add(
        "PoolError::World",
        counter.pool::<crate::logs::waiting::Logs>(config(1, always())),
    );
    found.add(
        "PoolError::Link",
        Pool::builder(&counter, config(1, always()), || ())
            .imports(|_| Err(wasmtime::Error::msg("no such device")))
            .build(),
    );
    let environment = r#"(component (import "wasi:cli/environment@0.2.0" (instance
        (export "get-arguments" (func (result (list string)))))))"#;
    let mut granted = config(1, always());
    granted.grants = Grants::none().dir("no/such/folder", "/data");
    found.add(
        "PoolError::Grant",
        Pool::new(&load(&host(), environment), granted),
    );
}

fn waiting(found: &mut Found) {
    let counter = load(&host_with(|config| config.max_instances = 1), COUNTER);
    let mut config = config(1, always());
    config.max_queue = 0;
    let pool = Pool::new(&counter, config.clone()).unwrap();
    let lease = pool.lease().unwrap();
    found.add("CallError::Busy", pool.invoke("next", &[]));
    config.max_queue = 1;
    config.max_wait = Some(Duration::ZERO);
    found.add(
        "CallError::HostFull",
        Pool::new(&counter, config.clone())
            .unwrap()
            .invoke("next", &[]),
    );
    drop((lease, pool));

    config.max_wait = Some(Duration::from_millis(1));
    let pool = Pool::new(&counter, config.clone()).unwrap();
    let lease = pool.lease().unwrap();
    found.add("CallError::Waited", pool.invoke("next", &[]));
    drop((lease, pool));
    config.max_wait = None;
    config.limits.deadline = Duration::from_millis(5);
    let pool = Pool::new(&counter, config).unwrap();
    let lease = pool.lease().unwrap();
    found.add("CallError::Deadline in the queue", pool.invoke("next", &[]));
    drop(lease);
    pool.close();
    found.add("CallError::Closed", pool.invoke("next", &[]));
}

fn registering(found: &mut Found) {
    let host = host_with(|config| config.max_loaded = 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counter.wat");
    std::fs::write(&file, COUNTER).unwrap();
    let counter = Registered::new(&host, file.as_path(), config(1, always())).unwrap();
    counter.invoke("next", &[]).unwrap();
    std::fs::write(&file, "(component)").unwrap();
    let other = Registered::new(&host, "no/such/file.wasm", config(1, always())).unwrap();
    found.add("CallError::Load", other.invoke("next", &[]));
    assert!(!counter.is_loaded());
    found.add("LoadError::Changed", counter.invoke("next", &[]));

    let mut config = config(1, always());
    config.limits.deadline = Duration::from_millis(5);
    let slow = Registered::builder(&host, Wasm::wat(COUNTER), config, || ())
        .imports(|_| {
            std::thread::park_timeout(Duration::from_millis(50));
            Ok(())
        })
        .build()
        .unwrap();
    found.add("CallError::Deadline in the load", slow.invoke("next", &[]));
}

/// What is to meet its deadline gets a short one, and nothing else: a busy machine may take long.
fn hostile_pool(wat: &str, mode: u32, ends: bool) -> Pool {
    let mut config = config(1, always());
    if !ends {
        config.limits.deadline = Duration::from_millis(20);
    }
    config.limits.memory_bytes = 10 << 16;
    config.limits.output_bytes = 1500;
    let modes = std::sync::Arc::new(mode.into());
    let component = load(&host(), wat);
    blocking::Pool::builder(&component, config, || ())
        .imports(prewarm_tests::hostile::imports(
            crate::support::Face::Blocking,
            modes,
        ))
        .build()
        .unwrap()
}

fn running(found: &mut Found) {
    for (name, function) in [
        ("CallError::Deadline in the call", "spin"),
        ("CallError::Trap", "trap"),
        ("CallError::Trap of a broken answer", "list-beyond"),
        ("CallError::Limit", "grow-memory"),
        ("CallError::Limit", "flood"),
        ("CallError::HostPanic", "host-panic"),
        ("CallError::Host", "host-fail"),
    ] {
        found.add(
            name,
            hostile_pool(&hostile(Lane::Plain), 0, function != "spin").invoke(function, &[]),
        );
    }
    for (name, mode) in [
        ("CallError::Deadline in the start", 1),
        ("CallError::Start", 2),
    ] {
        found.add(
            name,
            hostile_pool(&at_start(Lane::Plain), mode, mode != 1).invoke("good", &[]),
        );
    }
    let counter = load(&host(), COUNTER);
    let pool = Pool::builder(&counter, config(1, always()), || ())
        .warm_up_invoke("trap", &[])
        .unwrap()
        .build()
        .unwrap();
    found.add("CallError::WarmUp", pool.invoke("next", &[]));
    let pool = Pool::new(&counter, config(1, always())).unwrap();
    found.add("CallError::Resolve", pool.invoke("nxt", &[]));
    found.add("CallError::Value", pool.invoke("next", &[Val::U32(1)]));
    let failing = pool.call(|(), _| -> wasmtime::Result<()> {
        Err(wasmtime::Error::msg("the caller's own error").context("its own words"))
    });
    found.add("CallError::Host from a closure", failing);
    let mut lease = pool.lease().unwrap();
    lease.invoke("trap", &[]).unwrap_err();
    found.add("CallError::Retired", lease.invoke("next", &[]));
    let exit = load(&host(), EXIT);
    let pool = Pool::new(&exit, config(1, always())).unwrap();
    found.add("CallError::Exit", pool.invoke("leave", &[]));
}

const EXIT: &str = r#"(component
    (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
    (core func $exit (canon lower (func $exit "exit")))
    (core module $m (import "" "exit" (func $exit (param i32)))
        (func (export "leave") (result i32) (call $exit (i32.const 1)) unreachable))
    (core instance $i (instantiate $m (with "" (instance (export "exit" (func $exit))))))
    (func (export "leave") (result u32) (canon lift (core func $i "leave"))))"#;

/// The line without the name of a temporary folder, which is another one each time.
fn without_folder(line: &str) -> String {
    let folder = std::env::temp_dir().join(".tmp");
    match line.split_once(&*folder.to_string_lossy()) {
        Some((before, after)) => format!("{before}TEMPORARY{}", &after[6..]),
        None => line.to_owned(),
    }
}

fn golden(found: &[(&str, Error)]) -> String {
    let mut text = String::new();
    for (name, error) in found {
        let retry = if error.is_retryable() {
            ", retryable"
        } else {
            ""
        };
        let _ = writeln!(text, "# {name} ({:?}{retry})", error.fault());
        for (depth, message) in chain(error).iter().enumerate() {
            let indent = "    ".repeat(depth);
            for line in message.lines().map(without_folder) {
                let _ = writeln!(text, "{indent}{line}");
            }
        }
        text.push('\n');
    }
    text
}

fn snapshotting(found: &mut Found) {
    type Set<'a> = &'a dyn Fn(&mut SnapshotConfig);
    let host = host();
    let mut add = |name, init: &str, wat: &str, set: Set<'_>| {
        let mut config = SnapshotConfig::new(init);
        config.wasm = Some(Wasm::wat(wat));
        set(&mut config);
        found.add(name, load(&host, wat).snapshot_blocking(config));
    };
    add("SnapshotError::NoBytes", "next", COUNTER, &|c| {
        c.wasm = None
    });
    add("SnapshotError::Changed", "next", COUNTER, &|c| {
        c.wasm = Some(Wasm::wat("(component)"));
    });
    add("SnapshotError::Load", "next", COUNTER, &|c| {
        c.wasm = Some("no/such/file.wasm".into());
    });
    add("SnapshotError::Resolve", "nest", COUNTER, &|_| {});
    add("SnapshotError::Value", "next", COUNTER, &|c| {
        c.params = vec![Val::U32(1)];
    });
    add(
        "SnapshotError::Prepare",
        "init",
        snapshot_cache::ASKING,
        &|_| {},
    );
    add("SnapshotError::Init", "spin", COUNTER, &|c| {
        c.limits.deadline = Duration::from_millis(20);
    });
    let fixed = snapshot::around(r#"(memory 1 1) (func (export "f"))"#);
    add("SnapshotError::Refused", "init", &fixed, &|_| {});
    add(
        "SnapshotError::Answered",
        "init",
        snapshot::FALLIBLE,
        &|_| {},
    );
    let open = snapshot::resourceful("(drop (call $new (i32.const 7)))");
    add("SnapshotError::Open", "init", &open, &|_| {});
}

#[test]
fn messages_are_as_written() {
    let mut found = Found(Vec::new());
    for provoke in [
        of_hosts,
        of_loading,
        of_pools,
        waiting,
        registering,
        running,
        snapshotting,
    ] {
        provoke(&mut found);
    }
    for (name, error) in &found.0 {
        let messages = chain(error);
        for pair in messages.windows(2) {
            assert!(
                !pair[0].contains(&pair[1]),
                "{name} repeats its source: {messages:#?}"
            );
        }
        for message in &messages[..1] {
            assert!(!message.ends_with('.'), "{name}: {message}");
            let word = message.split(' ').next().unwrap_or_default();
            let is_code = word.contains("::");
            assert!(
                is_code || !word.starts_with(char::is_uppercase),
                "{name}: {message}"
            );
        }
    }
    let text = golden(&found.0);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &text).unwrap();
    }
    let written = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    for (line, (now, then)) in text.lines().zip(written.lines()).enumerate() {
        assert_eq!(
            now,
            then,
            "line {} of errors.golden, where `UPDATE_GOLDEN=1` writes it anew",
            line + 1
        );
    }
    assert_eq!(text.lines().count(), written.lines().count());
}

/// The variants that are in the golden file are all there are.
#[test]
fn every_variant_is_provoked() {
    let source = concat!(
        include_str!("../../host/src/error.rs"),
        include_str!("../../host/src/error/snapshot.rs")
    );
    let golden = std::fs::read_to_string(GOLDEN).unwrap();
    for verb in [
        "HostError",
        "LoadError",
        "PoolError",
        "CallError",
        "SnapshotError",
    ] {
        let body = source.split_once(&format!("pub enum {verb} {{")).unwrap().1;
        let body = body.split_once("\n}").unwrap().0;
        let variants = body.lines().filter_map(|line| {
            let name = line.strip_prefix("    ")?;
            let end = name.find(|c: char| !c.is_alphanumeric())?;
            name.starts_with(char::is_uppercase).then_some(&name[..end])
        });
        for variant in variants {
            // The runtime that goes away in the middle of a load cannot be staged without luck, nor
            // that wizer makes something else than it should; a compiler that panics is staged in a
            // process of its own, among the tests of the tool.
            if !["Cancelled", "Broken", "CompilerPanic"].contains(&variant) {
                assert!(
                    golden.contains(&format!("# {verb}::{variant} ")),
                    "{verb}::{variant}"
                );
            }
        }
    }
}
