//! Dropping what was unused for longest, and what was left behind.

use super::*;
use crate::cache::evict::{Item, sweep, victims};

#[test]
fn too_big_is_not_kept() {
    let mut bench = Bench::new();
    bench.cache.max_bytes = 100;
    let component = bench.store(&guest(1));
    assert_eq!(answer(&bench.engine, &component), 1);
    assert!(!bench.entry(&guest(1)).exists());
    assert_eq!(bench.cache.stats().failed_writes, 0);
}

#[test]
fn the_longest_unused_goes_first() {
    let bench = Bench::new();
    for answered in 1..=3 {
        bench.store(&guest(answered));
        bench.load_at(&guest(answered), later()); // sealed
    }
    // Used in another order than stored.
    let later = later();
    for (minutes, answered) in [(10, 2), (20, 1), (30, 3)] {
        let now = later + Duration::from_secs(60 * minutes);
        assert_eq!(bench.load_at(&guest(answered), now), Some(answered));
    }
    set_modified_of_notes(&bench, later + Duration::from_secs(60 * 40));
    let max = bench.folder_bytes() - 1;
    let swept = sweep(&bench.cache.folder, max, later).expect("swept");

    assert_eq!(swept.evicted, 1);
    assert!(bench.entry(&guest(1)).exists());
    assert!(!bench.entry(&guest(2)).exists(), "unused for longest");
    assert!(!bench.seal(&guest(2)).exists(), "its seal goes with it");
    assert!(bench.entry(&guest(3)).exists());
    assert_eq!(bench.folder_bytes(), swept.bytes);
    assert!(swept.bytes <= max);
}

#[test]
fn a_mapped_entry_outlives_its_file() {
    let bench = Bench::new();
    let component = bench.store(&guest(1));
    fs::remove_file(bench.entry(&guest(1))).expect("removed");
    assert_eq!(answer(&bench.engine, &component), 1);
}

#[test]
fn storing_counts_what_it_evicts() {
    let mut bench = Bench::new();
    bench.store(&guest(1));
    set_modified(
        &bench.entry(&guest(1)),
        SystemTime::now() - Duration::from_secs(600),
    );
    bench.cache.max_bytes = bench.folder_bytes();
    bench.store(&guest(2));
    assert!(!bench.entry(&guest(1)).exists());
    assert_eq!(bench.load(&guest(2)), Some(2));
    let stats = bench.cache.stats();
    assert_eq!(stats.evicted, 1);
    assert!(stats.bytes <= bench.cache.max_bytes);
}

#[test]
fn victims_are_chosen_by_age_until_the_rest_fits() {
    let item = |name: &str, bytes, seconds| Item {
        name: name.into(),
        bytes,
        used: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
    };
    let all = vec![
        item("young", 10, 3),
        item("old", 10, 1),
        item("middle", 10, 2),
    ];
    let chosen = |max| {
        victims(all.clone(), max)
            .into_iter()
            .map(|item| item.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(chosen(30), [""; 0]);
    assert_eq!(chosen(29), ["old"]);
    assert_eq!(chosen(20), ["old"]);
    assert_eq!(chosen(19), ["old", "middle"]);
    assert_eq!(chosen(0), ["old", "middle", "young"]);
}

#[test]
fn old_temporary_files_are_removed() {
    let bench = Bench::new();
    let now = SystemTime::now();
    let (old, young) = (
        bench.folder().join("tmp-1-1-old"),
        bench.folder().join("tmp-1-1-young"),
    );
    fs::write(&old, "half").expect("written");
    fs::write(&young, "half").expect("written");
    set_modified(&old, now - Duration::from_secs(3601));
    set_modified(&young, now - Duration::from_secs(3599));
    bench.store_at(&guest(1), now);
    assert!(!old.exists());
    assert!(young.exists(), "another process may be writing it");
}

fn set_modified_of_notes(bench: &Bench, time: SystemTime) {
    for found in fs::read_dir(bench.folder()).expect("a folder") {
        let path = found.expect("a file").path();
        if path.extension().is_some_and(|ending| ending == "note") {
            set_modified(&path, time);
        }
    }
}

impl Bench {
    fn folder_bytes(&self) -> u64 {
        sweep(&self.cache.folder, u64::MAX, SystemTime::now())
            .expect("swept")
            .bytes
    }
}
