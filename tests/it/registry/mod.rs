//! Registered components: loaded when called, by one load, in order; unloaded when others need the
//! room, and never while they are in use.

mod loads;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use prewarm::{
    CallError, Error, Fault, Host, LoadError, Phase, PoolConfig, PoolError, Registered, Val, Wasm,
    blocking,
};

use crate::support::{
    FACES, Face, LONG, RUNTIME, always, config, host, host_with, number, pass, poll_once,
    still_host, until,
};

/// A component of its own for each number, which it answers.
fn numbered(n: u32) -> Wasm {
    Wasm::wat(format!(
        r#"(component
            (core module $m
                (memory (export "m") 1)
                (data (i32.const 0) "some memory to begin with")
                (func (export "f") (result i32) i32.const {n}))
            (core instance $i (instantiate $m))
            (func (export "number") (result u32) (canon lift (core func $i "f"))))"#
    ))
}

/// Called at each load, on the thread that loads.
type Link = dyn Fn() + Send + Sync;

/// One of either face, called from a thread.
#[derive(Clone)]
enum Any {
    Async(Registered),
    Blocking(blocking::Registered),
}

impl Any {
    fn new(face: Face, host: &Host, wasm: Wasm, config: PoolConfig) -> Self {
        Self::with(face, host, wasm, config, Arc::new(|| ()))
    }

    fn with(face: Face, host: &Host, wasm: Wasm, config: PoolConfig, link: Arc<Link>) -> Self {
        let link = move || {
            link();
            Ok(())
        };
        match face {
            Face::Async => Self::Async(
                Registered::builder(host, wasm, config, || ())
                    .imports(move |_| link())
                    .build()
                    .unwrap(),
            ),
            Face::Blocking => Self::Blocking(
                blocking::Registered::builder(host, wasm, config, || ())
                    .imports(move |_| link())
                    .build()
                    .unwrap(),
            ),
        }
    }

    fn number(&self) -> Result<u32, CallError> {
        match self {
            Self::Async(it) => RUNTIME.block_on(it.invoke("number", &[])),
            Self::Blocking(it) => it.invoke("number", &[]),
        }
        .map(number)
    }

    /// Holds its pool, or one of its instances.
    fn hold(&self, pool: bool) -> Box<dyn Send> {
        match self {
            Self::Async(it) if pool => Box::new(RUNTIME.block_on(it.pool()).unwrap()),
            Self::Async(it) => Box::new(RUNTIME.block_on(it.lease()).unwrap()),
            Self::Blocking(it) if pool => Box::new(it.pool().unwrap()),
            Self::Blocking(it) => Box::new(it.lease().unwrap()),
        }
    }

    fn is_loaded(&self) -> bool {
        match self {
            Self::Async(it) => it.is_loaded(),
            Self::Blocking(it) => it.is_loaded(),
        }
    }
}

fn some(face: Face, host: &Host, count: u32) -> Vec<Any> {
    (0..count)
        .map(|n| Any::new(face, host, numbered(n), config(2, always())))
        .collect()
}

fn loaded(of: &[Any]) -> Vec<usize> {
    let all = of.iter().enumerate();
    all.filter(|(_, one)| one.is_loaded())
        .map(|(at, _)| at)
        .collect()
}

/// The thread that loaded one may be the last to hold it.
#[track_caller]
fn until_gone(host: &Host) {
    until("nothing is registered", || match host.stats() {
        stats if stats.registered == 0 => {
            assert_eq!((stats.loaded, stats.code_bytes, stats.loading), (0, 0, 0));
            Ok(())
        }
        stats => Err(stats),
    });
}

/// Holds up whoever passes until it is opened.
#[derive(Default)]
struct Barrier {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Barrier {
    fn pass(&self) {
        let mut state = self.state.lock();
        state.0 += 1;
        self.changed.notify_all();
        self.changed.wait_while(&mut state, |(_, open)| !*open);
    }

    fn came(&self, count: usize) {
        let mut state = self.state.lock();
        self.changed
            .wait_while(&mut state, |(came, _)| *came < count);
    }

