//! The world `example:kinds/outside` in Rust: asks the host for files, time and the rest.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::Mutex;
use std::time::SystemTime;
use std::{env, fs, io};

wit_bindgen::generate!({ path: "../../../wit/kinds", world: "outside" });

struct Outside;

static LEFT: Mutex<Option<(String, File)>> = Mutex::new(None);

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

    fn leave(text: String, folder: String) -> Result<(), String> {
        leave(text, Path::new(&folder)).map_err(|error| error.to_string())
    }

    fn left() -> Vec<String> {
        let mut left = Vec::from_iter(env::var("LEFT"));
        if let Some((text, file)) = LEFT.lock().unwrap().as_mut() {
            left.push(text.clone());
            let mut read = String::new();
            let whole = file.rewind().and_then(|()| file.read_to_string(&mut read));
            left.push(whole.map_or_else(|error| error.to_string(), |_| read));
        }
        left
    }
}

fn leave(text: String, folder: &Path) -> io::Result<()> {
    if text.contains('\0') {
        // The environment takes none, and would panic.
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: a guest has one thread.
    unsafe { env::set_var("LEFT", &text) };
    print!("{text}");
    io::stdout().flush()?;
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(true);
    let mut file = options.open(folder.join("left"))?;
    file.write_all(text.as_bytes())?;
    *LEFT.lock().unwrap() = Some((text, file));
    Ok(())
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
