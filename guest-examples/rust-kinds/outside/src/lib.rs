//! The world `example:kinds/outside` in Rust: asks the host for files, time and the rest.

use std::time::SystemTime;
use std::{env, fs, io};

wit_bindgen::generate!({ path: "../../../wit/kinds", world: "outside" });

struct Outside;

impl Guest for Outside {
    fn list_folder(path: String) -> Result<Vec<String>, String> {
        names(&path).map_err(|error| error.to_string())
    }

    fn read_file(path: String) -> Result<String, String> {
        fs::read_to_string(path).map_err(|error| error.to_string())
    }

    fn variable(name: String) -> Option<String> {
        env::var(name).ok()
    }

    fn now() -> u64 {
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        since_1970.as_nanos().try_into().unwrap_or(u64::MAX)
    }

    fn random() -> u32 {
        getrandom::u32().expect("the host has random numbers")
    }

    fn say(line: String) {
        println!("{line}");
    }
}

fn names(path: &str) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

export!(Outside);
