//! How steps behave.

/// How a step behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// As it should.
    Fine,
    /// It ends in an error.
    Fails,
    /// It takes a tenth of the time that a call has.
    Slow,
    /// It does not end by itself.
    Never,
    /// It panics.
    Panics,
}

impl Deed {
    pub(super) fn takes_time(self) -> bool {
        matches!(self, Self::Slow | Self::Never)
    }
}

const DEEDS: [Deed; 5] = [
    Deed::Fine,
    Deed::Fails,
    Deed::Slow,
    Deed::Never,
    Deed::Panics,
];

/// How each step behaves, every other time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deeds {
    pub(super) load: Deed,
    pub(super) start: Deed,
    pub(super) warm_up: Deed,
    pub(super) call: Deed,
    pub(super) drop: Deed,
}

impl Deeds {
    /// How many there are.
    pub const COUNT: usize = DEEDS.len().pow(5);

    /// One of them all.
    pub fn nth(n: usize) -> Self {
        let of = |place: u32| DEEDS[n / DEEDS.len().pow(place) % DEEDS.len()];
        Self {
            load: of(0),
            start: of(1),
            warm_up: of(2),
            call: of(3),
            drop: of(4),
        }
    }
}
