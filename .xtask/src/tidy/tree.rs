//! The text of the repository.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::code::test_modules;

/// Folders that hold nothing of ours, and may hold very much.
const SKIPPED: [&str; 4] = ["target", "node_modules", "vendor", "deps"];
/// The hidden folder that does hold something of ours.
const SHOWN: &str = ".xtask";

/// Where the library's files are.
const LIBRARY: &str = "host/src/";

/// The files that rules look at.
pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

/// One file of text.
pub(super) struct File {
    /// From the root of the repository, with slashes.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    /// The path of the library's module that this file is: none for `lib.rs`.
    pub(super) fn module(&self) -> Vec<&str> {
        let path = self
            .path
            .trim_start_matches(LIBRARY)
            .trim_end_matches(".rs");
        let mut parts: Vec<&str> = path.split('/').collect();
        parts.pop_if(|last| ["mod", "lib"].contains(last));
        parts
    }
}

impl Tree {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self { files: Vec::new() };
        tree.add_folder(root, "")?;
        Ok(tree)
    }

    /// Every Rust file.
    pub(super) fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// Every file of the library, except those of modules that exist only for tests.
    pub(super) fn library(&self) -> impl Iterator<Item = &File> {
        let files = || self.rust().filter(|file| file.path.starts_with(LIBRARY));
        let mut tests = Vec::new();
        for file in files() {
            let names = test_modules(&file.text).into_iter();
            tests.extend(names.map(|name| [file.module(), vec![name]].concat()));
        }
        files().filter(move |file| !tests.iter().any(|test| file.module().starts_with(test)))
    }

    /// The file with this path.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let unreadable = || format!("{} cannot be read", folder.display());
        let mut entries = fs::read_dir(folder)
            .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
            .with_context(unreadable)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                let hidden = name.starts_with('.') && name != SHOWN;
                if !hidden && !SKIPPED.contains(&name.as_str()) {
                    self.add_folder(&entry.path(), &format!("{path}/"))?;
                }
            } else if is_text_of_ours(&name) {
                let text = fs::read_to_string(entry.path()).with_context(|| path.clone())?;
                self.files.push(File { path, text });
            }
        }
        Ok(())
    }
}

fn is_text_of_ours(name: &str) -> bool {
    name.ends_with(".rs") || ["README.md", "Cargo.toml", "Cargo.lock"].contains(&name)
}
