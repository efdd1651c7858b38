//! Rules that no compiler knows.

use anyhow::Result;

use crate::paths::Paths;

pub(crate) fn run(_: &Paths) -> Result<()> {
    Ok(())
}
