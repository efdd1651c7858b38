//! What the process holds, as the kernel says. Linux only: elsewhere everything is 0.

use std::fs;

/// What the process holds at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Memory that is its own: no page of a file that others could have too.
    pub resident_kib: u64,
    /// Open files, sockets and the like.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
    /// Mappings.
    pub mappings: u64,
}

impl Usage {
    /// Now.
    pub fn now() -> Self {
        let entries = |folder| fs::read_dir(folder).map_or(0, Iterator::count) as u64;
        let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            number.unwrap_or(0)
        };
        Self {
            resident_kib: kib("RssAnon:") + kib("RssShmem:"),
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
            mappings: maps.lines().count() as u64,
        }
    }

    /// The median of each measure.
    pub(super) fn median(all: &[Self]) -> Self {
        let of = |measure: fn(&Self) -> u64| {
            let mut values: Vec<u64> = all.iter().map(measure).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or(0)
        };
        Self {
            resident_kib: of(|usage| usage.resident_kib),
            descriptors: of(|usage| usage.descriptors),
            threads: of(|usage| usage.threads),
            mappings: of(|usage| usage.mappings),
        }
    }
}
