//! Extism: a plugin compiled once, and its pool of plugins. A core module of the same source.
//!
//! Its pool lends plugins again and again and never cleans one, so a fresh instance for each call is a new
//! plugin of the compiled one, as its documentation has it.

use std::path::Path;
use std::time::Duration;

use extism::{
    CompiledPlugin, Manifest, Plugin, PluginBuilder, Pool, PoolBuilder, PoolPlugin, Wasm,
};
use wasmtime::error::Context as _;
use wasmtime::{Result, format_err};

use crate::job::{Answer, Job, Work};
use crate::memory;
use crate::rival::{Caller, Life, Rival};

/// Longer than any call takes: two callers share room for more.
const PATIENCE: Duration = Duration::from_secs(5);

/// Extism's pool.
pub struct Extism {
    compiled: CompiledPlugin,
    pool: Pool,
}

impl Extism {
    /// Compiles it.
    ///
    /// # Errors
    ///
    /// Where the file is no plugin.
    pub fn new(file: &Path) -> Result<Self> {
        let manifest = Manifest::new([Wasm::data(std::fs::read(file)?)]);
        let compiled = PluginBuilder::new(manifest)
            .with_wasi(false)
            .with_cache_disabled()
            .compile()
            .map_err(error)?;
        let source = compiled.clone();
        let pool = PoolBuilder::new()
            .with_max_instances(32)
            .build(move || Plugin::new_from_compiled(&source));
        Ok(Self { compiled, pool })
    }

    fn start(&self) -> Result<Plugin> {
        Plugin::new_from_compiled(&self.compiled).map_err(error)
    }

    fn lend(&self) -> Result<PoolPlugin> {
        let lent = self.pool.get(PATIENCE).map_err(error)?;
        lent.context("no plugin came free")
    }
}

/// An error of Extism, which is of another crate's kind.
fn error(error: extism::Error) -> wasmtime::Error {
    format_err!("{error:#}")
}

fn ask(plugin: &mut Plugin, job: &Job) -> Result<Answer> {
    match job.work {
        Work::Echo => {
            let text = plugin.call::<_, String>("echo", &job.text);
            Ok(Answer::of_text(text.map_err(error)?))
        }
        Work::Redact => {
            let bytes = plugin.call::<_, &[u8]>("redact", &job.text);
            Answer::of_bytes(bytes.map_err(error)?)
        }
    }
}

impl Rival for Extism {
    fn name(&self) -> &'static str {
        "extism"
    }

    fn settings(&self) -> String {
        "extism 1.30 on wasmtime 43 with its default features: CompiledPlugin, on-demand, its epochs on, no \
         limits set, without WASI; warm through Pool of 32, fresh with Plugin::new_from_compiled"
            .to_owned()
    }

    fn caller(&self, life: Life) -> Result<Box<dyn Caller + '_>> {
        Ok(match life {
            Life::Warm => Box::new(Lent(self)),
            Life::Fresh => Box::new(Starts(self)),
        })
    }

    fn resident(&self, job: &Job) -> Result<Option<u64>> {
        memory::of_each(|| {
            let mut plugin = self.start()?;
            ask(&mut plugin, job)?;
            Ok(plugin)
        })
    }
}

struct Lent<'a>(&'a Extism);

impl Caller for Lent<'_> {
    fn call(&mut self, job: &Job) -> Result<Answer> {
        ask(&mut *self.0.lend()?, job)
    }
}

struct Starts<'a>(&'a Extism);

impl Caller for Starts<'_> {
    fn call(&mut self, job: &Job) -> Result<Answer> {
        ask(&mut self.0.start()?, job)
    }
}
