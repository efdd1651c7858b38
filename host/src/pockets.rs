//! Places for idle instances beside the threads that call, so that few threads that call a warm pool
//! share nothing they write to, and many share it with few.
//!
//! Knows threads and boxes; knows nothing of slots. To the slots an instance in a pocket is lent.
//! Each of the first threads has a pocket of its own, later ones share these.
//! Everybody changes a pocket by one atomic exchange, its owner and whoever else looks for instances
//! alike. That orders what they do around it: who finds a pocket empty after storing
//! a flag knows that whoever fills it next sees the flag, and who finds it full knows that it is
//! the one to deal with what is in it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicCell, AtomicU64, Ordering, thread_local};

/// See the module.
pub(crate) struct Pockets<T>(Box<[CachePadded<Pocket<T>>]>);

struct Pocket<T> {
    held: AtomicCell<Option<Box<T>>>,
    /// What the thread did whose own it is, which alone writes this.
    own: Tally,
    /// What all others did.
    others: Tally,
    /// How many were taken out and not lent.
    gone: AtomicU64,
}

/// Each is counted after it was done: whoever adds them up may miss what is being done.
struct Tally {
    put: AtomicU64,
    lent: AtomicU64,
}

/// What a thread took from its pocket, until it is counted what became of it.
#[must_use]
pub(crate) struct Taken<'a, T> {
    pub(crate) item: Box<T>,
    from: Reach<'a, T>,
}

/// A thread's way to its pocket.
struct Reach<'a, T> {
    pocket: &'a Pocket<T>,
    owns: bool,
}

impl Tally {
    fn new() -> Self {
        Self {
            put: AtomicU64::new(0),
            lent: AtomicU64::new(0),
        }
    }
}

impl<T> Pocket<T> {
    fn new() -> Self {
        Self {
            held: AtomicCell::new(None),
            own: Tally::new(),
            others: Tally::new(),
            gone: AtomicU64::new(0),
        }
    }

    fn sum(&self, of: impl Fn(&Tally) -> &AtomicU64) -> u64 {
        of(&self.own).load(Ordering::Relaxed) + of(&self.others).load(Ordering::Relaxed)
    }

    fn count_gone(&self) {
        self.gone.fetch_add(1, Ordering::Relaxed);
    }
}

