//! Axes: where a value stands and which values are named.

use crate::words;

/// How values are spread.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Linear,
    /// Each tenfold takes the same room.
    Log,
    /// The share above takes the same room for each tenth: 90, 99, 99.9 per cent.
    Percent,
}

/// One axis of a plot.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    name: String,
    scale: Scale,
    /// For values that stand one after the other, whatever lies between.
    steps: Vec<f64>,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Times in nanoseconds, in tenfolds.
    pub(crate) fn time(name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        Self::log(name, values, 10.0, words::time)
    }

    /// Bytes, in eightfolds.
    pub(crate) fn bytes(name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        Self::log(name, values, 8.0, words::bytes)
    }

    fn log(
        name: &str,
        values: impl IntoIterator<Item = f64>,
        fold: f64,
        show: impl Fn(f64) -> String,
    ) -> Self {
        let values = values.into_iter().filter(|it| it.is_finite() && *it > 0.0);
        let (low, high) = values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| {
            (low.min(value), high.max(value))
        });
        // Some room, and a tenfold at least.
        let (low, high) = if low > high { (1.0, 10.0) } else { (low, high) };
        let (low, high) = (low / 1.3, (high * 1.3).max(low * 10.0));
        let mut ticks = Vec::new();
        let finer: &[f64] = if fold > 8.0 && high / low < 300.0 {
            &[1.0, 3.0]
        } else {
            &[1.0]
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "at most some three hundred"
        )]
        for power in low.log(fold).floor() as i32..=high.log(fold).ceil() as i32 {
            for step in finer {
                let value = step * fold.powi(power);
                if (low..=high).contains(&value) {
                    ticks.push((value, show(value)));
                }
            }
        }
        Self {
            name: name.to_owned(),
            scale: Scale::Log,
            steps: Vec::new(),
            low,
            high,
            ticks,
        }
    }

    /// From zero to the greatest, in even steps.
    pub(crate) fn linear(
        name: &str,
        values: impl IntoIterator<Item = f64>,
        show: impl Fn(f64) -> String,
    ) -> Self {
        let values = values.into_iter().filter(|it| it.is_finite());
        let high = values.fold(f64::MIN_POSITIVE, f64::max);
        // A step of 1, 2 or 5 times a power of ten, of which two to five go into the whole.
        let rough = high / 5.0;
        let power = 10.0_f64.powf(rough.log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
        let step = steps.into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        let count = (0_u32..).map(|index| f64::from(index) * step);
        let ticks = count.take_while(|tick| *tick <= high * 1.001);
        Self {
            name: name.to_owned(),
            scale: Scale::Linear,
            steps: Vec::new(),
            low: 0.0,
            high: high * 1.05,
            ticks: ticks.map(|tick| (tick, show(tick))).collect(),
        }
    }

    /// Numbers one after the other, each as far from the next.
    pub(crate) fn steps(name: &str, values: &[u32]) -> Self {
        let steps: Vec<f64> = values.iter().copied().map(f64::from).collect();
        Self {
            name: name.to_owned(),
            scale: Scale::Linear,
            low: 0.0,
            high: steps.len().saturating_sub(1).max(1) as f64,
            ticks: steps.iter().map(|it| (*it, it.to_string())).collect(),
            steps,
        }
    }

    /// Where an axis of per cents ends.
    pub(crate) const MOST_PERCENT: f64 = 99.95;

    /// Per cents of the calls.
    pub(crate) fn percentiles(name: &str) -> Self {
        let ticks = [50.0, 90.0, 99.0, 99.9].into_iter();
        Self {
            name: name.to_owned(),
            scale: Scale::Percent,
            steps: Vec::new(),
            low: 0.0,
            high: -(1.0 - Self::MOST_PERCENT / 100.0).log10(),
            ticks: ticks.map(|it| (it, format!("{it} %"))).collect(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn ticks(&self) -> &[(f64, String)] {
        &self.ticks
    }

    /// Where a value stands: 0 at the beginning of the axis, 1 at its end, and never beyond.
    pub(crate) fn place(&self, value: f64) -> f64 {
        let (low, high, value) = match self.scale {
            Scale::Linear if !self.steps.is_empty() => (self.low, self.high, self.step(value)),
            Scale::Linear => (self.low, self.high, value),
            Scale::Log => (
                self.low.log10(),
                self.high.log10(),
                value.max(self.low).log10(),
            ),
            Scale::Percent => (
                self.low,
                self.high,
                -(1.0 - value.min(Self::MOST_PERCENT) / 100.0).log10(),
            ),
        };
        ((value - low) / (high - low)).clamp(0.0, 1.0)
    }

    fn step(&self, value: f64) -> f64 {
        self.steps.iter().take_while(|step| **step < value).count() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    fn names(axis: &Axis) -> Vec<&str> {
        axis.ticks().iter().map(|(_, name)| &**name).collect()
    }

    #[test]
    fn a_log_axis_names_tenfolds() {
        let axis = Axis::time("t", [200.0, f64::NAN, 3e6]);
        assert_eq!(names(&axis), ["1 µs", "10 µs", "100 µs", "1 ms"]);
        let step = axis.place(1e4) - axis.place(1e3);
        assert!(near(step, axis.place(1e6) - axis.place(1e5)));
        assert!(near(axis.place(1.0), 0.0));
        assert!(near(axis.place(1e12), 1.0));
        assert_eq!(
            names(&Axis::time("t", [1e3, 8e3])),
            ["1 µs", "3 µs", "10 µs"]
        );
        assert!(!names(&Axis::time("none", [])).is_empty());
        let bytes = Axis::bytes("b", [4096.0, 40e6]);
        assert_eq!(
            names(&bytes),
            ["4 KiB", "32 KiB", "256 KiB", "2 MiB", "16 MiB"]
        );
    }

    #[test]
    fn a_linear_axis_has_round_steps() {
        let axis = Axis::linear("t", [930.0], |tick| tick.to_string());
        assert_eq!(names(&axis), ["0", "200", "400", "600", "800"]);
        assert_eq!(
            names(&Axis::linear("t", [1.0], |it| it.to_string())).len(),
            6
        );
        assert!(near(axis.place(930.0), 1.0 / 1.05));
    }

    #[test]
    fn steps_are_as_far_apart_as_they_are_many() {
        let axis = Axis::steps("pages", &[0, 1, 16, 1000]);
        assert!(near(axis.place(1.0), 1.0 / 3.0));
        assert!(near(axis.place(1000.0), 1.0));
    }

    #[test]
    fn percentiles_thin_out_towards_the_end() {
        let axis = Axis::percentiles("share");
        assert_eq!(names(&axis), ["50 %", "90 %", "99 %", "99.9 %"]);
        assert!(near(axis.place(99.0), 2.0 * axis.place(90.0)));
        assert!(near(axis.place(99.9), 3.0 * axis.place(90.0)));
        assert!(near(axis.place(100.0), 1.0));
    }
}
