//! prewarm's pools, for threads and for tasks.

use std::path::Path;

use prewarm::{Component, Host, HostConfig, PoolConfig, Reuse, World, blocking};
use tokio::runtime::Runtime;
use wasmtime::Result;

use crate::bindings::{Answers, Labels, add_labels, direct, task};
use crate::job::{Answer, Job, Work};
use crate::memory;
use crate::rival::{Caller, Life, Rival};
use crate::turn::Turn;

/// A host as it comes, but without a cache: nothing of what is measured comes from a disk.
///
/// # Errors
///
/// Where its settings cannot hold.
pub fn host() -> Result<Host> {
    let mut config = HostConfig::default();
    config.cache.enabled = false;
    Ok(Host::new(config)?)
}

fn config(life: Life) -> PoolConfig {
    match life {
        Life::Warm => {
            let mut config = PoolConfig::new(32);
            config.reuse = Reuse::Calls(u32::MAX..=u32::MAX);
            config
        }
        Life::Fresh => PoolConfig::new(32),
    }
}

const SETTINGS: &str = "HostConfig::default() without the cache on disk: pooling for 1000 instances, epochs \
    at 1 ms, all limits on, one refill thread on two processors; PoolConfig::new(32), warm with Reuse::Calls(u32::MAX)";

/// The face for threads.
pub struct Direct<W: World> {
    name: &'static str,
    echoes: bool,
    /// Whether a fresh instance has called before it is lent, for nobody.
    warmed: bool,
    warm: blocking::Pool<W, Labels>,
    fresh: blocking::Pool<W, Labels>,
}

/// One with a guest of the world `work`.
///
/// # Errors
///
/// Where the component is of another world.
pub fn rust(host: &Host, file: &Path) -> Result<Direct<direct::work::Work>> {
    let component = host.load_blocking(file)?;
    let pool = |life| blocking::Pool::builder(&component, config(life), Labels::default).build();
    Ok(Direct {
        name: "prewarm",
        echoes: true,
        warmed: false,
        warm: pool(Life::Warm)?,
        fresh: pool(Life::Fresh)?,
    })
}

/// The same, each of whose instances has made a call before it is lent.
///
/// # Errors
///
/// Where the component is of another world.
pub fn rust_warmed(host: &Host, file: &Path) -> Result<Direct<direct::work::Work>> {
    let component = host.load_blocking(file)?;
    let pool = |life| {
        let pool = blocking::Pool::builder(&component, config(life), Labels::default);
        let warm_up = Job::address();
        let pool = pool.warm_up(move |guest: &direct::work::Work, store| {
            guest.call_echo(&mut *store, &warm_up.text)?;
            guest.answer(store, &warm_up).map(drop)
        });
        pool.build()
    };
    Ok(Direct {
        name: "prewarm-warmed",
        echoes: true,
        warmed: true,
        warm: pool(Life::Warm)?,
        fresh: pool(Life::Fresh)?,
    })
}

/// One with a script guest of the world of logs.
///
/// # Errors
///
/// Where the component is of another world.
pub fn script(
    host: &Host,
    name: &'static str,
    file: &Path,
) -> Result<Direct<direct::script::Script>> {
    let component = host.load_blocking(file)?;
    Ok(Direct {
        name,
        echoes: false,
        warmed: false,
        warm: script_pool(&component, Life::Warm)?,
        fresh: script_pool(&component, Life::Fresh)?,
    })
}

/// A pool of them.
///
/// # Errors
///
/// Where the component is of another world.
pub fn script_pool(
    component: &Component,
    life: Life,
) -> Result<blocking::Pool<direct::script::Script, Labels>> {
    let pool = blocking::Pool::builder(component, config(life), Labels::default)
        .imports(|linker| add_labels(linker, |state| state.embedder_mut()));
    Ok(pool.build()?)
}

impl<W: World + Answers> Rival for Direct<W> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn settings(&self) -> String {
        match (self.echoes, self.warmed) {
            (true, false) => format!("blocking::Pool; {SETTINGS}"),
            (true, true) => {
                "as prewarm, warm_up with a call of both functions on another text".to_owned()
            }
            (false, _) => "as prewarm, a script guest of the world of logs".to_owned(),
        }
    }

    fn does(&self, job: &Job, life: Life) -> bool {
        // A warm one needs no warm-up.
        let differs = !self.warmed || life == Life::Fresh;
        differs && (self.echoes || job.work != Work::Echo)
    }

    fn caller(&self, life: Life) -> Result<Box<dyn Caller + '_>> {
        Ok(Box::new(DirectCaller(match life {
            Life::Warm => &self.warm,
            Life::Fresh => &self.fresh,
        })))
    }

    fn resident(&self, job: &Job) -> Result<Option<u64>> {
        memory::of_each(|| {
            let mut lease = self.warm.lease()?;
            lease.call(|guest, store| guest.answer(store, job))?;
            Ok(lease)
        })
    }
}

struct DirectCaller<'a, W: World>(&'a blocking::Pool<W, Labels>);

impl<W: World + Answers> Caller for DirectCaller<'_, W> {
    #[inline]
    fn call(&mut self, job: &Job) -> Result<Answer> {
        Ok(self.0.call(|guest, store| guest.answer(store, job))?)
    }
}

/// The face for tasks.
pub struct Tasks {
    warm: prewarm::Pool<task::Work>,
    fresh: prewarm::Pool<task::Work>,
}

impl Tasks {
    /// One with a guest of the world `work`.
    ///
    /// # Errors
    ///
    /// Where the component is of another world.
    pub fn new(host: &Host, file: &Path) -> Result<Self> {
        let component = host.load_blocking(file)?;
        Ok(Self {
            warm: component.pool(config(Life::Warm))?,
            fresh: component.pool(config(Life::Fresh))?,
        })
    }
}

impl Rival for Tasks {
    fn name(&self) -> &'static str {
        "prewarm-async"
    }

    fn settings(&self) -> String {
        "as prewarm, but Pool, each caller in one task of a tokio runtime of its own thread"
            .to_owned()
    }

    fn caller(&self, life: Life) -> Result<Box<dyn Caller + '_>> {
        Ok(Box::new(TaskCaller {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()?,
            pool: match life {
                Life::Warm => &self.warm,
                Life::Fresh => &self.fresh,
            },
        }))
    }

    fn resident(&self, job: &Job) -> Result<Option<u64>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        memory::of_each(|| {
            runtime.block_on(async {
                let mut lease = self.warm.lease().await?;
                lease
                    .call(async |guest, store| guest.answer(store, job).await)
                    .await?;
                Ok(lease)
            })
        })
    }
}

struct TaskCaller<'a> {
    runtime: Runtime,
    pool: &'a prewarm::Pool<task::Work>,
}

impl TaskCaller<'_> {
    async fn ask(&self, job: &Job) -> Result<Answer> {
        let call = self
            .pool
            .call(async |guest, store| guest.answer(store, job).await);
        Ok(call.await?)
    }
}

impl Caller for TaskCaller<'_> {
    fn call(&mut self, job: &Job) -> Result<Answer> {
        self.runtime.block_on(self.ask(job))
    }

    /// Within one task, as a service would: entering the runtime is not part of a call.
    fn take(&mut self, job: &Job, turn: &mut Turn) -> Result<()> {
        self.runtime.block_on(async {
            while turn.begin() {
                turn.end(self.ask(job).await?);
            }
            Ok(())
        })
    }
}
