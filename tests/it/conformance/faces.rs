//! The ways to call a guest: generated code, JSON in a task, JSON on a thread.

use std::fmt::Debug;

use prewarm::{Pool, PoolConfig, Reuse, State, blocking};
use serde_json::{Value, json};
use wasmtime::component::{HasSelf, ResourceAny};

use super::cases::{Case, DROP};
use super::rows::Row;
use crate::logs::waiting::Logs;
use crate::logs::waiting::example::logs::types::{
    Activity, Change, Fault, Options, ParseError, Redacted, Refusal, Secrets, Summary,
};
use crate::logs::{direct, waiting};
use crate::support::{RUNTIME, config};

/// What the host says when it is asked for a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeper {
    /// `nginx` is a server, and nothing else has a label.
    Labels,
    Denies,
    Busy,
    Breaks,
}

macro_rules! keeper {
    ($bindings:ident $($asynchronous:tt)?) => {
        impl $bindings::example::logs::types::Host for Keeper {}

        impl $bindings::example::logs::lookup::Host for Keeper {
            $($asynchronous)? fn label(
                &mut self,
                name: String,
            ) -> Result<Option<String>, $bindings::example::logs::types::Refusal> {
                use $bindings::example::logs::types::Refusal;
                match self {
                    Self::Labels => Ok((name == "nginx").then(|| "Server für 😀".to_owned())),
                    Self::Denies => Err(Refusal::Denied),
                    Self::Busy => Err(Refusal::Busy(u32::MAX)),
                    Self::Breaks => Err(Refusal::Broken("kaputt: ü".to_owned())),
                }
            }
        }
    };
}

keeper!(waiting async);
keeper!(direct);

pub(super) struct Face {
    pub(super) name: &'static str,
    run: fn(&Row, &Case) -> Vec<Value>,
}

impl Face {
    pub(super) fn run(&self, row: &Row, case: &Case) -> Vec<Value> {
        (self.run)(row, case)
    }
}

pub(super) const FACES: [Face; 3] = [
    Face {
        name: "JSON",
        run: |row, case| RUNTIME.block_on(by_json(row, case)),
    },
    Face {
        name: "JSON on a thread",
        run: by_json_on_a_thread,
    },
    Face {
        name: "generated code",
        run: |row, case| RUNTIME.block_on(by_code(row, case)),
    },
];

fn one() -> PoolConfig {
    config(1, Reuse::Calls(100..=100))
}

fn pool(row: &Row, keeper: Keeper) -> Pool<Logs, Keeper> {
    Pool::builder(row.component(), one(), move || keeper)
        .imports(|linker| Logs::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut))
        .build()
        .unwrap()
}

pub(crate) fn pool_on_a_thread(
    row: &Row,
    keeper: Keeper,
    config: PoolConfig,
) -> blocking::Pool<direct::Logs, Keeper> {
    blocking::Pool::builder(row.component(), config, move || keeper)
        .imports(|linker| direct::Logs::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut))
        .build()
        .unwrap()
}

async fn by_json(row: &Row, case: &Case) -> Vec<Value> {
    // A guest of a smaller world has no generated code here.
    let pool: Pool<(), Keeper> = Pool::builder(row.component(), one(), {
        let keeper = case.keeper;
        move || keeper
    })
    .imports(|linker| Logs::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut))
    .build()
    .unwrap();
    let mut lease = pool.lease().await.unwrap();
    let mut answers = Vec::new();
    for (function, params) in &case.calls {
        answers.push(if *function == DROP {
            json!(lease.drop_resource(handle(params)).await.unwrap())
        } else {
            lease.invoke_json(function, params).await.unwrap()
        });
    }
    answers
}

fn by_json_on_a_thread(row: &Row, case: &Case) -> Vec<Value> {
    let keeper = case.keeper;
    let pool: blocking::Pool<(), Keeper> =
        blocking::Pool::builder(row.component(), one(), move || keeper)
            .imports(|linker| {
                direct::Logs::add_to_linker::<_, HasSelf<_>>(linker, State::embedder_mut)
            })
            .build()
            .unwrap();
    let mut lease = pool.lease().unwrap();
    let call = |(function, params): &(&str, Value)| {
        if *function == DROP {
            json!(lease.drop_resource(handle(params)).unwrap())
        } else {
            lease.invoke_json(function, params).unwrap()
        }
    };
    case.calls.iter().map(call).collect()
}

async fn by_code(row: &Row, case: &Case) -> Vec<Value> {
    if !row.is_whole() {
        return by_json(row, case).await;
    }
    let pool = pool(row, case.keeper);
    let mut lease = pool.lease().await.unwrap();
    let mut sessions: Vec<ResourceAny> = Vec::new();
    let mut answers = Vec::new();
    for (function, params) in &case.calls {
        let call = lease.call(async |logs, store| {
            let text = |at: usize| params[at].as_str().unwrap_or_default();
            let session = || sessions[handle(&params[0]) as usize - 1];
            let guest = logs.example_logs_sessions().session();
            let mut made = None;
            let answer = match *function {
                "analyze" => {
                    let options = options(&params[1]);
                    result(logs.call_analyze(store, text(0), options).await?)
                }
                "redact" => {
                    let mask = text(2).chars().next().unwrap();
                    let what = secrets(&params[1]);
                    redacted(logs.call_redact(store, text(0), what, mask).await?)
                }
                "session" => {
                    made = Some(guest.call_constructor(store, options(&params[0])).await?);
                    json!({ "handle": sessions.len() + 1 })
                }
                "session.settings" => settings(guest.call_settings(store, session()).await?),
                "session.feed" => json!(guest.call_feed(store, session(), text(1)).await?),
                "session.finish" => result(guest.call_finish(store, session()).await?),
                DROP => {
                    let session = sessions[handle(params) as usize - 1];
                    json!(session.resource_drop_async(store).await?)
                }
                other => panic!("no such function: {other}"),
            };
            Ok((answer, made))
        });
        let (answer, made) = call.await.unwrap();
        sessions.extend(made);
        answers.push(answer);
    }
    answers
}

