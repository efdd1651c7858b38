//! Tells the tests which guests there are: a folder without its row in `it/conformance/rows.rs` does
//! not compile.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let examples = Path::new("../guest-examples");
    println!("cargo::rerun-if-changed={}", examples.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(examples)? {
        let entry = entry?;
        // Guests have a README; so do the data, which are no guest.
        if entry.path().join("README.md").is_file() && entry.file_name() != "data" {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    let variants: Vec<String> = names.iter().map(|name| camel(name)).collect();
    let (count, list) = (names.len(), variants.join(", "));
    let all: Vec<String> = variants
        .iter()
        .map(|name| format!("Folder::{name}"))
        .collect();
    let code = format!(
        "/// A folder of `guest-examples`.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq)]\n\
         pub(crate) enum Folder {{ {list} }}\n\n\
         pub(crate) const FOLDERS: [Folder; {count}] = [{}];\n",
        all.join(", ")
    );
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("no OUT_DIR"))?;
    fs::write(Path::new(&out).join("folders.rs"), code)
}

/// `python-pip` is `PythonPip`.
fn camel(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let (first, rest) = word.split_at(1.min(word.len()));
            first.to_uppercase() + rest
        })
        .collect()
}
