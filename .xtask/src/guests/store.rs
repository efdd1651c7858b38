//! Keeps components under the hash of everything they were made from.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use wasmparser::{ComponentTypeRef, Encoding, Parser, Payload, Validator};

use super::table::Row;
use crate::paths::Paths;

/// What is in a guest's folder and does not decide what comes out.
const NOT_SOURCES: [&str; 4] = ["target", "node_modules", "__pycache__", "README.md"];

/// The kept components of one guest.
pub(crate) struct Store<'a> {
    paths: &'a Paths,
    name: &'a str,
    /// The folder of its sources.
    folder: &'a str,
}

impl<'a> Store<'a> {
    pub(crate) fn new(paths: &'a Paths, name: &'a str, folder: &'a str) -> Self {
        Self {
            paths,
            name,
            folder,
        }
    }

    /// Takes the component out of use, lest an old one stay after a failure.
    pub(crate) fn withdraw(&self) -> Result<()> {
        match fs::remove_file(self.published()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context("an old component will not go")
            }
            _ => Ok(()),
        }
    }

    /// Puts what was made before, in this way from these sources, into use again if it was kept.
    pub(crate) fn find(&self, how: &str) -> Result<Option<Row>> {
        let kept = self.kept(how)?;
        let Ok(row) = fs::read(kept.with_extension("json")) else {
            return Ok(None);
        };
        let row: Row = serde_json::from_slice(&row).context("a note in the store is damaged")?;
        self.publish(&kept)?;
        Ok(Some(Row {
            fresh: false,
            ..row
        }))
    }

    /// Checks a component, keeps it and puts it into use.
    pub(crate) fn keep(&self, how: &str, component: &Path, seconds: f64) -> Result<Row> {
        let bytes = fs::read(component).context("the build left no component")?;
        let row = Row {
            bytes: bytes.len(),
            imports: count_imports(&bytes)?,
            seconds,
            fresh: true,
        };
        let kept = self.kept(how)?;
        fs::create_dir_all(kept.parent().context("the store has no folder")?)?;
        fs::rename(component, &kept)?;
        fs::write(kept.with_extension("json"), serde_json::to_vec(&row)?)?;
        self.publish(&kept)?;
        Ok(row)
    }

    fn publish(&self, kept: &Path) -> Result<()> {
        let new = self.published().with_extension("wasm.new");
        fs::copy(kept, &new)
            .and_then(|_| fs::rename(&new, self.published()))
            .context("the component cannot be put into use")
    }

    fn published(&self) -> PathBuf {
        self.paths.guests.join(format!("{}.wasm", self.name))
    }

    fn kept(&self, how: &str) -> Result<PathBuf> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(how.as_bytes());
        for folder in [
            self.paths.examples().join(self.folder),
            self.paths.root.join("wit"),
        ] {
            hash_folder(&folder, &folder, &mut hasher)?;
        }
        let hash = hasher.finalize().to_hex();
        Ok(self
            .paths
            .guests
            .join("store")
            .join(format!("{}-{}.wasm", self.name, &hash[..16])))
    }
}

/// Feeds the names and contents of all sources to the hasher, in an order that is always the same.
fn hash_folder(folder: &Path, root: &Path, hasher: &mut blake3::Hasher) -> Result<()> {
    let name = || folder.display().to_string();
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .with_context(name)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, name) = (entry.path(), entry.file_name());
        if NOT_SOURCES.iter().any(|other| name == *other) || name.as_encoded_bytes()[0] == b'.' {
            continue;
        }
        if entry.file_type()?.is_dir() {
            hash_folder(&path, root, hasher)?;
        } else {
            let content = fs::read(&path).with_context(|| path.display().to_string())?;
            hasher.update(path.strip_prefix(root)?.as_os_str().as_encoded_bytes());
            hasher.update(&content.len().to_le_bytes());
            hasher.update(&content);
        }
    }
    Ok(())
}

/// How many interfaces and functions a component asks of its host.
fn count_imports(bytes: &[u8]) -> Result<u32> {
    Validator::new()
        .validate_all(bytes)
        .context("what was built is not valid")?;
    let (mut depth, mut imports) = (0, 0);
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::Version {
                encoding: Encoding::Module,
                ..
            } if depth == 0 => {
                bail!("what was built is a core module, not a component");
            }
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    imports += u32::from(!matches!(import?.ty, ComponentTypeRef::Type(_)));
                }
            }
            _ => {}
        }
    }
    Ok(imports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_component_is_refused() {
        let refusal = |bytes: &[u8]| count_imports(bytes).unwrap_err().to_string();
        assert_eq!(refusal(b"#!/bin/sh"), "what was built is not valid");
        let module = b"\0asm\x01\0\0\0";
        assert_eq!(
            refusal(module),
            "what was built is a core module, not a component"
        );
        let component = b"\0asm\x0d\0\x01\0";
        assert_eq!(count_imports(component).unwrap(), 0);
    }
}
