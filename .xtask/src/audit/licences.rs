//! The licences and sources of everything that is compiled, held against `deny.toml`.
//!
//! That is the part of `cargo xtask deny` that costs nothing, for the gate.

use std::fs;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use spdx::{Expression, Licensee, ParseMode};

use crate::paths::Paths;
use crate::process::Program;

/// The workspaces whose dependencies somebody gets.
pub(crate) const WORKSPACES: [&str; 2] = [".", "tests/floors"];

/// Checks every package of every workspace.
pub(crate) fn check(paths: &Paths) -> Result<()> {
    let rules = fs::read_to_string(paths.root.join("deny.toml")).context("no deny.toml")?;
    let allowed = allowed(&rules)?;
    let mut problems = Vec::new();
    for folder in WORKSPACES {
        let metadata = Program::cargo()
            .args(["metadata", "--format-version", "1", "--locked"])
            .dir(&paths.root.join(folder))
            .output()?;
        let metadata: Value = serde_json::from_str(&metadata).context("cargo writes no JSON")?;
        let packages = metadata["packages"].as_array();
        for package in packages.context("cargo names no packages")? {
            problems.extend(problem(package, &allowed));
        }
    }
    match problems.is_empty() {
        true => Ok(()),
        false => bail!("what deny.toml does not allow:\n{}", problems.join("\n")),
    }
}

/// The list under `[licenses]`.
fn allowed(rules: &str) -> Result<Vec<Licensee>> {
    let (_, list) = rules
        .split_once("\nallow = [")
        .context("deny.toml allows no licence")?;
    let (list, _) = list.split_once(']').context("a list without an end")?;
    let names = list.split('"').skip(1).step_by(2);
    names
        .map(|name| Licensee::parse(name).with_context(|| format!("{name} is no licence")))
        .collect()
}

fn problem(package: &Value, allowed: &[Licensee]) -> Option<String> {
    let text = |key: &str| package[key].as_str();
    let name = format!("{} {}", text("name")?, text("version")?);
    // Our own has no source.
    if let Some(source) = text("source")
        && !(source.starts_with("registry+") && source.ends_with("/crates.io-index"))
    {
        return Some(format!("{name} comes from {source}"));
    }
    let Some(licence) = text("license") else {
        return Some(format!("{name} names no licence"));
    };
    match Expression::parse_mode(licence, ParseMode::LAX) {
        Err(error) => Some(format!("{name} has the licence {licence}: {error}")),
        Ok(terms) => {
            let fits = terms.evaluate(|term| allowed.iter().any(|licence| licence.satisfies(term)));
            (!fits).then(|| format!("{name} has the licence {licence}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "[licenses]\nallow = [\n  \"MIT\",\n  # why\n  \"Apache-2.0\",\n]\n";

    fn check_one(licence: Option<&str>, source: Option<&str>) -> Option<String> {
        let package = serde_json::json!({
            "name": "a", "version": "1.0.0", "license": licence, "source": source,
        });
        problem(&package, &allowed(RULES).unwrap())
    }

    #[test]
    fn what_is_allowed_passes() {
        let registry = Some("registry+https://example.org/crates.io-index");
        for licence in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0",
            "MIT AND Apache-2.0",
        ] {
            assert_eq!(check_one(Some(licence), registry), None, "{licence}");
        }
        assert_eq!(check_one(Some("MIT"), None), None);
    }

    #[test]
    fn what_is_not_fails() {
        for (licence, problem) in [
            (Some("GPL-3.0"), "a 1.0.0 has the licence GPL-3.0"),
            (
                Some("MIT AND GPL-3.0"),
                "a 1.0.0 has the licence MIT AND GPL-3.0",
            ),
            (None, "a 1.0.0 names no licence"),
        ] {
            assert_eq!(check_one(licence, None).unwrap(), problem);
        }
        let git = Some("git+https://example.org/a");
        assert_eq!(
            check_one(Some("MIT"), git).unwrap(),
            "a 1.0.0 comes from git+https://example.org/a"
        );
    }
}
