//! What calls took: one receipt, or many in a few figures.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;
use prewarm::Receipt;
use serde_json::{Value, json};

use crate::text;

/// Figures over calls made one after the other.
pub(crate) struct Calls {
    reuse: bool,
    cold: Option<Duration>,
    /// In nanoseconds.
    warm: Histogram<u64>,
    /// Of the warm calls, those that met an instance made ahead.
    ready: u64,
}

impl Calls {
    pub(crate) fn new(reuse: bool) -> Result<Self> {
        Ok(Self {
            reuse,
            cold: None,
            warm: Histogram::new(3)?,
            ready: 0,
        })
    }

    pub(crate) fn add(&mut self, receipt: &Receipt) -> Result<()> {
        if self.cold.is_none() {
            self.cold = Some(receipt.wall);
            return Ok(());
        }
        self.warm.record(text::nanoseconds(receipt.wall))?;
        self.ready += u64::from(receipt.warm);
        Ok(())
    }

    /// The figures as a table.
    pub(crate) fn table(&self) -> String {
        let cold = text::time(self.cold.unwrap_or_default());
        let how = if self.reuse {
            "on one instance"
        } else {
            "each on a fresh instance"
        };
        let count = self.warm.len() + u64::from(self.cold.is_some());
        let mut table = format!("calls  {count}, {how}\ncold   {cold}");
        if !self.warm.is_empty() {
            let [min, p50, p99] = self
                .quantiles()
                .map(|ns| text::time(Duration::from_nanos(ns)));
            let (ready, warm) = (self.ready, self.warm.len());
            table += &format!(
                "\nwarm   min {min}, p50 {p50}, p99 {p99}; {ready} of {warm} found an instance ready"
            );
        }
        table
    }

    pub(crate) fn json(&self) -> Value {
        let [min, p50, p99] = self.quantiles();
        let warm = json!({ "calls": self.warm.len(), "ready": self.ready, "min_ns": min, "p50_ns": p50, "p99_ns": p99 });
        json!({
            "reuse": self.reuse,
            "cold_ns": self.cold.map(text::nanoseconds),
            "warm": if self.warm.is_empty() { Value::Null } else { warm },
        })
    }

    fn quantiles(&self) -> [u64; 3] {
        let at = |quantile| self.warm.value_at_quantile(quantile);
        [self.warm.min(), at(0.5), at(0.99)]
    }
}

/// One receipt as a table.
pub(crate) fn receipt(receipt: &Receipt) -> String {
    let how = if receipt.warm {
        "an instance stood ready".to_owned()
    } else {
        format!("{} to make an instance", text::time(receipt.start))
    };
    let mut table = format!(
        "time   {} in all: {} in the queue, {how}, {} active\nmemory {}\noutput {}",
        text::time(receipt.wall),
        text::time(receipt.queued),
        text::time(receipt.active),
        text::size(receipt.peak_memory_bytes),
        text::size(receipt.output_bytes),
    );
    if let Some(fuel) = receipt.fuel {
        table += &format!("\nfuel   {fuel}");
    }
    table
}

pub(crate) fn receipt_json(receipt: &Receipt) -> Value {
    json!({
        "wall_ns": text::nanoseconds(receipt.wall),
        "queued_ns": text::nanoseconds(receipt.queued),
        "start_ns": text::nanoseconds(receipt.start),
        "active_ns": text::nanoseconds(receipt.active),
        "warm": receipt.warm,
        "peak_memory_bytes": receipt.peak_memory_bytes,
        "output_bytes": receipt.output_bytes,
        "fuel": receipt.fuel,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_call_is_cold_and_the_others_are_counted() {
        let mut calls = Calls::new(false).unwrap();
        let mut receipt = Receipt::default();
        for micros in std::iter::once(500).chain(1..=100) {
            receipt.wall = Duration::from_micros(micros);
            receipt.warm = micros <= 30;
            calls.add(&receipt).unwrap();
        }
        assert_eq!(
            calls.table(),
            "calls  101, each on a fresh instance\n\
             cold   500.0µs\n\
             warm   min 1.0µs, p50 50.0µs, p99 99.0µs; 30 of 100 found an instance ready"
        );
        assert_eq!(calls.json()["warm"]["calls"], 100);
    }
}
