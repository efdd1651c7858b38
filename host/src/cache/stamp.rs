//! A file's [`Stamp`]: the facts by which the kernel lets us know an unchanged file again without reading it.
//!
//! Whoever changes a file (its bytes, size, times, mode or links) moves its change time, and no system call sets
//! that one back. So equal stamps mean equal bytes, but for the holes below; each is closed or written down.
//!
//! 1. *A change within the same clock tick* leaves the change time as it was. Closed: [`Stamp::settled`] wants the
//!    last change to lie 2 s before the reading began (git's rule for its racy index).
//! 2. *File systems without a true change time*: whole seconds (ext3, HFS+), none (FAT), or fixed by an image
//!    builder (squashfs, reproducible images). Closed: only file systems on a list count, and never a change
//!    time of zero nanoseconds, which a kernel that keeps them makes once in 10⁹.
//! 3. *Network and user-space file systems* report what their server says. Closed: not on the list.
//! 4. *The clock is set back* by root and a later change hits the very same nanosecond. Left open: not aimable.
//! 5. *Stores through a writable shared map* move the change time only when a clean page first turns dirty. Closed for
//!    entries: they are mode 0400 from birth, written with `write`, and closed before they get their name. Open for
//!    component files (see [`CacheConfig::recheck`](super::CacheConfig::recheck)), where the worst is that what the
//!    file held before is run once more.
//! 6. *Root, or the disk itself*, can change anything. Out of scope: they own the process too. A stamp does not see
//!    bit rot either, just as nothing sees it in an executable.
//! 7. *Copies, restored backups, moved disks*: inode or change time differ, so the file is read in full once.

use std::fs::File;
use std::time::{Duration, SystemTime};

/// How long a file must have lain unchanged before its stamp is worth anything (hole 1).
pub(super) const SETTLE: Duration = Duration::from_secs(2);

/// Device, inode, size, and times of the last modification and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of an open file, or `None` where stamps prove nothing (holes 2 and 3).
    #[cfg(target_os = "linux")]
    pub(super) fn of(file: &File) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;

        let facts = file.metadata().ok()?;
        let stamp = Self {
            device: facts.dev(),
            inode: facts.ino(),
            size: facts.size(),
            modified: (facts.mtime(), facts.mtime_nsec()),
            changed: (facts.ctime(), facts.ctime_nsec()),
        };
        (facts.is_file() && stamp.changed.1 != 0 && keeps_change_times(file)).then_some(stamp)
    }

    /// Elsewhere nobody has tried yet whether stamps hold, so every load reads the whole file.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_file: &File) -> Option<Self> {
        None
    }

    /// Whether the last change lies far enough before `begun` that no later one could bear the same time.
    pub(super) fn settled(&self, begun: SystemTime) -> bool {
        let (Ok(seconds), Ok(nanos)) =
            (u64::try_from(self.changed.0), u32::try_from(self.changed.1))
        else {
            return false;
        };
        let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
        // A change time in the future is an error here, hence not settled.
        begun.duration_since(changed).is_ok_and(|age| age >= SETTLE)
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Which file it is, whatever its content.
    pub(super) fn place(&self) -> [u8; 16] {
        let mut place = [0; 16];
        place[..8].copy_from_slice(&self.device.to_le_bytes());
        place[8..].copy_from_slice(&self.inode.to_le_bytes());
        place
    }

    /// Every field, to be authenticated.
    pub(super) fn to_bytes(self) -> [u8; 56] {
        let Self {
            device,
            inode,
            size,
            modified,
            changed,
        } = self;
        let words = [
            device.to_le_bytes(),
            inode.to_le_bytes(),
            size.to_le_bytes(),
            modified.0.to_le_bytes(),
            modified.1.to_le_bytes(),
            changed.0.to_le_bytes(),
            changed.1.to_le_bytes(),
        ];
        let mut bytes = [0; 56];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word);
        }
        bytes
    }
}

/// Whether the file system is one whose kernel code keeps change times to the nanosecond by this machine's clock.
#[cfg(target_os = "linux")]
fn keeps_change_times(file: &File) -> bool {
    // From linux/magic.h, with OpenZFS's own: ext4, XFS, btrfs, f2fs, tmpfs, overlayfs, bcachefs, ZFS.
    const KNOWN: [u32; 8] = [
        0x0000_ef53,
        0x5846_5342,
        0x9123_683e,
        0xf2f5_2010,
        0x0102_1994,
        0x794c_7630,
        0xca45_1a4e,
        0x2fc1_2fc1,
    ];
    // The type of `f_type` differs between targets; its low 32 bits are the magic number on all of them.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "magic numbers have 32 bits"
    )]
    rustix::fs::fstatfs(file).is_ok_and(|system| KNOWN.contains(&(system.f_type as u32)))
}
