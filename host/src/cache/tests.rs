//! What the cache promises, tried on real components and a real folder. Time is passed in; nothing here sleeps.

mod evict;
mod folder;
mod forged;
mod said;
mod shared;
mod shelf;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, Store};

use super::record::seal_of;
use super::{Cache, CacheConfig, CacheStats, Identity, Source, Stamp};

const NOTE: u8 = 7;

/// A component whose one export returns `answer`.
fn guest(answer: u32) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m (func (export "answer") (result i32) i32.const {answer}))
            (core instance $i (instantiate $m))
            (func (export "answer") (result u32) (canon lift (core func $i "answer"))))"#
    );
    wat::parse_str(text).expect("valid")
}

fn engine() -> Engine {
    Engine::new(&Config::new()).expect("an engine")
}

/// What the component really answers.
fn answer(engine: &Engine, component: &Component) -> u32 {
    let mut store = Store::new(engine, ());
    let instance = wasmtime::component::Linker::new(engine)
        .instantiate(&mut store, component)
        .expect("an instance");
    let answer = instance
        .get_typed_func::<(), (u32,)>(&mut store, "answer")
        .expect("the export");
    answer.call(&mut store, ()).expect("an answer").0
}

/// An hour from now: everything that a test has written has settled.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

/// A cache in a folder of its own, which seals entries of any size.
struct Bench {
    home: TempDir,
    engine: Engine,
    cache: Cache,
}

impl Bench {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let cache = open(home.path());
        Self {
            home,
            engine: engine(),
            cache,
        }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("v1")
    }

    fn entry(&self, wasm: &[u8]) -> PathBuf {
        self.folder()
            .join(Identity::new(blake3::hash(wasm), &self.engine).file_name())
    }

    fn seal(&self, wasm: &[u8]) -> PathBuf {
        let name = Identity::new(blake3::hash(wasm), &self.engine).file_name();
        self.folder().join(seal_of(&name))
    }

    /// Whether entries can be sealed where the tests put them.
    #[cfg(target_os = "linux")]
    fn seals(&self) -> bool {
        use rustix::fs::{StatVfsMountFlags, statvfs};

        let stamps = Stamp::of(&File::open(self.folder().join("key")).expect("opened")).is_some();
        let system = statvfs(self.folder()).expect("a file system");
        stamps && !system.f_flag.contains(StatVfsMountFlags::NOEXEC)
    }

    #[cfg(not(target_os = "linux"))]
    fn seals(&self) -> bool {
        false
    }

    fn store(&self, wasm: &[u8]) -> Component {
        self.store_at(wasm, SystemTime::now())
    }

    fn store_at(&self, wasm: &[u8], now: SystemTime) -> Component {
        let component = Component::new(&self.engine, wasm).expect("compiles");
        self.cache
            .store_at(&self.engine, &Source::bytes_of(wasm), NOTE, component, now)
    }

    fn load(&self, wasm: &[u8]) -> Option<u32> {
        self.load_at(wasm, SystemTime::now())
    }

    fn load_at(&self, wasm: &[u8], now: SystemTime) -> Option<u32> {
        let component = self
            .cache
            .load_at(&self.engine, &Source::bytes_of(wasm), NOTE, now)?;
        Some(answer(&self.engine, &component))
    }
}

fn open(home: &Path) -> Cache {
    try_open(home).expect("a cache")
}

fn try_open(home: &Path) -> Option<Cache> {
    let config = CacheConfig {
        dir: Some(home.to_owned()),
        ..CacheConfig::default()
    };
    Cache::open(&config).map(|cache| Cache {
        seal_from: 0,
        ..cache
    })
}

/// Changes a file in place, as only its owner (here) or root could.
fn overwrite(path: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("readable");
    change(&mut bytes);
    writable(path);
    let mut file = OpenOptions::new()
        .write(true)
        .truncate(true)
        .open(path)
        .expect("writable");
    file.write_all(&bytes).expect("written");
}

#[cfg(unix)]
fn writable(path: &Path) {
    chmod(path, 0o600);
}

#[cfg(not(unix))]
fn writable(_path: &Path) {}

#[cfg(unix)]
fn chmod(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("mode set");
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::symlink_metadata(path)
        .expect("there")
        .permissions()
        .mode()
        & 0o777
}

fn set_modified(path: &Path, time: SystemTime) {
    File::open(path)
        .and_then(|file| file.set_modified(time))
        .expect("time set");
}
