//! The guests that are measured, by one way of calling them: the echo of the benches, and the guests
//! that read logs.

use std::time::Duration;

use prewarm::{Component, PoolConfig, Receipt};
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::built::LINE;
use prewarm_benches::clock::time;
use prewarm_benches::guest::HELLO;
use prewarm_benches::logs::{BareReader, Reader};
use prewarm_benches::pools::{self, DirectPool};
use wasmtime::Result;

/// What the guest of the benches is called in the report.
pub(crate) const ECHO: &str = "echo (WAT)";

/// A pool of a guest.
#[derive(Debug)]
pub(crate) enum Subject {
    Echo(DirectPool),
    Reader(Reader),
}

fn is_echo(component: &Component) -> bool {
    component.exports().find("echo").is_ok()
}

impl Subject {
    pub(crate) fn new(component: &Component, config: PoolConfig) -> Result<Self> {
        if is_echo(component) {
            return Ok(Self::Echo(pools::direct(component, config)?));
        }
        Ok(Self::Reader(Reader::new(component, config)?))
    }

    /// One whose instances were called once before they are lent. There is none of the echo, which
    /// has nothing to warm up.
    pub(crate) fn warmed(component: &Component, config: PoolConfig) -> Result<Option<Self>> {
        if is_echo(component) {
            return Ok(None);
        }
        let reader = Reader::warmed(component, config, LINE)?;
        Ok(Some(Self::Reader(reader)))
    }

    /// One short call.
    pub(crate) fn call(&self) -> Result<Receipt> {
        let receipt = match self {
            Self::Echo(pool) => {
                let call = |tools: &prewarm_benches::guest::direct::Tools, store: &mut _| {
                    tools.call_echo(store, HELLO)
                };
                pool.call_with_receipt(call)?.1
            }
            Self::Reader(reader) => reader.redact(LINE)?.1,
        };
        Ok(receipt)
    }

    /// Holds one instance, after a call, until what this returns is dropped.
    pub(crate) fn hold(&self) -> Result<Box<dyn std::any::Any>> {
        match self {
            Self::Echo(pool) => {
                let mut lease = pool.lease()?;
                lease.call(|tools, store| tools.call_echo(store, HELLO))?;
                Ok(Box::new(lease))
            }
            Self::Reader(reader) => Ok(reader.hold(LINE)?),
        }
    }
}

/// The same guest without prewarm's pools, on an engine with the same settings.
pub(crate) enum BareSubject {
    Echo(Box<Bare>),
    Reader(BareReader),
}

impl BareSubject {
    pub(crate) fn new(component: &Component) -> Result<Self> {
        if is_echo(component) {
            return Ok(Self::Echo(Box::new(Bare::new(bare::lane()?)?)));
        }
        Ok(Self::Reader(BareReader::new(component)?))
    }

    /// Holds one instance, after a call, until what this returns is dropped.
    pub(crate) fn hold(&self) -> Result<Box<dyn std::any::Any>> {
        match self {
            Self::Echo(bare) => {
                let (mut store, tools) = bare.start()?;
                tools.call_echo(&mut store, HELLO)?;
                Ok(Box::new(store))
            }
            Self::Reader(bare) => bare.hold(LINE),
        }
    }

    /// The same call on an instance made for it: how long either took.
    pub(crate) fn first(&self) -> Result<[Duration; 2]> {
        match self {
            Self::Echo(bare) => {
                let (started, start) = time(|| bare.start());
                let (mut store, tools) = started?;
                let (answer, call) = time(|| tools.call_echo(&mut store, HELLO));
                answer?;
                Ok([start, call])
            }
            Self::Reader(bare) => bare.first(LINE),
        }
    }
}
