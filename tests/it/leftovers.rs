//! Nothing of a call is there for the next one: not in memories, tables and globals, whatever way
//! slots are reset, whatever way the call ended, and in no guest's language.

use std::time::Duration;

use prewarm::{CallError, Component, HostConfig, Reset, Reuse, Val};

use crate::support::{AnyPool, FACES, Face, LONG, config, host_with, load, number};

/// `stain` writes to all that an instance has, and grows it, then ends as it is told: 0 well, 1 in a
/// trap, 2 never. `look` counts what is not as it was made.
const STAINER: &str = r#"(component
    (core module $m
        (memory $memory 4)
        (data (i32.const 70000) "as it was made")
        (table $table 8 funcref)
        (global $one (mut i32) (i32.const 0))
        (global $two (mut i64) (i64.const 0))
        (global $three (mut f64) (f64.const 0))
        (elem declare func $stain)
        (func $stain (export "stain") (param $end i32) (result i32) (local $at i32)
            (drop (memory.grow (i32.const 60)))
            (loop $next
                (i32.store (local.get $at) (i32.const 0x5ec2e7))
                (local.set $at (i32.add (local.get $at) (i32.const 260)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 4194000))))
            (drop (table.grow $table (ref.func $stain) (i32.const 100)))
            (table.fill $table (i32.const 0) (ref.func $stain) (i32.const 8))
            (global.set $one (i32.const 0x5ec2e7))
            (global.set $two (i64.const 0x5ec2e7))
            (global.set $three (f64.const 0x5ec2e7))
            (if (i32.eq (local.get $end) (i32.const 1)) (then unreachable))
            (if (i32.eq (local.get $end) (i32.const 2)) (then (loop $ever (br $ever))))
            (i32.const 0))
        (func (export "look") (result i32) (local $at i32) (local $found i32)
            (local.set $found (i32.add (local.get $found)
                (i32.ne (memory.size) (i32.const 4))))
            (local.set $found (i32.add (local.get $found)
                (i32.ne (table.size $table) (i32.const 8))))
            (loop $next
                (local.set $found (i32.add (local.get $found)
                    (i64.ne (i64.load (local.get $at)) (i64.const 0))))
                (local.set $at (i32.add (local.get $at) (i32.const 8)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 262144))))
            ;; The data's own two words.
            (local.set $found (i32.sub (local.get $found) (i32.const 2)))
            (local.set $at (i32.const 0))
            (loop $next
                (local.set $found (i32.add (local.get $found)
                    (i32.eqz (ref.is_null (table.get $table (local.get $at))))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $at) (i32.const 8))))
            (local.set $found (i32.add (local.get $found)
                (i32.ne (global.get $one) (i32.const 0))))
            (local.set $found (i32.add (local.get $found)
                (i64.ne (global.get $two) (i64.const 0))))
            (i32.add (local.get $found) (f64.ne (global.get $three) (f64.const 0)))))
    (core instance $i (instantiate $m))
    (func (export "stain") (param "end" u32) (result u32) (canon lift (core func $i "stain")))
    (func (export "look") (result u32) (canon lift (core func $i "look"))))"#;

const RESETS: [Option<Reset>; 3] = [None, Some(Reset::Dirty), Some(Reset::Whole)];

/// Instances alive at once, each with a slot of its own, and the pages of memory that each grows by.
const CROWDS: [(u16, u32); 2] = [(40, 60), (2000, 1)];

fn pool(component: &Component, face: Face, reset: Option<Reset>) -> AnyPool {
    let mut config = config(1, Reuse::Never);
    config.reset = reset;
    config.limits.deadline = Duration::from_millis(300);
    AnyPool::new(face, component, config)
}

#[test]
fn is_found_by_the_next_call_however_the_last_one_ended() {
    let component = load(&host_with(|_| {}), STAINER);
    for face in FACES {
        for reset in RESETS {
            let pool = pool(&component, face, reset);
            for end in [0, 1, 2] {
                for round in 0..10 {
                    let case = format!("{face:?}, {reset:?}, end {end}, round {round}");
                    let stained = pool.invoke("stain", &[Val::U32(end)]);
                    match (end, &stained) {
                        (0, Ok(_))
                        | (1, Err(CallError::Trap(_)))
                        | (2, Err(CallError::Deadline { .. })) => {}
                        _ => panic!("{case}: {stained:?}"),
                    }
                    assert_eq!(pool.number("look").unwrap(), 0, "{case}");
                }
            }
        }
    }
}

/// The stain is seen where it is, or the test above would show nothing.
#[test]
fn is_found_by_the_same_instance() {
    let component = load(&host_with(|_| {}), STAINER);
    let pool = AnyPool::new(
        Face::Blocking,
        &component,
        config(1, crate::support::always()),
    );
    pool.invoke("stain", &[Val::U32(0)]).unwrap();
    assert!(pool.number("look").unwrap() > 1000);
}

