//! What the command line takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::outcome::CODES;
use crate::parse::{Dir, bytes, dir, env};

/// Looks into WebAssembly components, compiles them ahead, and calls their functions
#[derive(Debug, Parser)]
#[command(version, after_help = CODES)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Shows what a component exports, imports and needs, as WIT or JSON
    #[command(after_help = CODES)]
    Inspect(Inspect),
    /// Calls a function of a component and prints its answer
    #[command(after_help = CODES)]
    Call(Box<Call>),
    /// Compiles a component into the cache, where the next load finds it
    #[command(after_help = CODES)]
    Compile(Compile),
    /// Runs an initialisation once and writes the component that starts after it
    #[command(after_help = CODES)]
    Snapshot(Snapshot),
}

/// Where the component is.
#[derive(Debug, Args)]
pub(crate) struct File {
    /// The component, binary (.wasm) or text (.wat); `-` reads it from stdin
    #[arg(value_name = "FILE")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) file: File,
    /// Prints JSON, with a JSON Schema of each function's parameters and result
    #[arg(long)]
    pub(crate) json: bool,
    /// Compiles even what is in the cache, and keeps nothing
    #[arg(long)]
    pub(crate) no_cache: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Compile {
    #[command(flatten)]
    pub(crate) file: File,
}

#[derive(Debug, Args)]
pub(crate) struct Snapshot {
    #[command(flatten)]
    pub(crate) file: File,
    /// The function that initialises, which stays an export
    #[arg(long, value_name = "FUNC")]
    pub(crate) init: String,
    /// Its arguments, each one value in WAVE
    #[arg(value_name = "ARGS", allow_negative_numbers = true)]
    pub(crate) args: Vec<String>,
    /// Where the initialised component goes
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Shows a folder to the initialisation: HOST, HOST::GUEST, or either with `:ro` at the end
    #[arg(long, value_name = "HOST[::GUEST][:ro]", value_parser = dir, help_heading = "Grants")]
    pub(crate) dir: Vec<Dir>,
    /// Sets an environment variable of the initialisation, which every instance may then hold
    #[arg(long, value_name = "NAME=VALUE", value_parser = env, help_heading = "Grants")]
    pub(crate) env: Vec<(String, String)>,

    /// Time for the initialisation, such as 5s [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Limits")]
    pub(crate) deadline: Option<Duration>,
    /// Memory of the guest, such as 16MiB [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = "Limits")]
    pub(crate) memory: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Call {
    #[command(flatten)]
    pub(crate) file: File,
    /// The function: `shout` where that is unambiguous, or `pkg:name/interface@1.0.0#shout`
    #[arg(value_name = "FUNC")]
    pub(crate) function: String,
    /// Its arguments, each one value in WAVE: '"text"' 3 '[1, 2]' '{name: "x"}' none 'some(1)'.
    /// Options at the end may be left out; `--` comes before what starts with a dash and is no number.
    /// With --json one JSON array (in order) or object (by name)
    #[arg(value_name = "ARGS", allow_negative_numbers = true)]
    pub(crate) args: Vec<String>,
    /// Takes the arguments and prints the answer as JSON; reports on stderr become JSON lines
    #[arg(long)]
    pub(crate) json: bool,

    /// Shows a folder to the guest: HOST, HOST::GUEST, or either with `:ro` at the end to read only
    #[arg(long, value_name = "HOST[::GUEST][:ro]", value_parser = dir, help_heading = "Grants")]
    pub(crate) dir: Vec<Dir>,
    /// Sets an environment variable of the guest
    #[arg(long, value_name = "NAME=VALUE", value_parser = env, help_heading = "Grants")]
    pub(crate) env: Vec<(String, String)>,
    /// Gives the guest a command-line argument; the first is preceded by FILE, as its own name
    #[arg(
        long,
        value_name = "ARG",
        allow_hyphen_values = true,
        help_heading = "Grants"
    )]
    pub(crate) arg: Vec<String>,
    /// Lets the guest read this program's stdin
    #[arg(long, help_heading = "Grants")]
    pub(crate) stdin: bool,
    /// Where the guest's stdout goes
    #[arg(
        long,
        value_name = "WHERE",
        default_value = "inherit",
        help_heading = "Grants"
    )]
    pub(crate) stdout: Stream,
    /// Where the guest's stderr goes
    #[arg(
        long,
        value_name = "WHERE",
        default_value = "inherit",
        help_heading = "Grants"
    )]
    pub(crate) stderr: Stream,

    /// Time for the whole call, its start and its waits included, such as 50ms [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, help_heading = "Limits")]
    pub(crate) deadline: Option<Duration>,
    /// Memory of the guest, such as 16MiB [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = "Limits")]
    pub(crate) memory: Option<u64>,
    /// What the guest may write to stdout and stderr in one call [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = bytes, help_heading = "Limits")]
    pub(crate) output: Option<u64>,
    /// Units of work, about one an instruction [default: not counted]
    #[arg(long, value_name = "UNITS", help_heading = "Limits")]
    pub(crate) fuel: Option<u64>,

    /// Makes N calls one after the other and prints what the first (cold) and the others (warm) took
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    /// Makes all calls on one instance; otherwise each gets a fresh one
    #[arg(long, requires = "repeat")]
    pub(crate) reuse: bool,
    /// Prints what the (last) call used
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Compiles even what is in the cache, and keeps nothing
    #[arg(long)]
    pub(crate) no_cache: bool,
}

/// Where a stream of the guest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stream {
    /// To this program's own
    Inherit,
    /// Nowhere
    Null,
}

impl From<Stream> for prewarm::Output {
    fn from(stream: Stream) -> Self {
        match stream {
            Stream::Inherit => Self::Inherit,
            Stream::Null => Self::Null,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Options;

    #[test]
    fn the_command_line_is_sound() {
        Options::command().debug_assert();
    }
}
