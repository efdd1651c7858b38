//! The tool, run in a folder of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Functions that need nothing of the host, and end in every way.
pub(crate) const PLAIN: &str = include_str!("plain.wat");
/// Functions that use what WASI grants.
const WASI: &str = include_str!("wasi.wat");

/// A folder with the guests, and a cache of its own.
pub(crate) struct Desk {
    folder: TempDir,
    cache: PathBuf,
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("cache");
        let desk = Self { folder, cache };
        desk.write("plain.wat", PLAIN);
        desk.write("wasi.wat", WASI);
        desk
    }

    /// With a cache that the next run of the tests finds again.
    pub(crate) fn with_lasting_cache() -> Self {
        Self {
            cache: Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
            ..Self::new()
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        self.run_with_input(args, "")
    }

    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Ended {
        let mut command = self.command(env!("CARGO_BIN_EXE_prewarm"));
        ended(command.args(args), input)
    }

    /// Where it keeps compiled code.
    #[cfg(unix)]
    pub(crate) fn cache(&self) -> &Path {
        &self.cache
    }

    /// With another cache.
    #[cfg(unix)]
    pub(crate) fn run_with_cache(&self, cache: &Path, args: &[&str]) -> Ended {
        let mut command = self.command(env!("CARGO_BIN_EXE_prewarm"));
        ended(command.env("XDG_CACHE_HOME", cache).args(args), "")
    }

    /// In a shell that was told something first.
    #[cfg(unix)]
    pub(crate) fn run_within(&self, told: &str, args: &[&str]) -> Ended {
        let mut command = self.command("sh");
        command.args(["-c", &format!("{told}; exec \"$0\" \"$@\"")]);
        ended(command.arg(env!("CARGO_BIN_EXE_prewarm")).args(args), "")
    }

    /// Starts it and goes on.
    #[cfg(unix)]
    pub(crate) fn spawn(&self, args: &[&str]) -> std::process::Child {
        let mut command = self.command(env!("CARGO_BIN_EXE_prewarm"));
        command.args(args).stdout(Stdio::null()).spawn().unwrap()
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("XDG_CACHE_HOME", &self.cache)
            .env("HOME", self.folder.path());
        command
    }

    /// Runs a table of command lines with the exit code, stdout and stderr that each must have.
    pub(crate) fn check(&self, rows: &[(&[&str], i32, &str, &str)]) {
        for (args, code, stdout, stderr) in rows {
            let expected = Ended {
                code: *code,
                stdout: lines(stdout),
                stderr: lines(stderr),
            };
            assert_eq!(self.run(args), expected, "{args:?}");
        }
    }
}

/// Runs it to its end.
fn ended(command: &mut Command, input: &str) -> Ended {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A tool that ends without reading closes it.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output
            .status
            .code()
            .unwrap_or_else(|| panic!("killed: {:?}", output.status)),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Text as a program prints it: with a line end, unless there is none.
fn lines(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!("{text}\n"),
    }
}

/// `text` with each figure and its unit replaced by `#`.
pub(crate) fn without_figures(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        masked += &rest[..at];
        masked.push('#');
        rest = rest[at..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        for unit in ["ns", "µs", "ms", "s"] {
            if let Some(after) = rest.strip_prefix(unit) {
                rest = after;
                break;
            }
        }
    }
    masked + rest
}

/// Where the built guests are: named by the gate, or in the target folder that this test is in.
pub(crate) fn guests() -> PathBuf {
    std::env::var_os("PREWARM_GUESTS").map_or_else(
        || {
            let built = Path::new(env!("CARGO_BIN_EXE_prewarm"));
            built.ancestors().nth(2).unwrap().join("guests")
        },
        PathBuf::from,
    )
}
