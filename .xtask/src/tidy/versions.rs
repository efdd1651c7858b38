//! All crates of wasmtime are of one version: they are released together, and loading compiled
//! code that another version made is refused at best.

use super::{File, Problem, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        let versions = match file.path.rsplit('/').next() {
            _ if file.path.starts_with("guest-examples/") => continue,
            // A rival brings a wasmtime of its own.
            Some("Cargo.lock") if file.path.starts_with("benches/rivals/") => continue,
            Some("Cargo.lock") => locked(file),
            Some("Cargo.toml") => required(file),
            _ => continue,
        };
        let Some((first, expected, _)) = versions.first() else {
            continue;
        };
        for (name, version, line) in &versions {
            if version != expected {
                let message = format!("{name} is {version}, and {first} is {expected}");
                problems.push(Problem::new(file, *line, message));
            }
        }
    }
    problems
}

/// Names, versions and lines of wasmtime's crates in a lock file.
fn locked(file: &File) -> Vec<(&str, &str, usize)> {
    let mut found = Vec::new();
    let mut name = "";
    for (index, line) in file.text.lines().enumerate() {
        if let Some(value) = line.strip_prefix("name = ") {
            name = value.trim_matches('"');
        } else if let Some(version) = line.strip_prefix("version = ")
            && is_of_wasmtime(name)
        {
            found.push((name, version.trim_matches('"'), index + 1));
        }
    }
    found
}

/// The same for what a manifest asks for.
fn required(file: &File) -> Vec<(&str, &str, usize)> {
    let lines = file.text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let (name, version) = requirement(line)?;
            is_of_wasmtime(name).then_some((name, version, index + 1))
        })
        .collect()
}

/// A crate and its version, in a manifest's line that has both.
fn requirement(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let value = value.split_once("version").map_or(value, |(_, rest)| rest);
    let version = value.split('"').nth(1)?;
    let number = version
        .trim_start_matches('=')
        .starts_with(|c: char| c.is_ascii_digit());
    number.then_some((name.trim(), version))
}

fn is_of_wasmtime(name: &str) -> bool {
    name == "wasmtime"
        || name.starts_with("wasmtime-")
        || name == "wasi-preview1-component-adapter-provider"
}

#[cfg(test)]
mod tests {
    use super::super::found;
    use super::*;

    const LOCK: &str = "[[package]]
name = \"wasmtime\"
version = \"48.0.8\"

[[package]]
name = \"wat\"
version = \"1.254.0\"

[[package]]
name = \"wasmtime-wasi\"
version = \"48.0.8\"
";

    #[test]
    fn one_version_passes() {
        let manifest = "wasmtime = { version = \"=48.0.8\", features = [\"async\"] }
wasmtime-wasi = \"=48.0.8\"
wasmtime-environ = { workspace = true, features = [\"compile\"] }
wasmparser = \"0.254\"
";
        assert!(found(check, &[("Cargo.lock", LOCK), ("Cargo.toml", manifest)]).is_empty());
    }

    #[test]
    fn rivals_may_lock_another() {
        let lock =
            format!("{LOCK}\n[[package]]\nname = \"wasmtime-environ\"\nversion = \"43.0.2\"\n");
        assert!(found(check, &[("benches/rivals/Cargo.lock", &lock)]).is_empty());
    }

    #[test]
    fn a_second_version_fails() {
        let lock =
            format!("{LOCK}\n[[package]]\nname = \"wasmtime-environ\"\nversion = \"47.0.1\"\n");
        assert_eq!(
            found(check, &[("Cargo.lock", &lock)]),
            ["Cargo.lock:15: wasmtime-environ is 47.0.1, and wasmtime is 48.0.8"]
        );
        let manifest = "wasmtime = { version = \"=48.0.8\" }\nwasmtime-wasi = \"48\"\n";
        assert_eq!(
            found(check, &[("host/Cargo.toml", manifest)]),
            ["host/Cargo.toml:2: wasmtime-wasi is 48, and wasmtime is =48.0.8"]
        );
    }
}
