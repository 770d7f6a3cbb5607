//! Steps of an open loop: one rate after the other in a single run, each judged by itself.
//!
//! A step has a rate, a length and, if it is a ramp, a start at the rate before it. What falls to which step goes by
//! when a request was *due*, so that a request that a slow responder delays into the next step is still counted
//! against the step that asked for it. Throughput alone goes by when answers came.

mod record;
mod report;

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use record::{StepRecord, StepRecords};
pub use report::{StepReport, table};

use crate::plan::{LoadPlan, Mode};

/// Most steps of a plan: each takes about 0.7 MiB of memory per generator thread.
pub const STEPS_MAX: usize = 64;
/// Longest name of a step, in characters.
pub const NAME_CHARS_MAX: usize = 32;

/// How a step gets to its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ramp {
    /// Evenly from the rate before it, over the whole step.
    Linear,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Whole-run rate in SSDUs per second; of a ramp, at its end.
    pub rate_per_s: f64,
    /// Length.
    pub duration_ms: u64,
    /// A step without one is at its rate from its beginning on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp: Option<Ramp>,
    /// Its name in reports and thresholds; its number, counted from 1, without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Step {
    /// A step at one rate.
    pub fn at(rate_per_s: f64, duration: Duration) -> Step {
        Step { rate_per_s, duration_ms: duration.as_millis() as u64, ramp: None, name: None }
    }
}

/// The rates at which a step begins and ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rates {
    pub(crate) from: f64,
    pub(crate) to: f64,
}

impl Rates {
    pub(crate) fn mean(self) -> f64 {
        (self.from + self.to) / 2.0
    }
}

impl LoadPlan {
    /// The rate of the warm-up, and of an open loop without steps, in SSDUs per second.
    pub fn first_rate(&self) -> f64 {
        match self.step.first() {
            Some(step) if self.rate_per_s <= 0.0 => step.rate_per_s,
            _ => self.rate_per_s,
        }
    }

    /// The mean rate asked for over the measured part; `None` in a closed loop.
    pub fn target_per_s(&self) -> Option<f64> {
        if self.mode == Mode::Closed {
            return None;
        }
        if self.step.is_empty() {
            return Some(self.rate_per_s);
        }
        let requests: f64 = self
            .step
            .iter()
            .zip(self.step_rates())
            .map(|(step, rates)| step.duration_ms as f64 * rates.mean())
            .sum();
        Some(requests / self.duration().as_millis() as f64)
    }

    /// Where the rate of each step begins and ends.
    pub(crate) fn step_rates(&self) -> Vec<Rates> {
        let mut before = self.first_rate();
        let rates = self.step.iter().map(|step| {
            let from = if step.ramp == Some(Ramp::Linear) { before } else { step.rate_per_s };
            before = step.rate_per_s;
            Rates { from, to: step.rate_per_s }
        });
        rates.collect()
    }

    /// The name of step `index`, counted from 0, as reports and thresholds call it.
    pub(crate) fn step_name(&self, index: usize) -> String {
        self.step[index].name.clone().unwrap_or_else(|| (index + 1).to_string())
    }

