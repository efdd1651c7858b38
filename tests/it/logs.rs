//! The world of the real guests, and what they say of the log that is shipped with them.

use std::sync::LazyLock;

use prewarm::{Component, Grants, Output, Pool, PoolConfig, Reuse, State, blocking};
use serde_json::{Value, json};
use wasmtime::component::HasSelf;

use crate::conformance::rows::rows;
use crate::support::config;

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

/// The guests that implement the whole world.
pub(crate) static GUESTS: LazyLock<Vec<(&str, Component)>> = LazyLock::new(|| {
    let whole = rows().iter().filter(|row| row.is_whole());
    whole
        .map(|row| (row.name, row.component().clone()))
        .collect()
});

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