    fn open(&self) {
        self.state.lock().1 = true;
        self.changed.notify_all();
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

#[test]
fn nothing_is_read_before_the_first_call() {
    for face in FACES {
        let host = host();
        let it = Any::new(face, &host, "no/such/file.wasm".into(), config(1, always()));
        let stats = host.stats();
        assert_eq!((stats.registered, stats.loaded, stats.loads), (1, 0, 0));
        let error = it.number().unwrap_err();
        assert_eq!(
            (error.fault(), error.is_retryable()),
            (Fault::Caller, false)
        );
        let CallError::Load(error) = error else {
            panic!("{error:?}");
        };
        assert!(matches!(&*error, Error::Load(LoadError::Read { .. })));
        drop(it);
        until_gone(&host);
    }
}

#[test]
fn what_no_pool_can_have_is_told_at_once() {
    let mut none = config(1, always());
    none.max_instances = 0;
    let error = host().register::<()>(numbered(1), none).unwrap_err();
    assert!(matches!(error, PoolError::Config { .. }), "{error:?}");
}

#[test]
fn first_callers_share_one_load() {
    for face in FACES {
        let host = host();
        let gate = Arc::new(Barrier::default());
        let link = Arc::clone(&gate);
        let it = Any::with(
            face,
            &host,
            numbered(7),
            config(2, always()),
            Arc::new(move || link.pass()),
        );
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(it.number().unwrap(), 7));
            }
            gate.came(1);
            assert_eq!(host.stats().loading, 1);
            gate.open();
        });
        let stats = host.stats();
        assert_eq!((stats.loads, stats.loaded, stats.loading), (1, 1, 0));
        assert_eq!(gate.state.lock().0, 1);
    }
}

#[test]
fn the_least_recently_used_makes_room() {
    for face in FACES {
        let clock = prewarm::Clock::manual();
        let host = host_with(|config| {
            config.max_loaded = 3;
            config.clock = clock.clone();
        });
        let all = some(face, &host, 5);
        let call = |which: usize| {
            clock.advance(Duration::from_secs(1));
            assert_eq!(all[which].number().unwrap() as usize, which);
        };
        for (called, left) in [
            (0, vec![0]),
            (1, vec![0, 1]),
            (2, vec![0, 1, 2]),
            (0, vec![0, 1, 2]),
            (3, vec![0, 2, 3]),
            (2, vec![0, 2, 3]),
            (4, vec![2, 3, 4]),
            (0, vec![0, 2, 4]),
        ] {
            call(called);
            assert_eq!(loaded(&all), left, "{face:?}, after {called}");
        }
        let stats = host.stats();
        assert_eq!((stats.loads, stats.unloads, stats.loaded), (6, 3, 3));
    }
}

#[test]
fn code_keeps_within_its_bytes() {
    for face in FACES {
        let bytes = host().load_blocking(numbered(0)).unwrap().code_bytes() as u64;
        let host = host_with(|config| config.max_code_bytes = 2 * bytes);
        let all = some(face, &host, 6);
        for (n, one) in all.iter().enumerate() {
            assert_eq!(one.number().unwrap() as usize, n);
            assert!(loaded(&all).len() <= 2);
            assert!(host.stats().code_bytes <= 2 * bytes);
        }
        // Others that are the same code are no more of it.
        let same: Vec<_> = (0..5)
            .map(|_| Any::new(face, &host, numbered(9), config(1, always())))
            .collect();
        for one in &same {
            assert_eq!(one.number().unwrap(), 9);
        }
        assert_eq!(loaded(&same), [0, 1, 2, 3, 4]);
        assert!(host.stats().code_bytes <= 2 * bytes);
    }
}

#[test]
fn what_is_in_use_stays_until_it_is_not() {
    for face in FACES {
        for pool in [false, true] {
            let host = host_with(|config| config.max_loaded = 1);
            let all = some(face, &host, 3);
            let held = all[0].hold(pool);
            for one in &all[1..] {
                one.number().unwrap();
                assert!(all[0].is_loaded(), "{face:?}");
            }
            drop(held);
            all[1].number().unwrap();
            until("one is left", || match loaded(&all) {
                left if left == [1] => Ok(()),
                left => Err(left),
            });
        }
    }
}

/// Dropping a handle or a lease says nothing to the host.
#[test]
fn what_is_held_no_more_goes_without_a_call() {
    for face in FACES {
        for pool in [false, true] {
            let clock = prewarm::Clock::manual();
            let host = host_with(|config| {
                config.max_loaded = 1;
                config.clock = clock.clone();
            });
            let all = some(face, &host, 2);
            let held: Vec<_> = all.iter().map(|one| one.hold(pool)).collect();
            // The look that came with the loads.
            pass(Duration::from_millis(50));
            assert_eq!(loaded(&all), [0, 1], "{face:?}");
            drop(held);
            until("one is left", || {
                clock.advance(Duration::from_secs(1));
                match loaded(&all) {
                    left if left.len() == 1 => Ok(()),
                    left => Err(left),
                }
            });
        }
    }
}

