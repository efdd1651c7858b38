//! One cache entry: wasmtime's artefact, then a trailer that says what it is and proves who wrote it.
//!
//! ```text
//! | artefact (an ELF image, mapped from offset 0) | magic | component | engine | length | code |
//!                                                 |   8   |    32     |   32   |   8    |  32  |
//! ```
//!
//! The code is a keyed BLAKE3 hash of all that stands before it. The artefact comes first because wasmtime maps a
//! file from its start; it ignores what follows. [`Authentic`] can only be had from a check, and only an
//! [`Authentic`] can be loaded.

use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::PathBuf;

use wasmtime::Engine;

use super::folder::Key;

const MAGIC: [u8; 8] = *b"prewarm\x01";
const CODE: usize = 32;
const TRAILER: usize = 8 + 32 + 32 + 8 + CODE;
/// As fast as any size from 64 KiB up: it stays in the second-level cache.
const CHUNK: usize = 256 << 10;

/// What an entry was compiled from and for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) component: blake3::Hash,
    pub(super) engine: blake3::Hash,
}

impl Identity {
    pub(super) fn new(component: blake3::Hash, engine: &Engine) -> Self {
        let mut hasher = Digest(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self {
            component,
            engine: hasher.0.finalize(),
        }
    }

    /// Begins with what `b3sum` prints for the component.
    pub(super) fn file_name(&self) -> String {
        format!(
            "{}-{}.{ENTRY}",
            self.component.to_hex(),
            &self.engine.to_hex()[..16]
        )
    }

    pub(super) fn to_bytes(self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(self.component.as_bytes());
        bytes[32..].copy_from_slice(self.engine.as_bytes());
        bytes
    }
}

/// The ending of an entry's file name.
pub(super) const ENTRY: &str = "cwasm";

/// Takes a `Hash` whole where std's hashers keep 64 bits of it.
struct Digest(blake3::Hasher);

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let hash = self.0.finalize();
        hash.as_bytes()
            .iter()
            .take(8)
            .fold(0, |word, byte| word << 8 | u64::from(*byte))
    }
}

/// Why an entry was not loaded.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("it cannot be read")]
    Unreadable(#[from] io::Error),
    #[error("it is incomplete or has been added to")]
    Length,
    #[error("it is not an entry of this version")]
    Format,
    #[error("it was made for another component or engine")]
    Identity,
    #[error(
        "its authentication code is wrong: it was not written with this key, or was changed since"
    )]
    Code,
    #[error("the engine does not take it")]
    Engine(#[source] wasmtime::Error),
}

/// Entries written with one key.
#[derive(Debug)]
pub(super) struct Entries {
    key: Key,
}

impl Entries {
    pub(super) fn new(key: &Key) -> Self {
        Self {
            key: blake3::derive_key("prewarm cache, version 1, entries", key),
        }
    }

    /// What to write after an artefact.
    pub(super) fn trailer(&self, identity: &Identity, artefact: &[u8]) -> Vec<u8> {
        let mut trailer = Vec::from(MAGIC);
        trailer.extend(identity.to_bytes());
        trailer.extend((artefact.len() as u64).to_le_bytes());
        let code = blake3::Hasher::new_keyed(&self.key)
            .update(artefact)
            .update(&trailer)
            .finalize();
        trailer.extend(code.as_bytes());
        trailer
    }

    /// Reads the whole file and checks that it is the entry of `identity`, as it was written.
    pub(super) fn check(&self, mut file: &File, identity: &Identity) -> Result<Authentic, Refusal> {
        let Some(form) = Form::map(file) else {
            return self.read(file, identity);
        };
        let length = file.metadata()?.len();
        let artefact = length.checked_sub(TRAILER as u64).ok_or(Refusal::Length)?;
        let mut trailer = [0; TRAILER];
        file.seek(SeekFrom::Start(artefact))?;
        file.read_exact(&mut trailer)?;
        let code = check_trailer(&trailer, artefact, identity)?;

        let covered = length - CODE as u64;
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        file.seek(SeekFrom::Start(0))?;
        if hash_all(&mut file.take(covered), &mut hasher)? != covered {
            return Err(Refusal::Length);
        }
        // Comparing hashes takes the same time wherever they differ.
        if hasher.finalize() == code {
            Ok(Authentic(form))
        } else {
            Err(Refusal::Code)
        }
    }

    /// Like [`Entries::check`], but of a copy in memory, for where a file cannot be mapped to be executed.
    pub(super) fn read(&self, mut file: &File, identity: &Identity) -> Result<Authentic, Refusal> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        let artefact = bytes.len().checked_sub(TRAILER).ok_or(Refusal::Length)?;
        let code = check_trailer(&bytes[artefact..], artefact as u64, identity)?;
        if blake3::keyed_hash(&self.key, &bytes[..bytes.len() - CODE]) != code {
            return Err(Refusal::Code);
        }
        bytes.truncate(artefact);
        Ok(Authentic(Form::Copy(bytes)))
    }

    /// Vouches for a file that its seal says was checked before. `None` where it cannot be mapped.
    pub(super) fn unchanged(&self, file: &File) -> Option<Authentic> {
        Form::map(file).map(Authentic)
    }
}

/// Compares all but the code, and returns the code.
fn check_trailer(
    trailer: &[u8],
    artefact: u64,
    identity: &Identity,
) -> Result<blake3::Hash, Refusal> {
    let (magic, rest) = trailer.split_at(8);
    let (owner, rest) = rest.split_at(64);
    let (length, code) = rest.split_at(8);
    if magic != MAGIC {
        return Err(Refusal::Format);
    }
    if length != artefact.to_le_bytes() {
        return Err(Refusal::Length);
    }
    if owner != identity.to_bytes() {
        return Err(Refusal::Identity);
    }
    blake3::Hash::from_slice(code).map_err(|_| Refusal::Format)
}

/// Feeds all that a reader gives to a hasher, and counts it.
pub(super) fn hash_all(reader: &mut impl Read, hasher: &mut blake3::Hasher) -> io::Result<u64> {
    let mut buffer = vec![0; CHUNK];
    let mut total = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                total += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Compiled code that this user's cache wrote, unchanged.
#[derive(Debug)]
pub(super) struct Authentic(Form);

/// How [`Authentic`] code is handed to wasmtime.
#[derive(Debug)]
pub(super) enum Form {
    /// To be mapped by this path, which leads to the open file itself, wherever its name points by now.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "files are copied there")
    )]
    Map { path: PathBuf, _file: File },
    /// To be copied from memory.
    Copy(Vec<u8>),
}

impl Authentic {
    pub(super) fn form(&self) -> &Form {
        &self.0
    }
}

impl Form {
    /// wasmtime maps components by path only, and a name in the folder may come to mean another file between check
    /// and map. So on Linux this goes by the process's own list of open files.
    #[cfg(target_os = "linux")]
    fn map(file: &File) -> Option<Self> {
        use std::os::fd::AsRawFd as _;
        use std::os::unix::fs::MetadataExt as _;

        let file = file.try_clone().ok()?;
        let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
        // Not there without a mounted /proc.
        let (there, here) = (path.metadata().ok()?, file.metadata().ok()?);
        let same = (there.dev(), there.ino()) == (here.dev(), here.ino());
        same.then_some(Self::Map { path, _file: file })
    }

    /// Elsewhere the bytes that were checked are copied.
    #[cfg(not(target_os = "linux"))]
    fn map(_file: &File) -> Option<Self> {
        None
    }
}
