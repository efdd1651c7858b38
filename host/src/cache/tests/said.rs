//! What is said aloud: each trouble once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::*;

/// Counts warnings.
#[derive(Clone, Default)]
struct Ear(Arc<AtomicUsize>);

impl Subscriber for Ear {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn event(&self, event: &Event<'_>) {
        if *event.metadata().level() == Level::WARN
            && event.metadata().target().starts_with("prewarm")
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn warnings(work: impl FnOnce()) -> usize {
    let ear = Ear::default();
    tracing::subscriber::with_default(ear.clone(), work);
    ear.0.load(Ordering::Relaxed)
}

#[test]
fn nothing_when_all_is_well() {
    let bench = Bench::new();
    let said = warnings(|| {
        assert_eq!(bench.load(&guest(1)), None);
        bench.store(&guest(1));
        bench.load(&guest(1));
    });
    assert_eq!(said, 0);
}

#[test]
fn once_for_each_refused_entry() {
    let bench = Bench::new();
    for answered in 1..=2 {
        bench.store(&guest(answered));
        overwrite(&bench.entry(&guest(answered)), |bytes| bytes[0] ^= 1);
    }
    let said = warnings(|| {
        for answered in [1, 2, 1, 2] {
            assert_eq!(bench.load(&guest(answered)), None);
        }
    });
    assert_eq!(said, 2);
    assert_eq!(bench.cache.stats().refused, 4, "but counted each time");
}

#[test]
fn once_for_a_folder_that_cannot_be_written() {
    let bench = Bench::new();
    fs::remove_dir_all(bench.folder()).expect("removed");
    let said = warnings(|| {
        bench.store(&guest(1));
        bench.store(&guest(2));
    });
    assert_eq!(said, 1);
}

#[test]
fn once_for_a_folder_that_cannot_be_used() {
    let home = tempfile::tempdir().expect("a folder");
    fs::write(home.path().join("v1"), "").expect("written");
    assert_eq!(warnings(|| assert!(try_open(home.path()).is_none())), 1);
    assert_eq!(
        warnings(|| assert!(Cache::open(&CacheConfig::off()).is_none())),
        0
    );
}