fn handle(value: &Value) -> u32 {
    let number = value.get("handle").unwrap_or(value).as_u64().unwrap();
    u32::try_from(number).unwrap()
}

fn options(value: &Value) -> Options {
    Options {
        skip: value["skip"].as_u64().unwrap(),
        since: value["since"].as_i64(),
        top: u32::try_from(value["top"].as_u64().unwrap()).unwrap(),
        quiet: match value["quiet"].as_str() {
            Some(special) => special.parse().unwrap(),
            None => value["quiet"].as_f64().unwrap(),
        },
        strict: value["strict"].as_bool().unwrap(),
    }
}

fn secrets(value: &Value) -> Secrets {
    let names = value.as_array().unwrap().iter().filter_map(Value::as_str);
    names.fold(Secrets::empty(), |all, name| {
        all | SECRETS.iter().find(|(_, other)| *other == name).unwrap().0
    })
}

const SECRETS: [(Secrets, &str); 5] = [
    (Secrets::TIMES, "times"),
    (Secrets::EMAILS, "emails"),
    (Secrets::ADDRESSES, "addresses"),
    (Secrets::VERSIONS, "versions"),
    (Secrets::PACKAGES, "packages"),
];

/// `State::NotInstalled` is `not-installed`.
fn name(case: impl Debug) -> String {
    let debug = format!("{case:?}");
    let mut name = String::new();
    for letter in debug.rsplit("::").next().unwrap().chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.extend(letter.to_lowercase());
    }
    name
}

fn float(value: f64) -> Value {
    match value {
        value if value.is_nan() => json!("nan"),
        f64::INFINITY => json!("inf"),
        f64::NEG_INFINITY => json!("-inf"),
        value => json!(value),
    }
}

fn settings(options: Options) -> Value {
    json!({
        "skip": options.skip,
        "since": options.since,
        "top": options.top,
        "quiet": float(options.quiet),
        "strict": options.strict,
    })
}

fn redacted(redacted: Redacted) -> Value {
    let named = |secrets: Secrets| {
        let names = SECRETS.iter().filter(|(bit, _)| secrets.contains(*bit));
        names.map(|(_, name)| *name).collect::<Vec<_>>()
    };
    let count = |(secrets, count): (Secrets, u32)| json!([named(secrets), count]);
    json!({
        "text": redacted.text,
        "counts": redacted.counts.into_iter().map(count).collect::<Vec<_>>(),
    })
}

fn result(result: Result<Summary, ParseError>) -> Value {
    match result {
        Ok(summary) => json!({ "ok": self::summary(summary) }),
        Err(ParseError::Empty) => json!({ "err": "empty" }),
        Err(ParseError::Line(line)) => {
            let fault: Fault = line.fault;
            json!({ "err": { "line": {
                "number": line.number, "fault": name(fault), "text": line.text,
            } } })
        }
        Err(ParseError::Lookup(refusal)) => json!({ "err": { "lookup": match refusal {
            Refusal::Denied => json!("denied"),
            Refusal::Busy(wait) => json!({ "busy": wait }),
            Refusal::Broken(why) => json!({ "broken": why }),
        } } }),
    }
}

fn summary(summary: Summary) -> Value {
    let pause = |pause: &waiting::example::logs::types::Pause| json!({ "after": pause.after, "seconds": float(pause.seconds) });
    json!({
        "lines": summary.lines,
        "entries": summary.entries,
        "unknown": summary.unknown,
        "span": summary.span,
        "per-hour": float(summary.per_hour),
        "actions": summary
            .actions
            .iter()
            .map(|(action, count)| json!([name(action), count]))
            .collect::<Vec<_>>(),
        "packages": summary.packages,
        "busiest": summary.busiest.into_iter().map(activity).collect::<Vec<_>>(),
        "pauses": summary.pauses.iter().map(pause).collect::<Vec<_>>(),
    })
}

fn activity(activity: Activity) -> Value {
    let change = |(time, change): (i64, Change)| {
        let change = match change {
            Change::Installed(version) => json!({ "installed": version }),
            Change::Upgraded(versions) => json!({ "upgraded": versions }),
            Change::Removed(version) => json!({ "removed": version }),
            Change::Purged => json!("purged"),
        };
        json!([time, change])
    };
    json!({
        "name": activity.name,
        "label": activity.label,
        "state": activity.state.map(name),
        "entries": activity.entries,
        "history": activity.history.into_iter().map(change).collect::<Vec<_>>(),
    })
}
