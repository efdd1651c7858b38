//! What is asked of every guest.

use serde_json::{Value, json};

use super::faces::Keeper;
use crate::logs::{LOG, options};

/// Calls of one instance, in order.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) keeper: Keeper,
    pub(super) calls: Vec<(&'static str, Value)>,
}

/// The function by which a case drops a resource.
pub(super) const DROP: &str = "drop";

/// Every verb, state and kind of change, and what is none of them.
const EVERYTHING: &str = "\
2026-05-09 10:20:30 startup archives unpack
2026-05-09 10:20:30 install gzip:amd64 <none> 1.12-1
2026-05-09 10:20:31 status half-installed gzip:amd64 1.12-1
2026-05-09 10:20:32 status unpacked gzip:amd64 1.12-1
2026-05-09 10:20:33 conffile /etc/gzip.conf keep
2026-05-09 10:20:33 configure gzip:amd64 1.12-1 <none>
2026-05-09 10:20:34 status half-configured gzip:amd64 1.12-1
2026-05-09 10:20:35 status triggers-pending gzip:amd64 1.12-1
2026-05-09 10:20:36 status triggers-awaited gzip:amd64 1.12-1
2026-05-09 10:20:37 status installed gzip:amd64 1.12-1
2026-05-09 10:20:37 trigproc man-db:amd64 2.11.2-2 <none>
2026-05-09 10:22:07 upgrade nginx:amd64 1.22.1-9 1.22.1-9+deb12u1
2026-05-09 10:22:08 remove libc-bin:amd64 2.36-9 <none>
2026-05-09 10:22:09 status config-files libc-bin:amd64 2.36-9
2026-05-09 10:22:10 purge libc-bin:amd64 2.36-9 <none>
2026-05-09 10:22:11 status not-installed libc-bin:amd64 <none>
2026-05-09 10:22:12 disappear base:all 3 <none>
2026-05-09 10:22:13 startup packages configure
Dear diary
2026-05-09 10:22:14 sing gzip:amd64 1.12-1
2026-05-09 10:22:15 status happy gzip:amd64 1.12-1
2026-05-09 25:22:15 status installed gzip:amd64 1.12-1
";

const SECRETS: &str = "2026-05-09 10:20:30 status installed gzip:amd64 1.12-1 by a.b@c.org at \
    10.0.0.1:80, version 2:1.30~rc1+b2, host 300.0.0.1, mail @c, time 10:20, äöü 😀 gzip:";

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

/// Words of every kind of secret, and words that nearly are.
const NEAR: &str = "a@b. @b.c a@b a@b@c.d a@.b; 1.2.3.4 1.2.3.4: 256.1.1.1 001.2.3.4:65535 \
    1.2.3 1.2.3.4.5 1.2.3.4:123456 1.2.3.4:a 2026-05-9 2026-05-090 2026-05-09- 1:20:30 10:20:30: \
    1+ 1~a 1- 1_2 12 v1.2 a:b a:b:c A1:b a:B :b a: -a:b ... :-. ab:12 x86:64 \u{e4}a:b\u{301}c:d";

fn with(field: &str, value: Value) -> Value {
    let mut options = options();
    options[field] = value;
    options
}

/// One call with labels.
fn one(name: &'static str, function: &'static str, params: Value) -> Case {
    Case {
        name,
        keeper: Keeper::Labels,
        calls: vec![(function, params)],
    }
}

fn analyze(name: &'static str, log: &str, options: Value) -> Case {
    one(name, "analyze", json!([log, options]))
}

fn redact(name: &'static str, text: &str, what: Value, mask: &str) -> Case {
    one(name, "redact", json!([text, what, mask]))
}

fn refused(name: &'static str, keeper: Keeper) -> Case {
    Case {
        keeper,
        ..analyze(name, EVERYTHING, options())
    }
}

/// Sessions with these options, which say so.
fn settings(name: &'static str, options: &[Value]) -> Case {
    let call = |(index, options): (usize, &Value)| {
        let handle = json!([{ "handle": index + 1 }]);
        [("session", json!([options])), ("session.settings", handle)]
    };
    Case {
        name,
        keeper: Keeper::Labels,
        calls: options.iter().enumerate().flat_map(call).collect(),
    }
}

fn session(handle: u32) -> Value {
    json!({ "handle": handle })
}

