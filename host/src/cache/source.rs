//! A component as it is given to be loaded: bytes in memory, or a file that is read only when it must be.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::OnceLock;
use std::time::SystemTime;

use super::entry::hash_all;
use super::stamp::Stamp;

/// What is to be compiled, or found in the cache.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    origin: Origin,
    /// The bytes, once somebody wanted them, and their hash.
    bytes: OnceLock<(Cow<'a, [u8]>, blake3::Hash)>,
    /// The hash, once it was found without keeping the bytes.
    content: OnceLock<Content>,
    /// What the cache knew about this content beforehand.
    note: OnceLock<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Content {
    hash: blake3::Hash,
    /// Known from a record, without reading the file.
    recalled: bool,
}

#[derive(Debug)]
enum Origin {
    Memory,
    /// Nowhere: only the hash is known.
    Gone,
    File {
        file: File,
        /// Whether it can be read more than once, unlike a pipe.
        regular: bool,
        /// What it was like when it was opened, and when that was.
        stamp: Option<Stamp>,
        opened: SystemTime,
    },
}

impl<'a> Source<'a> {
    /// Bytes in memory.
    pub(crate) fn bytes_of(bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let bytes = bytes.into();
        let content = blake3::hash(&bytes);
        Self {
            origin: Origin::Memory,
            bytes: OnceLock::from((bytes, content)),
            content: OnceLock::new(),
            note: OnceLock::new(),
        }
    }

    /// A component whose bytes are nowhere to be read. The cache may have it none the less.
    pub(crate) fn known(content: blake3::Hash) -> Source<'static> {
        Source {
            origin: Origin::Gone,
            bytes: OnceLock::new(),
            content: OnceLock::from(Content {
                hash: content,
                recalled: true,
            }),
            note: OnceLock::new(),
        }
    }

    /// A file, opened now and not read yet.
    pub(crate) fn file(path: &Path) -> io::Result<Self> {
        Self::file_at(path, SystemTime::now())
    }

    pub(super) fn file_at(path: &Path, now: SystemTime) -> io::Result<Self> {
        let file = File::open(path)?;
        let stamp = Stamp::of(&file);
        let origin = Origin::File {
            regular: file.metadata()?.is_file(),
            file,
            stamp,
            opened: now,
        };
        Ok(Self {
            origin,
            bytes: OnceLock::new(),
            content: OnceLock::new(),
            note: OnceLock::new(),
        })
    }

    /// The bytes, read on first use.
    pub(crate) fn bytes(&self) -> io::Result<&[u8]> {
        let (bytes, _) = self.read()?;
        Ok(bytes)
    }

    fn read(&self) -> io::Result<&(Cow<'a, [u8]>, blake3::Hash)> {
        if let Some(read) = self.bytes.get() {
            return Ok(read);
        }
        let mut bytes = Vec::new();
        if let Origin::Gone = &self.origin {
            return Err(io::ErrorKind::NotFound.into());
        }
        if let Origin::File { file, regular, .. } = &self.origin {
            let mut file = file;
            if *regular {
                file.seek(SeekFrom::Start(0))?;
            }
            file.read_to_end(&mut bytes)?;
        }
        let content = blake3::hash(&bytes);
        Ok(self.bytes.get_or_init(|| (bytes.into(), content)))
    }

    /// The hash of what [`Source::bytes`] gives.
    pub(super) fn content_of_bytes(&self) -> io::Result<blake3::Hash> {
        Ok(self.read()?.1)
    }

    /// The hash of the bytes. Of a file it may have been recalled; otherwise the file is read, without keeping it.
    pub(crate) fn content(&self) -> io::Result<blake3::Hash> {
        // Bytes that were read are what would be compiled, so they are the best witness.
        if let Some((_, hash)) = self.bytes.get() {
            return Ok(*hash);
        }
        if let Some(content) = self.content.get() {
            return Ok(content.hash);
        }
        let Origin::File {
            file,
            regular: true,
            ..
        } = &self.origin
        else {
            return Ok(self.read()?.1);
        };
        let (mut file, mut hasher) = (file, blake3::Hasher::new());
        file.seek(SeekFrom::Start(0))?;
        hash_all(&mut file, &mut hasher)?;
        Ok(self
            .content
            .get_or_init(|| Content {
                hash: hasher.finalize(),
                recalled: false,
            })
            .hash)
    }

    /// Whether nobody need ask what its content is.
    pub(super) fn is_known(&self) -> bool {
        self.bytes.get().is_some() || self.content.get().is_some()
    }

    /// The stamp by which the content may be recalled.
    pub(super) fn stamp(&self) -> Option<&Stamp> {
        match &self.origin {
            Origin::File { stamp, .. } => stamp.as_ref(),
            Origin::Memory => None,
            Origin::Gone => None,
        }
    }

    pub(super) fn recall(&self, hash: blake3::Hash) {
        let _ = self.content.set(Content {
            hash,
            recalled: true,
        }); // what was read already stays
    }

    /// The stamp, if it is fit to be recorded for the content, and is not yet: the file was read, and lay unchanged from
    /// well before it was opened until now.
    pub(super) fn lasting_stamp(&self) -> Option<&Stamp> {
        let Origin::File {
            file,
            stamp: Some(stamp),
            opened,
            ..
        } = &self.origin
        else {
            return None;
        };
        let recorded = self.content.get().filter(|content| content.recalled);
        let news = recorded.map(|content| content.hash) != self.content().ok();
        (news && stamp.settled(*opened) && Stamp::of(file).as_ref() == Some(stamp)).then_some(stamp)
    }

    /// Whether the file was read, for its bytes or their hash.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn was_read(&self) -> bool {
        self.bytes.get().is_some() || self.content.get().is_some_and(|content| !content.recalled)
    }

    pub(super) fn note(&self) -> Option<u8> {
        self.note.get().copied()
    }

    pub(super) fn set_note(&self, note: u8) {
        let _ = self.note.set(note);
    }
}
