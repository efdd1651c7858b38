//! One pool flooded: the others of its host are served, and what is too much is refused at once.

use std::time::Duration;

use prewarm_tests::flood::{KINDS, beside};

#[test]
fn leaves_the_neighbours_their_answers() {
    for kind in KINDS {
        let (_, served, flooded) = beside(kind, Duration::from_millis(300));
        assert_eq!(served.wrong, None, "{kind:?}");
        assert!(served.calls > 0, "{kind:?}");
        assert!(flooded.served > 0, "{kind:?}: {flooded:?}");
        assert!(flooded.busy > flooded.served, "{kind:?}: {flooded:?}");
        assert!(flooded.other.is_empty(), "{kind:?}: {flooded:?}");
        let stats = &flooded.stats;
        assert_eq!(
            (
                stats.idle,
                stats.leased,
                stats.starting,
                stats.dying,
                stats.waiting
            ),
            (0, 0, 0, 0, 0),
            "{kind:?}"
        );
    }
}
