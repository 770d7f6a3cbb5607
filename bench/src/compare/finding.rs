//! What one line of a comparison found.

use serde::Serialize;

/// Whether a target holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The measured value is within the target.
    Reached,
    /// It is not.
    Missed,
    /// There was nothing to measure it with; [`Finding::remark`] says why.
    Skipped,
}

/// One measured line: `{id, what, ratio, low, high, target, reached}` and what is behind it.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Short, stable, for `--only`: `relay-haproxy-64x16`.
    pub id: String,
    /// In words, with the contestants.
    pub what: String,
    /// The measured value: a ratio, or a quantity in `unit`. The median of the rounds.
    pub ratio: f64,
    /// Lower end of its bootstrap interval (95 %).
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// `x` for a ratio; otherwise what `ratio` counts: `ns`, `octets`, `calls per SSDU`.
    pub unit: &'static str,
    /// The target, as a bound of `ratio`.
    pub target: f64,
    /// The bound is a minimum, not a maximum.
    pub at_least: bool,
    /// `ratio` is within `target`.
    pub reached: Option<bool>,
    /// Whether the difference is beyond the noise: for a ratio, the interval does not contain 1.
    pub decided: bool,
    /// What a reader must know; why it was skipped.
    pub remark: String,
    /// Every round, as measured: contestants, figures, counters.
    pub raw: Vec<serde_json::Value>,
}

impl Finding {
    /// Whether the target holds.
    pub fn verdict(&self) -> Verdict {
        match self.reached {
            Some(true) => Verdict::Reached,
            Some(false) => Verdict::Missed,
            None => Verdict::Skipped,
        }
    }
}
