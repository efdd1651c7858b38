//! What the guests found, once, and what each of them took.

use prewarm_benches::logs::types::{Activity, Change, ParseError, Secrets, Summary};
use wasmtime::Result;

use crate::run::{Log, Outcome};
use crate::words::{bytes, counted, date, duration, shown};

type Outcomes<'a> = [(&'a str, Result<Outcome>)];

pub(crate) fn print(log: &Log, outcomes: &Outcomes<'_>) {
    let well: Vec<(&str, &Outcome)> = outcomes
        .iter()
        .filter_map(|(language, outcome)| Some((*language, outcome.as_ref().ok()?)))
        .collect();
    let Some((_, first)) = well.first() else {
        return;
    };
    println!();
    said(log, first);
    println!("{:9}{}", "checked", agreement(&well));
    println!();
    table(&well);
    println!(
        "\nwhole log: warm. cold, warm and fresh: a call that hides the secrets of one line, on a new \
         instance made meanwhile, on a used one,\nand on one of its own each time, without a pause. \
         A build for development; `cargo xtask promises` measures the other."
    );
}

fn said(log: &Log, outcome: &Outcome) {
    let size = bytes(u64::try_from(log.bytes).unwrap_or(u64::MAX));
    let summary = match &outcome.summary {
        Some(Ok(summary)) => summary,
        Some(Err(error)) => {
            println!("{}, {size}: {}", log.name, refused(error));
            return;
        }
        None => {
            println!("{}, {size}: no guest sums it up", log.name);
            return;
        }
    };
    println!(
        "{}, {size}: {}, {}, {} not understood",
        log.name,
        counted(summary.lines, "line"),
        counted(summary.packages, "package"),
        summary.unknown
    );
    if let Some((from, to)) = summary.span {
        println!(
            "{:9}{} to {}, {:.1} entries an hour",
            "span",
            date(from),
            date(to),
            summary.per_hour
        );
    }
    list(
        "actions",
        summary
            .actions
            .iter()
            .map(|(action, count)| format!("{} {count}", name(action))),
    );
    let mut heading = "busiest";
    for package in &summary.busiest {
        println!("{heading:9}{}", activity(package));
        heading = "";
    }
    pauses(summary);
    list(
        "secrets",
        outcome
            .redacted
            .counts
            .iter()
            .map(|(secret, count)| format!("{count} {}", secrets(*secret))),
    );
}

fn list(heading: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if !items.is_empty() {
        println!("{heading:9}{}", items.join(", "));
    }
}

fn activity(package: &Activity) -> String {
    let mut text = shown(&package.name);
    if let Some(label) = &package.label {
        text += &format!(" ({})", shown(label));
    }
    text += &format!(": {}", counted(package.entries, "time"));
    if let Some(state) = &package.state {
        text += &format!(", {}", name(state));
    }
    if let Some((at, change)) = package.history.last() {
        text += &match change {
            Change::Installed(version) => format!(", {} came", shown(version)),
            Change::Upgraded((_, to)) => format!(", {} came", shown(to)),
            Change::Removed(version) => format!(", {} went", shown(version)),
            Change::Purged => ", purged".to_owned(),
        };
        text += &format!(" {}", date(*at));
    }
    text
}

fn pauses(summary: &Summary) {
    let longest = summary
        .pauses
        .iter()
        .max_by(|a, b| a.seconds.total_cmp(&b.seconds));
    if let Some(pause) = longest {
        let seconds = std::time::Duration::try_from_secs_f64(pause.seconds).unwrap_or_default();
        println!(
            "{:9}{} of more than an hour, the longest of {} after {}",
            "pauses",
            summary.pauses.len(),
            duration(seconds),
            date(pause.after)
        );
    }
}

fn refused(error: &ParseError) -> String {
    match error {
        ParseError::Empty => "the guests find it empty".to_owned(),
        ParseError::Line(line) => format!(
            "the guests refuse line {}: {}",
            line.number,
            shown(&line.text)
        ),
        ParseError::Lookup(_) => "the host gave no labels".to_owned(),
    }
}

/// The name of a case of an enum, as its WIT writes it.
fn name(case: &impl std::fmt::Debug) -> String {
    let debug = format!("{case:?}");
    debug.rsplit("::").next().unwrap_or_default().to_lowercase()
}

fn secrets(secrets: Secrets) -> &'static str {
    [
        (Secrets::TIMES, "times"),
        (Secrets::EMAILS, "emails"),
        (Secrets::ADDRESSES, "addresses"),
        (Secrets::VERSIONS, "versions"),
        (Secrets::PACKAGES, "packages"),
    ]
    .into_iter()
    .find(|(flag, _)| *flag == secrets)
    .map_or("others", |(_, name)| name)
}

fn agreement(outcomes: &[(&str, &Outcome)]) -> String {
    // As text: a figure that is not a number is not equal to itself.
    let redacted = |outcome: &Outcome| format!("{:?}", outcome.redacted);
    let summary = |outcome: &Outcome| outcome.summary.as_ref().map(|it| format!("{it:?}"));
    let languages: Vec<&str> = outcomes.iter().map(|(language, _)| *language).collect();
    let Some(((first, said), others)) = outcomes.split_first() else {
        return String::new();
    };
    let agrees = |outcome: &Outcome| {
        let summary = summary(outcome).zip(summary(said));
        redacted(outcome) == redacted(said) && summary.is_none_or(|(one, other)| one == other)
    };
    let differ: Vec<&str> = others
        .iter()
        .filter(|(_, outcome)| !agrees(outcome))
        .map(|(language, _)| *language)
        .collect();
    match (differ.is_empty(), others.is_empty()) {
        (true, true) => format!("{first} alone, there is nobody to disagree"),
        (true, false) => format!("{} say the same, to the letter", languages.join(", ")),
        (false, _) => format!("{} DIFFER from {first}", differ.join(", ")),
    }
}

fn table(outcomes: &[(&str, &Outcome)]) {
    row(&[
        "language",
        "size",
        "compile",
        "cached load",
        "whole log",
        "cold",
        "warm p50",
        "fresh p50",
        "fresh p99",
        "peak memory",
    ]
    .map(str::to_owned));
    for (language, Outcome { times, .. }) in outcomes {
        row(&[
            (*language).to_owned(),
            bytes(times.size),
            times.compile.map_or("cached".to_owned(), duration),
            duration(times.load),
            times.whole.map_or("-".to_owned(), duration),
            duration(times.cold),
            duration(times.warm),
            duration(times.fresh),
            duration(times.fresh_p99),
            bytes(times.peak_memory),
        ]);
    }
}

fn row(cells: &[String; 10]) {
    let [language, rest @ ..] = cells;
    let rest: String = rest.iter().map(|cell| format!("{cell:>12}")).collect();
    println!("{language:<14}{}", rest.trim_end());
}
