//! The real guests: every language, one world, and every way to call them gives the same answers.

use std::path::PathBuf;
use std::sync::LazyLock;

use prewarm::{Component, Grants, Host, Output, Pool, PoolConfig, Reuse, State, blocking};
use serde_json::{Value, json};
use wasmtime::component::HasSelf;

use crate::support::{config, host_with};

pub(crate) mod waiting {
    wasmtime::component::bindgen!({
        path: "../wit/logs",
        world: "logs",
        imports: { default: async },
        exports: { default: async },
    });
    prewarm::world!(Logs, LogsIndices);
}

pub(crate) mod direct {
    wasmtime::component::bindgen!({ path: "../wit/logs", world: "logs" });
    prewarm::world!(Logs, LogsIndices);
}

pub(crate) const LOG: &str = include_str!("../../guest-examples/data/dpkg.log");

/// What the host knows about packages: `nginx` is a server, `libc-bin` will not be told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Directory {
    pub(crate) refuses: bool,
}

macro_rules! directory {
    ($bindings:ident $($asynchronous:tt)?) => {
        impl $bindings::example::logs::types::Host for Directory {}

        impl $bindings::example::logs::lookup::Host for Directory {
            $($asynchronous)? fn label(
                &mut self,
                name: String,
            ) -> Result<Option<String>, $bindings::example::logs::types::Refusal> {
                use $bindings::example::logs::types::Refusal;
                match name.as_str() {
                    "libc-bin" if self.refuses => Err(Refusal::Busy(5)),
                    "nginx" => Ok(Some("server".to_owned())),
                    _ => Ok(None),
                }
            }
        }
    };
}

directory!(waiting async);
directory!(direct);

const LANGUAGES: [&str; 7] = [
    "rust",
    "javascript",
    "starlingmonkey",
    "typescript",
    "python",
    "c",
    "go",
];

pub(crate) static GUESTS: LazyLock<Vec<(&str, Component)>> = LazyLock::new(|| {
    // Python takes long to compile, so what was compiled is kept beside the tests' other files.
    let host: Host = host_with(|config| {
        config.cache.enabled = true;
        config.cache.dir = Some(concat!(env!("CARGO_TARGET_TMPDIR"), "/cache").into());
    });
    LANGUAGES.map(|name| (name, load(&host, name))).into()
});

fn load(host: &Host, name: &str) -> Component {
    let path = folder().join(format!("{name}.wasm"));
    host.load_blocking(path.as_path()).unwrap_or_else(|error| {
        panic!(
            "{error}: {:#?}. Build it with `cargo xtask guests {name}`, or set PREWARM_GUESTS",
            std::error::Error::source(&error).map(ToString::to_string)
        )
    })
}

fn folder() -> PathBuf {
    match std::env::var_os("PREWARM_GUESTS") {
        Some(folder) => folder.into(),
        // This is <target>/debug/deps/it.
        None => std::env::current_exe()
            .unwrap()
            .ancestors()
            .nth(3)
            .unwrap()
            .join("guests"),
    }
}

fn few() -> PoolConfig {
    let mut config = config(2, Reuse::Calls(100..=100));
    // What a guest that traps says of it.
    config.grants = Grants::none().stderr(Output::lines(|line| eprintln!("{line}")));
    config
}

pub(crate) fn waiting(
    component: &Component,
    directory: Directory,
) -> Pool<waiting::Logs, Directory> {
    Pool::builder(component, few(), move || directory)
        .imports(|linker| {
            waiting::Logs::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut)
        })
        .build()
        .unwrap()
}

pub(crate) fn direct(
    component: &Component,
    directory: Directory,
) -> blocking::Pool<direct::Logs, Directory> {
    blocking::Pool::builder(component, few(), move || directory)
        .imports(|linker| direct::Logs::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut))
        .build()
        .unwrap()
}

pub(crate) fn options() -> Value {
    json!({ "skip": 0, "since": null, "top": 5, "quiet": 60.0, "strict": false })
}

