//! Small authenticated facts beside the entries, each a file of its own. All can be lost at any time: they only save
//! reading.
//!
//! | record | says | so that |
//! | --- | --- | --- |
//! | `.seal` | the entry file with this [`Stamp`] was checked in full | it need not be checked again |
//! | `.source` | the component file with this [`Stamp`] has this content | it need not be read at all |
//! | `.note` | what the caller noted about this content (its lane) | it need not be parsed before an engine is chosen |
//! | `.made` | this recipe made this content | it need not be made again |
//!
//! A record is its payload and a keyed hash over question and payload, so it answers no other question. Its
//! time of modification says when it was last used; an entry's own stays untouched, as that would break its seal.

use std::io::Read as _;
use std::time::{Duration, SystemTime};

use super::entry::Identity;
use super::folder::{Durable, Folder, Key, Mode};
use super::stamp::Stamp;

/// Use is noted this coarsely, so that most loads write nothing.
const USE_GRAIN: Duration = Duration::from_secs(60);

/// The endings of the names of records.
pub(super) const SEAL: &str = "seal";
const SOURCE: &str = "source";
const NOTE: &str = "note";
#[cfg(feature = "snapshot")]
const MADE: &str = "made";

/// A fact that a record may hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Question<'a> {
    Unchanged(&'a Identity, &'a Stamp),
    Content(&'a Stamp),
    Note(&'a blake3::Hash),
    #[cfg(feature = "snapshot")]
    Made(&'a blake3::Hash),
}

/// Records authenticated with one key.
#[derive(Debug)]
pub(super) struct Records {
    folder: Folder,
    key: Key,
}

impl Records {
    pub(super) fn new(folder: Folder, key: &Key) -> Self {
        Self {
            folder,
            key: blake3::derive_key("prewarm cache, version 1, records", key),
        }
    }

    /// The answer on record, which is `N` bytes long. `None` if there is none, or it is not authentic.
    pub(super) fn get<const N: usize>(
        &self,
        question: Question<'_>,
        now: SystemTime,
    ) -> Option<[u8; N]> {
        let (mut file, facts) = self.folder.open_file(&self.name(question)).ok()??;
        let (mut payload, mut code) = ([0; N], [0; 32]);
        if facts.len() != (payload.len() + code.len()) as u64 {
            return None;
        }
        file.read_exact(&mut payload).ok()?;
        file.read_exact(&mut code).ok()?;
        if self.code(question, &payload) != blake3::Hash::from_bytes(code) {
            return None;
        }
        touch(&file, facts.modified().ok(), now);
        Some(payload)
    }

    /// Puts an answer on record, if the folder can be written.
    pub(super) fn put(&self, question: Question<'_>, payload: &[u8]) {
        let code = self.code(question, payload);
        let written = self.folder.write(
            &self.name(question),
            Mode::Private,
            &[payload, code.as_bytes()],
            Durable::No,
        );
        if let Err(error) = written {
            tracing::debug!(%error, "could not write a record of the compile cache");
        }
    }

    pub(super) fn name(&self, question: Question<'_>) -> String {
        match question {
            Question::Unchanged(identity, _) => seal_of(&identity.file_name()),
            Question::Content(stamp) => {
                format!(
                    "{}.{SOURCE}",
                    &blake3::keyed_hash(&self.key, &stamp.place()).to_hex()[..32]
                )
            }
            Question::Note(component) => format!("{}.{NOTE}", component.to_hex()),
            // Not the hash itself: what went into it may be guessed, and then be recognised.
            #[cfg(feature = "snapshot")]
            Question::Made(recipe) => {
                format!(
                    "{}.{MADE}",
                    blake3::keyed_hash(&self.key, recipe.as_bytes()).to_hex()
                )
            }
        }
    }

    fn code(&self, question: Question<'_>, payload: &[u8]) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        // Tag and question have a fixed length, so that no two of them run together.
        match question {
            Question::Unchanged(identity, stamp) => hasher
                .update(b"seal")
                .update(&identity.to_bytes())
                .update(&stamp.to_bytes()),
            Question::Content(stamp) => hasher.update(b"file").update(&stamp.to_bytes()),
            Question::Note(component) => hasher.update(b"note").update(component.as_bytes()),
            #[cfg(feature = "snapshot")]
            Question::Made(recipe) => hasher.update(b"made").update(recipe.as_bytes()),
        };
        hasher.update(payload).finalize()
    }
}

/// The name of the seal that belongs to an entry.
pub(super) fn seal_of(entry: &str) -> String {
    format!("{entry}.{SEAL}")
}

/// Notes that a file was used now. On a read-only file system nothing happens.
pub(super) fn touch(file: &std::fs::File, last: Option<SystemTime>, now: SystemTime) {
    if last.is_none_or(|last| now.duration_since(last).is_ok_and(|age| age < USE_GRAIN)) {
        return;
    }
    if let Err(error) = file.set_modified(now) {
        tracing::debug!(%error, "could not note a use in the compile cache");
    }
}
