//! Storing, finding, and dropping what was unused for longest.

use super::*;
use crate::cache::evict::{Item, victims};

#[test]
fn off_means_no_cache() {
    assert!(Cache::open(&CacheConfig::off()).is_none());
}

#[test]
fn stored_is_found_and_answers() {
    let bench = Bench::new();
    assert_eq!(bench.load(&guest(1)), None);
    let mapped = bench.store(&guest(1));
    assert_eq!(answer(&bench.engine, &mapped), 1);
    assert_eq!(bench.load(&guest(1)), Some(1));
    assert_eq!(
        bench.load(&guest(2)),
        None,
        "other bytes are another component"
    );

    let stats = bench.cache.stats();
    assert!(stats.bytes > 0);
    assert_eq!(
        CacheStats { bytes: 0, ..stats },
        CacheStats {
            hits: 1,
            checked: 1,
            misses: 2,
            stored: 1,
            ..CacheStats::default()
        }
    );
}

#[test]
fn another_cache_object_finds_it_too() {
    let bench = Bench::new();
    bench.store(&guest(1));
    let again = Bench {
        cache: open(bench.home.path()),
        ..bench
    };
    assert_eq!(again.load(&guest(1)), Some(1));
}

#[test]
fn engines_with_other_settings_do_not_meet() {
    let bench = Bench::new();
    bench.store(&guest(1));
    let other = Engine::new(Config::new().consume_fuel(true)).expect("an engine");
    assert!(
        bench
            .cache
            .load(&other, &Source::bytes_of(guest(1)), NOTE)
            .is_none()
    );
    assert_eq!(bench.cache.stats().misses, 1);
}

#[test]
fn engines_with_the_same_settings_share() {
    let bench = Bench {
        engine: engine(),
        ..Bench::new()
    };
    bench.store(&guest(1));
    let bench = Bench {
        engine: engine(),
        ..bench
    };
    assert_eq!(bench.load(&guest(1)), Some(1));
}

#[test]
#[cfg(target_os = "linux")]
fn a_settled_entry_is_checked_once() {
    let bench = Bench::new();
    bench.store(&guest(1));
    assert_eq!(bench.load(&guest(1)), Some(1), "too young to be sealed");
    assert!(!bench.seal(&guest(1)).exists());
    assert_eq!(bench.load_at(&guest(1), later()), Some(1), "sealed by this");
    assert!(bench.seal(&guest(1)).exists());
    assert_eq!(bench.load(&guest(1)), Some(1), "found sealed");
    let stats = bench.cache.stats();
    assert_eq!((stats.hits, stats.checked), (3, 2));
}

#[test]
fn recheck_checks_every_time() {
    let mut bench = Bench::new();
    bench.cache.recheck = true;
    bench.store(&guest(1));
    for _ in 0..3 {
        assert_eq!(bench.load_at(&guest(1), later()), Some(1));
    }
    let stats = bench.cache.stats();
    assert_eq!((stats.hits, stats.checked), (3, 3));
    assert!(!bench.seal(&guest(1)).exists());
}

#[test]
fn small_entries_are_always_checked() {
    let mut bench = Bench::new();
    bench.cache.seal_from = crate::cache::SEAL_FROM;
    bench.store(&guest(1));
    bench.load_at(&guest(1), later());
    bench.load_at(&guest(1), later());
    assert_eq!(bench.cache.stats().checked, 2);
}

#[test]
fn a_file_is_recalled_without_being_read() {
    let bench = Bench::new();
    let path = bench.home.path().join("guest.wasm");
    fs::write(&path, guest(1)).expect("written");

    let source = Source::file_at(&path, later()).expect("opened");
    assert_eq!(bench.cache.recall(&source), None, "nothing is known yet");
    let component = Component::new(&bench.engine, source.bytes().expect("read")).expect("compiles");
    bench.cache.store(&bench.engine, &source, NOTE, component);

    let source = Source::file(&path).expect("opened");
    assert_eq!(bench.cache.recall(&source), Some(NOTE));
    let component = bench
        .cache
        .load(&bench.engine, &source, NOTE)
        .expect("found");
    assert_eq!(answer(&bench.engine, &component), 1);
    #[cfg(target_os = "linux")]
    assert!(!source.was_read());
    assert_eq!(
        source.bytes().expect("read"),
        guest(1),
        "the bytes can still be had"
    );
}

