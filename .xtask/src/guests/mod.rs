//! Builds the guests of `guest-examples/` with the ordinary tools of their languages.
//!
//! A guest is one row of [`GUESTS`]. What comes out is kept under the hash of what went in, so
//! a second run builds nothing.

mod progress;
mod store;
mod table;
mod component;
mod venv;
mod npm;
mod ziglang;
mod debian;
mod rust;
mod c;
mod cpp;
mod zig;
mod go;
mod javascript;
mod starlingmonkey;
mod typescript;
mod assemblyscript;
mod python;
mod list;
pub(crate) mod rivals;

use std::fs;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;

use anyhow::{Context as _, Result, bail};

use self::list::GUESTS;
use self::progress::{Line, Progress};
use self::store::Store;
use self::table::Row;
use crate::paths::Paths;
use crate::time::Stopwatch;

/// How one guest is made.
struct Guest {
    name: &'static str,
    /// Its folder. Guests that are the same source made in different ways share one.
    folder: &'static str,
    /// The code that makes it: a change of that makes another component.
    recipe: &'static str,
    /// The versions of the tools, as far as the guest's folder does not pin them.
    tools: fn() -> Result<String>,
    /// Makes the component.
    build: fn(&Job<'_>) -> Result<()>,
}

impl Guest {
    /// One with a folder of its own name, which pins all its tools.
    const fn new(
        name: &'static str,
        recipe: &'static str,
        build: fn(&Job<'_>) -> Result<()>,
    ) -> Self {
        Self {
            name,
            folder: name,
            recipe,
            tools: || Ok(String::new()),
            build,
        }
    }

    const fn folder(self, folder: &'static str) -> Self {
        Self { folder, ..self }
    }

    const fn tools(self, tools: fn() -> Result<String>) -> Self {
        Self { tools, ..self }
    }

    /// What decides, with the sources, what comes out.
    fn how(&self) -> Result<String> {
        Ok((self.tools)()? + self.recipe)
    }
}

/// One build of a guest.
struct Job<'a> {
    paths: &'a Paths,
    /// The guest's own folder.
    source: PathBuf,
    /// Where the component goes.
    output: PathBuf,
    line: &'a Line,
}

/// Builds these guests, or all. What fails is said at the end and does not stop the others.
pub(crate) fn build(paths: &Paths, names: &[String]) -> Result<()> {
    let chosen = choose(names)?;
    fs::create_dir_all(&paths.guests).context("no folder for the guests")?;
    let progress = Progress::new();
    let (queue, rows) = (Mutex::new(chosen.iter()), Mutex::new(Vec::new()));
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(chosen.len());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = queue
                        .lock()
                        .expect("no thread panics with the queue")
                        .next();
                    let Some(guest) = next else { break };
                    let outcome = build_one(paths, guest, &progress.line(guest.name));
                    rows.lock()
                        .expect("nor with the rows")
                        .push((guest.name, outcome));
                }
            });
        }
    });
    let mut rows = rows.into_inner().expect("all threads have ended");
    rows.sort_by_key(|(name, _)| GUESTS.iter().position(|guest| guest.name == *name));
    table::print(&rows);
    match rows.iter().filter(|(_, outcome)| outcome.is_err()).count() {
        0 => Ok(()),
        failed => bail!("{failed} of {} guests failed", rows.len()),
    }
}

fn choose(names: &[String]) -> Result<Vec<&'static Guest>> {
    if names.is_empty() {
        return Ok(GUESTS.iter().collect());
    }
    let find = |name: &String| {
        let found = GUESTS.iter().find(|guest| guest.name == name);
        found.with_context(|| {
            let all: Vec<&str> = GUESTS.iter().map(|guest| guest.name).collect();
            format!("there is no guest {name:?}; there are {}", all.join(", "))
        })
    };
    names.iter().map(find).collect()
}

fn build_one(paths: &Paths, guest: &Guest, line: &Line) -> Result<Row> {
    let store = Store::new(paths, guest.name, guest.folder);
    let outcome = build_or_find(paths, guest, line, &store);
    if outcome.is_err() {
        store.withdraw()?;
    }
    outcome
}

fn build_or_find(paths: &Paths, guest: &Guest, line: &Line, store: &Store<'_>) -> Result<Row> {
    if let Some(row) = store.find(&guest.how()?)? {
        line.done("as before");
        return Ok(row);
    }
    let job = Job {
        paths,
        source: paths.examples().join(guest.folder),
        output: paths.guests.join(format!("{}.built", guest.name)),
        line,
    };
    let watch = Stopwatch::start();
    line.say("building");
    (guest.build)(&job)?;
    let seconds = watch.elapsed().as_secs_f64();
    // Asked again, because building may have installed the tools.
    let row = store.keep(&guest.how()?, &job.output, seconds)?;
    line.done("built");
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_guest_is_refused_with_the_names_of_all() {
        let error = choose(&["cobol".to_owned()]).err().unwrap().to_string();
        assert_eq!(
            error,
            "there is no guest \"cobol\"; there are rust, rust-lean, c, cpp, zig, go, javascript, \
             starlingmonkey, typescript, python, python-pip, assemblyscript, rust-outside, \
             rust-dictionary, javascript-outside, javascript-dictionary, python-outside, \
             python-dictionary, c-outside, cpp-outside, zig-outside, go-outside"
        );
        assert_eq!(choose(&[]).unwrap().len(), GUESTS.len());
    }

    #[test]
    fn every_guest_has_its_folder_and_readme() {
        let examples = Paths::new().unwrap().examples();
        for guest in GUESTS {
            assert!(
                examples.join(guest.folder).join("README.md").is_file(),
                "{}",
                guest.name
            );
        }
    }
}
