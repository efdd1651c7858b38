//! The table that ends a run.

use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::time;

/// What is said about one guest.
#[derive(Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) bytes: usize,
    /// Interfaces and functions it asks of its host.
    pub(crate) imports: u32,
    /// How long the build took.
    pub(crate) seconds: f64,
    /// Whether it was built just now.
    #[serde(skip)]
    pub(crate) fresh: bool,
}

/// Prints what was built, then what failed.
pub(crate) fn print(rows: &[(&str, Result<Row>)]) {
    println!("{:21} {:>10} {:>8}  build", "language", "size", "imports");
    for (name, outcome) in rows {
        match outcome {
            Ok(Row {
                bytes,
                imports,
                seconds,
                fresh,
            }) => {
                let took = time::seconds(Duration::from_secs_f64(*seconds));
                let build = if *fresh {
                    took
                } else {
                    format!("as before ({took})")
                };
                println!(
                    "{name:21} {:>6} KiB {imports:>8}  {build}",
                    bytes.div_ceil(1024)
                );
            }
            Err(_) => println!("{name:21} {:>10} {:>8}  failed", "-", "-"),
        }
    }
    for (name, outcome) in rows {
        if let Err(error) = outcome {
            println!("\n{name}: {error:#}");
        }
    }
}
