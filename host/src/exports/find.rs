//! From a name to a function: short where that is unambiguous, or full.

use std::collections::HashMap;

use super::signature::Signature;
use crate::value_error::ResolveError;

/// Positions of functions, by the part of their name after the `#`, long and short form.
#[derive(Debug)]
pub(crate) struct Index {
    by_name: HashMap<Box<str>, Vec<u32>>,
    names: usize,
}

impl Index {
    pub(crate) fn new<'s>(signatures: impl Iterator<Item = &'s Signature>) -> Self {
        let mut by_name: HashMap<Box<str>, Vec<u32>> = HashMap::new();
        let mut names = 0;
        for (at, signature) in (0u32..).zip(signatures) {
            names += 1;
            by_name
                .entry(signature.component_name().into())
                .or_default()
                .push(at);
            if signature.component_name() != signature.name() {
                by_name.entry(signature.name().into()).or_default().push(at);
            }
        }
        Self { by_name, names }
    }

    /// The position of the function that a name means. `signatures` gives the function at a position.
    pub(crate) fn find<'s>(
        &self,
        name: &str,
        signatures: impl Fn(usize) -> &'s Signature,
    ) -> Result<usize, ResolveError> {
        let (interface, function) = match name.rsplit_once('#') {
            Some((interface, function)) => (Some(interface), function),
            None => (None, name),
        };
        let candidates = self.by_name.get(function).map_or(&[][..], Vec::as_slice);
        if let [only] = candidates
            && interface.is_none()
        {
            return Ok(*only as usize);
        }

        let candidates = || candidates.iter().map(|&at| at as usize);
        if let Some(full) = candidates().find(|&at| signatures(at).interface() == interface) {
            let rivals = candidates()
                .filter(|&at| signatures(at).interface() == interface)
                .count();
            if rivals == 1 {
                return Ok(full);
            }
        }
        let fitting: Vec<usize> = candidates()
            .filter(|&at| fits(signatures(at), interface))
            .collect();
        match *fitting {
            [only] => Ok(only),
            [] => Err(self.unknown(name, signatures)),
            _ => {
                let candidates = fitting
                    .iter()
                    .map(|&at| signatures(at).full_name().to_owned())
                    .collect();
                Err(ResolveError::Ambiguous {
                    name: name.to_owned(),
                    candidates,
                })
            }
        }
    }

    fn unknown<'s>(&self, name: &str, signatures: impl Fn(usize) -> &'s Signature) -> ResolveError {
        let mut near: Vec<(usize, String)> = Vec::new();
        let mut available = Vec::with_capacity(self.names);
        for at in 0..self.names {
            let signature = signatures(at);
            let full = signature.full_name();
            let distance = distance(name, signature.name()).min(distance(name, full));
            if distance <= name.len().min(9) / 3 + 1 && distance < name.len() {
                near.push((distance, full.to_owned()));
            }
            available.push(full.to_owned());
        }
        near.sort_by_key(|(distance, _)| *distance);
        let nearest = near.first().map_or(0, |(distance, _)| *distance);
        near.retain(|(distance, _)| *distance == nearest);
        let near = near.into_iter().take(3).map(|(_, name)| name).collect();
        ResolveError::Unknown {
            name: name.to_owned(),
            near,
            available,
        }
    }
}

/// Whether the part before the `#` can mean the interface of a function.
fn fits(signature: &Signature, wanted: Option<&str>) -> bool {
    let (Some(wanted), Some(interface)) = (wanted, signature.interface()) else {
        return wanted.is_none();
    };
    let plain = interface
        .rsplit_once('@')
        .map_or(interface, |(plain, _)| plain);
    let last = plain.rsplit_once('/').map_or(plain, |(_, last)| last);
    [interface, plain, last].contains(&wanted)
}

/// How many letters must change to make one name of another; names of different length or beyond reason
/// are far apart.
fn distance(a: &str, b: &str) -> usize {
    const LONGEST: usize = 80;
    const FAR: usize = usize::MAX;
    if a.len() > LONGEST || b.len() > LONGEST || a.len().abs_diff(b.len()) > 4 {
        return FAR;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(!x.eq_ignore_ascii_case(&y));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_changed_letters() {
        for (a, b, expected) in [
            ("shout", "shout", 0),
            ("shuot", "shout", 2),
            ("Shout", "shout", 0),
            ("", "abc", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
        assert_eq!(distance("a", "abcdefgh"), usize::MAX);
    }
}
