//! Who gets a slot of a full host, and who gives one up.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::*;

/// Takes all slots that the pool may have and gets.
fn take_all(tenant: &Arc<Tenant>) -> Vec<Permit> {
    let slots = std::iter::from_fn(|| tenant.take());
    slots.take(tenant.max_instances - tenant.taken()).collect()
}

fn line_up(tenant: &Arc<Tenant>) -> InLine {
    tenant.take_or_line_up().expect_err("no slot is to be had")
}

fn granted(place: InLine) -> Permit {
    place.granted().expect("it is its turn")
}

fn waits(place: InLine) -> InLine {
    place.granted().expect_err("it is not its turn")
}

#[test]
fn the_line_is_kept_in_order_and_whoever_leaves_lets_the_next_one_in() {
    let room = Room::new(1);
    let tenants = [(); 4].map(|()| room.tenant(1));
    let held = take_all(&tenants[0]);
    let [first, second, third] = [1, 2, 3].map(|at| line_up(&tenants[at]));
    assert!(first.leads());
    assert!(tenants[0].is_wanted());
    drop(held);
    let second = waits(second);
    drop(second);
    let third = waits(third);
    drop(granted(first));
    drop(granted(third));
    assert!(!tenants[0].is_wanted());
    assert_eq!(tenants[0].taken_by_all(), 0);
}

#[test]
fn who_becomes_first_is_told_and_who_has_a_slot() {
    let room = Room::new(1);
    let tenant = room.tenant(1);
    let held = take_all(&tenant);
    let (first, second) = (line_up(&tenant), line_up(&tenant));
    let mut cx = Context::from_waker(Waker::noop());
    {
        let mut told = pin!(second.told());
        assert!(told.as_mut().poll(&mut cx).is_pending());
        drop(first);
        assert_eq!(told.as_mut().poll(&mut cx), Poll::Ready(()));
    }
    let mut told = pin!(second.told());
    assert!(told.as_mut().poll(&mut cx).is_pending());
    drop(held);
    assert_eq!(told.as_mut().poll(&mut cx), Poll::Ready(()));
}

#[test]
fn a_slot_that_was_granted_and_not_taken_goes_to_the_next() {
    let room = Room::new(1);
    let tenant = room.tenant(1);
    let held = take_all(&tenant);
    let (first, second) = (line_up(&tenant), line_up(&tenant));
    drop(held);
    drop(first);
    drop(granted(second));
    assert_eq!(tenant.taken_by_all(), 0);
}

#[test]
fn one_pool_alone_takes_all() {
    let room = Room::new(20);
    let flooded = room.tenant(1000);
    assert_eq!(take_all(&flooded).len(), 20);
}

#[test]
fn beyond_its_share_a_pool_leaves_a_tenth_to_others() {
    let room = Room::new(20);
    let (flooded, other) = (room.tenant(20), room.tenant(20));
    let one = other.take();
    let held = take_all(&flooded);
    assert_eq!(held.len(), 17);
    let more = take_all(&other);
    assert_eq!(more.len(), 2);
    drop((one, more));
    let more = take_all(&flooded);
    assert_eq!(more.len(), 1, "the other still counts");
    assert_eq!(take_all(&other).len(), 2);
    drop((held, more));
}

#[test]
fn pools_that_may_have_what_there_is_and_no_more_have_all_of_it() {
    let room = Room::new(20);
    let (large, small) = (room.tenant(16), room.tenant(4));
    let one = small.take();
    let all = take_all(&large);
    assert_eq!(all.len(), 16);
    assert_eq!(take_all(&small).len(), 3);
    drop((one, all));
}

#[test]
fn who_has_less_than_its_share_goes_first() {
    let room = Room::new(4);
    let (flooded, other) = (room.tenant(8), room.tenant(1));
    let mut held = take_all(&flooded);
    let before = [line_up(&flooded), line_up(&flooded)];
    let after = line_up(&other);
    assert!(before[0].leads());
    assert!(after.leads());
    held.pop();
    let after = granted(after);
    let [first, second] = before.map(waits);
    // Its pool holds three still, and a share is two.
    held.pop();
    drop(granted(first));
    drop((held, after));
    drop(granted(second));
}

#[test]
fn what_a_pool_gives_up_depends_on_who_waits() {
    let room = Room::new(4);
    let (flooded, other, third) = (room.tenant(8), room.tenant(1), room.tenant(1));
    let held = take_all(&other);
    assert_eq!(other.claim(), Claim::Nothing);
    let flood = take_all(&flooded);
    let _beyond = line_up(&flooded);
    assert_eq!(other.claim(), Claim::Unused);
    let own = line_up(&other);
    assert_eq!(other.claim(), Claim::Idle, "one of its own waits");
    drop(own);
    assert_eq!(flooded.claim(), Claim::Idle, "it has more than its share");
    let _below = line_up(&third);
    assert_eq!(other.claim(), Claim::Idle);
    drop((held, flood));
}

#[test]
fn a_pool_that_holds_nothing_has_no_share() {
    let room = Room::new(10);
    let (one, other) = (room.tenant(10), room.tenant(10));
    drop(other.take());
    let held = take_all(&one);
    assert_eq!(held.len(), 9);
    assert!(!other.holds_nothing(), "it asked lately");
    assert_eq!(take_all(&one).len(), 0);
    assert!(other.holds_nothing());
    assert!(other.holds_nothing());
    assert_eq!(take_all(&one).len(), 1);
    let other_held = other.take();
    assert!(other_held.is_some());
    assert!(!other.holds_nothing());
    assert!(!other.holds_nothing());
    drop(other_held);
    assert_eq!(take_all(&one).len(), 0, "it still counts");
    drop(held);
}

#[test]
fn who_is_refused_by_the_engine_is_first_until_something_is_given_back() {
    let room = Room::new(4);
    let tenant = room.tenant(4);
    let (held, refused) = (tenant.take(), tenant.take().unwrap());
    let first = refused.refused();
    assert_eq!(tenant.taken_by_all(), 1);
    let second = line_up(&tenant);
    let first = waits(first);
    drop(held);
    let permit = granted(first);
    drop(granted(second));
    let first = permit.refused();
    let second = line_up(&tenant);
    first.try_again();
    // Both may try now, and the first one does not lose its place by that.
    let first = granted(first).refused();
    drop(granted(second));
    drop(granted(first));
    assert_eq!(tenant.taken_by_all(), 0);
}
