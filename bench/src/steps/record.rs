//! What one generator thread records of each step.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::plan::LoadPlan;
use crate::recorder::histogram;

/// The record of one step on one thread, or on several merged.
#[derive(Clone, Debug)]
pub struct StepRecord {
    /// From due to answered, of requests due in the step.
    pub response_ns: Histogram<u64>,
    /// From sent to answered, of the same requests.
    pub service_ns: Histogram<u64>,
    /// From due to sent, of those where only the generator stood between.
    pub lateness_ns: Histogram<u64>,
    /// Requests due in the step that were sent, whenever that was.
    pub sent: u64,
    /// Requests due in the step that were never sent.
    pub missed: u64,
    /// Requests due in the step that were sent and never answered.
    pub lost: u64,
    /// Requests due in the step that the generator sent late.
    pub late: u64,
    /// Requests due in the step that waited for a free place in their session.
    pub waited: u64,
    /// SSDUs answered while the step lasted, whenever they were due.
    pub answered_within: u64,
    /// Octets of them.
    pub octets_within: u64,
    /// How long the step lasted: less than planned in a run that was stopped.
    pub measured: Duration,
}

impl StepRecord {
    fn new() -> StepRecord {
        StepRecord {
            response_ns: histogram(),
            service_ns: histogram(),
            lateness_ns: histogram(),
            sent: 0,
            missed: 0,
            lost: 0,
            late: 0,
            waited: 0,
            answered_within: 0,
            octets_within: 0,
            measured: Duration::ZERO,
        }
    }

    /// Requests that were due in the step.
    pub fn due(&self) -> u64 {
        self.sent + self.missed
    }

    fn merge(&mut self, other: &StepRecord) {
        for (mine, theirs) in [
            (&mut self.response_ns, &other.response_ns),
            (&mut self.service_ns, &other.service_ns),
            (&mut self.lateness_ns, &other.lateness_ns),
        ] {
            mine.add(theirs).expect("all histograms have the same bounds");
        }
        self.sent += other.sent;
        self.missed += other.missed;
        self.lost += other.lost;
        self.late += other.late;
        self.waited += other.waited;
        self.answered_within += other.answered_within;
        self.octets_within += other.octets_within;
        self.measured = self.measured.max(other.measured);
    }
}

/// The records of all steps of a plan; empty where it has none.
#[derive(Clone, Debug, Default)]
pub struct StepRecords {
    records: Vec<StepRecord>,
    /// Ends of the steps, counted from the beginning of the first.
    ends: Vec<Duration>,
    /// When the first begins, on the clock of the thread.
    begin: Duration,
}

impl StepRecords {
    /// Takes the memory for the steps of a plan, so that recording never does.
    pub fn of(plan: &LoadPlan) -> StepRecords {
        let mut end = Duration::ZERO;
        let ends = plan.step.iter().map(|step| {
            end += Duration::from_millis(step.duration_ms);
            end
        });
        StepRecords {
            ends: ends.collect(),
            records: plan.step.iter().map(|_| StepRecord::new()).collect(),
            begin: Duration::ZERO,
        }
    }

    /// The records, in the order of the plan.
    pub fn all(&self) -> &[StepRecord] {
        &self.records
    }

    /// Says when the first step begins.
    pub(crate) fn begin(&mut self, at: Duration) {
        self.begin = at;
    }

    /// The record of the step that `at` falls into.
    pub(crate) fn at(&mut self, at: Duration) -> Option<&mut StepRecord> {
        if self.records.is_empty() {
            return None;
        }
        let since = at.checked_sub(self.begin)?;
        let index = self.ends.partition_point(|end| *end <= since);
        self.records.get_mut(index)
    }

    /// Notes how far the steps got when the measured part ended.
    pub(crate) fn end(&mut self, at: Duration) {
        let measured = at.saturating_sub(self.begin);
        let mut begin = Duration::ZERO;
        for (record, end) in self.records.iter_mut().zip(&self.ends) {
            record.measured = measured.min(*end).saturating_sub(begin);
            begin = *end;
        }
    }

    /// Adds what another thread recorded.
    pub(crate) fn merge(&mut self, other: &StepRecords) {
        if self.records.is_empty() {
            self.clone_from(other);
            return;
        }
        self.records.iter_mut().zip(&other.records).for_each(|(mine, theirs)| mine.merge(theirs));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::Step;

    fn records() -> StepRecords {
        let step = |seconds| Step::at(1.0, Duration::from_secs(seconds));
        let mut records =
            StepRecords::of(&LoadPlan { step: vec![step(1), step(2), step(1)], ..LoadPlan::default() });
        records.begin(Duration::from_secs(10));
        records
    }

    #[test]
    fn a_time_falls_into_the_step_that_lasts_then() {
        let mut records = records();
        for ms in [9_999, 10_000, 10_999, 11_000, 12_999, 13_000, 13_999, 14_000] {
            if let Some(record) = records.at(Duration::from_millis(ms)) {
                record.sent += 1;
            }
        }
        let sent: Vec<u64> = records.all().iter().map(|record| record.sent).collect();
        assert_eq!(sent, [2, 2, 2], "those before the first and behind the last fall into none");
        assert!(StepRecords::default().at(Duration::ZERO).is_none());
    }

    #[test]
    fn a_run_that_is_stopped_ends_in_a_step() {
        let mut records = records();
        records.end(Duration::from_millis(12_500));
        let measured: Vec<u128> = records.all().iter().map(|record| record.measured.as_millis()).collect();
        assert_eq!(measured, [1000, 1500, 0]);
    }

    #[test]
    fn merging_adds_step_by_step() {
        let (mut one, mut two) = (records(), records());
        two.at(Duration::from_secs(11)).unwrap().missed = 3;
        two.at(Duration::from_secs(11)).unwrap().response_ns.saturating_record(5);
        one.merge(&two);
        one.merge(&two);
        let mut merged = StepRecords::default();
        merged.merge(&one);
        let missed: Vec<u64> = merged.all().iter().map(|record| record.missed).collect();
        assert_eq!(missed, [0, 6, 0]);
        assert_eq!(merged.all()[1].response_ns.len(), 2);
    }
}
