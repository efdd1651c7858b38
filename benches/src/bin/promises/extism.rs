//! Against Extism's pool. The rivals are programs of a workspace of their own, so that nobody else
//! has to build them; `cargo xtask promises` does and says where they are.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use wasmtime::error::Context as _;
use wasmtime::{Result, ensure};

use crate::Settings;
use crate::report::Figure;

pub(crate) fn measure(settings: &Settings) -> Result<Vec<Figure>> {
    let (Some(program), Some(forms)) = (&settings.rivals, &settings.forms) else {
        let missing = || Figure::missing("`cargo xtask promises` builds the rivals");
        return Ok(vec![missing(), missing(), missing()]);
    };
    let file = tempfile::NamedTempFile::new()?;
    let output = Command::new(program)
        .args(["--extism-only", "--json"])
        .arg(file.path())
        .arg("--forms")
        .arg(forms)
        .arg("--root")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .with_context(|| format!("{} does not start", program.display()))?;
    ensure!(
        output.status.success(),
        "the rivals failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = std::fs::read_to_string(file.path())?;
    let rows: Vec<Value> = lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    ["warm", "fresh", "fresh-warmed"]
        .map(|life| {
            let name = format!("{life}-vs-extism");
            let row = rows.iter().find(|row| row["name"] == name);
            let row = row.with_context(|| format!("the rivals do not tell {name}"))?;
            let value = row["value"].as_f64().unwrap_or(f64::NAN);
            Ok(Figure::new(value, row["note"].as_str().unwrap_or_default()))
        })
        .into_iter()
        .collect()
}