pub(super) fn cases() -> Vec<Case> {
    let all = json!(["times", "emails", "addresses", "versions", "packages"]);
    let long = LOG.repeat(4);
    let strict = with("strict", json!(true));
    let (start, rest) = EVERYTHING.split_at(EVERYTHING.len() / 3);
    let (middle, end) = rest.split_at(rest.len() / 2);
    let mut cases = vec![
        analyze("the log", LOG, options()),
        analyze("its end", LOG, with("skip", json!(4400))),
        analyze("from a time on", LOG, with("since", json!(1_795_503_000))),
        analyze("every package of the log", LOG, with("top", json!(1000))),
        analyze("every pause of the log", LOG, with("quiet", json!(0.5))),
        analyze("four times the log", &long, options()),
        analyze("everything", EVERYTHING, with("top", json!(100))),
        analyze("everything, strict", EVERYTHING, strict.clone()),
        analyze("no package", EVERYTHING, with("top", json!(0))),
        analyze(
            "as many as there are",
            EVERYTHING,
            with("top", json!(u32::MAX)),
        ),
        analyze("no pause", EVERYTHING, with("quiet", json!(1e300))),
        analyze(
            "pauses of any length",
            EVERYTHING,
            with("quiet", json!(-1.0)),
        ),
        analyze(
            "pauses longer than no number",
            EVERYTHING,
            with("quiet", json!("nan")),
        ),
        analyze(
            "pauses longer than for ever",
            EVERYTHING,
            with("quiet", json!("inf")),
        ),
        analyze(
            "pauses longer than never",
            EVERYTHING,
            with("quiet", json!("-inf")),
        ),
        analyze("odd lines", ODD, with("top", json!(9))),
        analyze("nothing", "", options()),
        analyze("an empty line", "\n", options()),
        analyze(
            "lines of another system",
            &EVERYTHING.replace('\n', "\r\n"),
            options(),
        ),
        analyze("no end of the line", EVERYTHING.trim_end(), options()),
        analyze("one instant", &EVERYTHING[..44], options()),
        analyze("no entry", "hello\n", options()),
        analyze(
            "letters of many bytes",
            "äöü\n😀 \u{feff}\u{10ffff}\n",
            strict.clone(),
        ),
        analyze(
            "a bad verb, strict",
            "2026-05-09 10:22:14 sing gzip:amd64 1\n",
            strict.clone(),
        ),
        analyze(
            "bad fields, strict",
            "2026-05-09 10:22:14 status happy gzip 1\n",
            strict.clone(),
        ),
        analyze("all skipped", EVERYTHING, with("skip", json!(u64::MAX))),
        analyze("since ever", EVERYTHING, with("since", json!(i64::MIN))),
        analyze(
            "since the end of time",
            EVERYTHING,
            with("since", json!(i64::MAX)),
        ),
        refused("a host that denies", Keeper::Denies),
        refused("a host that is busy", Keeper::Busy),
        refused("a host that is broken", Keeper::Breaks),
        redact("nothing to hide", SECRETS, json!([]), "*"),
        redact("all to hide", SECRETS, all.clone(), "*"),
        redact("times", SECRETS, json!(["times"]), "x"),
        redact("emails", SECRETS, json!(["emails"]), "█"),
        redact("addresses", SECRETS, json!(["addresses"]), "😀"),
        redact("versions", SECRETS, json!(["versions"]), "\u{10ffff}"),
        redact("packages", SECRETS, json!(["packages"]), "\0"),
        redact("near misses", NEAR, all.clone(), "😀"),
        redact("no text", "", all.clone(), "*"),
        redact("the whole log", &long, all, "*"),
        settings(
            "numbers that every language has",
            &[
                options(),
                json!({ "skip": 1, "since": -1, "top": u32::MAX, "quiet": -0.5, "strict": true }),
                with("skip", json!(1u64 << 53)),
                with("since", json!(-(1i64 << 53))),
                with("quiet", json!(f64::MAX)),
                with("quiet", json!(f64::from_bits(1))),
                with("quiet", json!("nan")),
                with("quiet", json!("inf")),
                with("quiet", json!("-inf")),
            ],
        ),
        settings(
            "numbers of 64 bits",
            &[
                with("skip", json!(u64::MAX)),
                with("skip", json!((1u64 << 53) + 1)),
                with("since", json!(i64::MAX)),
                with("since", json!(i64::MIN)),
            ],
        ),
    ];
    cases.push(Case {
        name: "a log in pieces",
        keeper: Keeper::Labels,
        calls: vec![
            ("session", json!([with("top", json!(100))])),
            ("session.finish", json!([session(1)])),
            ("session.feed", json!([session(1), start])),
            ("session.feed", json!([session(1), ""])),
            ("session.feed", json!([session(1), middle])),
            ("session.feed", json!([session(1), end])),
            ("session.finish", json!([session(1)])),
            ("session.finish", json!([session(1)])),
        ],
    });
    cases.push(Case {
        name: "two logs at once, and one more",
        keeper: Keeper::Labels,
        calls: vec![
            ("session", json!([options()])),
            ("session", json!([with("strict", json!(true))])),
            ("session.feed", json!([session(1), "a\nb\n"])),
            ("session.feed", json!([session(2), "c\n"])),
            ("session.feed", json!([session(1), "d"])),
            ("session.finish", json!([session(2)])),
            (DROP, json!(2)),
            ("session.finish", json!([session(1)])),
            (DROP, json!(1)),
            ("session", json!([options()])),
            ("session.feed", json!([session(3), "\n\n"])),
            ("session.finish", json!([session(3)])),
        ],
    });
    cases
}

/// A language whose only number is an `f64` rounds what is larger than 2⁵³.
pub(super) fn as_javascript_numbers(case: &str, answers: &mut [Value]) {
    if case == "numbers of 64 bits" {
        answers[3]["skip"] = json!(1u64 << 53);
    }
}
