//! Thresholds: what a run must keep to, as text, in numbers, and the verdict.
//!
//! A threshold is a metric, a comparison and a number: `p99_response_ms < 2`. [`Metric`] lists the metrics. In front of
//! it the name of a step and a colon make it one of that step: `peak: p99_response_ms < 5`; `each step:` holds all of
//! them to it. What was not measured (the latency of an operation that never happened) is within no threshold.

mod metric;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use metric::{Metric, metrics_text};

use crate::plan::LoadPlan;
use crate::report::Report;

/// What stands for every step in front of the colon.
const EACH_STEP: &str = "each step";

/// How a measured value is held against the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `=` or `==`
    Equal,
    /// `!=`
    Different,
}

/// The comparisons and how they are written; longer ones first, so that `<=` is not taken for `<`.
const COMPARISONS: [(&str, Comparison); 7] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("!=", Comparison::Different),
    ("<", Comparison::Below),
    (">", Comparison::Above),
    ("=", Comparison::Equal),
];

impl Comparison {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Comparison::Below => value < bound,
            Comparison::AtMost => value <= bound,
            Comparison::Above => value > bound,
            Comparison::AtLeast => value >= bound,
            Comparison::Equal => value == bound,
            Comparison::Different => value != bound,
        }
    }
}

/// Which part of a run a threshold is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of the measured part.
    Run,
    /// The step of this name.
    Step(String),
    /// Every step by itself.
    EachStep,
}

/// What a run must keep to.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// Which part of the run.
    pub scope: Scope,
    /// What is measured.
    pub metric: Metric,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what, in the unit of the metric.
    pub bound: f64,
    text: String,
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = text.find(['<', '>', '=', '!']);
        let (left, rest) = found.map(|at| text.split_at(at)).ok_or_else(|| {
            format!("threshold `{text}` has no comparison; write it as `p99_response_ms < 2`")
        })?;
        let (sign, comparison) = COMPARISONS
            .into_iter()
            .find(|(sign, _)| rest.starts_with(sign))
            .ok_or_else(|| format!("threshold `{text}`: the comparisons are < <= > >= = !="))?;
        let number = rest[sign.len()..].trim();
        let bound: f64 = number.replace('_', "").parse().map_err(|_| {
            format!("threshold `{text}`: `{number}` is no number; units belong to the metric, as in p99_response_ms")
        })?;
        if !bound.is_finite() {
            return Err(format!("threshold `{text}`: `{number}` is no finite number"));
        }
        let (scope, metric) = match left.split_once(':') {
            None => (Scope::Run, left),
            Some((step, metric)) if step.trim() == EACH_STEP => (Scope::EachStep, metric),
            Some((step, metric)) => (Scope::Step(step.trim().to_owned()), metric),
        };
        let metric: Metric = metric.trim().parse().map_err(|fault| format!("threshold `{text}`: {fault}"))?;
        if scope != Scope::Run && !metric.is_of_steps() {
            return Err(format!("threshold `{text}`: {metric} is measured over the whole run, not by step"));
        }
        Ok(Threshold { scope, metric, comparison, bound, text: text.trim().to_owned() })
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Threshold {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A threshold and what a run made of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ThresholdResult {
    /// As it was written.
    pub threshold: String,
    /// The measured value in the unit of the metric: of all steps, where they are meant, the first that fails, else the
    /// last; `None` when nothing was measured.
    pub measured: Option<f64>,
    /// The step that `measured` is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// Whether the run kept to it.
    pub ok: bool,
}

impl Threshold {
    /// Holds a run to it.
    pub fn judge(&self, report: &Report) -> ThresholdResult {
        let result = |measured: Option<f64>, step: Option<String>| {
            let ok = measured.is_some_and(|value| self.comparison.holds(value, self.bound));
            ThresholdResult { threshold: self.text.clone(), measured, step, ok }
        };
        let of_step = |index: usize| {
            result(self.metric.of_step(report, index), report.steps.get(index).map(|step| step.name.clone()))
        };
        match &self.scope {
            Scope::Run => result(self.metric.of_run(report), None),
            Scope::Step(name) => {
                let index = report.steps.iter().position(|step| step.name == *name);
                index.map_or_else(|| result(None, None), of_step)
            }
            Scope::EachStep => {
                let mut all = (0..report.steps.len()).map(of_step);
                let first_failed = all.clone().find(|result| !result.ok);
                first_failed.or_else(|| all.next_back()).unwrap_or_else(|| result(None, None))
            }
        }
    }
}

impl LoadPlan {
    /// Faults in the thresholds: steps that the plan has not.
    pub(crate) fn threshold_faults(&self) -> Vec<String> {
        let names: Vec<String> = (0..self.step.len()).map(|index| self.step_name(index)).collect();
        let missing = |threshold: &Threshold| match &threshold.scope {
            Scope::Run => None,
            _ if names.is_empty() => {
                Some(format!("thresholds: `{threshold}` is about steps, and there are none"))
            }
            Scope::Step(name) if !names.contains(name) => {
                Some(format!("thresholds: `{threshold}`: no step {name:?}; there are {}", names.join(", ")))
            }
            _ => None,
        };
        self.thresholds.iter().filter_map(missing).collect()
    }
}

impl Report {
    /// True when a threshold of the plan was not kept.
    pub fn has_failed_threshold(&self) -> bool {
        self.thresholds.iter().any(|result| !result.ok)
    }
}

/// The results as lines of a table for people; empty without thresholds.
pub fn table(results: &[ThresholdResult]) -> String {
    let width = results.iter().map(|result| result.threshold.chars().count()).max().unwrap_or(0);
    let line = |result: &ThresholdResult| {
        let measured = result.measured.map_or("nothing measured".to_owned(), figure);
        let step = result.step.as_ref().map_or(String::new(), |step| format!(" in step {step}"));
        let verdict = if result.ok { "ok" } else { "FAILED" };
        format!("{:<18}{:<width$}  {verdict:<6}  {measured}{step}\n", "threshold", result.threshold)
    };
    results.iter().map(line).collect()
}

/// A number with the digits that matter.
fn figure(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests;
