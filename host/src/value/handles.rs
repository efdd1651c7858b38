//! Resources of one lease, known to the caller by number.
//!
//! A resource cannot be written as text. When a function returns one, it is kept here under a number, and
//! the caller passes that number back. Numbers start at 1 and are never used again, so that a stale one is
//! recognised.

#![cfg_attr(
    not(any(feature = "json", feature = "wave")),
    expect(dead_code, reason = "handles come from text forms only")
)]

use std::collections::{BTreeSet, HashMap};

use wasmtime::component::ResourceAny;

use super::place::Place;
use super::shape::{ResourceId, Types};
use crate::value_error::ValueError;

/// The resources that a caller holds in one instance, by number.
///
/// In JSON a resource reads `{"handle": 3}`, in WAVE `handle(3)`. A parameter of type `own<r>` gives the
/// resource away: its number is spent as soon as all parameters were accepted, whatever the call does then.
/// A parameter of type `borrow<r>` lends it for the call.
///
/// The numbers mean something only in the instance that the resources came from. Dropping this table leaves
/// the resources in their store; they go when the store goes. Whoever wants to use the instance on should
/// first [`take_all`](Self::take_all) and drop each, or retire an instance whose table
/// [is not empty](Self::is_empty).
#[derive(Debug, Default)]
pub struct Handles {
    live: HashMap<u32, Entry>,
    issued: u32,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    resource: ResourceAny,
    kind: ResourceId,
}

impl Handles {
    /// An empty table. It takes no memory until a resource comes in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the caller holds no resource.
    ///
    /// ```
    /// assert!(prewarm::Handles::new().is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// How many resources the caller holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// The resource behind a number, for calls with component values.
    #[must_use]
    pub fn get(&self, handle: u32) -> Option<ResourceAny> {
        self.live.get(&handle).map(|entry| entry.resource)
    }

    /// Takes a resource out, to be dropped with [`ResourceAny::resource_drop`]. Its number is spent.
    pub fn take(&mut self, handle: u32) -> Option<ResourceAny> {
        self.live.remove(&handle).map(|entry| entry.resource)
    }

    /// The same, with an error that says why there is none.
    pub(crate) fn release(&mut self, handle: u32) -> Result<ResourceAny, ValueError> {
        self.take(handle)
            .ok_or_else(|| self.lacks(handle, "the handle".to_owned()))
    }

    /// Why there is no resource behind a number.
    fn lacks(&self, handle: u32, at: String) -> ValueError {
        if (1..=self.issued).contains(&handle) {
            ValueError::SpentHandle { at, handle }
        } else {
            ValueError::UnknownHandle { at, handle }
        }
    }

    /// Takes every resource out, to be dropped with [`ResourceAny::resource_drop`].
    pub fn take_all(&mut self) -> impl Iterator<Item = ResourceAny> {
        self.live.drain().map(|(_, entry)| entry.resource)
    }

    /// Keeps a resource that a function returned and gives it a number.
    pub(crate) fn keep(&mut self, resource: ResourceAny, kind: ResourceId) -> u32 {
        self.issued += 1;
        self.live.insert(self.issued, Entry { resource, kind });
        self.issued
    }
}

/// The handles that the parameters of one call use: spent only if all parameters are accepted.
#[derive(Debug)]
pub(crate) struct Passing<'a> {
    handles: &'a mut Handles,
    given: BTreeSet<u32>,
    lent: BTreeSet<u32>,
}

impl<'a> Passing<'a> {
    pub(crate) fn new(handles: &'a mut Handles) -> Self {
        Self {
            handles,
            given: BTreeSet::new(),
            lent: BTreeSet::new(),
        }
    }

    /// Resolves a number where the type is `own` (`give`) or `borrow`.
    pub(crate) fn resolve(
        &mut self,
        types: Types<'_>,
        kind: ResourceId,
        give: bool,
        handle: u32,
        place: &Place<'_>,
    ) -> Result<ResourceAny, ValueError> {
        let at = || place.to_string();
        let Some(entry) = self.handles.live.get(&handle).copied() else {
            return Err(self.handles.lacks(handle, at()));
        };
        if entry.kind != kind {
            let (expected, found) = (types.resource(kind), types.resource(entry.kind));
            return Err(ValueError::ForeignHandle {
                at: at(),
                handle,
                expected,
                found,
            });
        }
        let repeated = self.given.contains(&handle) || (give && self.lent.contains(&handle));
        if repeated {
            return Err(ValueError::RepeatedHandle { at: at(), handle });
        }
        if give {
            self.given.insert(handle)
        } else {
            self.lent.insert(handle)
        };
        Ok(entry.resource)
    }

    /// All parameters were accepted: what was given away is no longer the caller's.
    pub(crate) fn commit(self) {
        for handle in self.given {
            self.handles.live.remove(&handle);
        }
    }
}
