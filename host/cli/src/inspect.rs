//! `prewarm inspect`: what a component is, needs and offers.

use anyhow::Result;
use prewarm::{Component, MissingImport, Needs, Origin, PoolConfig, PoolError, Reset, Signature};
use serde_json::{Value, json};

use crate::load::{Loaded, host, load};
use crate::options::Inspect;
use crate::outcome::Outcome;
use crate::text;

pub(crate) fn run(options: &Inspect) -> Result<Outcome> {
    let host = host(!options.no_cache, false)?;
    let loaded = load(&host, &options.file)?;
    let page = if options.json {
        text::pretty(&as_json(&loaded))
    } else {
        as_wit(&loaded, &options.file.name())
    };
    text::print(page.trim_end())?;
    Ok(Outcome::Done)
}

/// The figures as comments, so that the whole page is WIT.
fn as_wit(loaded: &Loaded, name: &str) -> String {
    let component = &loaded.component;
    let mut lines = vec![
        ("file", format!("{name}, {}", text::size(loaded.file_bytes))),
        ("id", component.id().to_owned()),
        ("code", text::size(component.code_bytes() as u64)),
        ("lane", text::lane(component.lane()).to_owned()),
        ("origin", origin(component.origin())),
        ("slots", slots(component.needs())),
        ("reset", reset(component.reset()).to_owned()),
        ("limits", least_limits(component.needs())),
    ];
    for MissingImport { name, hint, .. } in missing_imports(component) {
        lines.push(("missing", format!("{name} ({hint})")));
    }
    let mut page = String::new();
    for (label, value) in lines {
        page += &format!("// {label:8}{value}\n");
    }
    page + "\n" + &component.wit().wit()
}

fn origin(origin: Origin) -> String {
    match origin {
        Origin::Compiled { took, .. } => format!("compiled in {}", text::time(took)),
        _ => "the cache".to_owned(),
    }
}

fn slots(needs: Option<Needs>) -> String {
    let count = |count: u32, one: &str, many: &str| match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {many}"),
    };
    match needs {
        Some(needs) => format!(
            "{} and {} for each instance",
            count(needs.memories, "memory", "memories"),
            count(needs.tables, "table", "tables")
        ),
        None => "unknown before it is linked".to_owned(),
    }
}

/// How slots are made new between two instances.
fn reset(learned: Option<Reset>) -> &'static str {
    match learned {
        Some(Reset::Dirty) => "what the guest wrote is rewritten",
        Some(Reset::Whole) => "all of the memory is rewritten",
        _ => "not learned yet: that takes 64 to 128 calls with a fresh instance each",
    }
}

fn least_limits(needs: Option<Needs>) -> String {
    match needs {
        Some(needs) => format!(
            "memory of at least {} and {} table elements, to start",
            text::size(needs.memory_bytes),
            needs.table_elements
        ),
        None => "unknown before it is linked".to_owned(),
    }
}

/// The imports that are not WASI's, so that a host must provide them.
fn missing_imports(component: &Component) -> Vec<MissingImport> {
    match component.pool::<()>(PoolConfig::new(1)) {
        Err(PoolError::MissingImports { missing, .. }) => missing,
        _ => Vec::new(),
    }
}

fn as_json(loaded: &Loaded) -> Value {
    let component = &loaded.component;
    let wit = component.wit();
    let missing: Vec<String> = missing_imports(component)
        .into_iter()
        .map(|import| import.name)
        .collect();
    let needs = component.needs().map(|needs| {
        json!({
            "memories": needs.memories,
            "tables": needs.tables,
            "memory_bytes": needs.memory_bytes,
            "table_elements": needs.table_elements,
        })
    });
    let compile_ns = match component.origin() {
        Origin::Compiled { took, .. } => Some(text::nanoseconds(took)),
        _ => None,
    };
    json!({
        "id": component.id(),
        "file_bytes": loaded.file_bytes,
        "code_bytes": component.code_bytes(),
        "lane": text::lane(component.lane()),
        "cached": compile_ns.is_none(),
        "compile_ns": compile_ns,
        "needs": needs,
        "reset": match component.reset() {
            Some(Reset::Dirty) => Some("dirty"),
            Some(Reset::Whole) => Some("whole"),
            _ => None,
        },
        "missing_imports": missing,
        "imports": wit.imports().map(named).collect::<Vec<_>>(),
        "exports": wit.exports().map(described).collect::<Vec<_>>(),
        "wit": wit.wit(),
    })
}

fn named(function: &Signature) -> Value {
    json!({ "name": function.full_name(), "wit": function.wit() })
}

fn described(function: &Signature) -> Value {
    json!({
        "name": function.full_name(),
        "short_name": function.name(),
        "interface": function.interface(),
        "async": function.is_async(),
        "wit": function.wit(),
        "params_schema": function.params_schema(),
        "positional_params_schema": function.positional_params_schema(),
        "result_schema": function.result_schema(),
    })
}
