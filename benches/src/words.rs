//! The guests that look words up, without prewarm's pools: linked and instantiated by hand.

use std::time::Duration;

use prewarm::Component;
use wasmtime::component::{InstancePre, Linker, TypedFunc};
use wasmtime::{Result, Store, ensure};

use crate::clock::time;
use crate::logs::bare::{Bare, store};

/// The first word of all, which calls look up.
pub const WORD: &str = "petudu";

/// A guest on its component's engine, linked once.
#[expect(missing_debug_implementations, reason = "wasmtime's has none")]
pub struct BareGuest(InstancePre<Bare>);

impl BareGuest {
    /// Links it.
    ///
    /// # Errors
    ///
    /// Where the component imports more than WASI.
    pub fn new(component: &Component) -> Result<Self> {
        let component = component.as_wasmtime();
        let mut linker = Linker::new(component.engine());
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker)?;
        Ok(Self(linker.instantiate_pre(component)?))
    }

    /// One instance.
    ///
    /// # Errors
    ///
    /// Where the engine has no room for it, or it exports no `look-up`.
    pub fn start(&self) -> Result<BareWords> {
        let mut store = store(self.0.engine());
        let instance = self.0.instantiate(&mut store)?;
        let look_up = instance.get_typed_func(&mut store, "look-up")?;
        Ok(BareWords { store, look_up })
    }

    /// What so many calls take, with the making of an instance for each.
    ///
    /// # Errors
    ///
    /// That of the first that fails.
    pub fn first(&self, calls: u64) -> Result<Duration> {
        let mut total = Duration::ZERO;
        for _ in 0..calls {
            let (instance, took) = time(|| {
                let mut instance = self.start()?;
                instance.look_up()?;
                Ok::<_, wasmtime::Error>(instance)
            });
            instance?;
            total += took;
        }
        Ok(total)
    }
}

/// An instance that lives on.
#[expect(missing_debug_implementations, reason = "wasmtime's has none")]
pub struct BareWords {
    store: Store<Bare>,
    look_up: TypedFunc<(String,), (Option<String>,)>,
}

impl BareWords {
    /// Looks the first word up.
    ///
    /// # Errors
    ///
    /// Where it is not found.
    pub fn look_up(&mut self) -> Result<()> {
        let (found,) = self.look_up.call(&mut self.store, (WORD.to_owned(),))?;
        ensure!(found.is_some(), "the word is not there");
        Ok(())
    }
}
