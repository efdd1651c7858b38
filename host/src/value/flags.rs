//! Flags as they are read from text.

use wasmtime::component::Val;

use super::check::unknown_flag;
use super::place::Place;
use super::shape::Labels;
use crate::value_error::ValueError;

/// The flags that are set, read in any order and passed in the order of declaration.
pub(crate) struct FlagSet<'a> {
    labels: &'a Labels,
    set: Vec<bool>,
}

impl<'a> FlagSet<'a> {
    pub(crate) fn new(labels: &'a Labels) -> Self {
        Self {
            labels,
            set: vec![false; labels.len()],
        }
    }

    pub(crate) fn insert(&mut self, flag: &str, place: &Place<'_>) -> Result<(), ValueError> {
        let at = self
            .labels
            .position(flag)
            .ok_or_else(|| unknown_flag(self.labels, flag, place))?;
        if std::mem::replace(&mut self.set[at], true) {
            return Err(ValueError::RepeatedFlag {
                at: place.to_string(),
                flag: flag.to_owned(),
            });
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Val {
        let set = self.labels.iter().zip(self.set).filter(|(_, set)| *set);
        Val::Flags(set.map(|(label, _)| label.to_owned()).collect())
    }
}
