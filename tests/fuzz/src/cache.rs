//! What lies in the folder of the compile cache, spoiled in every way a file can be: a component
//! loaded through it answers as one that was compiled just now, and code that was changed is never
//! loaded.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use prewarm::{Allocation, Component, Host, HostConfig, Origin, Wasm};
use tempfile::TempDir;
use wasmtime::Store;
use wasmtime::component::Linker;

/// Sources. Compiled, the last is so large that the cache knows it again by its seal.
const SOURCES: usize = 3;

/// How long files must lie before the cache takes them for unchanged, and a little more.
const SETTLED: Duration = Duration::from_millis(2200);

/// A cache with all sources in it, and what was in its folder when nobody had touched it.
struct Bench {
    home: TempDir,
    /// The sources, the first at 1.
    guests: Vec<Vec<u8>>,
    /// Their hashes, with which the names of their entries begin.
    ids: Vec<String>,
    files: BTreeMap<String, Vec<u8>>,
}

static BENCH: LazyLock<Mutex<Bench>> = LazyLock::new(|| Mutex::new(Bench::new()));

/// A list of what is done to files, and a source to load.
pub fn target(data: &[u8]) {
    let bench = BENCH.lock().unwrap_or_else(PoisonError::into_inner);
    let _ = bench.run(&mut Unstructured::new(data));
    bench.restore();
}

/// A component whose one export answers `answer`.
fn guest(answer: usize) -> Vec<u8> {
    let data = match answer {
        SOURCES => "x".repeat(5 << 18),
        _ => String::new(),
    };
    let text = format!(
        r#"(component
            (core module $m (memory 32) (data (i32.const 0) "{data}")
                (func (export "answer") (result i32) i32.const {answer}))
            (core instance $i (instantiate $m))
            (func (export "answer") (result u32) (canon lift (core func $i "answer"))))"#
    );
    wat::parse_str(text).unwrap()
}

fn host(home: &Path, recheck: bool) -> Host {
    let mut config = HostConfig::default();
    config.cache.dir = Some(home.join("cache"));
    config.cache.recheck = recheck;
    config.allocation = Allocation::OnDemand;
    Host::new(config).unwrap()
}

/// What the component really answers.
fn answer(component: &Component) -> usize {
    let raw = component.as_wasmtime();
    let mut store = Store::new(raw.engine(), ());
    store.set_epoch_deadline(1);
    let instance = Linker::new(raw.engine())
        .instantiate(&mut store, raw)
        .unwrap();
    let answer = instance
        .get_typed_func::<(), (u32,)>(&mut store, "answer")
        .unwrap();
    answer.call(&mut store, ()).unwrap().0 as usize
}

impl Bench {
    fn new() -> Self {
        // In memory where that can be, since every entry is synced.
        let home = tempfile::tempdir_in("/dev/shm")
            .or_else(|_| tempfile::tempdir())
            .unwrap();
        let mut bench = Self {
            home,
            guests: (0..=SOURCES).map(guest).collect(),
            ids: vec![String::new()],
            files: BTreeMap::new(),
        };
        for source in 1..=SOURCES {
            fs::write(bench.source(source), &bench.guests[source]).unwrap();
            bench.load(source, false);
        }
        settle();
        for source in 1..=SOURCES {
            let component = bench.load(source, false);
            assert_eq!(
                (answer(&component), component.origin()),
                (source, Origin::Cache)
            );
            bench.ids.push(component.id().to_owned());
        }
        for entry in fs::read_dir(bench.folder()).unwrap() {
            let path = entry.unwrap().path();
            bench.files.insert(name(&path), fs::read(&path).unwrap());
        }
        bench
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("cache").join("v1")
    }

    fn source(&self, source: usize) -> PathBuf {
        self.home.path().join(format!("{source}.wasm"))
    }

    fn load(&self, source: usize, recheck: bool) -> Component {
        host(self.home.path(), recheck)
            .load_blocking(self.source(source))
            .unwrap()
    }

    fn run(&self, u: &mut Unstructured<'_>) -> Result<()> {
        // What each source file holds.
        let mut holds: Vec<usize> = (0..=SOURCES).collect();
        for _ in 0..u.int_in_range(0..=5)? {
            if u.ratio(1, 12)? {
                let (at, of) = (u.int_in_range(1..=SOURCES)?, u.int_in_range(1..=SOURCES)?);
                fs::write(self.source(at), &self.guests[of]).unwrap();
                holds[at] = of;
            } else {
                self.spoil(u)?;
            }
        }
        let changed = self.changed();
        for first in [true, false] {
            let (at, recheck) = (u.int_in_range(1..=SOURCES)?, u.arbitrary()?);
            let host = host(self.home.path(), recheck);
            let wasm = match u.arbitrary()? {
                true => Wasm::from(self.source(at)),
                false => Wasm::from(self.guests[holds[at]].clone()),
            };
            let spoiled = first && self.is_spoiled(holds[at]);
            let component = host.load_blocking(wasm).unwrap();
            assert_eq!(answer(&component), holds[at], "{at}, recheck: {recheck}");
            let stats = host.cache_stats().unwrap_or_default();
            let looked = stats.hits + stats.misses + stats.refused;
            assert!(looked <= 1 && stats.checked <= stats.hits, "{stats:?}");
            let cached = component.origin() == Origin::Cache;
            assert_eq!(stats.hits == 1, cached, "{stats:?}");
            assert!(!spoiled || !cached, "a changed entry was loaded: {stats:?}");
            assert!(changed || cached, "nothing was touched: {stats:?}");
        }
        Ok(())
    }

