//! The world of the guests that read logs, and the host's part in it.

use prewarm::blocking::Pool;
use prewarm::{Component, PoolConfig};
use wasmtime::Result;
use wasmtime::component::HasSelf;

pub use self::bindings::Logs;
use self::bindings::example::logs::lookup;
pub use self::bindings::example::logs::types;

#[allow(
    missing_docs,
    unreachable_pub,
    clippy::missing_errors_doc,
    reason = "generated"
)]
mod bindings {
    wasmtime::component::bindgen!({ path: "../wit/logs", world: "logs" });
    prewarm::world!(Logs, LogsIndices);
}

/// The host's labels: what a package's name says of it.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Labels;

const LABELS: [(&str, &str); 8] = [
    ("lib", "libraries"),
    ("linux-", "kernel"),
    ("python", "python"),
    ("node-", "javascript"),
    ("fonts-", "fonts"),
    ("x11-", "x11"),
    ("gir1.", "introspection"),
    ("golang", "golang"),
];

impl types::Host for Labels {}

impl lookup::Host for Labels {
    fn label(&mut self, name: String) -> Result<Option<String>, types::Refusal> {
        let label = LABELS.iter().find(|(prefix, _)| name.starts_with(prefix));
        Ok(label.map(|(_, label)| (*label).to_owned()))
    }
}

/// A pool of a guest that reads logs.
///
/// # Errors
///
/// Where the component is not of that world.
pub fn pool(component: &Component, config: PoolConfig) -> Result<Pool<Logs, Labels>> {
    let pool = Pool::builder(component, config, Labels::default).imports(|linker| {
        Logs::add_to_linker::<_, HasSelf<Labels>>(linker, |state| state.embedder_mut())
    });
    Ok(pool.build()?)
}
