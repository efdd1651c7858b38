//! Several threads and processes on one folder.

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::thread;

use super::*;

const CHILD: &str = "PREWARM_TEST_CACHE_FOLDER";

#[test]
fn threads_agree_on_one_key() {
    for _ in 0..20 {
        let home = tempfile::tempdir().expect("a folder");
        let start = Barrier::new(8);
        let keys = thread::scope(|scope| {
            let open = || {
                start.wait();
                let (_, key) =
                    crate::cache::folder::Folder::open(home.path().join("v1")).expect("opened");
                key
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect::<HashSet<_>>()
        });
        assert_eq!(keys.len(), 1);
    }
}

#[test]
#[cfg(unix)]
fn threads_agree_on_one_new_key_for_a_folder_that_was_open_to_others() {
    for _ in 0..20 {
        let home = tempfile::tempdir().expect("a folder");
        drop(open(home.path()));
        chmod(&home.path().join("v1"), 0o777);
        let start = Barrier::new(8);
        let keys = thread::scope(|scope| {
            let open = || {
                start.wait();
                crate::cache::folder::Folder::open(home.path().join("v1"))
                    .expect("opened")
                    .1
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect::<HashSet<_>>()
        });
        assert_eq!(keys.len(), 1);
    }
}

#[test]
fn threads_store_and_load_one_entry() {
    let bench = Bench::new();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let component = bench.store(&guest(1));
                    assert_eq!(answer(&bench.engine, &component), 1);
                    assert_eq!(bench.load_at(&guest(1), later()), Some(1));
                }
            });
        }
    });
    let stats = bench.cache.stats();
    assert_eq!(
        (stats.stored, stats.refused, stats.failed_writes),
        (40, 0, 0)
    );
    let left = fs::read_dir(bench.folder()).expect("a folder");
    assert!(
        left.flatten()
            .all(|file| !file.file_name().to_string_lossy().starts_with("tmp-"))
    );
}

/// Not a test of its own: what each process of the next one runs.
#[test]
#[ignore = "run by `processes_share_a_folder`"]
fn child() {
    let Some(home) = std::env::var_os(CHILD).map(PathBuf::from) else {
        return;
    };
    let bench = Bench {
        cache: open(&home),
        engine: engine(),
        home: tempfile::tempdir().expect("a folder"),
    };
    for answered in 1..=3 {
        let found = bench.load_at(&guest(answered), later());
        if found.is_none() {
            assert_eq!(
                answer(&bench.engine, &bench.store(&guest(answered))),
                answered
            );
        }
        assert_eq!(bench.load_at(&guest(answered), later()), Some(answered));
    }
    let stats = bench.cache.stats();
    assert_eq!((stats.refused, stats.failed_writes), (0, 0), "{stats:?}");
}

#[test]
fn processes_share_a_folder() {
    let home = tempfile::tempdir().expect("a folder");
    let this = std::env::current_exe().expect("this program");
    let children: Vec<_> = (0..6)
        .map(|_| {
            Command::new(&this)
                .args([
                    "--exact",
                    "cache::tests::shared::child",
                    "--ignored",
                    "--test-threads=1",
                ])
                .env(CHILD, home.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("started")
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().expect("waited");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}"
        );
    }
    let cache = open(home.path());
    for answered in 1..=3 {
        let engine = engine();
        let found = cache
            .load(&engine, &Source::bytes_of(guest(answered)), NOTE)
            .expect("found");
        assert_eq!(answer(&engine, &found), answered);
    }
}

/// Not a test of its own: what the next one runs in a process that cannot write a whole entry.
#[test]
#[ignore = "run by `a_full_disk_costs_nothing_but_the_cache`"]
fn cramped() {
    let Some(home) = std::env::var_os(CHILD).map(PathBuf::from) else {
        return;
    };
    let bench = Bench {
        cache: open(&home),
        ..Bench::new()
    };
    for answered in 1..=2 {
        assert_eq!(bench.load(&guest(answered)), None);
        assert_eq!(
            answer(&bench.engine, &bench.store(&guest(answered))),
            answered
        );
    }
    let stats = bench.cache.stats();
    assert_eq!((stats.stored, stats.failed_writes), (0, 2), "{stats:?}");
}

#[test]
#[cfg(unix)]
fn a_full_disk_costs_nothing_but_the_cache() {
    let home = tempfile::tempdir().expect("a folder");
    // No file may grow beyond 4 KiB, so that writing an entry fails halfway, as it does on a full disk.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().expect("this program"))
        .args(["--exact", "cache::tests::shared::cramped", "--ignored"])
        .env(CHILD, home.path())
        .output()
        .expect("ran");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
    let left: HashSet<_> = fs::read_dir(home.path().join("v1"))
        .expect("a folder")
        .map(|found| found.expect("a file").file_name())
        .collect();
    assert_eq!(
        left,
        HashSet::from(["key".into(), "lock".into()]),
        "nothing half-written"
    );
}