    /// Faults in the steps.
    pub(crate) fn step_faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.step.is_empty() {
            return faults;
        }
        let mut check = |good: bool, fault: String| {
            if !good {
                faults.push(fault);
            }
        };
        let count = self.step.len();
        check(count <= STEPS_MAX, format!("step: {count} steps, at most {STEPS_MAX}"));
        check(
            self.mode != Mode::Closed,
            "mode = closed: steps have rates, which need mode = \"constant\" or \"poisson\"".into(),
        );
        check(
            self.ssdus_per_session_max == 0,
            format!("ssdus_per_session_max = {}: steps end by time, so 0", self.ssdus_per_session_max),
        );
        check(
            self.step[0].ramp.is_none() || self.rate_per_s > 0.0,
            "step[1].ramp: a ramp in the first step begins at rate_per_s, which is 0".into(),
        );
        let mut names = BTreeSet::new();
        for (index, step) in self.step.iter().enumerate() {
            let number = index + 1;
            let good = step.rate_per_s > 0.0 && step.rate_per_s.is_finite();
            check(good, format!("step[{number}].rate_per_s = {}: above 0", step.rate_per_s));
            check(step.duration_ms > 0, format!("step[{number}].duration_ms = 0: at least 1"));
            let name = self.step_name(index);
            let length = name.chars().count();
            let plain = |c: char| c.is_alphanumeric() || "_-./ ".contains(c);
            check(
                (1..=NAME_CHARS_MAX).contains(&length) && name.trim() == name && name.chars().all(plain),
                format!(
                    "step[{number}].name = {name:?}: 1 to {NAME_CHARS_MAX} letters, digits, `_-./` and spaces"
                ),
            );
            check(
                names.insert(name.clone()),
                format!("step[{number}].name = {name:?}: two steps have this name"),
            );
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PlanError;

    fn plan(text: &str) -> LoadPlan {
        toml::from_str(&format!("to = [\"127.0.0.1:1\"]\n{text}")).unwrap()
    }

    fn faults(text: &str) -> Vec<String> {
        match plan(text).validate() {
            Ok(()) => Vec::new(),
            Err(PlanError::Range(faults)) => faults,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn steps_add_up_and_a_ramp_goes_on_from_the_rate_before_it() {
        let plan = plan(
            "mode = \"constant\"\n[[step]]\nrate_per_s = 100\nduration_ms = 1000\n\
             [[step]]\nrate_per_s = 300\nduration_ms = 3000\nramp = \"linear\"\nname = \"up\"\n",
        );
        plan.validate().unwrap();
        assert_eq!(plan.duration(), Duration::from_secs(4));
        assert_eq!(plan.first_rate(), 100.0);
        assert_eq!(plan.step_rates(), [Rates { from: 100.0, to: 100.0 }, Rates { from: 100.0, to: 300.0 }]);
        assert_eq!(plan.target_per_s(), Some(175.0));
        assert_eq!([plan.step_name(0), plan.step_name(1)], ["1", "up"]);
    }

    #[test]
    fn faults_name_the_step_and_its_key() {
        let step = "[[step]]\nrate_per_s = 100\nduration_ms = 1000\n";
        assert_eq!(faults(&format!("mode = \"poisson\"\n{step}")), [""; 0]);
        for (text, fault) in [
            (step.to_owned(), "mode = closed: steps"),
            (format!("mode = \"constant\"\n{step}ramp = \"linear\"\n"), "step[1].ramp: "),
            (
                format!("mode = \"constant\"\n{step}[[step]]\nrate_per_s = 0\nduration_ms = 1\n"),
                "step[2].rate_per_s = 0",
            ),
            (
                format!("mode = \"constant\"\n{step}[[step]]\nrate_per_s = 1\nduration_ms = 0\n"),
                "step[2].duration_ms = 0",
            ),
            (format!("mode = \"constant\"\n{step}{step}name = \"1\"\n"), "step[2].name = \"1\": two"),
            (
                format!("mode = \"constant\"\nssdus_per_session_max = 3\n{step}"),
                "ssdus_per_session_max = 3: steps",
            ),
            (format!("mode = \"constant\"\n{}", step.repeat(65)), "step: 65 steps"),
        ] {
            let found = faults(&text);
            assert!(found.len() == 1 && found[0].starts_with(fault), "{fault}: {found:?}");
        }
    }

    #[test]
    fn an_unknown_key_of_a_step_is_refused_with_its_line() {
        let error =
            toml::from_str::<LoadPlan>("[[step]]\nrate_per_s = 1\nduration_ms = 1\nrmap = \"linear\"\n");
        let text = error.unwrap_err().to_string();
        assert!(text.contains("line 4") && text.contains("rmap"), "{text}");
    }
}
