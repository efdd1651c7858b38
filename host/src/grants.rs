//! What a guest may touch beyond its own memory: nothing, until it is listed here.
//!
//! Knows names and values; opens nothing. `wasi.rs` turns grants into what WASI sees.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::network::Network;
use crate::stdio::{Input, Output};

/// What a guest may touch. [`Grants::none`] is the start, each method adds to it.
///
/// | | without a grant |
/// | --- | --- |
/// | directories, environment, arguments | there are none |
/// | stdin | ends at once |
/// | stdout, stderr | go nowhere, but still count against [`Limits::output_bytes`](crate::Limits::output_bytes) |
/// | network | every address is refused, and so is name lookup |
/// | clocks, randomness | the host's; see [`Grants::deterministic`] |
///
/// ```
/// use prewarm::{Grants, Output, OutputBuffer};
///
/// let printed = OutputBuffer::default();
/// let grants = Grants::none()
///     .env("LANG", "C")
///     .dir_read_only("/usr/share/zoneinfo", "/zoneinfo")
///     .stdout(Output::Buffer(printed.clone()));
/// # let _ = grants;
/// ```
///
/// Cloning is cheap enough to do per pool, not per call.
#[derive(Debug, Clone, Default)]
pub struct Grants {
    pub(crate) env: Vec<(String, String)>,
    pub(crate) args: Vec<String>,
    pub(crate) dirs: Vec<DirGrant>,
    pub(crate) stdin: Input,
    pub(crate) stdout: Output,
    pub(crate) stderr: Output,
    pub(crate) network: Network,
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirGrant {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) writable: bool,
}

impl Grants {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Sets one environment variable. A later value for the same name replaces the earlier.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.env.retain(|(earlier, _)| *earlier != name);
        self.env.push((name, value.into()));
        self
    }

    /// Appends one argument. The first is the program's name, by custom.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Shows the directory `host` to the guest as `guest`, to read and to write.
    ///
    /// It is opened once, when the pool is made. The guest reaches what lies below it and nothing
    /// above, by symbolic links neither. Reading and writing files blocks and is not cut short by
    /// a deadline: grant directories on local disks, without named pipes.
    #[must_use]
    pub fn dir(self, host: impl AsRef<Path>, guest: impl Into<String>) -> Self {
        self.add_dir(host.as_ref(), guest.into(), true)
    }

    /// The same as [`Grants::dir`], to read only.
    #[must_use]
    pub fn dir_read_only(self, host: impl AsRef<Path>, guest: impl Into<String>) -> Self {
        self.add_dir(host.as_ref(), guest.into(), false)
    }

    fn add_dir(mut self, host: &Path, guest: String, writable: bool) -> Self {
        self.dirs.push(DirGrant {
            host: host.to_owned(),
            guest,
            writable,
        });
        self
    }

    /// What the guest reads from stdin. Every instance reads it from the start.
    #[must_use]
    pub fn stdin(mut self, input: Input) -> Self {
        self.stdin = input;
        self
    }

    /// Where stdout goes.
    #[must_use]
    pub fn stdout(mut self, output: Output) -> Self {
        self.stdout = output;
        self
    }

    /// Where stderr goes.
    #[must_use]
    pub fn stderr(mut self, output: Output) -> Self {
        self.stderr = output;
        self
    }

    /// Which network addresses the guest may use, in place of those granted before.
    #[must_use]
    pub fn network(mut self, network: Network) -> Self {
        self.network = network;
        self
    }

    /// Takes the host's clocks and randomness away, so that every instance does the same.
    ///
    /// Random bytes follow from `seed`, alike in every instance, and repeat after 4096 bytes: no
    /// secret may depend on them. Both clocks start at zero, and each reading moves its clock one
    /// millisecond on. Waiting for a time still waits.
    #[must_use]
    pub fn deterministic(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

/// A grant that the host cannot give.
#[derive(Debug)]
#[non_exhaustive]
pub struct GrantError {
    /// The directory that would not open.
    pub directory: PathBuf,
    pub(crate) source: io::Error,
}

impl fmt::Display for GrantError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "directory `{}` cannot be granted",
            self.directory.display()
        )
    }
}

impl StdError for GrantError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_value_replaces_an_earlier() {
        let grants = Grants::none().env("A", "1").env("B", "2").env("A", "3");
        assert_eq!(
            grants.env,
            [("B".into(), "2".into()), ("A".into(), "3".into())]
        );
    }
}
