//! The compile cache: compiled components on disk, found by content, authenticated, and mapped.
//!
//! Knows files and wasmtime's compiled artefacts; knows nothing of lanes (a [note](Cache::recall) is a number to it),
//! pools or grants. Nothing here fails a load: at worst a component is compiled and stays in memory.
//!
//! ```text
//! component file ──.source──► content ──.note──► note, so engine ──► entry ──.seal──► mapped
//!        └── no record: read and hash ──┘                              └─ no seal: authenticate ─┘
//! ```
//!
//! wasmtime trusts compiled code like a shared library. So nothing is loaded unless someone who holds this user's key
//! wrote it, and it is unchanged since. That stops entries that were planted, exchanged, damaged, cut short, or made
//! by another engine. It does not stop root or programs of the same user, who can read the key, nor need they: they can
//! change this process.
//!
//! Invariants, each with tests:
//!
//! 1. Only an [`Authentic`] entry is loaded, by the very file that was checked and not by its name.
//! 2. An entry is written once, under another name, and synced before it gets its own; it is replaced, never changed.
//! 3. A whole check is skipped only for a file whose kernel-kept [`Stamp`] a seal vouches for.
//! 4. Every entry that was found and not loaded is counted, warned of once, and replaced after compiling.
//! 5. This file holds the crate's only `unsafe`.
//!
//! `cargo bench -p prewarm-benches --bench start -- start-cached-load` shows what it costs where component and
//! entry are known by their stamps (`prewarm`), and where both are read and hashed (`prewarm-recheck`). On an AMD
//! EPYC core with AVX-512 the latter takes 0.14 ms for a MiB, so entries of at most 64 KiB are checked at every
//! load.

mod config;
mod platform;
mod folder;
mod stamp;
mod entry;
mod record;
mod source;
mod evict;
mod ledger;
#[cfg(test)]
mod tests;

use std::time::SystemTime;

use wasmtime::Engine;
use wasmtime::component::Component;

pub use self::config::{CacheConfig, CacheStats};
pub(crate) use self::source::Source;

use self::entry::{Authentic, Entries, Form, Identity, Refusal};
use self::folder::{Durable, Folder, FolderError, Mode};
use self::ledger::{Ledger, chain};
use self::record::{Question, Records, touch};
use self::stamp::Stamp;

/// The subfolder, named after the form of what is in it.
const VERSION: &str = "v1";
/// Up to this size a whole check, of 9 µs at most, is too cheap to be worth skipping.
const SEAL_FROM: u64 = 64 << 10;

/// The compile cache of one host.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: Folder,
    entries: Entries,
    records: Records,
    max_bytes: u64,
    recheck: bool,
    seal_from: u64,
    ledger: Ledger,
}

impl Cache {
    /// Opens the cache. `None` if it is off or, after a warning, if there is no folder for it.
    pub(crate) fn open(config: &CacheConfig) -> Option<Self> {
        if !config.enabled {
            return None;
        }
        let path = config.folder();
        let opened = path
            .clone()
            .ok_or(FolderError::Nowhere)
            .and_then(|path| Folder::open(path.join(VERSION)));
        match opened {
            Ok((folder, key)) => Some(Self {
                entries: Entries::new(&key),
                records: Records::new(folder.clone(), &key),
                folder,
                max_bytes: config.max_bytes,
                recheck: config.recheck,
                seal_from: SEAL_FROM,
                ledger: Ledger::default(),
            }),
            Err(error) => {
                tracing::warn!(folder = ?path, error = chain(&error), "no compile cache: components stay in memory");
                None
            }
        }
    }

    /// What was noted when this component was stored: the caller's own mark, such as which engine it needs.
    ///
    /// Reads the component only if it is new or changed, and then without keeping it.
    pub(crate) fn recall(&self, source: &Source<'_>) -> Option<u8> {
        self.recall_at(source, SystemTime::now())
    }

    fn recall_at(&self, source: &Source<'_>, now: SystemTime) -> Option<u8> {
        let content = self.content(source, now)?;
        let [note] = self.records.get(Question::Note(&content), now)?;
        source.set_note(note);
        Some(note)
    }

