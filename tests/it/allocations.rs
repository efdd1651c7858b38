//! A warm call allocates nothing of the library's own.

use allocation_counter::measure;
use prewarm::{Pool, blocking};

use crate::guests::COUNTER;
use crate::support::{always, config, host, load};

const CALLS: u64 = 100;

/// What a program measures that allocates in each of its calls.
#[test]
fn an_allocation_is_counted() {
    let counted = measure(|| {
        for _ in 0..CALLS {
            drop(std::hint::black_box(Box::new(1)));
        }
    });
    assert_eq!(counted.count_total, CALLS);
}

#[test]
fn a_warm_blocking_call_allocates_nothing() {
    let pool = blocking::Pool::<()>::new(&load(&host(), COUNTER), config(1, always())).unwrap();
    let calls = || {
        for _ in 0..CALLS {
            pool.call(|(), _| Ok(())).unwrap();
        }
    };
    calls();
    assert_eq!(measure(calls).count_total, 0);
}

#[tokio::test]
async fn a_warm_async_call_allocates_nothing() {
    let pool: Pool = load(&host(), COUNTER).pool(config(1, always())).unwrap();
    for _ in 0..CALLS {
        pool.call(async |(), _| Ok(())).await.unwrap();
    }
    let mut counted = 0;
    for _ in 0..CALLS {
        let mut call = Box::pin(pool.call(async |(), _| Ok(())));
        let waker = std::task::Waker::noop();
        let polled = measure(|| {
            let polled = call
                .as_mut()
                .poll(&mut std::task::Context::from_waker(waker));
            assert!(polled.is_ready(), "a call that waits for nobody");
        });
        counted += polled.count_total;
    }
    assert_eq!(counted, 0);
}
