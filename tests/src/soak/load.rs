//! What the callers of a soak do: all that a host is for, and all that goes wrong.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use prewarm::{
    CallError, Component, Host, Lane, Pool, PoolConfig, Registered, Reuse, Val, Wasm, blocking,
};
use tempfile::TempDir;

use crate::hostile::{guests, imports};
use crate::support::{AnyPool, Chance, Face, RUNTIME, config, host_with, load, number};

/// Adds its parameter to a number that it keeps. The text has a place for a number of its own, by
/// which it is another component each time.
const ADDER: &str = r#"(component
    (core module $m
        (global $sum (mut i32) (i32.const 0))
        (func (export "salt") (result i32) (i32.const SALT))
        (func (export "add") (param i32) (result i32)
            (global.set $sum (i32.add (global.get $sum) (local.get 0)))
            (global.get $sum)))
    (core instance $i (instantiate $m))
    (func (export "add") (param "n" u32) (result u32) (canon lift (core func $i "add"))))"#;

const MISDEEDS: &[&str] = &[
    "trap",
    "spin",
    "recurse",
    "grow-memory",
    "grow-table",
    "flood",
    "handles",
    "list-large",
    "host-fail",
    "host-panic-locked",
    "host-never",
    "trap-behind",
    "spin-behind",
];

/// Guests that cargo xtask guests makes and that import WASI alone.
const GUESTS: &[&str] = &["rust-outside", "javascript-outside", "python-outside"];

/// Registered components, of which a few are loaded at a time.
const REGISTERED: usize = 6;
const LOADED: usize = 2;

const DEEDS: [&str; 9] = [
    "fresh calls",
    "calls on instances lent again",
    "calls from tasks",
    "calls dropped",
    "misdeeds",
    "pools made and closed",
    "components loaded, called once and forgotten",
    "calls of guests in real languages",
    "calls of registered components",
];

pub(super) struct Loads {
    host: Host,
    adder: Component,
    fresh: blocking::Pool,
    reused: blocking::Pool,
    tasks: Pool,
    hostile: Vec<AnyPool>,
    guests: Vec<blocking::Pool>,
    registered: Vec<(Registered, blocking::Registered)>,
    counts: [AtomicUsize; DEEDS.len()],
    salt: AtomicUsize,
    /// Where the host keeps what it compiled. Goes last.
    _cache: TempDir,
}

fn short(mut config: PoolConfig) -> PoolConfig {
    config.limits.deadline = Duration::from_millis(20);
    config.limits.memory_bytes = 4 << 20;
    config.limits.output_bytes = 10_000;
    config.limits.hostcall_bytes = 1 << 20;
    config.limits.handles = 100;
    config.limits.table_elements = 1000;
    config
}

fn adder(salt: usize) -> String {
    ADDER.replace("SALT", &salt.to_string())
}

impl Loads {
    pub(super) fn new() -> Self {
        let cache = tempfile::tempdir().unwrap();
        let host = host_with(|config| {
            config.cache.enabled = true;
            config.cache.dir = Some(cache.path().to_owned());
            config.cache.max_bytes = 256 << 20;
            config.max_loaded = LOADED;
        });
        let component = load(&host, &adder(0));
        let hostile = [Lane::Plain, Lane::Concurrent]
            .into_iter()
            .flat_map(|lane| {
                let guest = load(&host, &guests::hostile(lane));
                [Face::Async, Face::Blocking].map(|face| {
                    let config = short(config(2, Reuse::Calls(1..=20)));
                    AnyPool::with(
                        face,
                        &guest,
                        config,
                        || (),
                        imports(face, Default::default()),
                    )
                    .unwrap()
                })
            });
        let guests = std::env::var_os("PREWARM_GUESTS").map(|folder| {
            let folder = std::path::PathBuf::from(folder);
            let pool = |name: &&str| {
                let component = host.load_blocking(folder.join(name).with_extension("wasm"));
                blocking::Pool::new(&component.unwrap(), config(2, Reuse::Calls(1..=50))).unwrap()
            };
            GUESTS.iter().map(pool).collect()
        });
        let registered = (0..REGISTERED).map(|at| {
            let mut config = config(2, Reuse::Never);
            config.min_warm = at % 3;
            let wasm = || Wasm::wat(adder(0x4000_0000 + at));
            let task = host.register(wasm(), config.clone()).unwrap();
            let thread = blocking::Registered::new(&host, wasm(), config).unwrap();
            (task, thread)
        });
        Self {
            registered: registered.collect(),
            fresh: blocking::Pool::new(&component, config(4, Reuse::Never)).unwrap(),
            reused: blocking::Pool::new(&component, config(2, Reuse::Calls(1..=1000))).unwrap(),
            tasks: RUNTIME
                .block_on(async { component.pool(config(3, Reuse::Never)) })
                .unwrap(),
            hostile: hostile.collect(),
            guests: guests.unwrap_or_default(),
            adder: component,
            host,
            counts: Default::default(),
            salt: AtomicUsize::new(1),
            _cache: cache,
        }
    }

