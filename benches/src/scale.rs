//! Ten thousand components, a few in use: what each takes when it is registered, and when it is
//! loaded and idle; and a burst of first calls.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use prewarm::{Host, HostConfig, PoolConfig, Registered, Val};
use wasmtime::error::Context as _;
use wasmtime::{Result, ensure};

use crate::clock::{cpu_time, now, rest};
use crate::memory::{self, Resident};
use crate::sample::{count, percentile};

/// What the components are, but for a number in each.
const WAT: &str = r#"(component
    (core module $m
        (memory (export "m") 1)
        (data (i32.const 0) "what a guest begins with")
        (func (export "f") (param i32) (result i32)
            (i32.store (i32.const 64) (local.get 0))
            (i32.add (i32.load (i32.const 64)) (i32.const 1))))
    (core instance $i (instantiate $m))
    (func (export "next") (param "n" u32) (result u32) (canon lift (core func $i "f"))))"#;

/// What was measured, in the order of the list.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Figures(pub Vec<(&'static str, f64)>);

impl Figures {
    fn add(&mut self, name: &'static str, value: f64) {
        self.0.push((name, value));
    }

    /// The figure of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        let mut figures = self.0.iter();
        figures.find(|(of, _)| *of == name).map(|(_, value)| *value)
    }
}

/// Components on disk, each with a code of its own.
#[derive(Debug)]
pub struct Fleet {
    home: tempfile::TempDir,
    files: Vec<PathBuf>,
}

