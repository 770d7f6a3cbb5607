//! What one line of a comparison found.

use serde::Serialize;

use super::statistics::Estimate;
use super::{LabError, Run};

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
#[derive(Clone, Debug, Default, Serialize)]
pub struct Finding {
    /// Short, stable, for `--only`: `relay-haproxy-64x16`.
    pub id: String,
    /// In words, with the contestants.
    pub what: String,
    /// The measured value: a ratio, or a quantity in `unit`. The median of the rounds.
    pub ratio: f64,
    /// Lower end of its interval (95 %).
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// `x` for a ratio; otherwise what `ratio` counts: `ns`, `octets`, `calls per SSDU`.
    pub unit: &'static str,
    /// The target, as a bound of `ratio`.
    pub target: f64,
    /// The bound is a minimum, not a maximum.
    pub at_least: bool,
    /// `ratio` is within `target`; `None` where nothing was measured.
    pub reached: Option<bool>,
    /// Something that should work did not; a contestant that is not installed is no failure.
    pub failed: bool,
    /// Whether the difference is beyond the noise: for a ratio, the interval does not contain 1.
    pub decided: bool,
    /// What a reader must know; why it was skipped.
    pub remark: String,
    /// Every round, as measured: contestants, figures, counters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub raw: Vec<serde_json::Value>,
}

impl Finding {
    /// A ratio of Colloquy to a contestant, which must not exceed `target`.
    pub fn ratio(id: impl Into<String>, what: impl Into<String>, target: f64, of: Estimate) -> Finding {
        let decided = of.low > 1.0 || of.high < 1.0;
        Finding { decided, ..Finding::quantity(id, what, "x", target, of) }
    }

    /// A quantity in `unit`, which must not exceed `target`.
    pub fn quantity(
        id: impl Into<String>,
        what: impl Into<String>,
        unit: &'static str,
        target: f64,
        of: Estimate,
    ) -> Finding {
        Finding {
            id: id.into(),
            what: what.into(),
            ratio: of.value,
            low: of.low,
            high: of.high,
            unit,
            target,
            reached: Some(of.value <= target),
            decided: true,
            ..Finding::default()
        }
    }

    /// Not measured: skipped where a contestant is missing, failed otherwise.
    pub fn not_measured(
        id: impl Into<String>,
        what: impl Into<String>,
        target: f64,
        why: &LabError,
    ) -> Finding {
        Finding {
            id: id.into(),
            what: what.into(),
            ratio: f64::NAN,
            low: f64::NAN,
            high: f64::NAN,
            unit: "x",
            target,
            failed: !matches!(why, LabError::Missing { .. }),
            remark: why.to_string(),
            ..Finding::default()
        }
    }

    /// The bound is a minimum.
    #[must_use]
    pub fn at_least(self) -> Finding {
        let reached = self.reached.map(|_| self.ratio >= self.target);
        Finding { at_least: true, reached, ..self }
    }

    /// With a remark.
    #[must_use]
    pub fn remarked(self, remark: impl Into<String>) -> Finding {
        Finding { remark: remark.into(), ..self }
    }

    /// With the runs it comes from.
    #[must_use]
    pub fn with_runs<'a>(mut self, runs: impl IntoIterator<Item = &'a Run>) -> Finding {
        self.raw.extend(runs.into_iter().filter_map(|run| serde_json::to_value(run).ok()));
        self
    }

    /// With other raw figures.
    #[must_use]
    pub fn with_raw(mut self, raw: impl IntoIterator<Item = serde_json::Value>) -> Finding {
        self.raw.extend(raw);
        self
    }

    /// Whether the target holds.
    pub fn verdict(&self) -> Verdict {
        match self.reached {
            Some(true) => Verdict::Reached,
            Some(false) => Verdict::Missed,
            None => Verdict::Skipped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(low: f64, value: f64, high: f64) -> Estimate {
        Estimate { value, low, high }
    }

    #[test]
    fn a_ratio_whose_interval_contains_one_decides_nothing() {
        assert!(!Finding::ratio("a", "b", 1.1, of(0.98, 1.03, 1.07)).decided);
        assert!(!Finding::ratio("a", "b", 1.1, of(1.0, 1.03, 1.07)).decided);
        assert!(Finding::ratio("a", "b", 1.1, of(1.01, 1.03, 1.07)).decided);
        assert!(Finding::ratio("a", "b", 1.1, of(0.90, 0.93, 0.99)).decided);
    }

    #[test]
    fn a_target_is_judged_by_the_median_in_its_direction() {
        assert_eq!(Finding::ratio("a", "b", 1.1, of(0.9, 1.1, 1.2)).verdict(), Verdict::Reached);
        assert_eq!(Finding::ratio("a", "b", 1.1, of(0.9, 1.11, 1.2)).verdict(), Verdict::Missed);
        let minimum = |value| Finding::quantity("a", "b", "GB/s", 3.0, of(1.0, value, 9.0)).at_least();
        assert_eq!(minimum(3.0).verdict(), Verdict::Reached);
        assert_eq!(minimum(2.9).verdict(), Verdict::Missed);
    }

    #[test]
    fn a_missing_program_is_skipped_and_anything_else_has_failed() {
        let missing = LabError::Missing { program: "haproxy".into(), hint: "apt-get install haproxy".into() };
        let skipped = Finding::not_measured("a", "b", 1.0, &missing);
        assert_eq!((skipped.verdict(), skipped.failed), (Verdict::Skipped, false));
        assert!(skipped.remark.contains("apt-get install haproxy"), "{}", skipped.remark);
        let failed = Finding::not_measured("a", "b", 1.0, &LabError::Failed("it broke".into()));
        assert_eq!((failed.verdict(), failed.failed), (Verdict::Skipped, true));
        // What is not a number is null for programs.
        assert!(serde_json::to_string(&failed).unwrap().contains("\"ratio\":null"));
    }
}
