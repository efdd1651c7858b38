//! `prewarm call`: a function of a component, by name.

use anyhow::{Context as _, Result};
use prewarm::{
    CallError, Component, ExportedFunc, Grants, Handles, Input, Output, PoolConfig, Receipt, Reuse,
    Val, ValueError,
};
use serde_json::{Value, json};
use tokio::runtime;

use crate::calls::{self, Calls};
use crate::load::{INSTANCES, host, load};
use crate::options::Call;
use crate::outcome::{Misuse, Outcome};
use crate::parse::Dir;
use crate::text;

pub(crate) fn run(options: &Call) -> Result<Outcome> {
    if options.stdin && options.file.is_stdin() {
        return Err(misuse(
            "stdin cannot be both the component and the guest's input",
            "name a FILE",
        ));
    }
    let host = host(!options.no_cache, options.fuel.is_some())?;
    let component = load(&host, &options.file)?.component;
    let function = component.exports().find(&options.function)?;
    let params = params(&options.args, options.json, function)?;

    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no async runtime")?;
    let outcome = runtime.block_on(call(options, &component, function, &params));
    // A guest may have left a thread that reads stdin.
    runtime.shutdown_background();
    outcome
}

async fn call(
    options: &Call,
    component: &Component,
    function: &ExportedFunc,
    params: &[Val],
) -> Result<Outcome> {
    let pool = component.pool::<()>(config(options))?;
    let mut calls = Calls::new(options.reuse)?;
    let mut last = None;
    for _ in 0..options.repeat {
        let called = pool.invoke(function.full_name(), params).with_receipt();
        let (answer, receipt) = match called.await {
            // A command that ends with `exit(0)` did well; it has no other answer, and no receipt.
            Err(CallError::Exit { status: 0, .. }) => return exited(options),
            called => called?,
        };
        calls.add(&receipt)?;
        let is_error = is_error(answer.as_ref());
        last = Some((answer, receipt));
        if is_error {
            break;
        }
    }
    let Some((answer, receipt)) = last else {
        return Ok(Outcome::Done);
    };
    let outcome = if is_error(answer.as_ref()) {
        Outcome::ErrorAnswer
    } else {
        Outcome::Done
    };
    text::print(&written(options, function, answer)?)?;
    report(options, &calls, &receipt)?;
    Ok(outcome)
}

fn exited(options: &Call) -> Result<Outcome> {
    if options.repeat > 1 || options.verbose {
        text::note("the guest ended itself with status 0, so that nothing was measured")?;
    }
    Ok(Outcome::Done)
}

fn is_error(answer: Option<&Val>) -> bool {
    matches!(answer, Some(Val::Result(Err(_))))
}

fn misuse(problem: impl Into<String>, advice: impl Into<String>) -> anyhow::Error {
    let (problem, advice) = (problem.into(), advice.into());
    Misuse { problem, advice }.into()
}

/// The arguments of the command line as values of the function's types.
pub(crate) fn params(args: &[String], json: bool, function: &ExportedFunc) -> Result<Vec<Val>> {
    let handles = &mut Handles::new();
    let read = if json {
        let json = match args {
            [] => json!([]),
            [json] => serde_json::from_str(json).map_err(|error| {
                let problem = format!("the argument is not JSON: {error}");
                misuse(problem, "see the JSON Schema in `prewarm inspect --json`")
            })?,
            _ => {
                return Err(misuse(
                    format!(
                        "expected one JSON array or object, got {} arguments",
                        args.len()
                    ),
                    "put them into one",
                ));
            }
        };
        function.params_from_json(&json, handles)
    } else {
        // The parentheses make a single tuple one argument.
        function.params_from_wave(&format!("({})", args.join(", ")), handles)
    };
    read.map_err(|error| {
        let mut advice = format!("the function is `{}`", function.wit());
        if !json && matches!(&error, ValueError::Mismatch { expected, .. } if expected == "string")
        {
            advice += r#", and a string in WAVE has its own quotes: '"text"'"#;
        }
        misuse(error.to_string(), advice)
    })
}

fn config(options: &Call) -> PoolConfig {
    let mut config = PoolConfig::new(INSTANCES);
    let limits = &mut config.limits;
    limits.fuel = options.fuel;
    limits.deadline = options.deadline.unwrap_or(limits.deadline);
    limits.memory_bytes = options.memory.unwrap_or(limits.memory_bytes);
    limits.output_bytes = options.output.unwrap_or(limits.output_bytes);
    if options.reuse {
        config.reuse = Reuse::Calls(u32::MAX..=u32::MAX);
    }
    config.grants = grants(options);
    config
}

fn grants(options: &Call) -> Grants {
    let mut grants = Grants::none()
        .stdout(Output::from(options.stdout))
        .stderr(Output::from(options.stderr));
    if options.stdin {
        grants = grants.stdin(Input::Inherit);
    }
    grants = dirs(&options.dir, grants);
    for (name, value) in &options.env {
        grants = grants.env(name, value);
    }
    if !options.arg.is_empty() {
        grants = grants.arg(options.file.path.display().to_string());
    }
    options.arg.iter().fold(grants, Grants::arg)
}

/// Adds the folders that the guest may see.
pub(crate) fn dirs(dirs: &[Dir], grants: Grants) -> Grants {
    dirs.iter().fold(grants, |grants, dir| {
        if dir.read_only {
            grants.dir_read_only(&dir.host, &dir.guest)
        } else {
            grants.dir(&dir.host, &dir.guest)
        }
    })
}

/// The answer as text.
fn written(options: &Call, function: &ExportedFunc, answer: Option<Val>) -> Result<String> {
    let results = answer.into_iter().collect();
    let handles = &mut Handles::new();
    Ok(if options.json {
        function.results_to_json(results, handles)?.to_string()
    } else {
        function.results_to_wave(results, handles)?
    })
}

/// What the calls took, on stderr, where it was asked for.
fn report(options: &Call, calls: &Calls, receipt: &Receipt) -> Result<()> {
    let line = |name: &str, json: Value| json!({ name: json }).to_string();
    let repeated = options.repeat > 1;
    if options.json {
        if repeated {
            text::note(&line("calls", calls.json()))?;
        }
        if options.verbose {
            text::note(&line("receipt", calls::receipt_json(receipt)))?;
        }
        return Ok(());
    }
    if repeated {
        text::note(&calls.table())?;
    }
    if options.verbose {
        text::note(&calls::receipt(receipt))?;
    }
    Ok(())
}
