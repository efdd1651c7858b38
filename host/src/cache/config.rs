//! What an embedder sets and sees of the compile cache: [`CacheConfig`] and [`CacheStats`].

use std::env;
use std::path::PathBuf;

/// Where compiled components are kept between runs, and how many bytes of them.
///
/// Compiling is the dearest thing that a host does: it takes seconds for a 12 MB JavaScript component, which is then
/// loaded from the cache in a thousandth of that (`cargo xtask bench --report --only start`). The cache is on by
/// default.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheConfig {
    /// Whether to use the cache at all. Default: `true`.
    ///
    /// Off, every process compiles every component it loads and keeps the code in its own memory.
    pub enabled: bool,

    /// The folder that holds the cache. Default: `None`, which stands for `prewarm` in the user's cache folder:
    /// `$XDG_CACHE_HOME` or `~/.cache`, on macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`.
    ///
    /// prewarm works in a subfolder `v1` of it, which must belong to the user of the process and is closed to
    /// everybody else (mode 0700). Several processes of one user may share it. Prefer a local file system that allows
    /// execution: on others every load reads, checks and copies the whole entry. One that may be read and not
    /// written, as in the image of a container, serves what it holds; the rest is compiled and not kept.
    pub dir: Option<PathBuf>,

    /// Most bytes that the folder may hold, whole cache entries and small records alike. Default: 1 GiB.
    ///
    /// When a new entry would exceed it, those unused for longest are removed. A component bigger than this is
    /// never kept. An entry is about three times as large as its component.
    pub max_bytes: u64,

    /// Whether to read and authenticate each entry, and each component file, in full at every load. Default: `false`.
    ///
    /// By default a file that was checked once is known again by its inode number, size and change time (to the
    /// nanosecond, kept by the kernel), and not read again while these stay as they were. Set this where the
    /// disk or the system's clock is not trusted, or where component files are changed through writable memory maps.
    /// Cost: 37 MB are read and hashed at each load of a 12 MB JavaScript component, which takes several times as
    /// long as the rest of the load.
    pub recheck: bool,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            dir: None,
            max_bytes: 1 << 30,
            recheck: false,
        }
    }
}

impl CacheConfig {
    /// No cache: nothing is read from or written to disk.
    #[must_use]
    pub fn off() -> Self {
        Self {
            enabled: false,
            ..Self::default()
        }
    }

    /// The folder in use, or `None` if none was given and the user has no cache folder.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        self.dir
            .clone()
            .or_else(|| Some(user_cache_folder()?.join("prewarm")))
    }
}

fn user_cache_folder() -> Option<PathBuf> {
    // A relative path would put the cache wherever the process happens to stand.
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        absolute("HOME").map(|home| home.join("Library").join("Caches"))
    } else {
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))
    }
}

/// What the compile cache of one host has done so far, as one consistent snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Components loaded from the cache.
    pub hits: u64,
    /// Of the hits, those whose entry was read and authenticated in full; the others were known to be unchanged.
    pub checked: u64,
    /// Components that the cache did not hold.
    pub misses: u64,
    /// Entries found but not trusted: forged, damaged, incomplete, or made with another key. Never loaded.
    pub refused: u64,
    /// Entries written.
    pub stored: u64,
    /// Entries that could not be written; the component was used from memory.
    pub failed_writes: u64,
    /// Entries removed to stay below [`CacheConfig::max_bytes`].
    pub evicted: u64,
    /// Bytes in the folder after the last write by this host, as far as it knows: other processes may have written
    /// since it last looked at all files. 0 before.
    pub bytes: u64,
}