/// The files of the folder that are mapped into this process.
#[cfg(target_os = "linux")]
fn mapped(folder: &Path) -> std::collections::BTreeSet<String> {
    let folder = folder.canonicalize().unwrap();
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines()
        .filter_map(|line| Some(&line[line.find('/')?..]))
        .filter(|path| Path::new(path).starts_with(&folder))
        .map(str::to_owned)
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
fn code_is_unmapped() {
    for face in FACES {
        let folder = tempfile::tempdir().unwrap();
        let host = host_with(|config| {
            config.cache.enabled = true;
            config.cache.dir = Some(folder.path().to_owned());
            config.max_loaded = 2;
        });
        let all = some(face, &host, 8);
        for _ in 0..2 {
            for one in &all {
                one.number().unwrap();
                // A thread that looked after a pool in that moment drops it a little later.
                until("two are mapped at most", || {
                    let mapped = mapped(folder.path());
                    assert!(!mapped.is_empty(), "the cache maps what it holds");
                    if mapped.len() <= 2 {
                        Ok(())
                    } else {
                        Err(mapped)
                    }
                });
            }
        }
        let stats = host.stats();
        assert_eq!((stats.loads, stats.unloads), (16, 14));
        assert_eq!(host.cache_stats().unwrap().stored, 8, "compiled once");
        drop(all);
        until("nothing is mapped", || match mapped(folder.path()) {
            none if none.is_empty() => Ok(()),
            left => Err(left),
        });
    }
}

#[test]
fn a_load_that_failed_is_tried_again_after_a_while() {
    for face in FACES {
        let folder = tempfile::tempdir().unwrap();
        let (host, clock) = still_host();
        let file = folder.path().join("late.wat");
        let it = Any::new(face, &host, file.as_path().into(), config(1, always()));
        it.number().unwrap_err();
        let Wasm::Bytes(bytes) = numbered(3) else {
            unreachable!();
        };
        fs::write(&file, bytes).unwrap();
        it.number().unwrap_err();
        clock.advance(Duration::from_millis(99));
        it.number().unwrap_err();
        assert_eq!(host.stats().load_failures, 1);
        clock.advance(Duration::from_millis(1));
        assert_eq!(it.number().unwrap(), 3);
        let stats = host.stats();
        assert_eq!((stats.loads, stats.load_failures, stats.loading), (1, 1, 0));
    }
}

#[test]
fn a_panic_in_a_load_is_told() {
    for face in FACES {
        let (host, clock) = still_host();
        let tries = Arc::new(AtomicUsize::new(0));
        let link = Arc::clone(&tries);
        let link = move || assert!(link.fetch_add(1, Ordering::SeqCst) > 0, "not yet");
        let it = Any::with(
            face,
            &host,
            numbered(1),
            config(1, always()),
            Arc::new(link),
        );
        let error = it.number().unwrap_err();
        assert_eq!(error.fault(), Fault::Host);
        let CallError::Load(error) = error else {
            panic!("{error:?}");
        };
        assert!(
            matches!(&*error, Error::Call(CallError::HostPanic { message, .. }) if message.contains("not yet"))
        );
        clock.advance(Duration::from_secs(1));
        assert_eq!(it.number().unwrap(), 1);
    }
}

/// Whether it is unloaded in between must make no difference.
#[test]
fn it_stays_what_it_was_at_first() {
    for face in FACES {
        for cached in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let host = host_with(|config| {
                config.cache.enabled = cached;
                config.cache.dir = Some(folder.path().join("cache"));
                config.max_loaded = 1;
            });
            let file = folder.path().join("it.wat");
            let write = |n| {
                let Wasm::Bytes(bytes) = numbered(n) else {
                    unreachable!();
                };
                fs::write(&file, bytes).unwrap();
            };
            write(1);
            let it = Any::new(face, &host, file.as_path().into(), config(1, always()));
            let other = Any::new(face, &host, numbered(9), config(1, always()));
            assert_eq!(it.number().unwrap(), 1);
            write(2);
            assert_eq!(it.number().unwrap(), 1);
            other.number().unwrap();
            assert!(!it.is_loaded());
            match (cached, it.number()) {
                (true, Ok(1)) => {}
                (false, Err(CallError::Load(error)))
                    if matches!(&*error, Error::Load(LoadError::Changed { .. })) => {}
                (_, other) => panic!("{other:?}"),
            }
            let again = Any::new(face, &host, file.as_path().into(), config(1, always()));
            assert_eq!(again.number().unwrap(), 2);
        }
    }
}
