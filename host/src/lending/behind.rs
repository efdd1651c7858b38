//! What happens off the callers' path: instances made ahead, dropped behind, and retired when idle.

use std::time::{Duration, Instant};

use super::tokens::Dropping;
use super::{Lending, Lent};
use crate::engine::Lane;
use crate::instance::contained;
use crate::refill::{Next, Work};
use crate::room::{Claim, IN_USE};
use crate::slots::{Refilled, Retire, Returned, Slots};
use crate::sync::{MutexGuard, Ordering};
use crate::ticker::{Held, Member};
use crate::world::World;

/// A refill thread that worked so long for one pool looks at the next before it goes on: an instance
/// may take milliseconds.
const REFILL_TURN: Duration = Duration::from_micros(200);

impl<W: World, S: Send + 'static> Lending<W, S> {
    /// Drops an instance, which began at `now`, and frees its slot.
    pub(super) fn drop_instance(&self, instance: Lent<W, S>, now: Instant) {
        let dropping = Dropping(self);
        drop(instance);
        dropping.done(now);
    }

    pub(super) fn drop_all(&self, dying: Vec<Lent<W, S>>) {
        for instance in dying {
            self.drop_instance(instance, self.maker.clock().now());
        }
    }

    /// Gives an instance back to the slots. One out of a pocket, under the lock under which it was taken:
    /// to whoever counts it was idle until now.
    pub(super) fn take_in(
        &self,
        slots: &mut Slots<Lent<W, S>>,
        instance: Lent<W, S>,
        now: Instant,
        retire: Option<Retire>,
    ) -> Returned<Lent<W, S>> {
        slots.give_back(instance, |instance| self.age(instance), now, retire)
    }

    /// How many instances stand in pockets, counted for certain, and those that came out: because
    /// their pocket was filled meanwhile, or because they are wanted. Whoever wants them found the
    /// pocket empty while this held what is in it, and does not look again.
    fn look_into_pockets(&self, slots: &Slots<Lent<W, S>>) -> (usize, Vec<Lent<W, S>>) {
        let keep = !slots.wants_back() && !self.tenant.is_wanted();
        let mut pocketed = 0;
        let out = self.pockets.sift(|_| {
            pocketed += usize::from(keep);
            keep
        });
        (pocketed, out)
    }

    /// Ends such a look.
    fn put_back(&self, mut slots: MutexGuard<'_, Slots<Lent<W, S>>>, out: Vec<Lent<W, S>>) {
        if out.is_empty() {
            return;
        }
        let now = self.maker.clock().now();
        let returned: Vec<_> = out
            .into_iter()
            .map(|instance| self.take_in(&mut slots, instance, now, None))
            .collect();
        drop(slots);
        returned.into_iter().for_each(|one| self.settle(one, now));
        self.notice(now);
        self.make_room();
    }

    /// Makes one instance ahead.
    fn refill_one(&self) {
        let began = self.maker.clock().now();
        let Some(permit) = self.tenant.take() else {
            self.change(|slots| slots.refill_put_off(began));
            return self.notice(began);
        };
        let watched = self.watch(&self.slots.lock());
        self.be_watched(watched, self.host.ticker.ticks());
        let due = self.due(self.deadline(began));
        // Nobody else runs on this thread, apart from what a warm-up may do beside its guest. Tokio
        // panics where its runtime is shut down and a guest waits, and others need this thread too.
        let yields = self.maker.awaits_warm_up();
        let made = contained(|| match &self.runtime {
            _ if self.maker.direct => self.maker.start_direct(due),
            Some(runtime) => runtime.block_on(self.maker.start(due, yields)),
            None => wasmtime_wasi::runtime::in_tokio(self.maker.start(due, yields)),
        });
        let now = self.maker.clock().now();
        match made {
            Ok(mut instance) => {
                instance.idle_since_ns = self.host.ticker.ns(instance.born);
                instance.permit = Some(permit);
                let cost = now.saturating_duration_since(began);
                self.take_back(now, |slots| slots.refilled(instance, now, cost));
            }
            Err(error) => {
                drop(permit);
                tracing::debug!("an instance could not be made ahead: {error}");
                self.change(|slots| slots.refill_failed(now));
                self.notice(now);
            }
        }
    }
}

