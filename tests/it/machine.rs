//! What the machine does meanwhile: the cache loses its files, the clock jumps, the process starts
//! others. Most of what needs a process of its own is among the tests of the tool.

#[cfg(target_os = "linux")]
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use prewarm::{CallError, HostConfig, Phase, Reuse, Wasm, blocking};

use crate::guests::COUNTER;
#[cfg(target_os = "linux")]
use crate::support::alone;
use crate::support::{
    always, config, files, host_with, load, number, poll_once, still_host, until,
};

/// The files of the cache go, or others come in their place, while a component from it runs.
#[test]
fn a_cache_that_loses_its_files_while_they_are_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let cached = |config: &mut HostConfig| {
        config.cache.enabled = true;
        config.cache.dir = Some(folder.path().to_owned());
    };
    load(&host_with(cached), COUNTER);
    let host = host_with(cached);
    let component = load(&host, COUNTER);
    assert_eq!(component.origin(), prewarm::Origin::Cache);
    let pool = blocking::Pool::<()>::new(&component, config(2, Reuse::Never)).unwrap();
    assert_eq!(number(pool.invoke("next", &[]).unwrap()), 1);
    for file in files(folder.path()) {
        std::fs::remove_file(&file).unwrap();
        std::fs::write(&file, "something else").unwrap();
    }
    for _ in 0..100 {
        assert_eq!(number(pool.invoke("next", &[]).unwrap()), 1);
    }
    pool.close();
    // Whoever loads it next refuses what is there.
    let next = host_with(cached);
    let component = load(&next, COUNTER);
    assert!(matches!(
        component.origin(),
        prewarm::Origin::Compiled { .. }
    ));
    let pool = blocking::Pool::<()>::new(&component, config(2, always())).unwrap();
    assert_eq!(number(pool.invoke("next", &[]).unwrap()), 1);
}

/// As nobody, where the tests run as root, who may write anywhere.
#[test]
#[cfg(target_os = "linux")]
fn a_cache_that_may_be_read_and_not_written() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;

    const NOBODY: u32 = 65_534;
    let this = "a_cache_that_may_be_read_and_not_written";
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let parted = alone(module_path!(), this, |child| {
        if root {
            child.uid(NOBODY).gid(NOBODY).current_dir("/");
            // Root's own, perhaps.
            child.env_remove("TMPDIR");
        }
    });
    if parted {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("cache");
    let set_mode = |mode: u32| {
        for folder in [&folder, &folder.join("v1")] {
            if folder.exists() {
                let mode = std::fs::Permissions::from_mode(mode);
                std::fs::set_permissions(folder, mode).unwrap();
            }
        }
    };
    let load = |wat: &str| {
        let host = host_with(|config| {
            config.cache.enabled = true;
            config.cache.dir = Some(folder.clone());
        });
        let component = load(&host, wat);
        let pool = blocking::Pool::<()>::new(&component, config(1, Reuse::Never)).unwrap();
        assert_eq!(number(pool.invoke("next", &[]).unwrap()), 1);
        component.origin()
    };
    let compiled = |origin| matches!(origin, prewarm::Origin::Compiled { .. });
    std::fs::create_dir(&folder).unwrap();
    set_mode(0o500);
    assert!(compiled(load(COUNTER)));
    assert_eq!(files(&folder).len(), 0);
    set_mode(0o700);
    assert!(compiled(load(COUNTER)));
    let full = files(&folder).len();
    assert!(full > 1);
    // As in the image of a container.
    set_mode(0o500);
    assert_eq!(load(COUNTER), prewarm::Origin::Cache);
    let other = COUNTER.replace("i32.const 1", "i32.const 0x1");
    assert_ne!(other, COUNTER);
    assert!(compiled(load(&other)));
    assert!(compiled(load(&other)));
    assert_eq!(files(&folder).len(), full);
    set_mode(0o700);
}

#[tokio::test]
async fn a_clock_that_jumps_ends_what_runs_and_nothing_else() {
    let (host, clock) = still_host();
    let component = load(&host, COUNTER);
    let pool = component.pool::<()>(config(1, always())).unwrap();
    {
        let mut call = std::pin::pin!(pool.invoke("spin", &[]));
        assert!(poll_once(call.as_mut()).is_pending());
        clock.advance(Duration::from_secs(10 * 365 * 86400));
        let error = call.await.unwrap_err();
        let late = matches!(
            error,
            CallError::Deadline {
                phase: Phase::Call,
                ..
            }
        );
        assert!(late, "{error:?}");
    }
    for calls in 1..=3 {
        assert_eq!(number(pool.invoke("next", &[]).await.unwrap()), calls);
        clock.advance(Duration::from_secs(5));
    }
    clock.advance(Duration::from_secs(10 * 365 * 86400));
    until("it scales to zero", || match pool.stats() {
        stats if stats.idle == 0 => Ok(()),
        stats => Err(stats),
    });
    assert_eq!(number(pool.invoke("next", &[]).await.unwrap()), 1);
}

/// Other programs that the process starts meanwhile inherit nothing of the host.
#[test]
#[cfg(target_os = "linux")]
fn a_process_that_is_started_gets_no_file_of_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let host = host_with(|config| {
        config.cache.enabled = true;
        config.cache.dir = Some(folder.path().to_owned());
    });
    let component = host.load_blocking(Wasm::wat(COUNTER)).unwrap();
    let pool = blocking::Pool::<()>::new(&component, config(2, always())).unwrap();
    let mut lease = pool.lease().unwrap();
    assert_eq!(number(lease.invoke("next", &[]).unwrap()), 1);
    let listed = std::process::Command::new("ls")
        .args(["-l", "/proc/self/fd"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let cache = folder.path().to_string_lossy();
    assert!(
        !listed.contains(&*cache) && !listed.contains("memfd"),
        "{listed}"
    );
    assert_eq!(number(lease.invoke("next", &[]).unwrap()), 2);
}

/// A child that is forked has the memory, but none of the threads. Whatever it does with a guest stays
/// with it, and the process goes on as before.
#[test]
#[cfg(target_os = "linux")]
fn a_forked_child_changes_nothing_for_the_process() {
    let component = load(&host_with(|_| {}), COUNTER);
    let mut config = config(1, always());
    config.limits.deadline = Duration::from_secs(2);
    let pool = blocking::Pool::<()>::new(&component, config).unwrap();
    for calls in 1..=2 {
        assert_eq!(number(pool.invoke("next", &[]).unwrap()), calls);
    }
    match fork::fork().unwrap() {
        fork::Fork::Child => {
            let answer = pool.invoke("next", &[]).map(number);
            std::process::exit(answer.map_or(99, |calls| i32::try_from(calls).unwrap_or(98)));
        }
        fork::Fork::Parent(child) => {
            for calls in 3..=100 {
                assert_eq!(number(pool.invoke("next", &[]).unwrap()), calls);
            }
            let ended = until("the child ends", || match fork::waitpid_nohang(child) {
                Ok(None) => Err("it runs"),
                other => Ok(other.unwrap().unwrap()),
            });
            assert_eq!(std::process::ExitStatus::from_raw(ended).code(), Some(3));
        }
    }
    let error = pool.invoke("spin", &[]).unwrap_err();
    assert!(matches!(error, CallError::Deadline { .. }), "{error:?}");
    assert_eq!(number(pool.invoke("next", &[]).unwrap()), 1);
}
