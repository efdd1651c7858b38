//! Guests that look out at the host, and guests that must prepare themselves.

use std::fs;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use prewarm::{CallError, Grants, Lease, Output, Pool, Reset, Reuse};
use serde_json::{Value, json};

use crate::conformance::rows::load;
use crate::support::{LONG, config, poll_once};

/// Those with a guest that looks out. In TypeScript it would be JavaScript's, and AssemblyScript has
/// no way to look.
const LOOK_OUT: [&str; 7] = ["rust", "c", "cpp", "zig", "go", "javascript", "python"];

/// Those with a guest that must prepare itself.
pub(crate) const PREPARING: [&str; 3] = ["rust", "javascript", "python"];

/// A pool of the guest that looks out, on at most two instances.
fn outside(language: &str, grants: Grants) -> Pool {
    let mut config = config(2, Reuse::Calls(1000..=1000));
    config.grants = grants;
    load(&format!("{language}-outside")).pool(config).unwrap()
}

async fn ask(pool: &Pool, function: &str, params: Value) -> Value {
    pool.invoke_json(function, &params).await.unwrap()
}

#[tokio::test]
async fn the_granted_folder_is_readable_and_nothing_else() {
    let house = tempfile::tempdir().unwrap();
    let open = house.path().join("open");
    let letter = "Grüße\n".repeat(20_000);
    fs::create_dir_all(open.join("inner")).unwrap();
    fs::write(open.join("letter"), &letter).unwrap();
    fs::write(open.join("picture"), b"\xff\xd8").unwrap();
    fs::write(house.path().join("diary"), "secret").unwrap();
    std::os::unix::fs::symlink("../diary", open.join("link")).unwrap();
    for language in LOOK_OUT {
        let pool = outside(language, Grants::none().dir_read_only(&open, "/data"));
        let list = async |path: &str| ask(&pool, "list-folder", json!([path])).await;
        let read = async |path: &str| ask(&pool, "read-file", json!([path])).await;
        let names = json!({ "ok": ["inner", "letter", "link", "picture"] });
        assert_eq!(list("/data").await, names, "{language}");
        assert_eq!(list("/data/inner").await, json!({ "ok": [] }), "{language}");
        assert_eq!(
            read("/data/letter").await,
            json!({ "ok": letter }),
            "{language}"
        );
        // The instance lives on after each refusal.
        for path in ["/", "/etc", "/data/..", "/data/none", "/data/letter"] {
            assert!(list(path).await["err"].is_string(), "{language}: {path}");
        }
        for path in [
            "/etc/passwd",
            "/data/../diary",
            "/data/link",
            "/data/none",
            "/data/picture",
        ] {
            assert!(read(path).await["err"].is_string(), "{language}: {path}");
        }
        assert_eq!(list("/data").await, names, "{language}");
        assert_eq!(pool.stats().started, 1, "{language}");

        let pool = outside(language, Grants::none());
        let refused = ask(&pool, "list-folder", json!(["/data"])).await;
        assert!(refused["err"].is_string(), "{language}: {refused}");
    }
}

#[tokio::test]
async fn the_environment_is_what_was_granted() {
    for language in LOOK_OUT {
        let pool = outside(language, Grants::none().env("LANG", "C").env("EMPTY", ""));
        for (name, value) in [
            ("LANG", json!("C")),
            ("EMPTY", json!("")),
            ("PATH", Value::Null),
        ] {
            let found = ask(&pool, "variable", json!([name])).await;
            assert_eq!(found, value, "{language}: {name}");
        }
    }
}

#[tokio::test]
async fn what_is_printed_arrives() {
    for language in LOOK_OUT {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let push = move |line: &str| sink.lock().unwrap().push(line.to_owned());
        let pool = outside(language, Grants::none().stdout(Output::lines(push)));
        for line in ["hello", "", "Grüße 😀"] {
            assert_eq!(
                ask(&pool, "say", json!([line])).await,
                Value::Null,
                "{language}"
            );
        }
        assert_eq!(
            *lines.lock().unwrap(),
            ["hello", "", "Grüße 😀"],
            "{language}"
        );
    }
}

/// How the last call of an instance ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Well,
    /// Told more than its memory holds.
    Traps,
    /// Its caller gives up while it is under way.
    Dropped,
}

async fn end(lease: &mut Lease, end: End) {
    match end {
        End::Well => {}
        End::Traps => {
            let flood = json!(["x".repeat(MEMORY)]);
            let error = lease.invoke_json("say", &flood).await.unwrap_err();
            let traps = matches!(error, CallError::Trap(_) | CallError::Limit(_));
            assert!(traps, "{error:?}");
        }
        End::Dropped => {
            let params = json!(["/data"]);
            // The thread that reads the folder may be done before it is asked.
            let waits = (0..1000).any(|_| {
                let list = pin!(lease.invoke_json("list-folder", &params));
                poll_once(list).is_pending()
            });
            assert!(waits);
        }
    }
}

/// Bytes of memory that a guest gets.
const MEMORY: usize = 64 << 20;