fn with(field: &str, value: Value) -> Value {
    let mut options = options();
    options[field] = value;
    options
}

fn extreme(quiet: &str, since: i64) -> Value {
    json!({ "skip": 0, "since": since, "top": u32::MAX, "quiet": quiet, "strict": true })
}

/// Lines that are nearly right, and right ones that look odd.
const ODD: &str = "2026-02-31 23:59:59 startup packages configure\r\n\n\r\n\
    2026-02-29 00:00:00 status installed a.b+c-d_e:amd64 <none>\n\
    2026-02-28 00:00:00 upgrade x:y:z 1 2\n\
    2026-02-28 00:00:00 disappear x 1 2\n\
    2026-02-28 00:00:00 purge x 1 2\n\
    2026-02-28 00:00:00 conffile /etc/a b install\n\
    1969-12-31 23:59:59 startup archives install\n2026-13-01 00:00:00 x\n2026-01-01 24:00:00 x\n\
    2026-01-01\n2026-01-01 00:00:00\n2026-01-01 00:00:00 \n2026-01-01 00:00:00 x\n\
    2026-01-01 00:00:00 status\n2026-01-01 00:00:00 status installed ä:b 1\n\
    2026-01-01 00:00:00 status odd a:b 1\n2026-01-01 00:00:00 install a:b 1\n\
    2026-01-01 00:00:00 conffile keep\n2026-01-01 00:00:00 startup a b\n\
    2026-01-01 00:00:00 trigproc :all 1 2\n２０26-01-01 00:00:00 purge a 1 2\nno end";

const KINDS: [&str; 5] = ["times", "emails", "addresses", "versions", "packages"];

/// Words of every kind, and words that nearly are.
const NEAR: &str = "a@b. @b.c a@b a@b@c.d a@.b; 1.2.3.4 1.2.3.4: 256.1.1.1 001.2.3.4:65535 \
    1.2.3 1.2.3.4.5 1.2.3.4:123456 1.2.3.4:a 2026-05-9 2026-05-090 2026-05-09- 1:20:30 10:20:30: \
    1+ 1~a 1- 1_2 12 v1.2 a:b a:b:c A1:b a:B :b a: -a:b ... :-. ab:12 x86:64 \u{e4}a:b\u{301}c:d";

