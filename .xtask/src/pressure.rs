//! The tests of what a call leaves behind, with less memory than they would take: the kernel takes back
//! what it can while slots are emptied and used again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::bench::in_repository;
use crate::paths::Paths;
use crate::time::Stopwatch;

/// Those of them that do not also ask how soon something ends.
const TESTS: [&str; 4] = [
    "leftovers::is_found_in_any_slot_of_a_full_engine",
    "leftovers::is_found_after_a_call_was_dropped",
    "leftovers::in_any_language",
    "kinds::what_is_left_outside_is_gone_with_its_call",
];

/// How often what is known to be enough and what is known to be too little come closer.
const HALVINGS: u32 = 6;

/// How many times as long as with all memory they may take: with little more than enough the kernel
/// drops and reads the program's own pages again and again.
const SLOWER: u32 = 4;

/// And no longer than this, before they lose their own patience.
const MOST: Duration = Duration::from_secs(55);

/// Within which they must end with all memory, where guests may have to be compiled first.
const PATIENCE: Duration = Duration::from_mins(10);

pub(crate) fn run(paths: &Paths) -> Result<()> {
    let Some(group) = Group::new() else {
        println!("memory pressure: not tried, since no memory cgroup can be made here; root can");
        return Ok(());
    };
    let tests = Tests {
        program: program(paths)?,
        guests: &paths.guests,
    };
    // The first time what is compiled is kept.
    let mut began = Stopwatch::start();
    for _ in 0..2 {
        began = Stopwatch::start();
        if !tests.pass(&group, PATIENCE)? {
            bail!("the machine has too little memory for these tests, or is too slow");
        }
    }
    let within = (began.elapsed() * SLOWER).min(MOST);
    let swapped = swapped()?;
    let whole = group.peak()?;
    let (mut enough, mut too_little, mut reclaimed) = (whole, whole / 2, 0);
    for _ in 0..HALVINGS {
        let limit = enough.midpoint(too_little);
        let before = group.reclaimed(limit)?;
        if tests.pass(&group, within)? {
            (enough, reclaimed) = (limit, group.reclaimed(limit)? - before);
        } else {
            too_little = limit;
        }
    }
    let swapped = self::swapped()? - swapped;
    println!(
        "memory pressure: these tests take {} MiB; with {} the kernel had to take memory back {reclaimed} times, and \
         nothing was found; with {} it ends them, or they take {SLOWER} times as long; {swapped} pages went to swap",
        whole >> 20,
        enough >> 20,
        too_little >> 20
    );
    Ok(())
}

/// Pages of all programs that went to swap since the machine started. Without any, no memory is taken
/// from a guest that it has written to.
fn swapped() -> Result<u64> {
    let counts = fs::read_to_string("/proc/vmstat")?;
    let count = |line: &str| line.strip_prefix("pswpout ")?.parse().ok();
    counts
        .lines()
        .find_map(count)
        .context("the machine does not count what goes to swap")
}

/// The built tests.
fn program(paths: &Paths) -> Result<PathBuf> {
    let told = in_repository(paths, &["test", "--quiet", "--workspace", "--no-run"])
        .args(["--test", "it", "--message-format", "json"])
        .output()?;
    let of = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let program = line["executable"].as_str()?;
        (line["target"]["name"] == "it").then(|| program.into())
    };
    told.lines()
        .find_map(of)
        .context("cargo does not say where the tests are")
}

struct Tests<'a> {
    program: PathBuf,
    guests: &'a Path,
}

impl Tests<'_> {
    /// Whether they pass in this group. They do not where the kernel ends them, or after this time.
    fn pass(&self, group: &Group, within: Duration) -> Result<bool> {
        let ended = Command::new("sh")
            .args(["-c", r#"echo $$ > "$0" && exec timeout -s KILL "$@""#])
            .arg(group.folder.join("cgroup.procs"))
            .arg(within.as_secs_f64().to_string())
            .arg(&self.program)
            .args(TESTS)
            .args(["--test-threads", "1"])
            .env("PREWARM_GUESTS", self.guests)
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .output()
            .context("no shell")?;
        let said = String::from_utf8_lossy(&ended.stdout);
        // 128 and the signal, by `timeout`; which ends itself too where it was time. A test that runs
        // itself in another process says how that one ended.
        let killed = matches!(ended.status.code(), None | Some(137)) || said.contains("signal: 9");
        if !ended.status.success() && !killed {
            bail!(
                "the tests fail when memory is short:\n{said}{}",
                String::from_utf8_lossy(&ended.stderr)
            );
        }
        Ok(!killed)
    }
}

/// A memory cgroup of our own, within ours, of the first or the second version.
struct Group {
    folder: PathBuf,
    limit: &'static str,
    peak: &'static str,
    /// Where it says how often the limit was reached, and after which word.
    reached: (&'static str, &'static str),
}

impl Group {
    fn new() -> Option<Self> {
        let ours = fs::read_to_string("/proc/self/cgroup").ok()?;
        let place = |controller: &str| {
            let line = ours.lines().find_map(|line| line.split_once(controller));
            Some(line?.1.trim_start_matches('/').to_owned())
        };
        let name = format!("prewarm-{}", std::process::id());
        let second = place("0::").and_then(|place| {
            let parent = Path::new("/sys/fs/cgroup").join(place);
            let group = Self {
                folder: parent.join(&name),
                limit: "memory.max",
                peak: "memory.peak",
                reached: ("memory.events", "max "),
            };
            fs::create_dir(&group.folder).ok()?;
            // Refused where it is on already, or where processes are in the way.
            let _ = fs::write(parent.join("cgroup.subtree_control"), "+memory");
            group.folder.join(group.peak).exists().then_some(group)
        });
        second.or_else(|| {
            let group = Self {
                folder: Path::new("/sys/fs/cgroup/memory")
                    .join(place(":memory:")?)
                    .join(&name),
                limit: "memory.limit_in_bytes",
                peak: "memory.max_usage_in_bytes",
                reached: ("memory.failcnt", ""),
            };
            fs::create_dir(&group.folder).ok()?;
            Some(group)
        })
    }

    /// Most that was ever in it, in bytes.
    fn peak(&self) -> Result<u64> {
        self.number(self.peak, "")
    }

    /// Sets the limit, and says how often the kernel had to take memory back so far.
    fn reclaimed(&self, limit: u64) -> Result<u64> {
        fs::write(self.folder.join(self.limit), limit.to_string())
            .context("the memory cgroup takes no limit")?;
        self.number(self.reached.0, self.reached.1)
    }

    fn number(&self, file: &str, after: &str) -> Result<u64> {
        let text = fs::read_to_string(self.folder.join(file))?;
        text.lines()
            .find_map(|line| line.strip_prefix(after)?.trim().parse().ok())
            .with_context(|| format!("{file} holds no number"))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // One that something is left in stays, and holds nothing up.
        let _ = fs::remove_dir(&self.folder);
    }
}