/// What a call leaves in its variables, its environment, standard output and its open files is not
/// there for the next one, however the last one ended. A file is in its folder, as for anybody else.
#[tokio::test]
async fn what_is_left_outside_is_gone_with_its_call() {
    for language in LOOK_OUT {
        let folder = tempfile::tempdir().unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        let push = move |line: &str| sink.lock().unwrap().push(line.to_owned());
        for (reset, how) in [Reset::Dirty, Reset::Whole]
            .into_iter()
            .flat_map(|reset| [End::Well, End::Traps, End::Dropped].map(|how| (reset, how)))
        {
            let grants = Grants::none()
                .dir(folder.path(), "/data")
                .stdout(Output::lines(push.clone()));
            let mut config = config(1, Reuse::Never);
            config.grants = grants;
            config.reset = Some(reset);
            config.limits.memory_bytes = MEMORY as u64;
            // None of this is about time, and it is tried where memory is short.
            config.limits.deadline = LONG;
            let pool: Pool = load(&format!("{language}-outside")).pool(config).unwrap();
            for secret in ["s-e-c-r-e-t", "another"] {
                let mut lease = pool.lease().await.unwrap();
                let params = json!([secret, "/data"]);
                let done = lease.invoke_json("leave", &params).await.unwrap();
                assert_eq!(done, json!({ "ok": null }), "{language}");
                // Or the next caller would find nothing because nothing was left.
                let left = lease.invoke_json("left", &json!([])).await.unwrap();
                let left = left.as_array().unwrap().clone();
                assert!(left.len() >= 2, "{language}: {left:?}");
                assert!(left.iter().all(|text| text == secret), "{left:?}");
                end(&mut lease, how).await;
                drop(lease);
                let left = ask(&pool, "left", json!([])).await;
                assert_eq!(left, json!([]), "{language}, {reset:?}, {how:?}");
                ask(&pool, "say", json!(["next"])).await;
                let read = fs::read_to_string(folder.path().join("left")).unwrap();
                assert_eq!(read, secret, "{language}");
            }
            pool.close().await;
            let said = std::mem::take(&mut *lines.lock().unwrap());
            let expected = ["s-e-c-r-e-t", "next", "another", "next"];
            assert_eq!(said, expected, "{language}, {reset:?}, {how:?}");
        }
    }
}

#[tokio::test]
async fn the_clock_moves() {
    const IN_2020: u64 = 1_577_836_800_000_000_000;
    for language in LOOK_OUT {
        let pool = outside(language, Grants::none());
        let now = async || ask(&pool, "now", json!([])).await.as_u64().unwrap();
        let first = now().await;
        assert!(first > IN_2020, "{language}: {first}");
        // JavaScript knows no less than a millisecond.
        let mut last = first;
        for _ in 0..1_000_000 {
            last = now().await;
            if last > first {
                break;
            }
        }
        assert!(last > first, "{language}: {last} after {first}");
    }
}

#[tokio::test]
async fn every_instance_has_its_own_random_numbers() {
    for language in LOOK_OUT {
        let pool = outside(language, Grants::none());
        let (mut one, mut other) = (pool.lease().await.unwrap(), pool.lease().await.unwrap());
        let mut numbers = Vec::new();
        for lease in [&mut one, &mut other] {
            for _ in 0..4 {
                let number = lease.invoke_json("random", &json!([])).await.unwrap();
                numbers.push(number.as_u64().unwrap());
            }
        }
        let (one, other) = numbers.split_at(4);
        assert_ne!(one, other, "{language}");
        assert!(one.windows(2).any(|pair| pair[0] != pair[1]), "{language}");
    }
}

/// How the dictionary writes a word.
pub(crate) fn spell(n: u64) -> String {
    let (mut rest, mut word) = (n * 48_271 % 2_147_483_647, String::new());
    while rest > 0 {
        let digit = usize::try_from(rest % 70).unwrap();
        word.push_str(&"bdfgklmnprstvz"[digit / 5..][..1]);
        word.push_str(&"aeiou"[digit % 5..][..1]);
        rest /= 70;
    }
    word
}

#[tokio::test]
async fn the_dictionary_knows_its_words_and_no_others() {
    assert_eq!(spell(1), "petudu");
    for language in PREPARING {
        let component = load(&format!("{language}-dictionary"));
        // What takes long is done before the first caller comes.
        let pool = Pool::<()>::builder(&component, config(1, Reuse::Calls(1000..=1000)), || ())
            .warm_up_invoke("size", &[])
            .unwrap()
            .build()
            .unwrap();
        assert_eq!(ask(&pool, "size", json!([])).await, 100_000, "{language}");
        for n in [1, 2, 70, 4_711, 50_000, 99_999, 100_000] {
            let found = ask(&pool, "look-up", json!([spell(n)])).await;
            assert_eq!(found, json!(format!("word {n}")), "{language}");
        }
        for word in ["", "x", "petud", "PETUDU", &spell(100_001)] {
            let found = ask(&pool, "look-up", json!([word])).await;
            assert_eq!(found, Value::Null, "{language}: {word}");
        }
    }
}
