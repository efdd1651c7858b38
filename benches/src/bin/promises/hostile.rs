//! Guests that try to do harm, on both lanes and called in every way, beside a neighbour.

use prewarm::Lane;
use prewarm_tests::hostile::{CASES, Stage};
use wasmtime::Result;

use crate::Settings;
use crate::report::Figure;

pub(crate) fn guests(_: &Settings) -> Result<Vec<Figure>> {
    let hook = std::panic::take_hook();
    // Some of their host functions panic, which is contained.
    std::panic::set_hook(Box::new(|_| {}));
    let (mut runs, mut answers, mut wrong) = (0, 0, Vec::new());
    for lane in [Lane::Plain, Lane::Concurrent] {
        let stage = Stage::new(lane, false);
        let neighbour = stage.neighbour();
        for case in CASES {
            for setting in stage.settings() {
                runs += 1;
                let checked = stage.check(case, setting);
                wrong.extend(checked.err().map(|error| format!("{}: {error}", case.name)));
            }
        }
        let served = neighbour.end();
        answers += served.calls;
        wrong.extend(served.wrong);
    }
    std::panic::set_hook(hook);
    let first = wrong
        .first()
        .map_or(String::new(), |first| format!("; {first}"));
    let note = format!("{runs} attempts beside a neighbour with {answers} right answers{first}");
    let count = u32::try_from(wrong.len()).map_or(f64::INFINITY, f64::from);
    Ok(vec![Figure::new(count, note)])
}
