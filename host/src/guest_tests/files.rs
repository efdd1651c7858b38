//! Guests that touch directories.

use super::{FILES, Guest, component};
use crate::grants::Grants;
use crate::limits::Limits;
use crate::wasi::Face;

/// `error-code::not-permitted` of `wasi:filesystem`, as this guest answers it.
const NOT_PERMITTED: u32 = 32;

/// Makes the directory `path` in the first that it was granted. Answers 0, or 1 and the error's
/// code, or 100 if it was granted none.
fn making(path: &str) -> String {
    component(
        FILES,
        &[
            ("dirs", "$preopens", "get-directories"),
            ("make", "$files", "[method]descriptor.create-directory-at"),
        ],
        &format!(
            r#"(import "" "memory" (memory 1))
            (import "" "dirs" (func $dirs (param i32)))
            (import "" "make" (func $make (param i32 i32 i32 i32)))
            (data (i32.const 64) "{path}")
            (func (export "run") (result i32)
                (call $dirs (i32.const 0))
                (if (i32.eqz (i32.load (i32.const 4))) (then (return (i32.const 100))))
                (call $make (i32.load (i32.load (i32.const 0))) (i32.const 64) (i32.const {len}) (i32.const 8))
                (if (result i32) (i32.load8_u (i32.const 8))
                    (then (i32.add (i32.const 1) (i32.load8_u (i32.const 9))))
                    (else (i32.const 0))))"#,
            len = path.len()
        ),
    )
}

#[tokio::test]
async fn directories_are_what_was_granted() {
    let root = tempfile::tempdir().unwrap();
    let granted = root.path().join("granted");
    std::fs::create_dir(&granted).unwrap();
    let write = Grants::none().dir(&granted, "/data");
    let read = Grants::none().dir_read_only(&granted, "/data");
    for (grants, path, answer) in [
        (&Grants::none(), "new", 100),
        (&read, "new", NOT_PERMITTED),
        (&write, "../new", NOT_PERMITTED),
        (&write, "/new", NOT_PERMITTED),
        (&write, "new", 0),
    ] {
        let text = making(path);
        let mut guest = Guest::new(&text, Face::Async, Limits::default(), grants);
        let seen = guest.run_async().await.unwrap();
        assert_eq!(seen, answer, "{path}");
        assert_eq!(granted.join("new").is_dir(), answer == 0, "{path}");
    }
    assert!(!root.path().join("new").exists());

    let again = making("again");
    let mut guest = Guest::new(&again, Face::Blocking, Limits::default(), &write);
    let seen = std::thread::spawn(move || guest.run().unwrap())
        .join()
        .unwrap();
    assert_eq!((seen, granted.join("again").is_dir()), (0, true));
}
