//! What is left of a pool's latency while another pool of its host is flooded.

use std::time::Duration;

use prewarm_benches::sample::percentile;
use prewarm_tests::flood::{Kind, beside};
use wasmtime::{Result, ensure};

use crate::Settings;
use crate::report::Figure;

/// Rounds of each kind, of which the median counts.
const ROUNDS: usize = 5;
/// How long the neighbour is called alone, and beside the flood, in each round.
const TURN: Duration = Duration::from_secs(1);

/// The neighbour's p99 beside a flood of calls that wait, in parts of its p99 alone.
pub(crate) fn neighbour(_: &Settings) -> Result<Vec<Figure>> {
    let figures = [Kind::Waits, Kind::Slots].map(|kind| {
        let mut ratios = Vec::new();
        let (mut waits, mut refused, mut all) = (Vec::new(), 0, 0);
        for _ in 0..ROUNDS {
            let (alone, served, flood) = beside(kind, TURN);
            for one in [&alone, &served] {
                ensure!(one.wrong.is_none(), "the neighbour: {:?}", one.wrong);
            }
            ensure!(flood.other.is_empty(), "the flood: {:?}", flood.other);
            let [alone, served] = [&alone, &served].map(|one| one.quantile(990).as_secs_f64());
            ratios.push(served / alone);
            waits.push(served * 1e6);
            refused += flood.busy;
            all += flood.busy + flood.served;
        }
        let note = format!(
            "p99 {:.0} us; {refused} of {all} calls of the flood were refused at once; ratios of {ROUNDS} rounds: {}",
            percentile(&mut waits, 50.0),
            ratios
                .iter()
                .map(|ratio| format!("{ratio:.2}"))
                .collect::<Vec<_>>()
                .join(", ")
        );
        Ok(Figure::new(percentile(&mut ratios, 50.0), note))
    });
    figures.into_iter().collect()
}
