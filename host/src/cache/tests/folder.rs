//! Folders and keys, good and bad.

use super::*;

#[test]
#[cfg(unix)]
fn folder_and_files_are_private() {
    let bench = Bench::new();
    bench.store(&guest(1));
    bench.load_at(&guest(1), later());
    assert_eq!(mode(&bench.folder()), 0o700);
    for found in fs::read_dir(bench.folder()).expect("a folder") {
        let path = found.expect("a file").path();
        let entry = path == bench.entry(&guest(1));
        assert_eq!(
            mode(&path),
            if entry { 0o400 } else { 0o600 },
            "{}",
            path.display()
        );
    }
    assert_eq!(
        fs::read(bench.folder().join("key")).expect("a key").len(),
        32
    );
}

#[test]
fn folders_on_the_way_are_made() {
    let home = tempfile::tempdir().expect("a folder");
    assert!(try_open(&home.path().join("a/b/c")).is_some());
}

#[test]
fn a_folder_that_cannot_be_means_no_cache() {
    let home = tempfile::tempdir().expect("a folder");
    let file = home.path().join("file");
    fs::write(&file, "").expect("written");
    assert!(try_open(&file).is_none(), "a file in its place");
    fs::create_dir(home.path().join("taken")).expect("made");
    fs::write(home.path().join("taken/v1"), "").expect("written");
    assert!(
        try_open(&home.path().join("taken")).is_none(),
        "a file in place of the subfolder"
    );
    #[cfg(target_os = "linux")]
    assert!(
        try_open(Path::new("/proc/self")).is_none(),
        "no files can be made there"
    );
}

#[test]
#[cfg(unix)]
fn a_link_in_place_of_the_folder_is_not_followed() {
    let (home, other) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    std::os::unix::fs::symlink(other.path(), home.path().join("v1")).expect("linked");
    assert!(try_open(home.path()).is_none());
}

/// Runs as root only, since nobody else can give files away.
#[test]
#[cfg(unix)]
fn a_folder_of_another_user_is_not_used() {
    let bench = Bench::new();
    if std::os::unix::fs::chown(bench.folder(), Some(1234), None).is_ok() {
        assert!(try_open(bench.home.path()).is_none());
    }
}

/// As above.
#[test]
#[cfg(unix)]
fn files_of_another_user_are_not_used() {
    let bench = Bench::new();
    bench.store(&guest(1));
    if std::os::unix::fs::chown(bench.entry(&guest(1)), Some(1234), None).is_ok() {
        assert_eq!(bench.load(&guest(1)), None);
        assert_eq!(bench.cache.stats().refused, 1);
    }
    let key = bench.folder().join("key");
    let before = fs::read(&key).expect("a key");
    if std::os::unix::fs::chown(&key, Some(1234), None).is_ok() {
        assert!(try_open(bench.home.path()).is_some());
        assert_ne!(fs::read(&key).expect("a key"), before);
    }
}

/// Spoils folder or key, opens the cache again, and says whether the old key is still used.
#[track_caller]
fn key_survives(spoil: impl FnOnce(&Path, &Path)) -> bool {
    let bench = Bench::new();
    bench.store(&guest(1));
    bench.load_at(&guest(1), later());
    let (folder, key) = (bench.folder(), bench.folder().join("key"));
    let before = fs::read(&key).expect("a key");
    spoil(&folder, &key);

    let again = Bench {
        cache: open(bench.home.path()),
        ..bench
    };
    let survived = fs::read(&key).expect("a key") == before;
    assert_eq!(again.load(&guest(1)), survived.then_some(1));
    assert_eq!(again.cache.stats().refused, u64::from(!survived));
    again.store(&guest(1));
    assert_eq!(again.load(&guest(1)), Some(1));
    #[cfg(unix)]
    assert_eq!((mode(&folder), mode(&key)), (0o700, 0o600));
    survived
}

#[test]
fn keys_that_are_replaced() {
    assert!(key_survives(|_, _| ()));
    assert!(
        !key_survives(|_, key| fs::remove_file(key).expect("removed")),
        "missing"
    );
    assert!(
        !key_survives(|_, key| fs::write(key, "").expect("written")),
        "empty"
    );
    assert!(
        !key_survives(|_, key| fs::write(key, [0; 31]).expect("written")),
        "short"
    );
    assert!(
        !key_survives(|_, key| fs::write(key, [0; 33]).expect("written")),
        "long"
    );
    assert!(
        !key_survives(|_, key| fs::write(key, [0; 32]).expect("written")),
        "another"
    );
}

#[test]
#[cfg(unix)]
fn keys_and_folders_that_were_open_to_others() {
    assert!(
        !key_survives(|_, key| chmod(key, 0o640)),
        "a key that the group could read"
    );
    assert!(
        !key_survives(|_, key| chmod(key, 0o604)),
        "a key that all could read"
    );
    assert!(
        !key_survives(|_, key| chmod(key, 0o602)),
        "a key that all could write"
    );
    assert!(
        !key_survives(|folder, _| chmod(folder, 0o777)),
        "a folder that all could write"
    );
    assert!(
        !key_survives(|folder, _| chmod(folder, 0o720)),
        "a folder that the group could write"
    );
    assert!(
        key_survives(|folder, _| chmod(folder, 0o755)),
        "a folder that all could read"
    );
    assert!(
        !key_survives(|_, key| {
            let aside = key.with_extension("aside");
            fs::rename(key, &aside).expect("renamed");
            std::os::unix::fs::symlink(&aside, key).expect("linked");
        }),
        "a link"
    );
}

#[test]
fn a_key_that_cannot_be_read_or_replaced_means_no_cache() {
    let home = tempfile::tempdir().expect("a folder");
    drop(open(home.path()));
    let key = home.path().join("v1/key");
    fs::remove_file(&key).expect("removed");
    fs::create_dir(&key).expect("made");
    assert!(try_open(home.path()).is_none());
}

#[test]
#[cfg(unix)]
fn a_folder_that_cannot_be_written_still_serves() {
    let bench = Bench::new();
    bench.store(&guest(1));
    chmod(&bench.folder(), 0o500);
    let again = Bench {
        cache: open(bench.home.path()),
        ..bench
    };
    assert_eq!(again.load_at(&guest(1), later()), Some(1));
    let component = again.store(&guest(2));
    assert_eq!(answer(&again.engine, &component), 2);
    let root = rustix::process::geteuid().is_root(); // whom modes do not stop
    assert_eq!(again.cache.stats().failed_writes, u64::from(!root));
    chmod(&again.folder(), 0o700); // so that it can be removed
}

#[test]
fn a_folder_that_vanished_costs_nothing_but_the_cache() {
    let bench = Bench::new();
    fs::remove_dir_all(bench.folder()).expect("removed");
    for answered in 1..=2 {
        assert_eq!(bench.load(&guest(answered)), None);
        assert_eq!(
            answer(&bench.engine, &bench.store(&guest(answered))),
            answered
        );
    }
    let stats = bench.cache.stats();
    assert_eq!((stats.failed_writes, stats.stored), (2, 0));
}
