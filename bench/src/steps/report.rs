//! What is told of each step, and when it is not valid.

use serde::Serialize;

use super::{Rates, StepRecord};
use crate::plan::LoadPlan;
use crate::recorder::Recorder;
use crate::report::{Percentiles, RATE_SHARE_MIN};

/// The record of one step.
#[derive(Clone, Debug, Serialize)]
pub struct StepReport {
    /// Its name, or its number counted from 1.
    pub name: String,
    /// Rate asked for at its beginning, in SSDUs per second.
    pub from_per_s: f64,
    /// Rate asked for at its end.
    pub to_per_s: f64,
    /// How long it lasted, in seconds: less than planned, or 0, in a run that was stopped.
    pub measured_s: f64,
    /// Mean rate asked for.
    pub target_ssdu_per_s: f64,
    /// SSDUs answered per second while it lasted.
    pub ssdu_per_s: f64,
    /// User data answered per second while it lasted, in 10^6 octets.
    pub mb_per_s: f64,
    /// Requests due in it.
    pub due: u64,
    /// Of these, answered.
    pub answered: u64,
    /// Of these, sent and never answered.
    pub lost: u64,
    /// Of these, never sent.
    pub missed: u64,
    /// Of these, sent late by the generator.
    pub late: u64,
    /// Of these, held up by a session with no free place.
    pub waited: u64,
    /// From due to answered.
    pub response_us: Percentiles,
    /// From sent to answered.
    pub service_us: Percentiles,
    /// From due to sent, where only the generator stood between.
    pub lateness_us: Percentiles,
    /// False when something makes the numbers say less than they seem to.
    pub valid: bool,
    /// What that is.
    pub invalid_reasons: Vec<String>,
}

impl StepReport {
    /// The reports of all steps of a plan.
    pub(crate) fn all(plan: &LoadPlan, recorder: &Recorder) -> Vec<StepReport> {
        let records = recorder.steps.all().iter().zip(plan.step_rates());
        records.enumerate().map(|(index, (record, rates))| Self::of(plan, index, record, rates)).collect()
    }

    fn of(plan: &LoadPlan, index: usize, record: &StepRecord, rates: Rates) -> StepReport {
        let seconds = record.measured.as_secs_f64();
        let per_second = |count: f64| if seconds > 0.0 { count / seconds } else { 0.0 };
        let mut report = StepReport {
            name: plan.step_name(index),
            from_per_s: rates.from,
            to_per_s: rates.to,
            measured_s: seconds,
            target_ssdu_per_s: rates.mean(),
            ssdu_per_s: per_second(record.answered_within as f64),
            mb_per_s: per_second(record.octets_within as f64 / 1e6),
            due: record.due(),
            answered: record.response_ns.len(),
            lost: record.lost,
            missed: record.missed,
            late: record.late,
            waited: record.waited,
            response_us: Percentiles::of(&record.response_ns),
            service_us: Percentiles::of(&record.service_ns),
            lateness_us: Percentiles::of(&record.lateness_ns),
            valid: true,
            invalid_reasons: Vec::new(),
        };
        report.invalid_reasons = report.judge(plan, record.answered_within);
        report.valid = report.invalid_reasons.is_empty();
        report
    }

    fn judge(&self, plan: &LoadPlan, answered_within: u64) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.due == 0 {
            reasons.push("not reached".to_owned());
            return reasons;
        }
        // Little's law: what is in flight at the end of a step by right is answered in the next one. It is counted by
        // the service time, which a backlog does not lengthen.
        let in_flight = 1.0 + 2.0 * self.to_per_s * self.service_us.p50 / 1e6;
        if (answered_within as f64) < self.due as f64 * RATE_SHARE_MIN - in_flight {
            reasons.push(format!("{answered_within} SSDUs answered of {} that were due in it", self.due));
        }
        if self.lateness_us.p99 > plan.lateness_p99_us_max as f64 {
            reasons.push(format!(
                "lateness p99 of {:.0} us is above the limit of {} us",
                self.lateness_us.p99, plan.lateness_p99_us_max
            ));
        }
        reasons
    }
}

/// The steps as lines of a table for people; empty without steps.
pub fn table(steps: &[StepReport]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let width = steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0).max(4);
    let mut text = format!(
        "{:<width$}  {:>15}{:>9}  {:>9}{:>9}{:>9}{:>10}{:>10}{:>10}\n",
        "step", "asked for/s", "SSDU/s", "p50 us", "p90", "p99", "p99.9", "service99", "own late"
    );
    for step in steps {
        let rate = if step.from_per_s == step.to_per_s {
            format!("{:.0}", step.to_per_s)
        } else {
            format!("{:.0}-{:.0}", step.from_per_s, step.to_per_s)
        };
        let p = &step.response_us;
        let reasons = step.invalid_reasons.join(", ");
        let verdict = if step.valid { String::new() } else { format!("  NOT VALID: {reasons}") };
        text.push_str(&format!(
            "{:<width$}  {rate:>15}{:>9.0}  {:>9.0}{:>9.0}{:>9.0}{:>10.0}{:>10.0}{:>10.0}{verdict}\n",
            step.name,
            step.ssdu_per_s,
            p.p50,
            p.p90,
            p.p99,
            p.p999,
            step.service_us.p99,
            step.lateness_us.p99
        ));
    }
    text
}
