//! How much of this process is in memory.

/// Resident bytes, where the system tells them.
#[must_use]
pub fn resident() -> Option<u64> {
    status("VmRSS:")
}

/// Resident bytes that no file stands behind: code that was mapped from a file is left out.
#[must_use]
pub fn resident_anonymous() -> Option<u64> {
    status("RssAnon:")
}

fn status(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
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
        assert!(resident().unwrap() >= after);
        drop(bytes);
    }
}
