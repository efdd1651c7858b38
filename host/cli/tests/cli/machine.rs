//! What the machine does to a process: no room on disk, no room in memory, a signal.

#![cfg(unix)]

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use crate::desk::{Desk, Ended};

const ADD: &[&str] = &["call", "plain.wat", "add", "1", "2"];

/// Files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn answers(ended: &Ended) {
    assert_eq!((ended.code, &*ended.stdout), (0, "3\n"), "{ended:?}");
}

/// No more than a few blocks can be written to any file, as on a disk that is full: enough for what
/// the engine keeps in memory as a file, too few for the compiled code.
#[test]
fn a_disk_without_room_costs_the_cache_and_no_call() {
    let desk = Desk::new();
    answers(&desk.run_within("trap '' XFSZ; ulimit -f 16", ADD));
    // Nothing half written is left in the way.
    answers(&desk.run(ADD));
    let usual = Desk::new();
    answers(&usual.run(ADD));
    assert_eq!(files(desk.cache()).len(), files(usual.cache()).len());
    let entries = files(desk.cache());
    answers(&desk.run(ADD));
    assert_eq!(files(desk.cache()), entries, "it was not in the cache");
}

#[test]
fn a_cache_that_cannot_be_written_costs_no_call() {
    let desk = Desk::new();
    desk.write("a-file", "");
    for cache in [Path::new("/proc/none"), &desk.path("a-file").join("cache")] {
        answers(&desk.run_with_cache(cache, ADD));
    }
}

/// Less address space than a component's memories reserve.
#[test]
fn too_little_address_space_is_said() {
    let ended = Desk::new().run_within("ulimit -v 2000000", ADD);
    assert_eq!((ended.code, &*ended.stdout), (7, ""), "{ended:?}");
    assert!(ended.stderr.contains("Cannot allocate memory"), "{ended:?}");
    assert!(ended.stderr.contains("(host's fault)"), "{ended:?}");
}

/// Stacks for which there is no room: no thread starts.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn no_guest_runs_without_the_thread_that_ends_it() {
    let ended = Desk::new().run_within("export RUST_MIN_STACK=140737488355328", ADD);
    assert_eq!((ended.code, &*ended.stdout), (7, ""), "{ended:?}");
    assert!(
        ended.stderr.contains("no engine for this component"),
        "{ended:?}"
    );
    assert!(
        ended.stderr.contains("Resource temporarily unavailable"),
        "{ended:?}"
    );
}

/// Address space for one large stack, which is the thread's that ends guests: the compiler gets none,
/// and the machine is to blame.
#[test]
#[cfg(target_os = "linux")]
fn a_compiler_without_threads_is_said() {
    let within = "ulimit -v 7168000; export RUST_MIN_STACK=4294967296";
    let ended = Desk::new().run_within(within, ADD);
    assert_eq!((ended.code, &*ended.stdout), (7, ""), "{ended:?}");
    assert!(ended.stderr.contains("the compiler panicked"), "{ended:?}");
}

/// `kill`, since no safe function of the standard library sends this signal.
fn terminate(child: &mut Child) -> Option<i32> {
    let kill = ["-TERM", &child.id().to_string()].map(String::from);
    let sent = std::process::Command::new("kill").args(kill).status();
    assert!(sent.unwrap().success());
    child.wait().unwrap().signal()
}

#[test]
fn a_signal_ends_a_call_that_runs() {
    let desk = Desk::new();
    let mut child = desk.spawn(&["call", "plain.wat", "spin", "--deadline", "60s"]);
    // It runs, or is about to, when its code is kept.
    while files(desk.cache()).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended early");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    assert_eq!(terminate(&mut child), Some(15));
    answers(&desk.run(ADD));
}

#[test]
fn a_signal_at_any_time_leaves_a_cache_that_serves() {
    let desk = Desk::new();
    for millis in [0, 3, 6, 10, 15, 20, 30, 50, 80] {
        let mut child = desk.spawn(&["call", "plain.wat", "spin", "--deadline", "60s"]);
        std::thread::park_timeout(Duration::from_millis(millis));
        assert_eq!(terminate(&mut child), Some(15), "after {millis} ms");
    }
    answers(&desk.run(ADD));
    answers(&desk.run(ADD));
}
