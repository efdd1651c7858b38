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
    let note = format!(
        "{COMPONENTS} components, registered and loaded, without an instance; {:.0} KiB of code are mapped \
         for each; memory that was freed before may hide some of it",
        get("loaded-mapped-kib")
    );
    let value = get("registered-kib") + get("loaded-kib");
    Ok(vec![Figure::new(value, note)])
}
