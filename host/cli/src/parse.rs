//! Values of options, from text.

use std::path::PathBuf;

use bytesize::ByteSize;

/// A folder that the guest may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dir {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) read_only: bool,
}

/// `HOST`, `HOST::GUEST`, `HOST:ro` or `HOST::GUEST:ro`. Without a name of its own the guest sees
/// the folder under the host's.
pub(crate) fn dir(text: &str) -> Result<Dir, String> {
    let (path, read_only) = match text.strip_suffix(":ro") {
        Some(path) => (path, true),
        None => (text, false),
    };
    let (host, guest) = path.split_once("::").unwrap_or((path, path));
    if host.is_empty() || guest.is_empty() {
        return Err("expected HOST, HOST::GUEST, or either with `:ro` at the end".to_owned());
    }
    Ok(Dir {
        host: host.into(),
        guest: guest.to_owned(),
        read_only,
    })
}

/// `NAME=VALUE`.
pub(crate) fn env(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// A size in bytes, with or without a unit.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    text.parse::<ByteSize>().map(|size| size.as_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read() {
        for (text, host, guest, read_only) in [
            ("data", "data", "data", false),
            ("data:ro", "data", "data", true),
            ("data::/in", "data", "/in", false),
            ("/a:b::/in:ro", "/a:b", "/in", true),
        ] {
            let expected = Dir {
                host: host.into(),
                guest: guest.to_owned(),
                read_only,
            };
            assert_eq!(dir(text), Ok(expected), "{text}");
        }
        for text in ["", ":ro", "::/in", "data::"] {
            assert!(dir(text).is_err(), "{text}");
        }
    }

    #[test]
    fn variables_are_read() {
        assert_eq!(env("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert_eq!(env("A="), Ok(("A".into(), String::new())));
        assert!(env("=b").is_err());
        assert!(env("A").is_err());
    }

    #[test]
    fn sizes_are_read() {
        for (text, size) in [
            ("16MiB", 16 << 20),
            ("1 KiB", 1024),
            ("1kB", 1000),
            ("7", 7),
        ] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        assert!(bytes("16 gallons").is_err());
    }
}
