//! Many small components, each with code of its own.

use std::hint::black_box;

use prewarm::{Component, Host, PoolConfig, Wasm};
use wasmtime::component::Linker;
use wasmtime::{Engine, Result, Store};

use self::bindings::{Many, ManyPre};

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
        inline: "package bench:many; world many {
            export answer: func() -> u32;
        }",
    });
    prewarm::world!(Many, ManyIndices);
}

/// One of them: it has a memory with something in it, and a function that answers which one it is.
fn text(index: u32) -> String {
    format!(
        r#"(component
            (core module $m
                (memory 1)
                (data (i32.const 64) "component {index}")
                (func (export "answer") (result i32)
                    (i32.store (i32.const 128) (i32.const 1))
                    (i32.const {index})))
            (core instance $i (instantiate $m))
            (func (export "answer") (result u32) (canon lift (core func $i "answer"))))"#
    )
}

/// The components from `from` up to `to`.
///
/// # Errors
///
/// Where the system has no room for so many.
pub fn load(host: &Host, indices: std::ops::Range<u32>) -> Result<Vec<Component>> {
    let mut components = Vec::new();
    for index in indices {
        components.push(host.load_blocking(Wasm::wat(text(index)))?);
    }
    Ok(components)
}

/// A pool of each.
#[derive(Debug)]
pub struct Pools(Vec<prewarm::blocking::Pool<Many>>);

impl Pools {
    /// Pools with that config.
    ///
    /// # Errors
    ///
    /// Where a component is another.
    pub fn new(components: &[Component], config: &PoolConfig) -> Result<Self> {
        let mut pools = Vec::new();
        for component in components {
            pools.push(prewarm::blocking::Pool::new(component, config.clone())?);
        }
        Ok(Self(pools))
    }

    /// So many calls, to one component after the other from `from` on.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    pub fn run(&self, from: u64, calls: u64) -> Result<()> {
        for call in from..from + calls {
            let pool = &self.0[place(call, self.0.len())];
            black_box(pool.call(|many, store| many.call_answer(store))?);
        }
        Ok(())
    }
}

/// Whose turn it is among so many, in a circle.
fn place(call: u64, length: usize) -> usize {
    usize::try_from(call % (length as u64).max(1)).unwrap_or(0)
}

/// The same components, on the same engine, without pools.
#[expect(missing_debug_implementations, reason = "the bindings have none")]
pub struct Bare(Vec<ManyPre<()>>);

impl Bare {
    /// Links each.
    ///
    /// # Errors
    ///
    /// Where a component is another.
    pub fn new(components: &[Component]) -> Result<Self> {
        let mut all = Vec::new();
        for component in components {
            let component = component.as_wasmtime();
            let linker = Linker::new(component.engine());
            all.push(ManyPre::new(linker.instantiate_pre(component)?)?);
        }
        Ok(Self(all))
    }

    /// Compiles and links those from `from` up to `to` by hand.
    ///
    /// # Errors
    ///
    /// Where the system has no room for so many.
    pub fn compile(engine: &Engine, indices: std::ops::Range<u32>) -> Result<Self> {
        let mut all = Vec::new();
        for index in indices {
            let component =
                wasmtime::component::Component::new(engine, wat::parse_str(text(index))?)?;
            component.initialize_copy_on_write_image()?;
            all.push(ManyPre::new(
                Linker::new(engine).instantiate_pre(&component)?,
            )?);
        }
        Ok(Self(all))
    }

    /// So many calls, each on an instance of its own, to one component after the other.
    ///
    /// # Errors
    ///
    /// That of the first call that fails.
    pub fn run(&self, from: u64, calls: u64) -> Result<()> {
        for call in from..from + calls {
            let pre = &self.0[place(call, self.0.len())];
            let mut store = Store::new(pre.engine(), ());
            // Nobody ticks while no pool is called.
            store.set_epoch_deadline(1 << 40);
            let many = pre.instantiate(&mut store)?;
            black_box(many.call_answer(&mut store)?);
        }
        Ok(())
    }
}
