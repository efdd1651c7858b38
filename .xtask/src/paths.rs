//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The folders that this tool works in. All are absolute.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The repository.
    pub(crate) root: PathBuf,
    /// What cargo calls the target directory.
    pub(crate) target: PathBuf,
    /// Where the built guests go.
    pub(crate) guests: PathBuf,
}

impl Paths {
    pub(crate) fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("this crate has no parent folder")?
            .to_owned();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(target) => std::path::absolute(target).context("CARGO_TARGET_DIR is empty")?,
            None => root.join("target"),
        };
        let guests = target.join("guests");
        Ok(Self {
            root,
            target,
            guests,
        })
    }

    /// A program that cargo built, by its place in the target directory: `debug/demo`.
    pub(crate) fn binary(&self, place: &str) -> PathBuf {
        let suffix = env::consts::EXE_SUFFIX;
        self.target.join(format!("{place}{suffix}"))
    }

    /// The folder with one folder for each guest.
    pub(crate) fn examples(&self) -> PathBuf {
        self.root.join("guest-examples")
    }
}
