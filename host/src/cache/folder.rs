//! The cache's folder and key: private to one user, or not used.
//!
//! Invariants:
//!
//! 1. Nothing in the folder is read unless it is a regular file that this user owns and nobody else may write.
//! 2. A file gets its final name only when it is complete, by renaming; no named file is ever written again.
//! 3. All processes that open the folder at once agree on one key: it is made or replaced under a lock.
//! 4. A key that others could read, or that lay in a folder where others could write, is replaced, and whatever was
//!    authenticated with it is refused from then on.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use super::platform::{
    ANY, Access, READ, WRITE, create, create_folder, options, others_may, own, set_access,
    sync_names,
};

pub(super) type Key = [u8; 32];

/// Every unfinished file starts with this.
pub(super) const TEMPORARY: &str = "tmp-";
/// Names that are neither entries nor records: never counted, never removed.
pub(super) const KEY: &str = "key";
pub(super) const LOCK: &str = "lock";

/// Why a folder cannot hold the cache.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    #[error("no cache folder was given and the user has none")]
    Nowhere,
    #[error("the folder cannot be used")]
    Folder(#[source] io::Error),
    #[error("it is not a folder, or belongs to another user")]
    Foreign,
    #[error("its key cannot be read or made")]
    Key(#[source] io::Error),
}

/// A checked folder.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens the folder, or makes it; closes it to others; reads its key, or makes one.
    pub(super) fn open(path: PathBuf) -> Result<(Self, Key), FolderError> {
        let folder = Self { path };
        let key = match folder.good_key()? {
            Some(key) => key,
            None => folder.mend()?,
        };
        Ok((folder, key))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The key, if neither folder nor key needs mending.
    fn good_key(&self) -> Result<Option<Key>, FolderError> {
        match fs::symlink_metadata(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FolderError::Folder(error)),
            Ok(facts) if !own(&facts) || !facts.is_dir() => Err(FolderError::Foreign),
            Ok(facts) if others_may(ANY, &facts) => Ok(None),
            Ok(_) => Ok(self.read_key()),
        }
    }

    fn read_key(&self) -> Option<Key> {
        let (mut file, facts) = self.open_file(KEY).ok()??;
        let mut key = Key::default();
        if facts.len() != 32 || others_may(READ, &facts) {
            return None;
        }
        file.read_exact(&mut key).ok()?;
        Some(key)
    }

    /// Makes the folder and its key, or makes them safe again. One process at a time.
    fn mend(&self) -> Result<Key, FolderError> {
        create_folder(&self.path).map_err(FolderError::Folder)?;
        let facts = fs::symlink_metadata(&self.path).map_err(FolderError::Folder)?;
        if !own(&facts) || !facts.is_dir() {
            return Err(FolderError::Foreign);
        }
        let lock = options()
            .read(true)
            .write(true)
            .create(true)
            .open(self.path.join(LOCK))
            .map_err(FolderError::Key)?;
        private(&lock)
            .and_then(|_| lock.lock())
            .map_err(FolderError::Key)?;
        if let Some(key) = self.good_key()? {
            return Ok(key); // another process was first
        }
        // Until the key is settled the folder stays one that `good_key` does not take, so that nobody reads the old key
        // without the lock.
        let loose = fs::symlink_metadata(&self.path).map_err(FolderError::Folder)?;
        if others_may(WRITE, &loose) {
            self.remove(KEY);
            set_access(&self.path, Access::HalfClosed).map_err(FolderError::Folder)?;
        }
        let key = match self.read_key() {
            Some(key) => key,
            None => self.new_key().map_err(FolderError::Key)?,
        };
        if others_may(ANY, &loose) {
            set_access(&self.path, Access::Closed).map_err(FolderError::Folder)?;
        }
        Ok(key)
        // `lock` is released as it is closed.
    }

    fn new_key(&self) -> io::Result<Key> {
        let mut key = Key::default();
        getrandom::fill(&mut key)?;
        self.write(KEY, Mode::Private, &[&key], Durable::Yes)?;
        Ok(key)
    }

    /// Opens a file for reading. `None` if there is none by that name.
    pub(super) fn open_file(&self, name: &str) -> io::Result<Option<(File, Metadata)>> {
        let file = match options().read(true).open(self.path.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let facts = private(&file)?;
        Ok(Some((file, facts)))
    }

    /// Writes a whole file under a temporary name, then gives it its own, replacing what bore it.
    pub(super) fn write(
        &self,
        name: &str,
        mode: Mode,
        parts: &[&[u8]],
        durable: Durable,
    ) -> io::Result<()> {
        let temporary = self.temporary()?;
        let written = (|| {
            let mut file = create(&temporary, mode)?;
            for part in parts {
                file.write_all(part)?;
            }
            if durable == Durable::Yes {
                file.sync_all()?;
            }
            drop(file);
            fs::rename(&temporary, self.path.join(name))?;
            if durable == Durable::Yes {
                sync_names(&self.path)
            } else {
                Ok(())
            }
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary); // nothing to remove once renamed
        }
        written
    }

    pub(super) fn remove(&self, name: &str) -> bool {
        fs::remove_file(self.path.join(name)).is_ok()
    }

    /// A name that no other process uses, not even one in another process namespace.
    fn temporary(&self) -> io::Result<PathBuf> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut random = [0; 8];
        getrandom::fill(&mut random)?;
        let (process, number) = (process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Ok(self.path.join(format!(
            "{TEMPORARY}{process}-{number}-{:016x}",
            u64::from_le_bytes(random)
        )))
    }
}

/// Who may do what with a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The owner may read and write.
    Private,
    /// The owner may read; nobody may write, from the moment the file exists.
    Sealed,
}

/// Whether a file must outlive a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Durable {
    Yes,
    No,
}

/// Invariant 1.
fn private(file: &File) -> io::Result<Metadata> {
    let facts = file.metadata()?;
    if facts.is_file() && own(&facts) && !others_may(WRITE, &facts) {
        return Ok(facts);
    }
    Err(io::Error::new(
        io::ErrorKind::PermissionDenied,
        "not a private regular file of this user",
    ))
}
