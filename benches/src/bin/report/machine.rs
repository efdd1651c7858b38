//! What the figures were taken on and with.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

/// Name and value, as far as the system tells.
pub(crate) fn machine() -> Vec<(&'static str, String)> {
    let unknown = || "unknown".to_owned();
    let processors = std::thread::available_parallelism().map_or(0, Into::into);
    vec![
        (
            "processor",
            field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
        ),
        ("threads at a time", processors.to_string()),
        (
            "memory",
            field("/proc/meminfo", "MemTotal").map_or_else(unknown, |text| gib(&text)),
        ),
        (
            "kernel",
            read("/proc/sys/kernel/osrelease").unwrap_or_else(|| std::env::consts::OS.to_owned()),
        ),
        ("swap", swap().to_owned()),
        ("load before", load().unwrap_or_else(unknown)),
        ("prewarm", env!("CARGO_PKG_VERSION").to_owned()),
        ("wasmtime", locked("wasmtime").unwrap_or_else(unknown)),
        ("rustc", rustc().unwrap_or_else(unknown)),
    ]
}

/// The same for programs.
pub(crate) fn json(machine: &[(&'static str, String)]) -> Value {
    let pairs = machine.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect()
}

fn read(file: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().to_owned())
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn gib(kib: &str) -> String {
    let number = kib.split_whitespace().next().and_then(|it| it.parse().ok());
    number.map_or_else(
        || kib.to_owned(),
        |kib: f64| crate::words::bytes(kib * 1024.0),
    )
}

fn swap() -> &'static str {
    match fs::read_to_string("/proc/swaps") {
        Ok(text) if text.lines().count() > 1 => "on",
        Ok(_) => "off",
        Err(_) => "unknown",
    }
}

/// The mean number of busy threads in the minute before: it tells whether the machine was quiet.
fn load() -> Option<String> {
    let text = read("/proc/loadavg")?;
    Some(text.split_whitespace().next()?.to_owned())
}

/// The version that is compiled in.
fn locked(name: &str) -> Option<String> {
    let lock = include_str!("../../../../Cargo.lock");
    let entry = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
    Some(entry.1.split_once('"')?.0.to_owned())
}

fn rustc() -> Option<String> {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().trim_start_matches("rustc ").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_are_known() {
        let machine = machine();
        let value = |name| &machine.iter().find(|(it, _)| *it == name).unwrap().1;
        assert!(
            value("wasmtime").starts_with("48."),
            "{}",
            value("wasmtime")
        );
        assert!(value("threads at a time").parse::<usize>().unwrap() > 0);
        assert!(json(&machine)["kernel"].is_string());
    }
}
