//! How much of this process is in memory.

/// Resident bytes that no file stands behind, where the system tells them: code that was mapped from
/// a file is left out. Counted page by page: the figures in `/proc/self/status` lag behind by up to
/// 64 pages for each processor.
#[must_use]
pub fn resident_anonymous() -> Option<u64> {
    let pages = std::fs::read_to_string("/proc/self/smaps_rollup").ok()?;
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
