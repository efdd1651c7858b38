//! Every promise, with its goal.

use crate::report::{Goal, Promise, Section};
use crate::{cores, fresh, load, quiet, warm};

const fn at_most(name: &'static str, goal: f64, unit: &'static str) -> Promise {
    let goal = Goal::AtMost(goal);
    Promise { name, goal, unit }
}

const fn at_least(name: &'static str, goal: f64, unit: &'static str) -> Promise {
    let goal = Goal::AtLeast(goal);
    Promise { name, goal, unit }
}

const fn at_most_measured(name: &'static str, unit: &'static str) -> Promise {
    let goal = Goal::AtMostMeasured;
    Promise { name, goal, unit }
}

pub(crate) const SECTIONS: &[Section] = &[
    Section {
        promises: &[
            at_most("warm-sync-over-bare-ns", 100.0, " ns"),
            at_most("warm-sync-over-bare-ratio", 1.25, "x"),
            at_least("warm-sync-vs-default", 2.5, "x"),
        ],
        measure: warm::direct,
    },
    Section {
        promises: &[
            at_most("warm-async-over-bare-ns", 100.0, " ns"),
            at_most("warm-async-over-bare-ratio", 1.25, "x"),
            at_least("warm-async-vs-default", 2.5, "x"),
        ],
        measure: warm::task,
    },
    Section {
        promises: &[
            at_most("fresh-half-load-p50-us", 0.6, " us"),
            at_most_measured("fresh-half-load-p99", " us"),
        ],
        measure: fresh::half_load,
    },
    Section {
        promises: &[at_least("fresh-saturated-vs-bare", 0.95, "x")],
        measure: fresh::saturated,
    },
    Section {
        promises: &[at_least(
            "fresh-saturated-two-cores-vs-default-pooling",
            3.0,
            "x",
        )],
        measure: cores::fresh,
    },
    Section {
        promises: &[at_least("warm-two-callers-scaling", 0.9, "x")],
        measure: cores::warm,
    },
    Section {
        promises: &[at_most("cached-load-rust-ms", 1.0, " ms")],
        measure: load::rust,
    },
    Section {
        promises: &[at_most("cached-load-javascript-ms", 5.0, " ms")],
        measure: load::javascript,
    },
    Section {
        promises: &[at_most("cached-load-quickjs-ms", 5.0, " ms")],
        measure: load::quickjs,
    },
    Section {
        promises: &[at_most("stop-within-ticks", 2.0, "")],
        measure: quiet::stop,
    },
    Section {
        promises: &[
            at_most("idle-host-cpu-percent", 0.0, " %"),
            at_most("idle-instances-above-min-warm", 0.0, ""),
        ],
        measure: quiet::idle,
    },
];
