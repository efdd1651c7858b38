//! What a promise is, what was measured, and how both are shown.

use std::fmt;

use serde_json::{Value, json};
use wasmtime::Result;

use crate::Settings;

/// One promise of the README.
#[derive(Debug)]
pub(crate) struct Promise {
    pub(crate) text: &'static str,
    pub(crate) name: &'static str,
    pub(crate) goal: Goal,
    pub(crate) unit: &'static str,
}

/// What the figure must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Goal {
    /// At most this.
    Most(f64),
    /// At least this.
    Least(f64),
    /// At most what this run measured beside it.
    Measured,
}

/// Promises that are measured together.
pub(crate) struct Section {
    pub(crate) promises: &'static [Promise],
    /// Gives a figure for each promise, in their order.
    pub(crate) measure: fn(&Settings) -> Result<Vec<Figure>>,
}

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Figure {
    value: Option<f64>,
    bound: Option<f64>,
    note: String,
}

impl Figure {
    pub(crate) fn new(value: f64, note: impl Into<String>) -> Self {
        Self {
            value: Some(value).filter(|value| value.is_finite()),
            bound: None,
            note: note.into(),
        }
    }

    /// A figure with the bound of its promise.
    pub(crate) fn bounded(value: f64, bound: f64, note: impl Into<String>) -> Self {
        Self {
            bound: Some(bound),
            ..Self::new(value, note)
        }
    }

    /// Nothing, and why.
    pub(crate) fn missing(why: impl Into<String>) -> Self {
        Self {
            note: why.into(),
            ..Self::default()
        }
    }
}

/// One promise and what came of it.
#[derive(Debug)]
pub(crate) struct Row {
    promise: &'static Promise,
    figure: Figure,
}

impl Row {
    /// The sign and the bound.
    fn goal(&self) -> (&'static str, Option<f64>) {
        match self.promise.goal {
            Goal::Most(bound) => ("<=", Some(bound)),
            Goal::Least(bound) => (">=", Some(bound)),
            Goal::Measured => ("<=", self.figure.bound),
        }
    }

    fn kept(&self) -> Option<bool> {
        let (sign, bound) = self.goal();
        let (value, bound) = (self.figure.value?, bound?);
        Some(match sign {
            "<=" => value <= bound,
            _ => value >= bound,
        })
    }

    fn verdict(&self) -> &'static str {
        match self.kept() {
            Some(true) => "pass",
            Some(false) => "short",
            None => "not measured",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.promise.unit;
        let show = |figure: f64| format!("{figure:.2}{unit}");
        let (sign, bound) = self.goal();
        let goal = bound.map_or_else(String::new, |bound| format!("{sign} {}", show(bound)));
        let value = self.figure.value.map_or_else(|| "-".to_owned(), show);
        write!(
            f,
            "{:<40} {value:>11}  {goal:>12}  {:<12}  {}",
            self.promise.name,
            self.verdict(),
            self.figure.note
        )
    }
}

/// All rows.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) fn heading() -> String {
        format!(
            "{:<40} {:>11}  {:>12}  {:<12}  note",
            "promise", "value", "goal", "verdict"
        )
    }

    pub(crate) fn add(&mut self, section: &Section, measured: Result<Vec<Figure>>) {
        let mut figures = match measured {
            Ok(figures) => figures,
            Err(error) => {
                let error = format!("{error:#}");
                let why = error.split_whitespace().collect::<Vec<_>>().join(" ");
                let promises = section.promises.iter();
                promises.map(|_| Figure::missing(why.clone())).collect()
            }
        };
        figures.resize_with(section.promises.len(), Figure::default);
        let rows = section.promises.iter().zip(figures);
        self.rows
            .extend(rows.map(|(promise, figure)| Row { promise, figure }));
    }

    pub(crate) fn all_kept(&self) -> bool {
        self.rows.iter().all(|row| row.kept() != Some(false))
    }

    pub(crate) fn json(&self) -> Value {
        let row = |row: &Row| {
            let (sign, bound) = row.goal();
            json!({
                "promise": row.promise.text,
                "name": row.promise.name,
                "value": row.figure.value,
                "unit": row.promise.unit.trim(),
                "goal": bound.map(|bound| format!("{sign} {}", (bound * 1e3).round() / 1e3)),
                "verdict": row.verdict(),
                "note": row.figure.note,
            })
        };
        self.rows.iter().map(row).collect()
    }
}