impl Fleet {
    /// Writes so many to a folder of their own, and compiles them into a cache beside it.
    ///
    /// # Errors
    ///
    /// Where the disk or the compiler refuses.
    pub fn new(components: u32) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let binary = wat::parse_str(WAT)?;
        let mut files = Vec::new();
        for n in 0..components {
            let file = home.path().join(format!("{n}.wasm"));
            let mut wasm = binary.clone();
            // A custom section: its number, its size, and its name.
            let name = format!("{n:08}");
            wasm.extend([0, 9, 8]);
            wasm.extend(name.as_bytes());
            fs::write(&file, wasm)?;
            files.push(file);
        }
        let fleet = Self { home, files };
        let host = fleet.host(|_| {})?;
        let next = Mutex::new(fleet.files.iter());
        let compile = || -> Result<()> {
            loop {
                let Some(file) = next.lock().ok().and_then(|mut next| next.next()) else {
                    return Ok(());
                };
                host.load_blocking(file.as_path())?;
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..2).map(|_| scope.spawn(compile)).collect();
            let mut ended = threads.into_iter().map(|thread| {
                let ended = thread.join().ok();
                ended.context("a thread panicked")?
            });
            ended.try_for_each(|ended| ended)
        })?;
        Ok(fleet)
    }

    fn cache(&self) -> PathBuf {
        self.home.path().join("cache")
    }

    fn host(&self, set: impl FnOnce(&mut HostConfig)) -> Result<Host> {
        let mut config = HostConfig::default();
        config.cache.dir = Some(self.cache());
        config.max_loaded = self.files.len().max(1);
        set(&mut config);
        Ok(Host::new(config)?)
    }

    fn register(&self, host: &Host, files: &[PathBuf]) -> Result<Vec<Registered>> {
        let register = |file: &PathBuf| {
            let config = PoolConfig::new(4);
            Ok(host.register(file.as_path(), config)?)
        };
        files.iter().map(register).collect()
    }

    fn resident(&self) -> Result<Resident> {
        Resident::now(&self.cache())
    }

    /// What one component takes when it is registered, and when it is loaded and has no instance.
    ///
    /// # Errors
    ///
    /// Where a call fails, or the system does not tell.
    pub fn rest(&self, runtime: &tokio::runtime::Runtime) -> Result<Figures> {
        let mut figures = Figures::default();
        let components = count(self.files.len() as u64);
        let host = self.host(|config| config.max_instances = 64)?;
        // The engine and the threads are made by the first, and no matter of the others.
        runtime.block_on(call(&self.register(&host, &self.files[..1])?[0]))?;

        let before = self.resident()?;
        let all = self.register(&host, &self.files)?;
        let registered = self.resident()?;
        let each = |after: f64, before: f64| (after - before) / components;
        figures.add("components", components);
        figures.add("registered-kib", each(registered.beyond(), before.beyond()));

        let few = self.host(|_| {})?;
        let one = self.register(&few, &self.files[..1])?;
        figures.add("stats-of-one-ns", stats_ns(&few));
        drop(one);

        let began = now();
        runtime.block_on(async {
            for one in &all {
                call(one).await?;
            }
            Ok::<_, wasmtime::Error>(())
        })?;
        let took = began.elapsed();
        figures.add(
            "first-call-in-turn-ms",
            took.as_secs_f64() * 1000.0 / components,
        );
        let idle = |one: &Registered| one.stats().is_some_and(|stats| stats.idle == 0);
        let until = now() + Duration::from_secs(30);
        while !all.iter().all(idle) {
            ensure!(now() < until, "instances stay");
            rest(Duration::from_millis(100));
        }
        let stats = host.stats();
        ensure!(stats.loaded == all.len(), "not all are loaded: {stats:?}");
        figures.add("stats-of-all-ns", stats_ns(&host));
        let loaded = self.resident()?;
        figures.add("loaded-kib", each(loaded.beyond(), registered.beyond()));
        figures.add("loaded-mapped-kib", each(loaded.mapped, registered.mapped));
        figures.add(
            "loaded-code-kib",
            count(stats.code_bytes) / 1024.0 / components,
        );
        figures.add("loaded-maps", each(loaded.maps, registered.maps));

        let watched = Duration::from_secs(1);
        if let Some(before) = cpu_time() {
            rest(watched);
            let used = cpu_time().unwrap_or_default().saturating_sub(before);
            figures.add(
                "idle-cpu-percent",
                used.as_secs_f64() / watched.as_secs_f64() * 100.0,
            );
        }
        let (outcome, took) = crate::clock::time(|| drop(all));
        let () = outcome;
        figures.add("unload-us", took.as_secs_f64() * 1e6 / components);
        Ok(figures)
    }

    /// As many first calls at one instant, on a host that keeps a tenth of the components loaded
    /// and has room for as many instances.
    ///
    /// # Errors
    ///
    /// Where a call fails, or the system does not tell.
    pub fn burst(&self, runtime: &tokio::runtime::Runtime, calls: usize) -> Result<Figures> {
        let mut figures = Figures::default();
        let kept = (calls / 10).max(1);
        let files = self.files.get(..calls + 1);
        let files = files.context("fewer components than calls")?;
        let host = self.host(|config| {
            config.max_loaded = kept;
            config.max_instances = u32::try_from(kept).unwrap_or(u32::MAX);
        })?;
        let (last, files) = files.split_last().context("no component")?;
        let loads = Arc::new(Mutex::new(Vec::new()));
        let all = files.iter().enumerate().map(|(index, file)| {
            let loads = Arc::clone(&loads);
            let noted = move |_: &mut _| {
                if let Ok(mut loads) = loads.lock() {
                    loads.push(index);
                }
                Ok(())
            };
            let builder = Registered::builder(&host, file.as_path(), PoolConfig::new(4), || ());
            Ok(builder.imports(noted).build()?)
        });
        let all = all.collect::<Result<Vec<Registered>>>()?;
        runtime.block_on(call(&self.register(&host, std::slice::from_ref(last))?[0]))?;

        let before = self.resident()?;
        memory::reset_peak()?;
        let began = now();
        let served = runtime.block_on(async {
            let (mut served, mut waiting) = (Vec::new(), Vec::new());
            for one in &all {
                let one = one.clone();
                let mut call = Box::pin(async move {
                    call(&one).await?;
                    Ok::<_, wasmtime::Error>(began.elapsed())
                });
                // It asks here, in the order of the list, and waits in a task of its own.
                let mut asking = Context::from_waker(Waker::noop());
                match call.as_mut().poll(&mut asking) {
                    Poll::Ready(answered) => served.push(answered?),
                    Poll::Pending => waiting.push(tokio::spawn(call)),
                }
            }
            for call in waiting {
                served.push(call.await.context("a call was cut short")??);
            }
            Ok::<_, wasmtime::Error>(served)
        })?;
        let total = began.elapsed();
        let peak = memory::peak()? - before.all;
        let loads = loads.lock().ok().context("a load panicked")?;
        ensure!(
            loads.len() == calls,
            "{} loads for {calls} calls",
            loads.len()
        );
        let ranks = loads.iter().enumerate();
        let moved = ranks.map(|(rank, turn)| rank.abs_diff(*turn)).max();
        let mut ms: Vec<f64> = served
            .iter()
            .map(|after| after.as_secs_f64() * 1000.0)
            .collect();
        figures.add("burst-calls", count(calls as u64));
        figures.add("burst-ms", total.as_secs_f64() * 1000.0);
        figures.add("burst-p50-ms", percentile(&mut ms, 50.0));
        figures.add("burst-p99-ms", percentile(&mut ms, 99.0));
        figures.add("burst-max-ms", percentile(&mut ms, 100.0));
        figures.add("burst-peak-mib", peak / 1024.0);
        figures.add(
            "burst-loads-out-of-order",
            count(moved.unwrap_or_default() as u64),
        );
        figures.add("burst-left-loaded", count(host.stats().loaded as u64));
        Ok(figures)
    }

    /// Where it lies.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.home.path()
    }
}

async fn call(one: &Registered) -> Result<()> {
    let answer = one.invoke("next", &[Val::U32(1)]).await?;
    ensure!(answer == Some(Val::U32(2)), "a wrong answer: {answer:?}");
    Ok(())
}

fn stats_ns(host: &Host) -> f64 {
    const TIMES: u32 = 100_000;
    let ((), took) = crate::clock::time(|| {
        for _ in 0..TIMES {
            std::hint::black_box(host.stats());
        }
    });
    took.as_secs_f64() * 1e9 / f64::from(TIMES)
}
