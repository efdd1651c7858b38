//! Values of the embedder's that panic: when they are made, and when they are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use prewarm::{CallError, Reuse};

use crate::guests::COUNTER;
use crate::support::{AnyPool, FACES, always, config, host, load, used};

/// Panics when it is dropped, if the flag is set then.
struct Bomb(Arc<AtomicBool>);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.0.load(Ordering::SeqCst), "dropped");
    }
}

#[test]
fn that_panic_when_they_are_made() {
    for face in FACES {
        let armed = Arc::new(AtomicBool::new(true));
        let flag = armed.clone();
        let state = move || assert!(!flag.load(Ordering::SeqCst), "made");
        let component = load(&host(), COUNTER);
        let pool = AnyPool::with(face, &component, config(1, always()), state, |_| Ok(())).unwrap();
        for n in 1..=2 {
            let error = pool.number("next").unwrap_err();
            let CallError::Start(source) = &error else {
                panic!("{error:?}")
            };
            assert!(
                matches!(&**source, CallError::HostPanic { message, .. } if message == "made"),
                "{error:?}"
            );
            let stats = pool.stats();
            assert_eq!((stats.start_failures, used(&stats)), (n, 0));
        }
        armed.store(false, Ordering::SeqCst);
        assert_eq!(pool.number("next").unwrap(), 1);
    }
}

#[test]
fn that_panic_when_they_are_dropped() {
    for face in FACES {
        for reuse in [Reuse::Never, Reuse::Calls(2..=2)] {
            let armed = Arc::new(AtomicBool::new(true));
            let flag = armed.clone();
            let mut config = config(2, reuse);
            config.min_warm = 1;
            let component = load(&host(), COUNTER);
            let state = move || Bomb(flag.clone());
            let pool = AnyPool::with(face, &component, config, state, |_| Ok(())).unwrap();
            for _ in 0..10 {
                let answer = pool.number("next").unwrap();
                assert!(answer <= 2);
            }
            // Refill still works, and so does the rest.
            pool.until("one stands ready", |stats| stats.idle > 0);
            pool.until("nothing is left undropped", |stats| stats.dying == 0);
            armed.store(false, Ordering::SeqCst);
            pool.close();
            assert_eq!(used(&pool.stats()), 0);
        }
    }
}
