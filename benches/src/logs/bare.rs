//! The guests that read logs, without prewarm's pools: linked and instantiated by hand.

use std::time::Duration;

use prewarm::Component;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime::{Result, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::bindings::{Logs, LogsPre};
use super::part::RedactorPre;
use super::{Labels, secrets, secrets_of_part};
use crate::clock::time;

/// What the store of an instance made by hand holds.
pub(crate) struct Bare {
    wasi: WasiCtx,
    table: ResourceTable,
    labels: Labels,
}

impl WasiView for Bare {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// A guest on its component's engine, with everything done once that can be done once.
#[expect(missing_debug_implementations, reason = "the bindings have none")]
pub struct BareReader {
    pre: Pre,
}

enum Pre {
    Whole(LogsPre<Bare>),
    Part(RedactorPre<Bare>),
}

impl BareReader {
    /// Links it.
    ///
    /// # Errors
    ///
    /// Where the component is of neither world.
    pub fn new(component: &Component) -> Result<Self> {
        let whole = component.exports().find("analyze").is_ok();
        let component = component.as_wasmtime();
        let mut linker = Linker::new(component.engine());
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        if whole {
            Logs::add_to_linker::<_, HasSelf<Labels>>(&mut linker, |bare: &mut Bare| {
                &mut bare.labels
            })?;
        }
        let pre = linker.instantiate_pre(component)?;
        let pre = if whole {
            Pre::Whole(LogsPre::new(pre)?)
        } else {
            Pre::Part(RedactorPre::new(pre)?)
        };
        Ok(Self { pre })
    }

    /// An instance of its own for each call, all of which redact `text`.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    pub fn run(&self, text: &str, calls: u64) -> Result<()> {
        for _ in 0..calls {
            match &self.pre {
                Pre::Whole(pre) => {
                    let mut store = store(pre.engine());
                    let logs = pre.instantiate(&mut store)?;
                    logs.call_redact(&mut store, text, secrets(), '*')?;
                }
                Pre::Part(pre) => {
                    let mut store = store(pre.engine());
                    let guest = pre.instantiate(&mut store)?;
                    guest.call_redact(&mut store, text, secrets_of_part(), '*')?;
                }
            }
        }
        Ok(())
    }

    /// Holds one instance, after it redacted `text`, until what this returns is dropped.
    ///
    /// # Errors
    ///
    /// That of the call.
    pub fn hold(&self, text: &str) -> Result<Box<dyn std::any::Any>> {
        match &self.pre {
            Pre::Whole(pre) => {
                let mut store = store(pre.engine());
                let logs = pre.instantiate(&mut store)?;
                logs.call_redact(&mut store, text, secrets(), '*')?;
                Ok(Box::new(store))
            }
            Pre::Part(pre) => {
                let mut store = store(pre.engine());
                let guest = pre.instantiate(&mut store)?;
                guest.call_redact(&mut store, text, secrets_of_part(), '*')?;
                Ok(Box::new(store))
            }
        }
    }

    /// How long it takes to make one instance, and then to redact `text` for the first time.
    ///
    /// # Errors
    ///
    /// That of the call.
    pub fn first(&self, text: &str) -> Result<[Duration; 2]> {
        match &self.pre {
            Pre::Whole(pre) => {
                let mut store = store(pre.engine());
                let (logs, start) = time(|| pre.instantiate(&mut store));
                let logs = logs?;
                let call = || logs.call_redact(&mut store, text, secrets(), '*');
                let (answer, call) = time(call);
                answer?;
                Ok([start, call])
            }
            Pre::Part(pre) => {
                let mut store = store(pre.engine());
                let (guest, start) = time(|| pre.instantiate(&mut store));
                let guest = guest?;
                let call = || guest.call_redact(&mut store, text, secrets_of_part(), '*');
                let (answer, call) = time(call);
                answer?;
                Ok([start, call])
            }
        }
    }
}

/// A store for one instance made by hand.
pub(crate) fn store(engine: &wasmtime::Engine) -> Store<Bare> {
    let bare = Bare {
        wasi: WasiCtx::builder().build(),
        table: ResourceTable::new(),
        labels: Labels,
    };
    let mut store = Store::new(engine, bare);
    // Nobody ticks while no pool is called, and nobody need stop these.
    store.set_epoch_deadline(1 << 40);
    store
}