#[test]
fn bytes_are_recalled_as_well() {
    let bench = Bench::new();
    bench.store(&guest(1));
    assert_eq!(bench.cache.recall(&Source::bytes_of(guest(1))), Some(NOTE));
    assert_eq!(bench.cache.recall(&Source::bytes_of(guest(2))), None);
}

#[test]
fn a_changed_file_is_another_component() {
    let bench = Bench::new();
    let path = bench.home.path().join("guest.wasm");
    fs::write(&path, guest(1)).expect("written");
    let before = fs::metadata(&path)
        .and_then(|facts| facts.modified())
        .expect("a time");
    let source = Source::file_at(&path, later()).expect("opened");
    let component = Component::new(&bench.engine, source.bytes().expect("read")).expect("compiles");
    bench.cache.store(&bench.engine, &source, NOTE, component);
    bench.store(&guest(2));

    until_noticed(&path, || {
        overwrite(&path, |bytes| *bytes = guest(2));
        set_modified(&path, before);
    });
    let source = Source::file(&path).expect("opened");
    let component = bench
        .cache
        .load(&bench.engine, &source, NOTE)
        .expect("found");
    assert_eq!(answer(&bench.engine, &component), 2);
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_just_written_is_not_put_on_record() {
    let bench = Bench::new();
    let path = bench.home.path().join("guest.wasm");
    bench.store(&guest(1));
    fs::write(&path, guest(1)).expect("written");
    for _ in 0..2 {
        let source = Source::file(&path).expect("opened");
        bench
            .cache
            .load(&bench.engine, &source, NOTE)
            .expect("found");
        assert!(source.was_read());
    }
}

#[test]
#[cfg(unix)]
fn a_pipe_is_a_source() {
    let bench = Bench::new();
    bench.store(&guest(1));
    let path = bench.home.path().join("pipe");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .expect("mkfifo");
    assert!(made.success());
    std::thread::scope(|scope| {
        scope.spawn(|| fs::write(&path, guest(1)).expect("written"));
        let source = Source::file(&path).expect("opened");
        assert_eq!(bench.cache.recall(&source), Some(NOTE));
        assert!(bench.cache.load(&bench.engine, &source, NOTE).is_some());
        assert_eq!(source.bytes().expect("read"), guest(1));
    });
}

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
    let mut bench = Bench::new();
    let start = SystemTime::now();
    let at = |minutes: u64| start + Duration::from_secs(60 * minutes);
    bench.store_at(&guest(1), at(0));
    bench.store_at(&guest(2), at(0));
    // By use, the first is now younger than the second.
    bench.load_at(&guest(2), at(10));
    bench.load_at(&guest(1), at(20));
    bench.load_at(&guest(2), at(12));
    bench.load_at(&guest(1), at(25));
    let two = bench.folder_bytes();
    bench.cache.max_bytes = two + 4096;
    set_modified_of_notes(&bench, at(30));

    // The entry stored last carries the real time: give it the time of its making in this story.
    bench.cache.max_bytes = u64::MAX;
    bench.store_at(&guest(3), at(40));
    set_modified(&bench.entry(&guest(3)), at(40));
    set_modified_of_notes(&bench, at(40));
    bench.cache.max_bytes = two + 4096;
    let swept = crate::cache::evict::sweep(&bench.cache.folder, bench.cache.max_bytes, at(40))
        .expect("swept");

    assert_eq!(swept.evicted, 1);
    assert!(bench.entry(&guest(1)).exists());
    assert!(!bench.entry(&guest(2)).exists(), "unused for longest");
    assert!(!bench.seal(&guest(2)).exists(), "its seal goes with it");
    assert!(bench.entry(&guest(3)).exists());
    assert!(bench.folder_bytes() <= bench.cache.max_bytes);
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

/// Repeats a change until the kernel's clock has ticked. Outside tests the wait before sealing makes sure of that.
pub(super) fn until_noticed(path: &Path, change: impl Fn()) {
    let stamp = || crate::cache::Stamp::of(&File::open(path).expect("opened"));
    let before = stamp();
    change();
    while before.is_some() && stamp() == before {
        change();
    }
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
        crate::cache::evict::sweep(&self.cache.folder, u64::MAX, SystemTime::now())
            .expect("swept")
            .bytes
    }
}
