//! The guests that `cargo xtask guests` built, as far as they are there.

use std::path::{Path, PathBuf};

use crate::logs::GUESTS;

/// A text that is redacted in next to no time, so that what a call costs is seen.
pub const LINE: &str = "2026-05-09 10:20:30 status installed gzip:amd64 1.12-1";

/// The guests that read logs, in the order of [`GUESTS`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Built {
    /// Those that are there, with their files.
    pub there: Vec<(&'static str, PathBuf)>,
    /// Those that are not.
    pub missing: Vec<&'static str>,
}

impl Built {
    /// Those in a folder, or in the one that `PREWARM_GUESTS` names.
    #[must_use]
    pub fn find(folder: Option<&Path>) -> Self {
        let folder = folder
            .map(Path::to_owned)
            .or_else(|| std::env::var_os("PREWARM_GUESTS").map(PathBuf::from));
        let mut built = Self::default();
        for name in GUESTS {
            let file = folder.as_ref().map(|it| it.join(format!("{name}.wasm")));
            match file.filter(|file| file.is_file()) {
                Some(file) => built.there.push((name, file)),
                None => built.missing.push(name),
            }
        }
        built
    }
}
