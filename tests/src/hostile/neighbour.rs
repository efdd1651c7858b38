//! A well-behaved guest beside the hostile ones: called without a pause, its answers checked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use prewarm::{Clock, Host, Reuse, Val, blocking};

use crate::support::{config, load, number};

/// Adds its parameter to a number that it keeps, which only a fresh instance finds to be 0.
const ADDER: &str = r#"(component
    (core module $m
        (global $sum (mut i32) (i32.const 0))
        (func (export "add") (param i32) (result i32)
            (global.set $sum (i32.add (global.get $sum) (local.get 0)))
            (global.get $sum)))
    (core instance $i (instantiate $m))
    (func (export "add") (param "n" u32) (result u32) (canon lift (core func $i "add"))))"#;

/// See the module.
#[derive(Debug)]
pub struct Neighbour {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Served>,
}

/// What a neighbour met.
#[derive(Debug, Default)]
pub struct Served {
    /// Calls answered rightly.
    pub calls: usize,
    /// The first call that was not.
    pub wrong: Option<String>,
    /// What callers waited, in order.
    waits: Vec<Duration>,
}

impl Neighbour {
    /// Calls it on `host` from now on, from a thread of its own, a call every half a millisecond.
    pub fn begin(host: &Host) -> Self {
        let component = load(host, ADDER);
        let pool = blocking::Pool::<()>::new(&component, config(2, Reuse::Never)).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = Arc::clone(&stop);
            move || serve(&pool, &stop)
        });
        Self { stop, thread }
    }

    /// Lets it be, and says what it met.
    pub fn end(self) -> Served {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

fn serve(pool: &blocking::Pool, stop: &AtomicBool) -> Served {
    let clock = Clock::system();
    let mut served = Served::default();
    let mut next = 0;
    while !stop.load(Ordering::SeqCst) {
        next += 1;
        let before = clock.now();
        let answer = pool.invoke("add", &[Val::U32(next)]).map(number);
        served.waits.push(clock.now() - before);
        match answer {
            Ok(answer) if answer == next => served.calls += 1,
            other => {
                served
                    .wrong
                    .get_or_insert_with(|| format!("{next} gave {other:?}"));
            }
        }
        std::thread::park_timeout(Duration::from_micros(500));
    }
    served.waits.sort_unstable();
    served
}

impl Served {
    /// What so many of a thousand callers waited at most.
    pub fn quantile(&self, per_mille: usize) -> Duration {
        let at = self.waits.len() * per_mille / 1000;
        let at = at.min(self.waits.len().saturating_sub(1));
        self.waits.get(at).copied().unwrap_or_default()
    }
}