impl<'a, T> Reach<'a, T> {
    #[inline]
    fn count(&self, what: impl Fn(&'a Tally) -> &'a AtomicU64) {
        match self.owns {
            true => {
                let count = what(&self.pocket.own);
                // An addition in one step would cost as much as the exchange itself.
                count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            }
            false => {
                what(&self.pocket.others).fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl<T> Taken<'_, T> {
    /// Counts that the thread lends it.
    #[inline]
    pub(crate) fn lend(self) -> Box<T> {
        self.from.count(|tally| &tally.lent);
        self.item
    }

    /// Counts that it does not.
    pub(crate) fn give_up(self) -> Box<T> {
        self.from.pocket.count_gone();
        self.item
    }
}

impl<T> Pockets<T> {
    /// So many pockets; 0 for a pool that lends no instance twice.
    pub(crate) fn new(pockets: usize) -> Self {
        Self(
            (0..pockets)
                .map(|_| CachePadded::new(Pocket::new()))
                .collect(),
        )
    }

    /// This thread's pocket.
    #[inline]
    fn mine(&self) -> Option<Reach<'_, T>> {
        if self.0.is_empty() {
            // Threads that need no pocket leave the first numbers to others.
            return None;
        }
        let seat = seat()?;
        let (at, owns) = match seat < self.0.len() {
            true => (seat, true),
            false => (seat % self.0.len(), false),
        };
        Some(Reach {
            pocket: &self.0[at],
            owns,
        })
    }

    /// What this thread has in its pocket.
    #[inline]
    pub(crate) fn take(&self) -> Option<Taken<'_, T>> {
        let from = self.mine()?;
        let item = from.pocket.held.take()?;
        Some(Taken { item, from })
    }

    /// Puts `item` into this thread's pocket.
    ///
    /// # Errors
    ///
    /// What has no room: `item` itself, or what was in the pocket.
    #[inline]
    pub(crate) fn put(&self, item: Box<T>) -> Result<(), Box<T>> {
        let Some(mine) = self.mine() else {
            return Err(item);
        };
        match mine.pocket.held.swap(Some(item)) {
            None => {
                mine.count(|tally| &tally.put);
                Ok(())
            }
            Some(before) => Err(before),
        }
    }

    /// Takes from any pocket.
    pub(crate) fn steal(&self) -> Option<Box<T>> {
        self.0.iter().find_map(|pocket| {
            let held = pocket.held.take()?;
            pocket.count_gone();
            Some(held)
        })
    }

    /// Shows every instance in a pocket to `keep` and takes those for which it says no, and those
    /// whose pocket was filled meanwhile. Nobody else finds an instance while it is shown.
    pub(crate) fn sift(&self, mut keep: impl FnMut(&T) -> bool) -> Vec<Box<T>> {
        let mut taken = Vec::new();
        for pocket in &self.0 {
            match pocket.held.take() {
                None => continue,
                Some(item) if keep(&item) => match pocket.held.swap(Some(item)) {
                    None => continue,
                    Some(before) => taken.push(before),
                },
                Some(item) => taken.push(item),
            }
            pocket.count_gone();
        }
        taken
    }

    /// How many are there, apart from what threads put or take just now.
    pub(crate) fn count(&self) -> usize {
        let full = |pocket: &&CachePadded<Pocket<T>>| {
            let taken = pocket.sum(|tally| &tally.lent) + pocket.gone.load(Ordering::Relaxed);
            pocket.sum(|tally| &tally.put) > taken
        };
        self.0.iter().filter(full).count()
    }

    /// How often a thread lent an instance from its pocket.
    pub(crate) fn lent(&self) -> u64 {
        self.0
            .iter()
            .map(|pocket| pocket.sum(|tally| &tally.lent))
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

    /// Each thread has its own pocket, or they share fewer.
    #[test]
    fn nothing_is_lost_held_twice_or_miscounted() {
        for pockets in [1024, 2, 1] {
            let pockets = Pockets::new(pockets);
            let (all, lent): (Vec<_>, Vec<_>) = std::thread::scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|thread| {
                        let pockets = &pockets;
                        scope.spawn(move || rummage(pockets, thread))
                    })
                    .collect();
                let ended = threads.into_iter().map(|thread| thread.join().unwrap());
                ended.unzip()
            });
            assert_eq!(pockets.lent(), lent.into_iter().sum::<u64>());
            let held = pockets.count();
            let left = pockets.sift(|_| false);
            assert_eq!(left.len(), held);
            assert_eq!(pockets.count(), 0);
            let left = left.into_iter().map(|n| *n);
            let all: Vec<u32> = all.into_iter().flatten().chain(left).collect();
            assert_eq!(all.len(), 400);
            assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 400);
        }
    }

    /// Does all that can be done with pockets. Returns what is left of a hundred numbers and what was
    /// added to them, and how often one was lent.
    fn rummage(pockets: &Pockets<u32>, thread: u32) -> (Vec<u32>, u64) {
        let mut mine: Vec<Box<u32>> = (0..100).map(|n| Box::new(thread * 100 + n)).collect();
        let mut lent = 0;
        for round in 0..20_000 {
            match round % 5 {
                0 | 3 => {
                    if let Some(taken) = pockets.take() {
                        lent += 1;
                        mine.push(taken.lend());
                    }
                }
                1 => mine.extend(pockets.steal()),
                2 => mine.extend(pockets.sift(|n| n % 2 == 0)),
                _ => {
                    if let Some(item) = mine.pop() {
                        mine.extend(pockets.put(item).err());
                    }
                }
            }
        }
        (mine.into_iter().map(|n| *n).collect(), lent)
    }

    #[test]
    fn seats_are_used_again() {
        let seats: BTreeSet<_> = (0..100)
            .map(|_| std::thread::spawn(seat).join().unwrap())
            .collect();
        assert!(seats.len() < 100, "{seats:?}");
    }
}