    /// `None` if the source cannot be read, which its reader will be told when it wants the bytes.
    fn content(&self, source: &Source<'_>, now: SystemTime) -> Option<blake3::Hash> {
        if !self.recheck
            && !source.is_known()
            && let Some(stamp) = source.stamp()
            && let Some(content) = self.records.get(Question::Content(stamp), now)
        {
            source.recall(blake3::Hash::from_bytes(content));
        }
        source.content().ok()
    }

    /// The component, mapped, if the cache has it for this engine. What `note` says is recalled next time.
    pub(crate) fn load(&self, engine: &Engine, source: &Source<'_>, note: u8) -> Option<Component> {
        self.load_at(engine, source, note, SystemTime::now())
    }

    /// The same for a component that was loaded before, whose source need not be looked at again.
    pub(crate) fn load_content(&self, engine: &Engine, content: blake3::Hash) -> Option<Component> {
        let identity = Identity::new(content, engine);
        self.counted(&identity, self.fetch(engine, &identity, SystemTime::now()))
    }

    fn load_at(
        &self,
        engine: &Engine,
        source: &Source<'_>,
        note: u8,
        now: SystemTime,
    ) -> Option<Component> {
        let identity = Identity::new(self.content(source, now)?, engine);
        let component = self.counted(&identity, self.fetch(engine, &identity, now))?;
        self.remember(source, &identity, note);
        Some(component)
    }

    fn counted(
        &self,
        identity: &Identity,
        fetched: Result<Option<(Component, bool)>, Refusal>,
    ) -> Option<Component> {
        match fetched {
            Ok(Some((component, checked))) => {
                self.ledger.hit(checked);
                Some(component)
            }
            Ok(None) => {
                self.ledger.miss();
                None
            }
            Err(refusal) => {
                self.ledger.refused(identity.file_name(), &refusal);
                None
            }
        }
    }

    /// Has another note recalled for this content from now on.
    pub(crate) fn note(&self, content: &str, note: u8) {
        if let Ok(content) = blake3::Hash::from_hex(content) {
            self.records.put(Question::Note(&content), &[note]);
        }
    }

    /// Keeps a component that was compiled from `source`'s bytes by `engine`, and returns it: from now on mapped from
    /// the cache, if that worked, so that its code is shared by processes and can leave memory.
    pub(crate) fn store(
        &self,
        engine: &Engine,
        source: &Source<'_>,
        note: u8,
        component: Component,
    ) -> Component {
        self.store_at(engine, source, note, component, SystemTime::now())
    }

