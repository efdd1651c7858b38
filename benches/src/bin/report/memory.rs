//! Memory against the number of instances, and what components cost that nobody calls.

use std::any::Any;

use prewarm::Component;
use prewarm_benches::bare::{self, Bare};
use prewarm_benches::clock::time;
use prewarm_benches::guest::HELLO;
use prewarm_benches::memory::resident_anonymous;
use prewarm_benches::sample::nanos;
use prewarm_benches::{many, pools};
use serde_json::json;
use wasmtime::{Engine, Result};

use crate::axis::Axis;
use crate::chapter::{Bench, Chapter, is_typical};
use crate::draw::{Key, Panel, Plot};
use crate::subject::{BareSubject, ECHO, Subject};
use crate::words;

/// The echo without prewarm.
const BARE: &str = "echo, default wasmtime";

/// How many live instances are weighed together.
const INSTANCES: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Resident bytes for each number of instances.
struct Line {
    name: String,
    bytes: Vec<(f64, f64)>,
    /// The same by hand, on tuned wasmtime.
    bare: Option<Box<Self>>,
}

impl Line {
    /// Bytes that one more instance takes.
    fn each(&self) -> f64 {
        match (self.bytes.first(), self.bytes.last()) {
            (Some((few, less)), Some((many, more))) if many > few => (more - less) / (many - few),
            _ => f64::NAN,
        }
    }

    fn json(&self) -> serde_json::Value {
        let bare = self.bare.as_ref().map(|bare| &bare.bytes);
        json!({ "name": self.name, "points": self.bytes, "bare_tuned_points": bare })
    }
}

pub(crate) fn measure(bench: &Bench) -> Result<Chapter> {
    if resident_anonymous().is_none() {
        return Ok(Chapter {
            title: "Memory",
            finding: "This system does not tell how much memory is resident.".to_owned(),
            ..Chapter::default()
        });
    }
    let mut lines = vec![live(ECHO, || pools::tools(&bench.host()?))?];
    for (name, file) in &bench.built.there {
        eprintln!("    {name}");
        lines.push(live(name, || Ok(bench.host()?.load_blocking(&**file)?))?);
    }
    let guests = lines.len();
    lines.push(bare_live(
        "echo, default wasmtime",
        bare::default_engine()?,
    )?);
    lines.push(bare_live(
        "echo, default pooling",
        bare::default_pooling()?,
    )?);
    let idle = Idle::measure(bench.or_quick(10_000, 1000))?;
    Ok(Chapter {
        title: "Memory",
        finding: finding(&lines[..guests], &idle),
        method: "Resident pages that no file stands behind, so without what instances share: code from the cache, and \
                 the parts of a guest's image that it has not written to. Each instance is held after one call. The \
                 idle components are small and all different, and compiled without a cache, so their code counts. By \
                 hand is tuned wasmtime; of the idle components, one that is linked."
            .to_owned(),
        plot: Some(plot(&lines)),
        table: table(&lines, &idle),
        numbers: json!({
            "live_instances_bytes": lines.iter().map(Line::json).collect::<Vec<_>>(),
            "idle_components": idle.json(),
        }),
        ..Chapter::default()
    })
}

/// Instances that are held.
type Held = Vec<Box<dyn Any>>;

/// Weighs instances that `hold` makes, while more and more of them are held.
fn weigh(name: &str, mut hold: impl FnMut() -> Result<Box<dyn Any>>) -> Result<(Line, Held)> {
    let before = resident_anonymous().unwrap_or(0);
    let mut held = Vec::new();
    let mut bytes = Vec::new();
    for instances in INSTANCES {
        while held.len() < usize::try_from(instances)? {
            held.push(hold()?);
        }
        let more = resident_anonymous().unwrap_or(0).saturating_sub(before);
        let kib = u32::try_from(more >> 10)?;
        bytes.push((f64::from(instances), f64::from(kib) * 1024.0));
    }
    let line = Line {
        name: name.to_owned(),
        bytes,
        bare: None,
    };
    Ok((line, held))
}

/// Weighs a guest's instances on hosts of their own, so that their slots are new.
fn live(name: &str, load: impl Fn() -> Result<Component>) -> Result<Line> {
    let subject = Subject::new(&load()?, pools::reused(64))?;
    let (mut line, _held) = weigh(name, || subject.hold())?;
    // While the others are held: what they gave back would hide these.
    let bare = BareSubject::new(&load()?)?;
    line.bare = Some(Box::new(weigh(name, || bare.hold())?.0));
    Ok(line)
}

fn bare_live(name: &str, engine: Engine) -> Result<Line> {
    let bare = Bare::new(engine)?;
    let (line, _held) = weigh(name, || {
        let (mut store, tools) = bare.start()?;
        tools.call_echo(&mut store, HELLO)?;
        Ok(Box::new((store, tools)))
    })?;
    Ok(line)
}

/// Components that nobody calls.
struct Idle {
    count: u32,
    load_ns: f64,
    /// Of a component with its pool.
    bytes: f64,
    code_bytes: f64,
    pool_ns: f64,
    first_calls_ns: f64,
    bare_bytes: f64,
    bare_ns: f64,
}

