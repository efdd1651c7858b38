//! A guest that writes to as many pages of its memory as it is told, and its pools with and without
//! prewarm.

use std::hint::black_box;

use prewarm::{Component, Host, PoolConfig, Wasm};
use wasmtime::component::Linker;
use wasmtime::{Engine, Result, Store};

use self::bindings::{Dirt, DirtPre};

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::missing_errors_doc,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "generated"
)]
mod bindings {
    wasmtime::component::bindgen!({
        inline: "package bench:dirt; world dirt {
            export touch: func(pages: u32, stride: u32);
        }",
    });
    prewarm::world!(Dirt, DirtIndices);
}

/// The guest: a memory of 32 MiB and one function that writes a word to each of `pages` pages of 4
/// KiB, every `stride`th.
const DIRT: &str = r#"(component
    (core module $m
        (memory 512)
        (func (export "touch") (param $pages i32) (param $stride i32)
            (local $at i32)
            (local.set $stride (i32.mul (local.get $stride) (i32.const 4096)))
            (block $done
                (loop $next
                    (br_if $done (i32.eqz (local.get $pages)))
                    (i32.store (local.get $at) (i32.const 1))
                    (local.set $at (i32.add (local.get $at) (local.get $stride)))
                    (local.set $pages (i32.sub (local.get $pages) (i32.const 1)))
                    (br $next)))))
    (core instance $i (instantiate $m))
    (func (export "touch") (param "pages" u32) (param "stride" u32)
        (canon lift (core func $i "touch"))))"#;

/// How far apart the pages are that a call writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Layout {
    /// One after the other.
    Row,
    /// Every eighth, so that each is a region of its own.
    Scattered,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 2] = [Self::Row, Self::Scattered];

    /// Its name, as ids of benches and titles of plots have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Row => "in-a-row",
            Self::Scattered => "scattered",
        }
    }

    fn stride(self) -> u32 {
        match self {
            Self::Row => 1,
            Self::Scattered => 8,
        }
    }
}

/// The numbers of pages that are measured.
pub const PAGES: [u32; 10] = [0, 1, 4, 16, 32, 64, 128, 256, 512, 1000];

/// The guest on a host.
///
/// # Errors
///
/// Where the engine cannot be made.
pub fn load(host: &Host) -> Result<Component> {
    Ok(host.load_blocking(Wasm::wat(DIRT))?)
}

/// A pool of it for threads.
#[derive(Debug)]
pub struct Dirty(prewarm::blocking::Pool<Dirt>);

impl Dirty {
    /// A pool with that config.
    ///
    /// # Errors
    ///
    /// Where the component is another.
    pub fn new(component: &Component, config: PoolConfig) -> Result<Self> {
        Ok(Self(prewarm::blocking::Pool::new(component, config)?))
    }

    /// So many calls, each of which dirties so many pages.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    pub fn run(&self, pages: u32, layout: Layout, calls: u64) -> Result<()> {
        for _ in 0..calls {
            let (pages, stride) = black_box((pages, layout.stride()));
            self.0
                .call(|dirt, store| dirt.call_touch(store, pages, stride))?;
        }
        Ok(())
    }
}

/// The guest without prewarm.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the bindings have none")]
pub struct BareDirty {
    engine: Engine,
    pre: DirtPre<()>,
}

impl BareDirty {
    /// Compiles it.
    ///
    /// # Errors
    ///
    /// None on a machine that wasmtime supports.
    pub fn new(engine: Engine) -> Result<Self> {
        let component = wasmtime::component::Component::new(&engine, wat::parse_str(DIRT)?)?;
        component.initialize_copy_on_write_image()?;
        let pre = DirtPre::new(Linker::new(&engine).instantiate_pre(&component)?)?;
        Ok(Self { engine, pre })
    }

    /// So many calls, each on an instance of its own.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    pub fn run(&self, pages: u32, layout: Layout, calls: u64) -> Result<()> {
        for _ in 0..calls {
            let (pages, stride) = black_box((pages, layout.stride()));
            let mut store = Store::new(&self.engine, ());
            store.set_epoch_deadline(1);
            let dirt = self.pre.instantiate(&mut store)?;
            dirt.call_touch(&mut store, pages, stride)?;
        }
        Ok(())
    }
}
