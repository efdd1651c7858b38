//! Resident memory, as Linux tells it.

use std::path::Path;

use wasmtime::Result;

/// How many are held at once.
const HELD: usize = 16;

/// Resident bytes of this process that one more of what `make` makes takes. None where the system
/// does not tell.
///
/// # Errors
///
/// That of making one.
pub fn of_each<T>(mut make: impl FnMut() -> Result<T>) -> Result<Option<u64>> {
    // What the first one takes is shared by all.
    let _first = make()?;
    let before = resident(Path::new("/proc/self/statm"));
    let held = (0..HELD).map(|_| make()).collect::<Result<Vec<_>>>()?;
    let after = resident(Path::new("/proc/self/statm"));
    drop(held);
    Ok(after
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before) / HELD as u64))
}

/// Resident bytes of another process, with what it shares with others.
pub fn of_process(id: u32) -> Option<u64> {
    resident(Path::new(&format!("/proc/{id}/statm")))
}

fn resident(statm: &Path) -> Option<u64> {
    const PAGE: u64 = 4096;
    let statm = std::fs::read_to_string(statm).ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE)
}