impl Idle {
    fn measure(count: u32) -> Result<Self> {
        eprintln!("    {count} idle components");
        let host = pools::host(None)?;
        many::load(&host, count..count + 1)?;
        let engine = bare::lane()?;
        many::Bare::compile(&engine, count..count + 1)?;
        let each = |value: f64| value / f64::from(count);
        let weight = || u32::try_from(resident_anonymous().unwrap_or(0) >> 10).map(f64::from);
        let before = weight()?;
        let (components, loaded) = time(|| many::load(&host, 0..count));
        let components = components?;
        let config = pools::fresh(8);
        let (pools, made) = time(|| many::Pools::new(&components, &config));
        let pools = pools?;
        let with_pools = weight()?;
        // While the others are held, as before. Each image keeps a descriptor, so not as many again.
        let few = count.min(1000);
        let (bare, bare_made) = time(|| many::Bare::compile(&engine, 0..few));
        let bare = bare?;
        let with_bare = weight()?;
        drop(bare);
        let called = count.min(1000);
        let (outcome, calls) = time(|| pools.run(0, called.into()));
        outcome?;
        let code: usize = components.iter().map(Component::code_bytes).sum();
        Ok(Self {
            count,
            load_ns: each(nanos(loaded)),
            bytes: each((with_pools - before) * 1024.0),
            code_bytes: each(f64::from(u32::try_from(code)?)),
            pool_ns: each(nanos(made)),
            first_calls_ns: nanos(calls) / f64::from(called),
            bare_bytes: (with_bare - with_pools) * 1024.0 / f64::from(few),
            bare_ns: nanos(bare_made) / f64::from(few),
        })
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "count": self.count, "load_ns_each": self.load_ns,
            "bytes_each": self.bytes, "code_bytes_each": self.code_bytes,
            "pool_ns_each": self.pool_ns,
            "first_call_ns_each": self.first_calls_ns,
            "bare_bytes_each": self.bare_bytes, "bare_ns_each": self.bare_ns,
        })
    }
}

fn finding(guests: &[Line], idle: &Idle) -> String {
    let by_weight = |a: &&Line, b: &&Line| a.each().total_cmp(&b.each());
    let light = guests.iter().min_by(by_weight);
    let heavy = guests.iter().max_by(by_weight);
    let of = |line: Option<&Line>| {
        line.map_or_else(String::new, |it| {
            format!("{} ({})", words::bytes(it.each()), it.name)
        })
    };
    format!(
        "One more live instance takes {} to {}; a registered component that nobody calls takes {} with its pool, {} \
         of it code, and {} of them are compiled in {}.",
        of(light),
        of(heavy),
        words::bytes(idle.bytes),
        words::bytes(idle.code_bytes),
        idle.count,
        words::time(idle.load_ns * f64::from(idle.count)),
    )
}

fn plot(lines: &[Line]) -> Plot {
    // Bare instances lie on one line: one of them is enough.
    let shown = |line: &&Line| [ECHO, BARE].contains(&&*line.name) || is_typical(&line.name);
    let shown: Vec<&Line> = lines.iter().filter(shown).collect();
    let keys = shown.iter().enumerate().map(|(index, line)| {
        if line.name.contains("default") {
            Key::bare(index, line.name.clone())
        } else {
            Key::ours(index, line.name.clone())
        }
    });
    let values = shown.iter().flat_map(|line| &line.bytes);
    let panel = Panel {
        title: String::new(),
        x: Axis::steps("live instances", &INSTANCES),
        y: Axis::bytes("memory of their own", values.map(|(_, bytes)| *bytes)),
        lines: shown
            .iter()
            .enumerate()
            .map(|(index, line)| (index, line.bytes.clone()))
            .collect(),
        marks: true,
    };
    Plot {
        title: "Memory of live instances, without what they share (lower is better)".to_owned(),
        columns: 1,
        panel: (820, 420),
        keys: keys.collect(),
        panels: vec![panel],
    }
}

fn table(lines: &[Line], idle: &Idle) -> String {
    let last = |line: &Line| line.bytes.last().map_or(f64::NAN, |(_, bytes)| *bytes);
    let rows = lines.iter().map(|line| {
        vec![
            line.name.clone(),
            words::bytes(line.each()),
            words::bytes(last(line)),
            line.bare
                .as_ref()
                .map_or_else(|| "–".to_owned(), |bare| words::bytes(bare.each())),
        ]
    });
    let live = words::table(
        &[
            "live instances",
            "one more",
            "64 together",
            "one more, by hand",
        ],
        &rows.collect::<Vec<_>>(),
    );
    let rows = vec![
        vec![
            "compile and register, with a pool".to_owned(),
            words::bytes(idle.bytes),
            words::time(idle.load_ns + idle.pool_ns),
            format!(
                "{}, {}",
                words::growth(idle.bare_bytes),
                words::time(idle.bare_ns)
            ),
        ],
        vec![
            "the first call of each".to_owned(),
            "–".to_owned(),
            words::time(idle.first_calls_ns),
            "–".to_owned(),
        ],
    ];
    let heads = format!("idle components, {} of them", idle.count);
    let idle = words::table(&[&heads, "memory each", "time each", "by hand"], &rows);
    format!("{live}\n{idle}")
}