#[tokio::test]
async fn is_found_after_a_call_was_dropped() {
    let component = load(&host_with(|_| {}), STAINER);
    let mut config = config(1, Reuse::Never);
    config.limits.deadline = LONG;
    let pool = component.pool::<()>(config).unwrap();
    for _ in 0..20 {
        let params = [Val::U32(2)];
        let stained = pool.invoke("stain", &params);
        let dropped = tokio::time::timeout(Duration::from_millis(5), stained);
        dropped.await.unwrap_err();
        assert_eq!(number(pool.invoke("look", &[]).await.unwrap()), 0);
    }
}

/// Every slot of the engine in use at once and full of stains, as when memory is short, and all of
/// them used again.
#[test]
fn is_found_in_any_slot_of_a_full_engine() {
    for (crowd, pages) in CROWDS {
        let slots = |config: &mut HostConfig| config.max_instances = crowd.into();
        let guest = STAINER
            .replace(
                "memory.grow (i32.const 60)",
                &format!("memory.grow (i32.const {pages})"),
            )
            .replace("4194000", &format!("{}", (4 + pages) * 65_536 - 304));
        let component = load(&host_with(slots), &guest);
        for reset in RESETS {
            let mut config = config(crowd.into(), Reuse::Never);
            config.reset = reset;
            config.limits.deadline = LONG;
            let pool = prewarm::blocking::Pool::<()>::new(&component, config).unwrap();
            for round in 0..3 {
                let leases: Vec<_> = (0..crowd)
                    .map(|at| {
                        let mut lease = pool.lease().unwrap();
                        let found = number(lease.invoke("look", &[]).unwrap());
                        assert_eq!(found, 0, "{at} of {crowd}, {reset:?}, round {round}");
                        lease.invoke("stain", &[Val::U32(0)]).unwrap();
                        lease
                    })
                    .collect();
                drop(leases);
            }
            pool.close();
        }
    }
}

#[cfg(target_os = "linux")]
mod in_any_language {
    use std::fs::File;
    use std::os::unix::fs::FileExt as _;
    use std::pin::pin;

    use memchr::memmem::Finder;
    use prewarm::{CallError, Lease, Pool, PoolConfig, Reset, State};
    use serde_json::{Value, json};
    use wasmtime::component::Linker;

    use crate::conformance::rows::{Row, rows};
    use crate::logs::direct::example::logs::types::Refusal;
    use crate::logs::options;
    use crate::support::{LONG, RUNTIME, alone, poll_once, until};

    /// Memory that guests may have, by its place among the mappings of this process: reserved ranges
    /// are larger than anything else is.
    fn slots() -> Vec<(u64, u64)> {
        const RESERVED: u64 = 8 << 30;
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut runs: Vec<Vec<(u64, u64, bool)>> = Vec::new();
        for line in maps.lines() {
            let (range, rest) = line.split_once(' ').unwrap();
            let (from, to) = range.split_once('-').unwrap();
            let from = u64::from_str_radix(from, 16).unwrap();
            let to = u64::from_str_radix(to, 16).unwrap();
            let map = (from, to, rest.starts_with("rw-p"));
            match runs.last_mut() {
                Some(run) if run.last().is_some_and(|(_, end, _)| *end == from) => run.push(map),
                _ => runs.push(vec![map]),
            }
        }
        let size = |run: &Vec<(u64, u64, bool)>| run.last().unwrap().1 - run[0].0;
        let reserved = runs.into_iter().filter(|run| size(run) >= RESERVED);
        reserved
            .flat_map(|run| {
                // What only happens to lie beside the range has no guard before or behind it.
                let guard = |(from, to, open): &(u64, u64, bool)| !open && to - from >= 1 << 24;
                let first = run.iter().position(guard).unwrap_or(run.len());
                let last = run.iter().rposition(guard).unwrap_or(0);
                run.into_iter().take(last).skip(first)
            })
            .filter(|(_, _, open)| *open)
            .map(|(from, to, _)| (from, to))
            .collect()
    }

    /// The heaps of threads, where this test itself has the secret, may lie beside a reserved range with
    /// a guard of their own: glibc begins each at a multiple of this.
    const HEAP: u64 = 64 << 20;

    /// Where `secret` lies in the memory of a guest.
    fn found(secret: &str) -> Vec<String> {
        let memory = File::open("/proc/self/mem").unwrap();
        let finder = Finder::new(secret.as_bytes());
        let mut bytes = vec![0; 1 << 20];
        let mut found = Vec::new();
        for (from, to) in slots() {
            if from % HEAP == 0 {
                continue;
            }
            let mut at = from;
            while at < to {
                let wanted = usize::try_from((to - at).min(bytes.len() as u64)).unwrap();
                memory.read_exact_at(&mut bytes[..wanted], at).unwrap();
                let hits = finder.find_iter(&bytes[..wanted]);
                found.extend(hits.map(|hit| format!("{:x} of {from:x}-{to:x}", at + hit as u64)));
                // A secret over the edge of two pieces is read again.
                let step = match at + (wanted as u64) < to {
                    true => wanted - secret.len(),
                    false => wanted,
                };
                at += step as u64;
            }
        }
        found
    }