/// Calls that every guest must answer alike: name, function, parameters.
fn cases() -> Vec<(&'static str, &'static str, Value)> {
    let bad = "2026-05-09 10:20:30 status installed gzip:amd64 1.12-1\nhello\n";
    let everything =
        "2026-05-09 10:20:30 status installed gzip:amd64 1.12-1 by a.b@c.org at 10.0.0.1:80";
    let redact = |what: Value| json!([everything, what, "█"]);
    vec![
        ("the log", "analyze", json!([LOG, options()])),
        (
            "its end",
            "analyze",
            json!([LOG, with("skip", json!(4400))]),
        ),
        (
            "from a time on",
            "analyze",
            json!([LOG, with("since", json!(1_795_503_000))]),
        ),
        ("no package", "analyze", json!([LOG, with("top", json!(0))])),
        (
            "every package",
            "analyze",
            json!([LOG, with("top", json!(1000))]),
        ),
        (
            "every pause",
            "analyze",
            json!([LOG, with("quiet", json!(0.5))]),
        ),
        (
            "no pause",
            "analyze",
            json!([LOG, with("quiet", json!(1e300))]),
        ),
        ("an empty log", "analyze", json!(["", options()])),
        (
            "a bad line, strict",
            "analyze",
            json!([bad, with("strict", json!(true))]),
        ),
        ("a bad line", "analyze", json!([bad, options()])),
        ("no entry", "analyze", json!(["hello\n", options()])),
        (
            "the largest options",
            "analyze",
            json!([LOG, extreme("inf", i64::MIN)]),
        ),
        (
            "no quiet",
            "analyze",
            json!([LOG, extreme("nan", i64::MAX)]),
        ),
        (
            "more skipped than there is",
            "analyze",
            json!([LOG, with("skip", json!(u64::MAX))]),
        ),
        ("odd lines", "analyze", json!([ODD, with("top", json!(9))])),
        ("nothing to hide", "redact", redact(json!([]))),
        ("all to hide", "redact", redact(json!(KINDS))),
        ("times", "redact", redact(json!(["times"]))),
        (
            "letters of many bytes",
            "redact",
            json!(["äöü 10:20:30 😀", ["times"], "x"]),
        ),
        ("no text", "redact", json!(["", KINDS, "x"])),
        ("near misses", "redact", json!([NEAR, KINDS, "😀"])),
        ("a whole log", "redact", json!([LOG, KINDS, "█"])),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_languages_and_the_faces_agree() {
    let mut answers: Vec<Vec<(String, Value)>> = vec![Vec::new(); cases().len()];
    for (language, component) in &*GUESTS {
        let waiting = waiting(component, Directory::default());
        let direct = direct(component, Directory::default());
        for ((_, function, params), answers) in cases().into_iter().zip(&mut answers) {
            let answer = waiting.invoke_json(function, &params).await.unwrap();
            answers.push((format!("{language}, asynchronous"), answer));
            let direct = direct.clone();
            let call = move || direct.invoke_json(function, &params);
            let answer = tokio::task::spawn_blocking(call).await.unwrap().unwrap();
            answers.push((format!("{language}, blocking"), answer));
        }
    }
    for ((case, ..), answers) in cases().iter().zip(answers) {
        assert_eq!(answers.len(), 2 * LANGUAGES.len());
        for (who, answer) in &answers[1..] {
            assert_eq!(*answer, answers[0].1, "{case}: {who} and {}", answers[0].0);
        }
    }
}

/// AssemblyScript makes only one function of the world, in a world of its own.
#[tokio::test]
async fn a_guest_with_a_part_of_the_world_answers_the_same() {
    let whole = waiting(&GUESTS[0].1, Directory::default());
    let part = load(&host_with(|_| {}), "assemblyscript");
    let part = Pool::<(), ()>::builder(&part, few(), || ())
        .build()
        .unwrap();
    for _ in 0..20 {
        for (case, function, params) in cases() {
            if function == "redact" {
                let answer = part.invoke_json(function, &params).await.unwrap();
                let expected = whole.invoke_json(function, &params).await.unwrap();
                assert_eq!(answer, expected, "{case}");
            }
        }
    }
    assert!(part.stats().started <= 3, "it is reused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_what_it_says() {
    for (language, component) in &*GUESTS {
        let pool = waiting(component, Directory::default());
        let answer = pool
            .invoke_json("analyze", &json!([LOG, options()]))
            .await
            .unwrap();
        let summary = &answer["ok"];
        let fields = [
            "lines", "entries", "unknown", "span", "per-hour", "packages",
        ];
        let found: Vec<_> = fields.iter().map(|field| summary[field].clone()).collect();
        assert_eq!(
            json!(found),
            json!([
                4487,
                4487,
                0,
                [1_795_502_834, 1_795_504_173],
                12_063.629_574_309_187,
                429
            ]),
            "{language}"
        );
        let busiest: Vec<_> = summary["busiest"]
            .as_array()
            .unwrap()
            .iter()
            .map(|package| json!([package["name"], package["entries"], package["label"]]))
            .collect();
        assert_eq!(
            json!(busiest),
            json!([
                ["libc-bin", 35, null],
                ["nginx", 28, "server"],
                ["ca-certificates", 24, null],
                ["perl-base", 24, null],
                ["iproute2", 22, null]
            ])
        );
        let pauses = summary["pauses"].as_array().unwrap();
        let pauses: Vec<_> = pauses
            .iter()
            .map(|pause| pause["seconds"].as_f64().unwrap())
            .collect();
        assert_eq!(pauses, [532.0, 421.0, 201.0, 91.0]);
    }
}