    pub(super) fn counts(&self) -> Vec<(&'static str, usize)> {
        let counts = self.counts.iter().map(|count| count.load(Ordering::SeqCst));
        DEEDS.into_iter().zip(counts).collect()
    }

    /// Calls until it is told to stop, or a call does not end as it must.
    pub(super) fn run(&self, seed: u64, stop: &AtomicBool) -> Option<String> {
        let mut chance = Chance(seed);
        while !stop.load(Ordering::Relaxed) {
            // Cheap things often, dear ones seldom, about as long in all.
            let deed = match chance.below(1000) {
                0..=399 => 0,
                400..=699 => 1,
                700..=899 => 2,
                900..=939 => 3,
                940..=969 => 4,
                970..=979 => 5,
                980..=984 => 6,
                985..=991 => 7,
                _ => 8,
            };
            if let Err(wrong) = self.act(deed, chance.below(1 << 20)) {
                return Some(format!("{}: {wrong}", DEEDS[deed]));
            }
            self.counts[deed].fetch_add(1, Ordering::Relaxed);
        }
        None
    }

    fn act(&self, deed: usize, chance: usize) -> Result<(), String> {
        let n = u32::try_from(chance % 1000).unwrap_or(0);
        let params = [Val::U32(n)];
        let is = |answer: Result<Option<Val>, CallError>| match answer.map(number) {
            Ok(answer) if answer == n => Ok(()),
            other => Err(format!("{other:?} instead of {n}")),
        };
        match deed {
            0 => is(self.fresh.invoke("add", &params)),
            1 => match self.reused.invoke("add", &params) {
                Ok(_) => Ok(()),
                Err(error) => Err(format!("{error:?}")),
            },
            2 => is(RUNTIME.block_on(self.tasks.invoke("add", &params))),
            3 => {
                let call = self.hostile[0].share();
                let AnyPool::Async(pool) = call else {
                    return Err("the first one is for tasks".to_owned());
                };
                RUNTIME.block_on(async {
                    let call = pool.invoke("host-never", &[]);
                    let early = tokio::time::timeout(Duration::from_micros(200), call).await;
                    match early {
                        Err(_) | Ok(Err(CallError::Deadline { .. })) => Ok(()),
                        Ok(other) => Err(format!("{other:?}")),
                    }
                })
            }
            4 => {
                let pool = &self.hostile[chance % self.hostile.len()];
                let misdeed = MISDEEDS[chance / 7 % MISDEEDS.len()];
                match pool.number(misdeed) {
                    Err(_) => Ok(()),
                    Ok(answer) => Err(format!("{misdeed} gave {answer}")),
                }
            }
            5 => {
                let pool = blocking::Pool::<()>::new(&self.adder, config(2, Reuse::Never))
                    .map_err(|error| format!("{error:?}"))?;
                let answer = pool.invoke("add", &params);
                pool.close();
                is(answer)
            }
            6 => {
                let wat = adder(self.salt.fetch_add(1, Ordering::Relaxed));
                let component = self
                    .host
                    .load_blocking(Wasm::wat(wat))
                    .map_err(|error| format!("{error:?}"))?;
                let pool = blocking::Pool::<()>::new(&component, config(1, Reuse::Never))
                    .map_err(|error| format!("{error:?}"))?;
                is(pool.invoke("add", &params))
            }
            8 => {
                let (task, thread) = &self.registered[chance / 1000 % REGISTERED];
                is(match chance % 2 {
                    0 => RUNTIME.block_on(task.invoke("add", &params)),
                    _ => thread.invoke("add", &params),
                })
            }
            _ => {
                let Some(pool) = self.guests.get(chance % GUESTS.len()) else {
                    return Ok(());
                };
                let answer = pool.invoke("variable", &[Val::String("SECRET".into())]);
                match answer {
                    Ok(Some(Val::Option(None))) => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            }
        }
    }
}
