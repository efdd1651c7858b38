//! The protocols between the library's threads, in every order: run by `cargo xtask floors`.

use prewarm_floors::models;

macro_rules! models {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let orders = models::$name();
                println!("{orders} orders of {}", stringify!($name));
                assert!(orders > 1, "its threads met nowhere");
            }
        )*
    };
}

models! {
    who_waits_gets_what_would_go_into_a_pocket
    callers_share_the_instances_in_pockets
    who_shares_a_pocket_waits_for_who_came_before
    a_closed_pool_keeps_nothing_in_a_pocket
    who_waits_for_room_gets_what_another_pool_gives_up
    a_slot_goes_to_who_waits_and_not_to_who_left
    who_waits_is_served_while_the_ticker_counts
    a_pool_is_closed_while_the_ticker_counts
    a_guest_that_runs_is_never_without_ticks
    a_pool_that_was_forgotten_gets_ticks_again
    who_had_to_wait_gets_ticks
    who_waited_for_a_slot_gets_ticks
    a_new_pool_gets_ticks
    refill_does_what_it_was_told
    refill_looks_when_it_is_time
    every_load_is_done
    what_has_to_go_goes_when_its_use_ends
}
