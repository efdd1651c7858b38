//! What to remove from the folder: what was unused for longest, once there is too much, and what a crash left behind.
//!
//! Other processes may have an entry mapped while it is removed; on Unix their map lives on, and elsewhere entries are
//! not mapped. Removing needs no lock: whoever looks for a removed file compiles or reads again.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::time::{Duration, SystemTime};

use super::entry::ENTRY;
use super::folder::{Folder, KEY, LOCK, TEMPORARY};
use super::record::{SEAL, seal_of};

/// No write takes this long: its process is gone.
const LEFTOVER: Duration = Duration::from_secs(60 * 60);
/// The least that a file takes on disk.
const BLOCK: u64 = 4096;

/// Something that is kept or dropped as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) used: SystemTime,
}

/// What a sweep found and did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Swept {
    pub(super) bytes: u64,
    pub(super) evicted: u64,
}

/// What an entry of so many bytes takes with its seal and its records.
pub(super) fn at_most(entry: u64) -> u64 {
    entry.next_multiple_of(BLOCK) + 3 * BLOCK
}

/// Makes the folder hold at most `max_bytes`, and removes old temporary files.
pub(super) fn sweep(folder: &Folder, max_bytes: u64, now: SystemTime) -> io::Result<Swept> {
    let mut items = Vec::new();
    let mut seals = HashMap::new();
    for found in fs::read_dir(folder.path())? {
        let found = found?;
        let (Ok(name), Ok(facts)) = (found.file_name().into_string(), found.metadata()) else {
            continue; // not ours, or gone already
        };
        let used = facts.modified()?;
        if name.starts_with(TEMPORARY) {
            if now.duration_since(used).is_ok_and(|age| age > LEFTOVER) {
                folder.remove(&name);
            }
        } else if facts.is_file() && name != KEY && name != LOCK {
            let item = Item {
                name,
                bytes: facts.len().next_multiple_of(BLOCK),
                used,
            };
            if item.name.ends_with(SEAL) {
                seals.insert(item.name.clone(), item);
            } else {
                items.push(item);
            }
        }
    }
    // An entry was used when its seal was, and goes with it.
    for item in &mut items {
        if let Some(seal) = seals.remove(&seal_of(&item.name)) {
            item.bytes += seal.bytes;
            item.used = item.used.max(seal.used);
        }
    }
    items.extend(seals.into_values());

    let mut swept = Swept {
        bytes: items.iter().map(|item| item.bytes).sum(),
        evicted: 0,
    };
    for victim in victims(items, max_bytes) {
        if folder.remove(&victim.name) {
            swept.bytes -= victim.bytes;
            if victim.name.ends_with(ENTRY) {
                swept.evicted += 1;
                folder.remove(&seal_of(&victim.name));
            }
        }
    }
    Ok(swept)
}

/// The items to drop, those unused for longest first, so that the others take at most `max_bytes`.
pub(super) fn victims(mut items: Vec<Item>, max_bytes: u64) -> Vec<Item> {
    let mut total: u64 = items.iter().map(|item| item.bytes).sum();
    items.sort_by(|a, b| a.used.cmp(&b.used).then_with(|| a.name.cmp(&b.name)));
    items
        .into_iter()
        .take_while(|item| {
            let over = total > max_bytes;
            if over {
                total -= item.bytes;
            }
            over
        })
        .collect()
}
