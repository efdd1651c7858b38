//! Ten thousand components of which few are in use.

use prewarm_benches::scale::Fleet;
use wasmtime::Result;

use crate::Settings;
use crate::report::Figure;

const COMPONENTS: u32 = 10_000;

pub(crate) fn idle(_: &Settings) -> Result<Vec<Figure>> {
    let fleet = Fleet::new(COMPONENTS)?;
    let figures = fleet.rest(&tokio::runtime::Runtime::new()?)?;
    let get = |name| figures.get(name).unwrap_or(f64::NAN);
    let registered = format!("of {COMPONENTS} components that nobody called");
    let loaded = format!(
        "the same ones loaded, and without an instance; {:.0} KiB of code are mapped for each",
        get("loaded-mapped-kib")
    );
    Ok(vec![
        Figure::new(get("registered-kib"), registered),
        Figure::new(get("loaded-kib"), loaded),
    ])
}
