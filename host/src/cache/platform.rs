//! What the folder needs of the operating system: owners, modes, and flags that std leaves to it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

use super::folder::Mode;

/// Bits of a file's mode: others may read it, others may write it, others may do anything with it.
pub(super) const READ: u32 = 0o044;
pub(super) const WRITE: u32 = 0o022;
pub(super) const ANY: u32 = 0o077;

/// A link or a pipe in place of a file is never followed nor waited for.
#[cfg(unix)]
pub(super) fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(flags.bits().cast_signed());
    options
}

/// Makes a file that was not there.
#[cfg(unix)]
pub(super) fn create(path: &Path, mode: Mode) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let mode = match mode {
        Mode::Private => 0o600,
        Mode::Sealed => 0o400,
    };
    options().write(true).create_new(true).mode(mode).open(path)
}

#[cfg(unix)]
pub(super) fn own(facts: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    facts.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(unix)]
pub(super) fn others_may(bits: u32, facts: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    facts.mode() & bits != 0
}

/// Makes a folder for this user only, and those above it that are missing.
#[cfg(unix)]
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;

    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
}

/// Who may use a folder from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Others may not write, but it still looks in need of mending.
    HalfClosed,
    /// The owner only.
    Closed,
}

#[cfg(unix)]
pub(super) fn set_access(path: &Path, access: Access) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = match access {
        Access::HalfClosed => 0o710,
        Access::Closed => 0o700,
    };
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Makes the names in a folder outlive a power cut.
#[cfg(unix)]
pub(super) fn sync_names(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

// Without owners and modes the folder is as private as the user's profile that holds it.

#[cfg(not(unix))]
pub(super) fn options() -> OpenOptions {
    OpenOptions::new()
}

#[cfg(not(unix))]
pub(super) fn create(path: &Path, _mode: Mode) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

#[cfg(not(unix))]
pub(super) fn own(_facts: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
pub(super) fn others_may(_bits: u32, _facts: &Metadata) -> bool {
    false
}

#[cfg(not(unix))]
pub(super) fn create_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(not(unix))]
pub(super) fn set_access(_path: &Path, _access: Access) -> io::Result<()> {
    Ok(())
}

/// Names cannot be synced here: after a power cut an entry may be missing.
#[cfg(not(unix))]
pub(super) fn sync_names(_path: &Path) -> io::Result<()> {
    Ok(())
}