    fn store_at(
        &self,
        engine: &Engine,
        source: &Source<'_>,
        note: u8,
        component: Component,
        now: SystemTime,
    ) -> Component {
        // Of the bytes themselves, not of a record.
        let Ok(content) = source.content_of_bytes() else {
            return component;
        };
        let identity = Identity::new(content, engine);
        let written = match self.write(&identity, &component) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return component,
            Err(error) => {
                self.ledger.write_failed(self.folder.path(), &error);
                return component;
            }
        };
        self.remember(source, &identity, note);
        if self.ledger.stored(evict::at_most(written), self.max_bytes) {
            match evict::sweep(&self.folder, self.max_bytes, now) {
                Ok(swept) => self.ledger.swept(&swept),
                Err(error) => tracing::debug!(%error, "could not tidy the compile cache"),
            }
        }
        match self.fetch(engine, &identity, now) {
            Ok(Some((mapped, _))) => mapped,
            Ok(None) | Err(_) => component,
        }
    }

    /// The content that this recipe made, if that is on record.
    #[cfg(feature = "snapshot")]
    pub(crate) fn made(&self, recipe: &blake3::Hash) -> Option<blake3::Hash> {
        let content = self
            .records
            .get(Question::Made(recipe), SystemTime::now())?;
        Some(blake3::Hash::from_bytes(content))
    }

    /// Puts on record what a recipe made.
    #[cfg(feature = "snapshot")]
    pub(crate) fn remember_made(&self, recipe: &blake3::Hash, content: &blake3::Hash) {
        self.records.put(Question::Made(recipe), content.as_bytes());
    }

    /// How many bytes were written. `None` if it is too big to be kept.
    fn write(&self, identity: &Identity, component: &Component) -> wasmtime::Result<Option<u64>> {
        let artefact = component.serialize()?;
        if artefact.len() as u64 > self.max_bytes {
            tracing::debug!(
                bytes = artefact.len(),
                "a component is too big for the compile cache"
            );
            return Ok(None);
        }
        let trailer = self.entries.trailer(identity, &artefact);
        self.folder.write(
            &identity.file_name(),
            Mode::Sealed,
            &[&artefact, &trailer],
            Durable::Yes,
        )?;
        Ok(Some((artefact.len() + trailer.len()) as u64))
    }

    /// Puts on record what was found out about a component the long way.
    fn remember(&self, source: &Source<'_>, identity: &Identity, note: u8) {
        if source.note() != Some(note) {
            self.records
                .put(Question::Note(&identity.component), &[note]);
        }
        if !self.recheck
            && let Some(stamp) = source.lasting_stamp()
        {
            self.records
                .put(Question::Content(stamp), identity.component.as_bytes());
        }
    }

    /// The component, and whether its entry was checked in full for it.
    fn fetch(
        &self,
        engine: &Engine,
        identity: &Identity,
        now: SystemTime,
    ) -> Result<Option<(Component, bool)>, Refusal> {
        let Some((file, facts)) = self.folder.open_file(&identity.file_name())? else {
            return Ok(None);
        };
        let mut stamp =
            Stamp::of(&file).filter(|stamp| !self.recheck && stamp.size() > self.seal_from);
        if let Some(stamp) = &stamp
            && let Some([]) = self.records.get(Question::Unchanged(identity, stamp), now)
            && let Some(entry) = self.entries.unchanged(&file)
            && let Ok(component) = deserialize(engine, &entry)
        {
            return Ok(Some((component, false)));
        }

        let entry = self.entries.check(&file, identity)?;
        let component = match (deserialize(engine, &entry), entry.form()) {
            (Ok(component), _) => component,
            // A file system may forbid executing what it holds. A seal would be of no use there.
            (Err(_), Form::Map { .. }) => {
                stamp = None;
                let copy = self.entries.read(&file, identity)?;
                deserialize(engine, &copy).map_err(Refusal::Engine)?
            }
            (Err(error), Form::Copy(_)) => return Err(Refusal::Engine(error)),
        };
        match stamp {
            // Taken before the check, and still so after it.
            Some(stamp) if stamp.settled(now) && Stamp::of(&file) == Some(stamp) => {
                self.records.put(Question::Unchanged(identity, &stamp), &[]);
            }
            Some(_) => {}
            None => touch(&file, facts.modified().ok(), now),
        }
        Ok(Some((component, true)))
    }

    pub(crate) fn stats(&self) -> CacheStats {
        self.ledger.stats()
    }
}

/// Hands compiled code to wasmtime.
///
/// JUSTIFICATION: loading compiled code is what this cache is for, and wasmtime offers no safe way to do it: compiled
/// code runs with all rights of the process, and no check of the code itself could tell what it does.
#[expect(unsafe_code, reason = "wasmtime loads compiled code in no other way")]
fn deserialize(engine: &Engine, entry: &Authentic) -> wasmtime::Result<Component> {
    match entry.form() {
        // SAFETY: wasmtime asks that the file hold what `Component::serialize` gave, and stay so while it is mapped.
        // An `Authentic` comes only from a check of the keyed hash that `Cache::write` put on such bytes, or from a
        // seal on that check for a file unchanged since. The path leads to that open file whatever its name means by
        // now. It stays as it is: only this user can open it, it was never writable under its name, and this crate
        // replaces or unlinks entries but never writes to one. The engine's own check sees to version and settings.
        Form::Map { path, .. } => unsafe { Component::deserialize_file(engine, path) },
        // SAFETY: as above, but these are the very bytes that were checked, and nobody else can reach them.
        Form::Copy(bytes) => unsafe { Component::deserialize(engine, bytes) },
    }
}

/// The same component for another engine that takes the same code.
///
/// JUSTIFICATION: as for [`deserialize`].
#[expect(unsafe_code, reason = "wasmtime loads compiled code in no other way")]
pub(crate) fn copy(component: &Component, engine: &Engine) -> wasmtime::Result<Component> {
    let artefact = component.serialize()?;
    // SAFETY: these bytes come from `Component::serialize` just now, and nobody else can reach them. The engine's own
    // check sees to version and settings.
    unsafe { Component::deserialize(engine, artefact) }
}
