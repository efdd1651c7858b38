//! What this process takes of memory, as Linux tells it.

use std::fs;
use std::path::Path;

use wasmtime::Result;
use wasmtime::error::Context as _;

/// Resident memory of this process at one instant, in KiB.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Resident {
    /// All of it.
    pub all: f64,
    /// Of that, unchanged pages of mapped files: they can be read again, and cost nobody else.
    pub mapped: f64,
    /// How many maps there are.
    pub maps: f64,
}

impl Resident {
    /// As of now. `folder` holds the files that count as mapped.
    ///
    /// # Errors
    ///
    /// Where the system does not tell.
    pub fn now(folder: &Path) -> Result<Self> {
        let folder = folder.canonicalize()?;
        let smaps = fs::read_to_string("/proc/self/smaps").context("the system does not tell")?;
        let mut found = Self::default();
        let mut of_folder = false;
        for line in smaps.lines() {
            let Some((key, value)) = line.split_once(':') else {
                continue;
            };
            let kib = value.trim().strip_suffix(" kB");
            let kib = kib.and_then(|kib| kib.trim().parse::<f64>().ok());
            match (key, kib) {
                ("Rss", Some(kib)) => {
                    found.all += kib;
                    found.mapped += if of_folder { kib } else { 0.0 };
                }
                ("Private_Dirty", Some(kib)) if of_folder => found.mapped -= kib,
                // The head of a map: addresses, rights, offset, device, and the file if there is one.
                (_, None) if line.contains('-') && !line.starts_with("VmFlags") => {
                    found.maps += 1.0;
                    let file = line.find('/').map(|at| Path::new(&line[at..]));
                    of_folder = file.is_some_and(|file| file.starts_with(&folder));
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// What is not in files that are mapped.
    #[must_use]
    pub fn beyond(&self) -> f64 {
        self.all - self.mapped
    }
}

/// The most that was resident since [`reset_peak`], in KiB.
///
/// # Errors
///
/// Where the system does not tell.
pub fn peak() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status").context("the system does not tell")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kib.context("the system does not tell")
}

/// Forgets what was the most so far.
///
/// # Errors
///
/// Where the system refuses.
pub fn reset_peak() -> Result<()> {
    fs::write("/proc/self/clear_refs", "5").context("the peak cannot be set back")
}

/// Resident bytes that no file stands behind, where the system tells them: code that was mapped from
/// a file is left out. Counted page by page: the figures in `/proc/self/status` lag behind by up to
/// 64 pages for each processor.
#[must_use]
pub fn resident_anonymous() -> Option<u64> {
    let pages = fs::read_to_string("/proc/self/smaps_rollup").ok()?;
    let line = pages
        .lines()
        .find_map(|line| line.strip_prefix("Anonymous:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_written_to_is_resident() {
        let before = resident_anonymous().unwrap();
        let bytes = vec![1_u8; 32 << 20];
        let after = resident_anonymous().unwrap();
        assert!(after - before >= 24 << 20, "{before} {after}");
        drop(bytes);
    }
}
