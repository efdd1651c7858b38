//! Every promise, with its goal.

use crate::report::{Goal, Promise, Section};
use crate::{cores, extism, flood, fresh, hostile, load, many, quiet, scripts, snapshot, warm};

const fn promise(
    text: &'static str,
    name: &'static str,
    goal: Goal,
    unit: &'static str,
) -> Promise {
    Promise {
        text,
        name,
        goal,
        unit,
    }
}

use Goal::{Least, Measured, Most};

pub(crate) const SECTIONS: &[Section] = &[
    Section {
        promises: &[
            promise(
                "A warm blocking call through the pool takes little more than the bare call on the same engine",
                "warm-sync-over-bare-ns",
                Most(100.0),
                " ns",
            ),
            promise("As a ratio", "warm-sync-over-bare-ratio", Most(1.25), "x"),
            promise(
                "A warm blocking call that adds two numbers is faster than the bare call on wasmtime's default engine",
                "warm-sync-vs-default",
                Least(2.5),
                "x",
            ),
        ],
        measure: warm::direct,
    },
    Section {
        promises: &[
            promise(
                "A warm async call takes little more than the bare call on the same engine",
                "warm-async-over-bare-ns",
                Most(100.0),
                " ns",
            ),
            promise("As a ratio", "warm-async-over-bare-ratio", Most(1.25), "x"),
            promise(
                "A warm async call that adds two numbers is faster than the bare call on wasmtime's default engine",
                "warm-async-vs-default",
                Least(2.5),
                "x",
            ),
        ],
        measure: warm::task,
    },
    Section {
        promises: &[
            promise(
                "With a fresh instance per call at half load, a caller hardly waits beyond a warm call: median",
                "fresh-half-load-p50-us",
                Most(0.6),
                " us",
            ),
            promise(
                "And seldom long: p99 beyond that of a warm call, against one inline start",
                "fresh-half-load-p99",
                Measured,
                " us",
            ),
        ],
        measure: fresh::half_load,
    },
    Section {
        promises: &[promise(
            "Saturated, fresh instances come at the rate of a hand-tuned bare loop",
            "fresh-saturated-vs-bare",
            Least(0.95),
            "x",
        )],
        measure: fresh::saturated,
    },
    Section {
        promises: &[
            promise(
                "On two cores, faster than wasmtime's default pooling",
                "fresh-saturated-two-cores-vs-default-pooling",
                Least(3.0),
                "x",
            ),
            promise(
                "Two such callers scale as the hand-tuned bare loop does",
                "fresh-two-callers-scaling",
                Least(1.0),
                "x",
            ),
        ],
        measure: cores::fresh,
    },
    Section {
        promises: &[promise(
            "Two warm callers scale as an empty compute loop does",
            "warm-two-callers-scaling",
            Least(0.9),
            "x",
        )],
        measure: cores::warm,
    },
    Section {
        promises: &[
            promise(
                "Beside a pool with ten times the calls it can serve, another keeps its latency: p99, where the flood \
                 may take a quarter of the host's instances",
                "flood-of-a-quarter-p99",
                Most(2.0),
                "x",
            ),
            promise(
                "The same where it may take all of them",
                "flood-of-all-p99",
                Most(2.0),
                "x",
            ),
        ],
        measure: flood::neighbour,
    },
    Section {
        promises: &[
            promise(
                "From `main` of a process to the first answer of a Rust guest, cached, memory on demand",
                "cached-load-rust-ms",
                Most(1.0),
                " ms",
            ),
            promise(
                "That is faster than compiling it",
                "cached-load-rust-vs-compiling",
                Least(100.0),
                "x",
            ),
        ],
        measure: load::rust,
    },
    Section {
        promises: &[
            promise(
                "The same for a JavaScript guest of 12 MB (StarlingMonkey)",
                "cached-load-javascript-ms",
                Most(5.0),
                " ms",
            ),
            promise(
                "That is faster than compiling it",
                "cached-load-javascript-vs-compiling",
                Least(100.0),
                "x",
            ),
        ],
        measure: load::javascript,
    },
    Section {
        promises: &[
            promise(
                "The same for a JavaScript guest of 2 MB (QuickJS)",
                "cached-load-quickjs-ms",
                Most(5.0),
                " ms",
            ),
            promise(
                "That is faster than compiling it",
                "cached-load-quickjs-vs-compiling",
                Least(100.0),
                "x",
            ),
        ],
        measure: load::quickjs,
    },
    Section {
        promises: &[promise(
            "A caller of a Python guest, made and warmed up ahead, waits little beyond a reused one",
            "warmed-python-wait-us",
            Most(30.0),
            " us",
        )],
        measure: scripts::python,
    },
    Section {
        promises: &[promise(
            "So does one of a JavaScript guest (StarlingMonkey)",
            "warmed-starlingmonkey-wait-us",
            Most(60.0),
            " us",
        )],
        measure: scripts::starlingmonkey,
    },
    Section {
        promises: &[promise(
            "A snapshot makes the first call of a Rust guest faster that prepares itself for long",
            "snapshot-rust-first-call",
            Least(100.0),
            "x",
        )],
        measure: snapshot::rust,
    },
    Section {
        promises: &[
            promise(
                "With a snapshot and a warm-up, the first call of such a Python guest takes little more than a later one, on an instance that was just made",
                "snapshot-python-first-to-warm",
                Most(2.0),
                "x",
            ),
            promise(
                "And with the processor's caches emptied before each",
                "snapshot-python-first-to-later",
                Most(2.0),
                "x",
            ),
        ],
        measure: snapshot::python,
    },
    Section {
        promises: &[
            promise(
                "A warm echo through the blocking pool is faster than through Extism's pool",
                "warm-vs-extism",
                Least(20.0),
                "x",
            ),
            promise(
                "So is one on a fresh instance, as it comes",
                "fresh-vs-extism",
                Least(100.0),
                "x",
            ),
            promise(
                "And on one with a warm-up call, that nobody has called either",
                "fresh-warmed-vs-extism",
                Least(100.0),
                "x",
            ),
        ],
        measure: extism::measure,
    },
    Section {
        promises: &[promise(
            "Of 10,000 components without an instance each takes little memory beyond its mapped code",
            "idle-component-kib",
            Most(64.0),
            " KiB",
        )],
        measure: many::idle,
    },
    Section {
        promises: &[promise(
            "A call that must stop ends soon after its deadline: in ticks of 1 ms, 95 of 100",
            "stop-within-ticks",
            Most(2.0),
            "",
        )],
        measure: quiet::stop,
    },
    Section {
        promises: &[promise(
            "A hostile guest gets an error that says what it did, loses no slot, and harms no neighbour: attempts of which that is not so",
            "hostile-guests-unbounded",
            Most(0.0),
            "",
        )],
        measure: hostile::guests,
    },
    Section {
        promises: &[
            promise(
                "An idle host uses no CPU",
                "idle-host-cpu-percent",
                Most(0.0),
                " %",
            ),
            promise(
                "And keeps no instance above `min_warm`",
                "idle-instances-above-min-warm",
                Most(0.0),
                "",
            ),
        ],
        measure: quiet::idle,
    },
];
