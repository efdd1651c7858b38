//! Storing, finding, and knowing again.

use super::*;

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
fn a_settled_entry_is_checked_once() {
    let bench = Bench::new();
    if !bench.seals() {
        return;
    }
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

/// Repeats a change until the kernel's clock has ticked. Outside tests the wait before sealing makes sure of that.
pub(super) fn until_noticed(path: &Path, change: impl Fn()) {
    let stamp = || Stamp::of(&File::open(path).expect("opened"));
    let before = stamp();
    change();
    for _ in 0..2_000 {
        if before.is_none() || stamp() != before {
            return;
        }
        change();
    }
    panic!("the change went unnoticed");
}
