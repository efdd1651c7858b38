//! A place for one idle instance beside each thread, so that threads that call a warm pool share
//! nothing they write to.
//!
//! Knows threads and boxes; knows nothing of slots. To the slots an instance in a pocket is lent.
//! Everybody changes a pocket by one atomic exchange, the owner of the thread and whoever looks
//! for instances alike. That orders what they do around it: who finds a pocket empty after storing
//! a flag knows that whoever fills it next sees the flag, and who finds it full knows that it is
//! the one to deal with what is in it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicBool, AtomicCell, AtomicU64, Ordering, thread_local};

/// See the module.
pub(crate) struct Pockets<T>(Box<[CachePadded<Pocket<T>>]>);

struct Pocket<T> {
    held: AtomicCell<Option<Box<T>>>,
    /// What `held` is likely to be, for those who only count.
    full: AtomicBool,
    /// How often the thread lent an instance from here. Written by that thread alone.
    taken: AtomicU64,
}

impl<T> Pockets<T> {
    /// Room for so many threads; 0 for a pool that lends no instance twice.
    pub(crate) fn new(threads: usize) -> Self {
        let pocket = |_| {
            CachePadded::new(Pocket {
                held: AtomicCell::new(None),
                full: AtomicBool::new(false),
                taken: AtomicU64::new(0),
            })
        };
        Self((0..threads).map(pocket).collect())
    }

    /// What this thread has in its pocket.
    #[inline]
    pub(crate) fn take(&self) -> Option<Box<T>> {
        let pocket = self.0.get(seat()?)?;
        let held = pocket.held.take()?;
        pocket.full.store(false, Ordering::Relaxed);
        Some(held)
    }

    /// Counts that this thread lends what it took.
    #[inline]
    pub(crate) fn count_taken(&self) {
        if let Some(pocket) = seat().and_then(|seat| self.0.get(seat)) {
            let taken = pocket.taken.load(Ordering::Relaxed);
            pocket.taken.store(taken + 1, Ordering::Relaxed);
        }
    }

    /// Puts `item` into this thread's pocket.
    ///
    /// # Errors
    ///
    /// What has no room: `item` itself, or what was in the pocket.
    #[inline]
    pub(crate) fn put(&self, item: Box<T>) -> Result<(), Box<T>> {
        let Some(pocket) = seat().and_then(|seat| self.0.get(seat)) else {
            return Err(item);
        };
        let before = pocket.held.swap(Some(item));
        pocket.full.store(true, Ordering::Relaxed);
        before.map_or(Ok(()), Err)
    }

    /// Takes from any pocket.
    pub(crate) fn steal(&self) -> Option<Box<T>> {
        self.0.iter().find_map(|pocket| {
            let held = pocket.held.take()?;
            pocket.full.store(false, Ordering::Relaxed);
            Some(held)
        })
    }

    /// Shows every instance in a pocket to `keep` and takes those for which it says no, and those
    /// whose pocket was filled meanwhile. Nobody else finds an instance while it is shown.
    pub(crate) fn sift(&self, mut keep: impl FnMut(&T) -> bool) -> Vec<Box<T>> {
        let mut taken = Vec::new();
        for pocket in &self.0 {
            match pocket.held.take() {
                None => {}
                Some(item) if keep(&item) => taken.extend(pocket.held.swap(Some(item))),
                Some(item) => {
                    pocket.full.store(false, Ordering::Relaxed);
                    taken.push(item);
                }
            }
        }
        taken
    }

    /// How many are likely to be there.
    pub(crate) fn count(&self) -> usize {
        self.0
            .iter()
            .filter(|pocket| pocket.full.load(Ordering::Relaxed))
            .count()
    }

    /// How often a thread lent an instance from its pocket.
    pub(crate) fn taken(&self) -> u64 {
        self.0
            .iter()
            .map(|pocket| pocket.taken.load(Ordering::Relaxed))
            .sum()
    }
}

/// A small number that no other living thread has. `None` while the thread ends.
#[inline]
fn seat() -> Option<usize> {
    thread_local! {
        static SEAT: Seat = Seat::take();
    }
    SEAT.try_with(|seat| seat.0).ok()
}

struct Seat(usize);

/// Numbers of threads that ended, and the first that no thread had yet.
static SEATS: parking_lot::Mutex<(BinaryHeap<Reverse<usize>>, usize)> =
    parking_lot::Mutex::new((BinaryHeap::new(), 0));

impl Seat {
    fn take() -> Self {
        let mut seats = SEATS.lock();
        if let Some(Reverse(free)) = seats.0.pop() {
            return Self(free);
        }
        seats.1 += 1;
        Self(seats.1 - 1)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        SEATS.lock().0.push(Reverse(self.0));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn an_exchange_takes_no_lock() {
        assert!(AtomicCell::<Option<Box<u64>>>::is_lock_free());
    }

    #[test]
    fn nothing_is_lost_and_nothing_is_held_twice() {
        let pockets = Pockets::new(1024);
        let all: Vec<u32> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4u32)
                .map(|thread| {
                    let pockets = &pockets;
                    scope.spawn(move || {
                        let mut mine: Vec<Box<u32>> =
                            (0..100).map(|n| Box::new(thread * 100 + n)).collect();
                        for round in 0..20_000 {
                            match round % 5 {
                                0 | 3 => mine.extend(pockets.take()),
                                1 => mine.extend(pockets.steal()),
                                2 => mine.extend(pockets.sift(|n| n % 2 == 0)),
                                _ => {
                                    if let Some(item) = mine.pop() {
                                        mine.extend(pockets.put(item).err());
                                    }
                                }
                            }
                        }
                        mine.into_iter().map(|item| *item).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        let left = pockets.sift(|_| false).into_iter().map(|item| *item);
        let all: Vec<u32> = all.into_iter().chain(left).collect();
        assert_eq!(all.len(), 400);
        assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 400);
    }

    #[test]
    fn seats_are_used_again() {
        let seats: BTreeSet<_> = (0..100)
            .map(|_| std::thread::spawn(seat).join().unwrap())
            .collect();
        assert!(seats.len() < 100, "{seats:?}");
    }
}