    /// Whether the entry of a source is not there as it was written.
    fn is_spoiled(&self, source: usize) -> bool {
        let (id, is_entry) = (&self.ids[source], |name: &str| name.ends_with(".cwasm"));
        let mut entries = self.files.iter().filter(|(name, _)| is_entry(name));
        let (name, bytes) = entries.find(|(name, _)| name.starts_with(id)).unwrap();
        let path = self.folder().join(name);
        let is_link = path
            .symlink_metadata()
            .is_ok_and(|facts| facts.is_symlink());
        is_link || fs::read(path).ok().as_ref() != Some(bytes)
    }

    /// Whether anything in the folder differs from what was there.
    fn changed(&self) -> bool {
        let differs = |(name, bytes): (&String, &Vec<u8>)| {
            let path = self.folder().join(name);
            let facts = fs::symlink_metadata(&path);
            let whole = facts.is_ok_and(|facts| is_usual(&facts, name));
            !whole || fs::read(&path).ok().as_ref() != Some(bytes)
        };
        let folder = fs::metadata(self.folder());
        let is_open = folder.is_ok_and(|facts| facts.permissions().mode() & 0o777 != 0o700);
        is_open || self.files.iter().any(differs)
    }

    fn spoil(&self, u: &mut Unstructured<'_>) -> Result<()> {
        let names: Vec<&String> = self.files.keys().collect();
        let (one, other) = (*u.choose(&names)?, *u.choose(&names)?);
        let (path, other_path) = (self.folder().join(one), self.folder().join(other));
        let (bytes, other) = (&self.files[one], &self.files[other]);
        let at = place(u, bytes.len())?;
        let in_place = u.arbitrary()?;
        let write = |bytes: &[u8]| write(&path, bytes, in_place);
        match u.int_in_range(0..=13)? {
            0 | 1 => {
                let mut bytes = bytes.clone();
                for _ in 0..u.int_in_range(1..=3)? {
                    let at = place(u, bytes.len())?;
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte ^= 1 << u.int_in_range(0..=7)?;
                    }
                }
                write(&bytes);
            }
            2 => write(&bytes[..at]),
            3 => {
                let length = u.int_in_range(0..=64)?.min(u.len());
                write(&[bytes, u.bytes(length)?].concat());
            }
            // A trailer that is authentic, after something else.
            4 => write(&[bytes, tail(other, place(u, other.len())?)].concat()),
            5 => write(&[&bytes[..at], tail(other, at)].concat()),
            6 => write(other),
            7 => {
                remove(&path);
                let _ = fs::rename(&other_path, &path);
            }
            8 => {
                remove(&path);
                let _ = fs::hard_link(&other_path, &path);
            }
            9 => {
                remove(&path);
                let _ = symlink(&other_path, &path);
            }
            10 => remove(&path),
            11 => {
                let mode = *u.choose(&[0o600, 0o644, 0o622, 0o666, 0o000, 0o4400])?;
                let _ = fs::set_permissions(&path, fs::Permissions::from_mode(mode));
            }
            12 => {
                remove(&path);
                let _ = fs::create_dir(&path);
            }
            _ => {
                let mode = *u.choose(&[0o700, 0o755, 0o777, 0o500])?;
                let _ = fs::set_permissions(self.folder(), fs::Permissions::from_mode(mode));
            }
        }
        Ok(())
    }

    /// Puts everything back that is not as it was.
    fn restore(&self) {
        for source in 1..=SOURCES {
            let (path, guest) = (self.source(source), &self.guests[source]);
            if fs::read(&path).ok().as_ref() != Some(guest) {
                fs::write(path, guest).unwrap();
            }
        }
        if !self.changed() {
            return;
        }
        fs::set_permissions(self.folder(), fs::Permissions::from_mode(0o700)).unwrap();
        for entry in fs::read_dir(self.folder()).unwrap() {
            let path = entry.unwrap().path();
            if !self.files.contains_key(&name(&path)) {
                remove(&path);
            }
        }
        for (name, bytes) in &self.files {
            let path = self.folder().join(name);
            let facts = fs::symlink_metadata(&path);
            let whole = facts.is_ok_and(|facts| is_usual(&facts, name));
            if !whole || fs::read(&path).ok().as_ref() != Some(bytes) {
                write(&path, bytes, false);
            }
        }
        assert!(!self.changed(), "nothing would be as it was");
    }
}

fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn usual_mode(name: &str) -> u32 {
    if name.ends_with(".cwasm") {
        0o400
    } else {
        0o600
    }
}

fn is_usual(facts: &fs::Metadata, name: &str) -> bool {
    facts.is_file() && facts.permissions().mode() & 0o7777 == usual_mode(name)
}

/// A place in a file, often near its end.
fn place(u: &mut Unstructured<'_>, length: usize) -> Result<usize> {
    match u.arbitrary()? {
        true => u.int_in_range(0..=length),
        false => Ok(length.saturating_sub(u.int_in_range(0..=120)?)),
    }
}

fn tail(bytes: &[u8], at: usize) -> &[u8] {
    bytes.get(at..).unwrap_or_default()
}

/// Changes the file itself, or puts another in its place.
fn write(path: &Path, bytes: &[u8], in_place: bool) {
    if in_place && path.is_file() {
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(0o600));
        if let Ok(mut file) = OpenOptions::new().write(true).truncate(true).open(path) {
            let _ = file.write_all(bytes);
        }
    } else {
        remove(path);
        let _ = fs::write(path, bytes);
    }
    let mode = fs::Permissions::from_mode(usual_mode(&name(path)));
    let _ = fs::set_permissions(path, mode);
}

fn remove(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
}

/// Waits until the cache takes files that were just written for unchanged.
#[expect(
    clippy::disallowed_methods,
    reason = "the kernel keeps the time of files"
)]
fn settle() {
    std::thread::sleep(SETTLED);
}
