//! Who goes, in which order, and who stays.

use std::sync::Arc;
use std::time::Duration;

use super::*;

struct Fake {
    used: AtomicU64,
    busy: AtomicBool,
    loaded: AtomicBool,
}

impl Loaded for Fake {
    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn unload(&self, now: u64) -> Option<Gone> {
        if self.busy.load(Ordering::Relaxed) {
            self.used.fetch_max(now, Ordering::Relaxed);
            return None;
        }
        assert!(self.loaded.swap(false, Ordering::Relaxed));
        Some(Box::new(()))
    }
}

struct Desk {
    registry: Registry,
    start: Instant,
    fakes: Vec<(u64, Arc<Fake>)>,
}

impl Desk {
    fn new(max_loaded: usize, max_code_bytes: u64) -> Self {
        let start = crate::Clock::manual().now();
        Self {
            registry: Registry::new(max_loaded, max_code_bytes, start),
            start,
            fakes: Vec::new(),
        }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn load(&mut self, seconds: u64, code: usize, bytes: u64) {
        self.load_and_use(seconds, code, bytes, false);
    }

    /// Loads a new one whose code is at `code`, and uses it or not.
    fn load_and_use(&mut self, seconds: u64, code: usize, bytes: u64, busy: bool) {
        let id = self.registry.register();
        let at = self.at(seconds);
        self.registry.begin_load(at);
        let fake = Arc::new(Fake {
            used: AtomicU64::new(self.registry.time(at)),
            busy: AtomicBool::new(busy),
            loaded: AtomicBool::new(true),
        });
        let weak = Arc::downgrade(&fake);
        self.fakes.push((id, fake));
        self.registry.loaded(id, weak, at, (code, bytes));
        self.check();
    }

    fn use_at(&self, seconds: u64, which: usize) {
        let time = self.registry.time(self.at(seconds));
        self.fakes[which].1.used.store(time, Ordering::Relaxed);
        self.check();
    }

    fn set_busy(&self, which: usize, busy: bool) {
        self.fakes[which].1.busy.store(busy, Ordering::Relaxed);
    }

    fn check(&self) {
        self.registry.state.lock().assert_invariants();
    }

    fn left(&self) -> Vec<usize> {
        let fakes = self.fakes.iter().enumerate();
        fakes
            .filter(|(_, (_, fake))| fake.loaded.load(Ordering::Relaxed))
            .map(|(at, _)| at)
            .collect()
    }
}

#[test]
fn the_least_recently_used_goes_first() {
    let mut desk = Desk::new(3, u64::MAX);
    for (second, at) in [(0, 0), (1, 1), (2, 2)] {
        desk.load(second, at, 1);
    }
    desk.use_at(10, 0);
    desk.load(11, 3, 1);
    assert_eq!(desk.left(), [0, 2, 3]);
    desk.use_at(12, 2);
    desk.use_at(13, 0);
    desk.load(14, 4, 1);
    assert_eq!(desk.left(), [0, 2, 4]);
    let stats = desk.registry.stats();
    assert_eq!((stats.registered, stats.loaded), (5, 3));
    assert_eq!((stats.loads, stats.unloads), (5, 2));
}

#[test]
fn who_is_used_stays_and_goes_when_it_is_used_no_more() {
    let mut desk = Desk::new(2, u64::MAX);
    desk.load_and_use(0, 0, 1, true);
    desk.load(1, 1, 1);
    desk.load_and_use(2, 2, 1, true);
    assert_eq!(desk.left(), [0, 2], "the oldest is in use");
    assert!(!desk.registry.is_over());
    desk.load_and_use(3, 3, 1, true);
    assert_eq!(desk.left(), [0, 2, 3], "nobody else could go");
    assert!(desk.registry.is_over());

    desk.set_busy(0, false);
    desk.set_busy(3, false);
    desk.use_at(6, 3);
    desk.use_at(7, 0);
    desk.registry.tidy(desk.at(8));
    desk.check();
    assert_eq!(desk.left(), [0, 2]);
    assert!(!desk.registry.is_over());
}

/// Those who hold a pool say nothing when they let it go.
#[test]
fn what_is_to_go_is_looked_at_again_ever_more_seldom() {
    let mut desk = Desk::new(1, u64::MAX);
    desk.load_and_use(0, 0, 1, true);
    assert_eq!(desk.registry.look_at(desk.at(0)), None, "nothing must go");
    desk.load_and_use(1, 1, 1, true);
    for (second, millis) in [(1, 100), (2, 200), (3, 400)] {
        let at = desk.at(second) + Duration::from_millis(millis);
        assert_eq!(desk.registry.look_at(desk.at(second)), Some(at));
        assert_eq!(desk.registry.look_at(desk.at(second)), None, "one looks");
        assert!(desk.registry.look(), "both are in use");
        desk.registry.tidy(at);
    }
    desk.set_busy(0, false);
    desk.registry.tidy(desk.at(4));
    assert_eq!(desk.left(), [1]);
    assert!(!desk.registry.look(), "nothing must go");

    desk.load_and_use(5, 2, 1, true);
    let at = desk.at(5) + Duration::from_millis(100);
    assert_eq!(
        desk.registry.look_at(desk.at(5)),
        Some(at),
        "from the start"
    );
}

#[test]
fn shared_code_counts_once() {
    let mut desk = Desk::new(10, 100);
    desk.load(0, 7, 60);
    desk.load(1, 7, 60);
    desk.load(2, 8, 40);
    assert_eq!(desk.registry.stats().code_bytes, 100);
    assert_eq!(desk.left(), [0, 1, 2]);
    desk.load(3, 9, 1);
    assert_eq!(desk.left(), [2, 3], "both users of the oldest code go");
    assert_eq!(desk.registry.stats().code_bytes, 41);
    let (id, _) = desk.fakes[3];
    desk.registry.forget(id);
    desk.check();
    let stats = desk.registry.stats();
    assert_eq!(
        (stats.code_bytes, stats.registered, stats.loaded),
        (40, 3, 1)
    );
}

#[test]
fn one_alone_may_be_too_big() {
    let mut desk = Desk::new(10, 100);
    desk.load(0, 1, 1000);
    assert_eq!(desk.left(), Vec::<usize>::new(), "nobody uses it");
    desk.load_and_use(1, 2, 1000, true);
    desk.load(2, 3, 1);
    assert_eq!(desk.left(), [1], "it is in use");
}