    /// How the call ends that was told the secret.
    #[derive(Clone, Copy, Debug)]
    enum End {
        Well,
        /// In a trap: that of a host function, or out of memory where it calls none.
        Traps,
        /// Its caller gives up while it is under way.
        Dropped,
    }

    fn imports(linker: &mut Linker<State<End>>) -> wasmtime::Result<()> {
        let mut lookup = linker.instance("example:logs/lookup@0.1.0")?;
        lookup.func_wrap_async("label", |store, (_,): (String,)| {
            let end = *store.data().embedder();
            Box::new(async move {
                match end {
                    End::Well => Ok((Ok::<Option<String>, Refusal>(None),)),
                    End::Traps => Err(wasmtime::Error::msg("it is not told")),
                    End::Dropped => std::future::pending().await,
                }
            })
        })
    }

    /// A call that is told the secret and ends so.
    fn call(row: &Row, secret: &str, end: End) -> (&'static str, Value) {
        let line = format!("2024-03-01 10:20:30 status installed {secret}:amd64 1.2\n");
        match end {
            End::Well => ("redact", json!([line, ["times"], "*"])),
            _ if row.is_whole() => ("analyze", json!([line, options()])),
            // A guest of a smaller world calls no host function, so it is kept busy.
            End::Traps => ("redact", json!([line.repeat(LINES), ["times"], "*"])),
            End::Dropped => ("redact", json!([line.repeat(4 * LINES), ["times"], "*"])),
        }
    }

    const LINES: usize = 50_000;

    /// Enough to be told so many lines, in bytes, and too little to answer.
    const MEMORY: u64 = 10 << 20;

    async fn tell(row: &Row, lease: &mut Lease<(), End>, secret: &str, end: End) {
        let case = format!("{}, {end:?}", row.name);
        let (function, params) = call(row, secret, end);
        let mut told = pin!(lease.invoke_json(function, &params));
        match (end, row.is_whole()) {
            (End::Well, _) => drop(told.await.unwrap()),
            (End::Traps, true) => assert!(matches!(told.await, Err(CallError::Host(_))), "{case}"),
            (End::Traps, false) => {
                let told = told.await;
                assert!(matches!(told, Err(CallError::Limit(_))), "{case}: {told:?}");
            }
            (End::Dropped, _) => until(&case, || {
                assert!(poll_once(told.as_mut()).is_pending(), "{case}: it ended");
                let found = found(secret);
                (!found.is_empty()).then_some(()).ok_or(found)
            }),
        }
        // Or the search would show nothing.
        assert!(!found(secret).is_empty(), "{case}: it is nowhere");
    }

    /// What was lent is dropped behind the caller's back, and its memory made new then.
    fn pool_is_empty(pool: &Pool<(), End>, name: &str) {
        until(name, || match pool.stats() {
            stats if stats.leased + stats.dying == 0 => Ok(()),
            stats => Err(stats),
        });
    }

    /// In a process of its own: what others map and give back, while the mappings are read, would hide
    /// some of them.
    #[test]
    fn a_secret_is_gone_with_its_call() {
        if !alone(module_path!(), "a_secret_is_gone_with_its_call", |_| {}) {
            search();
        }
    }

    /// By name, so that a guest of a smaller world is among them.
    fn search() {
        for (place, row) in rows().iter().enumerate() {
            for end in [End::Well, End::Traps, End::Dropped] {
                for reset in [Reset::Dirty, Reset::Whole] {
                    let secret = format!(
                        "s-e-c-r-e-t--{}--{place}--{end:?}--{reset:?}--",
                        std::process::id()
                    );
                    RUNTIME.block_on(is_gone(row, &secret, end, reset));
                }
            }
        }
    }

    async fn is_gone(row: &Row, secret: &str, end: End, reset: Reset) {
        let mut config = PoolConfig::new(2);
        config.reset = Some(reset);
        config.limits.deadline = LONG;
        config.limits.memory_bytes = match (end, row.is_whole()) {
            (End::Traps, false) => MEMORY,
            (End::Dropped, false) => 256 << 20,
            _ => row.ceiling,
        };
        let pool = Pool::builder(row.component(), config, move || end)
            .imports(imports)
            .build()
            .unwrap();
        let mut lease = pool.lease().await.unwrap();
        tell(row, &mut lease, secret, end).await;
        drop(lease);
        pool_is_empty(&pool, row.name);
        let mut next = pool.lease().await.unwrap();
        let params = json!(["none", ["times"], "*"]);
        next.invoke_json("redact", &params).await.unwrap();
        assert_eq!(found(secret), [""; 0], "{}, {end:?}, {reset:?}", row.name);
        drop(next);
        pool.close().await;
    }
}
