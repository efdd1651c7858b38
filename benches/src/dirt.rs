//! A guest that writes to as many pages of its memory as it is told, and its pools with and without
//! prewarm.

use std::hint::black_box;

use prewarm::{Host, PoolConfig, Reset, Wasm};
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

/// The guest: a memory, and one function that writes a word to each of `pages` pages of 4 KiB, every
/// `stride`th.
const DIRT: &str = r#"(component
    (core module $m
        (memory $MEMORY)
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
    /// One after the other in a memory of 32 MiB.
    Row,
    /// Every eighth of such a memory, so that each is a region of its own.
    Scattered,
    /// Every other of a memory of 1 MiB.
    Small,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 3] = [Self::Row, Self::Scattered, Self::Small];

    /// Its name, as ids of benches and titles of plots have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Row => "in-a-row",
            Self::Scattered => "scattered",
            Self::Small => "scattered-1-MiB",
        }
    }

    /// The numbers of pages that are measured.
    #[must_use]
    pub fn pages(self) -> &'static [u32] {
        match self {
            Self::Row | Self::Scattered => &[0, 1, 4, 16, 32, 64, 128, 256, 512, 1000],
            Self::Small => &[0, 1, 4, 16, 32, 64, 128],
        }
    }

    fn stride(self) -> u32 {
        match self {
            Self::Row => 1,
            Self::Scattered => 8,
            Self::Small => 2,
        }
    }

    fn guest(self) -> String {
        let memory = match self {
            Self::Row | Self::Scattered => "512",
            Self::Small => "16",
        };
        DIRT.replace("$MEMORY", memory)
    }
}

/// A pool of it for threads.
#[derive(Debug)]
pub struct Dirty {
    pool: prewarm::blocking::Pool<Dirt>,
    layout: Layout,
}

impl Dirty {
    /// A pool with that config of the guest of a layout.
    ///
    /// # Errors
    ///
    /// Where the engine cannot be made.
    pub fn new(host: &Host, layout: Layout, config: PoolConfig) -> Result<Self> {
        let component = host.load_blocking(Wasm::wat(layout.guest()))?;
        let pool = prewarm::blocking::Pool::new(&component, config)?;
        Ok(Self { pool, layout })
    }

    /// How its slots are reset.
    #[must_use]
    pub fn reset(&self) -> Option<Reset> {
        self.pool.stats().reset
    }

    /// So many calls, each of which dirties so many pages.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    pub fn run(&self, pages: u32, calls: u64) -> Result<()> {
        for _ in 0..calls {
            let (pages, stride) = black_box((pages, self.layout.stride()));
            self.pool
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
    layout: Layout,
    pre: DirtPre<()>,
}

impl BareDirty {
    /// Compiles that of a layout.
    ///
    /// # Errors
    ///
    /// None on a machine that wasmtime supports.
    pub fn new(engine: Engine, layout: Layout) -> Result<Self> {
        let binary = wat::parse_str(layout.guest())?;
        let component = wasmtime::component::Component::new(&engine, binary)?;
        component.initialize_copy_on_write_image()?;
        let pre = DirtPre::new(Linker::new(&engine).instantiate_pre(&component)?)?;
        Ok(Self {
            engine,
            layout,
            pre,
        })
    }

    /// So many calls, each on an instance of its own.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    pub fn run(&self, pages: u32, calls: u64) -> Result<()> {
        for _ in 0..calls {
            let (pages, stride) = black_box((pages, self.layout.stride()));
            let mut store = Store::new(&self.engine, ());
            store.set_epoch_deadline(1);
            let dirt = self.pre.instantiate(&mut store)?;
            dirt.call_touch(&mut store, pages, stride)?;
        }
        Ok(())
    }
}
