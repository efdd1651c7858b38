//! The guests: one row for each component, and what its language cannot do.

use std::path::PathBuf;
use std::sync::LazyLock;

use prewarm::{Component, Host};
use serde_json::Value;

use super::cases::Case;
use crate::support::host_with;

include!(concat!(env!("OUT_DIR"), "/folders.rs"));

/// One component.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What it answers otherwise than all others, and is known to: changes the expected answers of
    /// the case of that name.
    pub(super) alter: fn(&str, &mut [Value]),
    /// Most memory that it needs, however often it is called. What has a collector needs the more
    /// the longer it puts that off.
    pub(crate) ceiling: u64,
    component: LazyLock<Component, Box<dyn FnOnce() -> Component + Send>>,
}

impl Row {
    fn new(name: &'static str, ceiling_mib: u64) -> Self {
        Self {
            name,
            alter: |_, _| {},
            ceiling: ceiling_mib << 20,
            component: LazyLock::new(Box::new(move || load(name))),
        }
    }

    pub(crate) fn component(&self) -> &Component {
        &self.component
    }

    /// Whether it implements the world that the others do.
    pub(crate) fn is_whole(&self) -> bool {
        self.component().exports().find("session").is_ok()
    }

    /// Whether its world has all that a case calls.
    pub(super) fn has(&self, case: &Case) -> bool {
        let exports = self.component().exports();
        case.calls
            .iter()
            .all(|(function, _)| *function == super::cases::DROP || exports.find(function).is_ok())
    }
}

/// The rows of a folder.
fn of(folder: Folder) -> Vec<Row> {
    match folder {
        Folder::Rust => vec![Row::new("rust", 8), Row::new("rust-lean", 8)],
        Folder::C => vec![Row::new("c", 8)],
        Folder::Cpp => vec![Row::new("cpp", 8)],
        Folder::Zig => vec![Row::new("zig", 8)],
        Folder::Go => vec![Row::new("go", 24)],
        Folder::Javascript => vec![
            Row {
                alter: super::cases::as_javascript_numbers,
                ..Row::new("javascript", 16)
            },
            Row::new("starlingmonkey", 256),
        ],
        Folder::Typescript => vec![Row::new("typescript", 256)],
        Folder::Python => vec![Row::new("python", 96)],
        Folder::PythonPip => vec![Row::new("python-pip", 96)],
        // A world of its own, with one of the functions.
        Folder::Assemblyscript => vec![Row::new("assemblyscript", 8)],
        // Other worlds: see `kinds`.
        Folder::RustKinds
        | Folder::CKinds
        | Folder::CppKinds
        | Folder::ZigKinds
        | Folder::GoKinds
        | Folder::JavascriptKinds
        | Folder::PythonKinds => Vec::new(),
    }
}

/// All guests, Rust first.
pub(crate) fn rows() -> &'static [Row] {
    static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
        let mut rows: Vec<Row> = FOLDERS.into_iter().flat_map(of).collect();
        rows.sort_by_key(|row| row.name != "rust");
        rows
    });
    &ROWS
}

/// Loads a guest that was built before.
pub(crate) fn load(name: &str) -> Component {
    // Script guests take long to compile, so what was compiled is kept beside the tests' other files.
    static HOST: LazyLock<Host> = LazyLock::new(|| {
        host_with(|config| {
            config.cache.enabled = true;
            config.cache.dir = Some(concat!(env!("CARGO_TARGET_TMPDIR"), "/cache").into());
        })
    });
    let path = folder().join(format!("{name}.wasm"));
    HOST.load_blocking(path.as_path()).unwrap_or_else(|error| {
        panic!(
            "{error}: {:#?}. Build it with `cargo xtask guests {name}`, or set PREWARM_GUESTS",
            std::error::Error::source(&error).map(ToString::to_string)
        )
    })
}

pub(crate) fn folder() -> PathBuf {
    match std::env::var_os("PREWARM_GUESTS") {
        Some(folder) => folder.into(),
        // This is <target>/debug/deps/it.
        None => std::env::current_exe()
            .unwrap()
            .ancestors()
            .nth(3)
            .unwrap()
            .join("guests"),
    }
}
