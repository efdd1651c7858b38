//! Sizes and times for people, and lines for whoever reads them.

use std::io::{self, Write as _};
use std::time::Duration;

use bytesize::ByteSize;
use prewarm::Lane;
use serde_json::Value;

/// `12.3 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    ByteSize::b(bytes).display().iec().to_string()
}

/// `12.3µs`.
pub(crate) fn time(time: Duration) -> String {
    format!("{time:.1?}")
}

/// A time in nanoseconds, for JSON.
pub(crate) fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Prints a line to stdout.
pub(crate) fn print(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Prints a line to stderr, for whoever watches.
pub(crate) fn note(line: &str) -> io::Result<()> {
    writeln!(io::stderr(), "{line}")
}

/// JSON on several lines.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// The lane in a word.
pub(crate) fn lane(lane: Lane) -> &'static str {
    match lane {
        Lane::Concurrent => "concurrent",
        _ => "plain",
    }
}