impl<W: World, S: Send + 'static> Work for Lending<W, S> {
    fn work(&self) -> Next {
        let began = self.maker.clock().now();
        let mut now = began;
        while now.saturating_duration_since(began) < REFILL_TURN {
            let step = self.slots.lock().refill(now);
            match step {
                Refilled::Drop(dying) => self.drop_all(dying),
                Refilled::Start => self.refill_one(),
                Refilled::Nap(until) => return Next::LookAt(until),
                Refilled::Done => {
                    self.notice(now);
                    return Next::Done;
                }
            }
            now = self.maker.clock().now();
        }
        Next::More
    }

    fn look(&self) -> bool {
        let now = self.maker.clock().now();
        let mut slots = self.slots.lock();
        // Before the pockets are looked into: who fills one later must find that nobody will look at
        // it, and ask for that. See `pockets`.
        slots.begin_look(now);
        self.set_flags(&mut slots);
        let ns = self.host.ticker.ns(now);
        let wanted = slots.wants_back() || self.tenant.is_wanted();
        let (mut kept, mut ages_at, mut expires_at) = (0, None, None);
        let out = self.pockets.sift(|instance| {
            let (ages, expires) = (self.too_old_at(instance), self.expires_at(instance));
            let keep = !wanted && ns < expires.min(ages.unwrap_or(u64::MAX));
            if keep {
                kept += 1;
                ages_at = ages_at.into_iter().chain(ages).min();
                expires_at = expires_at.into_iter().chain([expires]).min();
            }
            keep
        });
        let mut spare = slots.spare(kept + out.len());
        let returned: Vec<_> = out
            .into_iter()
            .map(|instance| {
                let expired = !wanted && ns >= self.expires_at(&instance);
                let retire = match self.is_aged(&instance, || ns) {
                    true => Some(Retire::Aged),
                    false => (expired && spare > 0).then_some(Retire::Idle),
                };
                spare -= usize::from(retire.is_some()).min(spare);
                self.take_in(&mut slots, instance, now, retire)
            })
            .collect();
        // What is needed for `min_warm` may stay where it is.
        let next = ages_at
            .into_iter()
            .chain(expires_at.filter(|_| spare > 0))
            .min();
        let work = slots.look(now);
        drop(slots);
        returned.into_iter().for_each(|one| self.settle(one, now));
        self.notice(now);
        self.make_room();
        if let Some(at) = next {
            self.look_again(self.host.ticker.instant(at));
        }
        work
    }
}

impl<W: World, S: Send + 'static> Member for Lending<W, S> {
    fn lane(&self) -> Lane {
        self.lane
    }

    fn holds(&self) -> Held {
        let slots = self.slots.lock();
        let (pocketed, out) = self.look_into_pockets(&slots);
        let stats = slots.stats(pocketed, 0);
        // Who waits will have its turn without asking for ticks again.
        let held = if stats.leased + stats.starting > out.len() || stats.waiting > 0 {
            Held::Busy
        } else if stats.idle + stats.dying + out.len() > 0 || !self.tenant.holds_nothing() {
            // What it holds may only be its share of the host.
            Held::Idle
        } else {
            self.watched.store(false, Ordering::Relaxed);
            Held::Nothing
        };
        self.put_back(slots, out);
        held
    }

    fn idle(&self) -> usize {
        let slots = self.slots.lock();
        let (pocketed, out) = self.look_into_pockets(&slots);
        let idle = slots.stats(pocketed, 0).idle;
        self.put_back(slots, out);
        idle
    }

    fn shed(&self) {
        let now = self.maker.clock().now();
        let unless_since = match self.tenant.claim() {
            Claim::Nothing => return,
            Claim::Unused => now.checked_sub(IN_USE),
            Claim::Idle => None,
        };
        let mut slots = self.slots.lock();
        slots.shed(unless_since);
        // What is to stay goes to the slots: back in a pocket, nobody might see that it is wanted.
        let pocketed = self.pockets.sift(|_| false);
        let mut spare = slots.spare(pocketed.len());
        let mut returned = Vec::new();
        for instance in pocketed {
            let since = self.age(&instance).since;
            let stays = spare == 0 || unless_since.is_some_and(|at| since > at);
            let retire = (!stays).then_some(Retire::Idle);
            spare -= usize::from(!stays);
            returned.push(self.take_in(&mut slots, instance, now, retire));
        }
        // Their room is wanted now, not when refill comes round to it.
        let dying = slots.take_dying(usize::MAX);
        drop(slots);
        returned.into_iter().for_each(|one| self.settle(one, now));
        self.drop_all(dying);
    }
}
