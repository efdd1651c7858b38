//! What C, C++ and Zig share: a zig, which is a compiler of all three, and the C header of the
//! world.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

use super::Job;
use super::venv::venv;
use crate::process::Program;

/// Zig is not at 1.0 yet: another version may not understand the same code.
const VERSION: &str = "0.17.1";
const HINT: &str = "C, C++ and Zig want zig 0.17.1 on the PATH, or Python 3 with venv to install it \
                    from PyPI (on Debian `apt-get install python3 python3-venv`)";

/// How C and C++ are compiled to a library. Without its size zig makes the stack 16 MiB.
pub(super) const FLAGS: [&str; 8] = [
    "-target",
    "wasm32-wasi",
    "-mexec-model=reactor",
    "-Wl,-z,stack-size=65536",
    "-Os",
    "-Wall",
    "-Wextra",
    "-Werror",
];

/// The zig on the PATH if it is the right one, or else PyPI's.
pub(super) fn zig(job: &Job<'_>) -> Result<Program> {
    let found = Program::new("zig").arg("version").output();
    let zig = if found.is_ok_and(|version| version.trim() == VERSION) {
        Program::new("zig")
    } else {
        let venv = venv(job, &format!("ziglang=={VERSION}\n"), HINT)?;
        Program::new(venv.join("bin/python")).args(["-m", "ziglang"])
    };
    let caches = job.paths.guests.join("tools/zig-cache");
    Ok(zig
        .env("ZIG_GLOBAL_CACHE_DIR", &caches)
        .env("ZIG_LOCAL_CACHE_DIR", &caches))
}

/// The C header of a world and what belongs to it, in a folder of the guest's own.
pub(super) struct Bindings<'a> {
    pub(super) folder: PathBuf,
    pub(super) world: &'a str,
}

impl<'a> Bindings<'a> {
    /// Writes them for this world of this folder of `wit`.
    pub(super) fn write(job: &Job<'_>, [wit, world]: [&'a str; 2]) -> Result<Self> {
        let guest = job.source.file_name().context("a guest has a folder")?;
        let folder = job.paths.guests.join("build").join(guest);
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_path(job.paths.root.join("wit").join(wit))?;
        let id = resolve.select_world(&[package], Some(world))?;
        let mut files = Files::default();
        wit_bindgen_c::Opts::default()
            .build()
            .generate(&mut resolve, id, &mut files)?;
        fs::create_dir_all(&folder).context("no folder for the bindings")?;
        for (name, content) in files.iter() {
            fs::write(folder.join(name), content).with_context(|| name.to_owned())?;
        }
        Ok(Self { folder, world })
    }

    /// The world's file with this ending.
    pub(super) fn file(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}{ending}", self.world))
    }
}

/// The files of a folder with this extension, in alphabetical order.
pub(super) fn sources(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == extension) {
            sources.push(path);
        }
    }
    sources.sort();
    Ok(sources)
}
