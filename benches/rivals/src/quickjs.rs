//! What people do without components: an interpreter in the thread. QuickJS with the source of the
//! JavaScript guest.

use rivals_work::KINDS;
use rquickjs::function::Function;
use rquickjs::{Context, FromJs, Persistent, Runtime};
use wasmtime::Result;
use wasmtime::error::Context as _;

use crate::job::{Answer, Job, Work};
use crate::rival::{Caller, Life, Rival};

/// The guest's source. A script and not a module, so it has neither imports nor exports.
const GUEST: &str = include_str!("../../../guest-examples/javascript/logs.js");

/// What asks it.
const ASK: &str = "
    const ALL = Object.fromEntries(Object.keys(SECRETS).map((kind) => [kind, true]));
    function ask(text) {
        const found = redact(text, ALL, '*');
        const counts = Object.assign({}, ...found.counts.map(([kind, count]) => ({ [Object.keys(kind)[0]]: count })));
        return [found.text, ...Object.keys(SECRETS).map((kind) => counts[kind] ?? 0)];
    }
";

const ECHO: &str = "function ask(text) { return [text, 0, 0, 0, 0, 0]; }";

/// QuickJS in the thread of the caller.
pub struct QuickJs {
    redact: String,
}

impl QuickJs {
    /// Takes the guest's source.
    pub fn new() -> Self {
        let lines = GUEST.lines().filter(|line| !line.starts_with("import "));
        let script: Vec<&str> = lines
            .map(|line| line.strip_prefix("export ").unwrap_or(line))
            .collect();
        Self {
            redact: script.join("\n") + ASK,
        }
    }

    fn source(&self, work: Work) -> &str {
        match work {
            Work::Echo => ECHO,
            Work::Redact => &self.redact,
        }
    }
}

impl Rival for QuickJs {
    fn name(&self) -> &'static str {
        "quickjs-thread"
    }

    fn settings(&self) -> String {
        "rquickjs 0.12, native QuickJS with the JavaScript guest's source, no limits: warm is one context for \
         each caller, fresh is a context for each call in a runtime that stays, the source evaluated anew"
            .to_owned()
    }

    fn caller(&self, life: Life) -> Result<Box<dyn Caller + '_>> {
        let runtime = Runtime::new()?;
        Ok(match life {
            Life::Warm => Box::new(Warm {
                loaded: None,
                runtime,
                source: self,
            }),
            Life::Fresh => Box::new(Fresh {
                runtime,
                source: self,
            }),
        })
    }
}

/// A context with the source of one work, and what asks it.
struct Loaded {
    work: Work,
    // Dropped before what it is of.
    ask: Persistent<Function<'static>>,
    context: Context,
}

struct Warm<'a> {
    loaded: Option<Loaded>,
    runtime: Runtime,
    source: &'a QuickJs,
}

impl Caller for Warm<'_> {
    fn call(&mut self, job: &Job) -> Result<Answer> {
        if self
            .loaded
            .as_ref()
            .is_none_or(|loaded| loaded.work != job.work)
        {
            self.loaded = Some(Loaded::new(&self.runtime, job.work, self.source)?);
        }
        let loaded = self.loaded.as_ref().context("it was loaded above")?;
        loaded.context.with(|ctx| {
            let ask = loaded.ask.clone().restore(&ctx)?;
            answer(&ask, job)
        })
    }
}

impl Loaded {
    fn new(runtime: &Runtime, work: Work, source: &QuickJs) -> Result<Self> {
        let context = Context::full(runtime)?;
        let ask = context.with(|ctx| {
            ctx.eval::<(), _>(source.source(work))?;
            let ask: Function<'_> = ctx.globals().get("ask")?;
            wasmtime::error::Ok(Persistent::save(&ctx, ask))
        })?;
        Ok(Self { work, ask, context })
    }
}

struct Fresh<'a> {
    runtime: Runtime,
    source: &'a QuickJs,
}

impl Caller for Fresh<'_> {
    fn call(&mut self, job: &Job) -> Result<Answer> {
        Context::full(&self.runtime)?.with(|ctx| {
            ctx.eval::<(), _>(self.source.source(job.work))?;
            answer(&ctx.globals().get("ask")?, job)
        })
    }
}

fn answer<'js>(ask: &Function<'js>, job: &Job) -> Result<Answer> {
    let found: rquickjs::Array<'js> = ask.call((job.text.as_str(),))?;
    let text = item(&found, 0)?;
    let mut counts = [0; KINDS];
    for (at, count) in counts.iter_mut().enumerate() {
        *count = item(&found, at + 1)?;
    }
    Ok(Answer { text, counts })
}

fn item<'js, T: FromJs<'js>>(found: &rquickjs::Array<'js>, at: usize) -> Result<T> {
    Ok(found.get(at)?)
}
