//! A warm call through a pool, beside the same call on a bare instance.

use std::time::Duration;

use prewarm_benches::bare::{self, Bare};
use prewarm_benches::sample::{Rounds, in_turns};
use prewarm_benches::{loops, pools};
use wasmtime::Result;

use crate::Settings;
use crate::report::Figure;

const ROUNDS: usize = 100;
const BATCH: Duration = Duration::from_millis(5);

pub(crate) fn direct(_: &Settings) -> Result<Vec<Figure>> {
    let component = pools::tools(&pools::host(None)?)?;
    let pool = pools::direct(&component, pools::reused(4))?;
    let (mut lane, on_lane) = Bare::new(bare::lane()?)?.start()?;
    let (mut default, on_default) = Bare::new(bare::default_engine()?)?.start()?;
    let rounds = in_turns(
        &mut [
            &mut |calls| loops::pool(&pool, calls),
            &mut |calls| loops::warm(&mut lane, &on_lane, calls),
            &mut |calls| loops::pool_add(&pool, calls),
            &mut |calls| loops::warm_add(&mut default, &on_default, calls),
        ],
        ROUNDS,
        BATCH,
    )?;
    Ok(figures(&rounds))
}

pub(crate) fn task(_: &Settings) -> Result<Vec<Figure>> {
    let runtime = pools::runtime()?;
    let component = pools::tools(&pools::host(None)?)?;
    let pool = pools::task(&component, pools::reused(4))?;
    let lane = Bare::new(bare::lane()?)?;
    let default = Bare::new(bare::default_engine()?)?;
    let (mut lane, on_lane) = runtime.block_on(lane.start_task())?;
    let (mut default, on_default) = runtime.block_on(default.start_task())?;
    let rounds = in_turns(
        &mut [
            &mut |calls| loops::pool_task(&runtime, &pool, calls),
            &mut |calls| loops::warm_task(&runtime, &mut lane, &on_lane, calls),
            &mut |calls| loops::pool_task_add(&runtime, &pool, calls),
            &mut |calls| loops::warm_task_add(&runtime, &mut default, &on_default, calls),
        ],
        ROUNDS,
        BATCH,
    )?;
    Ok(figures(&rounds))
}

/// For calls with a string through a pool and on a bare instance of its lane, and calls with numbers
/// through a pool and on a bare instance of the default engine. Numbers, because what the lane saves
/// is the same for every call, and copying a string costs both engines alike.
fn figures(rounds: &Rounds) -> Vec<Figure> {
    let note = format!(
        "echo of 5 bytes: pool {:.0} ns, bare {:.0} ns",
        rounds.median(|round| round[0]),
        rounds.median(|round| round[1])
    );
    let default = format!(
        "adding two numbers: pool {:.0} ns, default engine {:.0} ns",
        rounds.median(|round| round[2]),
        rounds.median(|round| round[3])
    );
    vec![
        Figure::new(rounds.median(|round| round[0] - round[1]), note),
        Figure::new(rounds.median(|round| round[0] / round[1]), ""),
        Figure::new(rounds.median(|round| round[3] / round[2]), default),
    ]
}
