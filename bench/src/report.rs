//! The record of a run: numbers, the verdict on them, and the files they are kept in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::time::{Duration, SystemTime};

use colloquy_shard::Tally;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::environment::Environment;
use crate::hdr::{self, Intervals, LOG_FILE, TIMELINE_FILE};
use crate::mix::Mix;
use crate::omission;
use crate::operation::Operation;
use crate::plan::{Check, Dialogue, LoadPlan};
use crate::recorder::{Counts, Recorder};
use crate::steps::{self, StepReport};
use crate::thresholds::{self, ThresholdResult};

/// Version of the record's form.
pub const SCHEMA_VERSION: u32 = 1;
/// Share of its cores' time above which the generator itself limits what is measured.
pub const CPU_SHARE_MAX: f64 = 0.85;
/// Share of the target rate that an open loop must reach.
pub const RATE_SHARE_MIN: f64 = 0.99;

/// Percentiles of one histogram, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Values recorded.
    pub count: u64,
    /// Mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// 99.99th percentile.
    pub p9999: f64,
    /// Maximum.
    pub max: f64,
}

impl Percentiles {
    /// The percentiles of a histogram of nanoseconds; zeros when it is empty.
    pub fn of(histogram_ns: &Histogram<u64>) -> Percentiles {
        if histogram_ns.is_empty() {
            return Percentiles::default();
        }
        let us = |ns: u64| ns as f64 / 1000.0;
        Percentiles {
            count: histogram_ns.len(),
            mean: histogram_ns.mean() / 1000.0,
            p50: us(histogram_ns.value_at_quantile(0.5)),
            p90: us(histogram_ns.value_at_quantile(0.9)),
            p99: us(histogram_ns.value_at_quantile(0.99)),
            p999: us(histogram_ns.value_at_quantile(0.999)),
            p9999: us(histogram_ns.value_at_quantile(0.9999)),
            max: us(histogram_ns.max()),
        }
    }
}

/// What became of the operations of one kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct OperationReport {
    /// Requested, in all.
    pub begun: u64,
    /// Answered; of those that nothing answers, sent.
    pub completed: u64,
    /// Answered wrongly, or refused by the machine here.
    pub errors: u64,
    /// Never answered.
    pub lost: u64,
    /// Ended by a resynchronization, interrupt, discard or exception report, as the plan means it.
    pub purged: u64,
    /// From request to answer, of those begun in the measured part; connect and release: of all.
    pub service_us: Percentiles,
}

/// What the generator itself needed.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Own {
    /// Processor time of its threads per SSDU sent, in microseconds.
    pub cpu_us_per_ssdu: f64,
    /// Share of its core that the busiest thread used.
    pub cpu_share_max: f64,
    /// Share of its core that each thread used.
    pub cpu_share_by_thread: Vec<f64>,
    /// System calls of its drivers per SSDU sent.
    pub system_calls_per_ssdu: f64,
    /// TSDUs sent per SSDU sent, those of all operations included.
    pub tsdus_per_ssdu: f64,
    /// Lateness in an open loop; all zero in a closed one.
    pub lateness_us: Percentiles,
    /// Share of all processor time that the hypervisor gave to others during the run.
    pub steal_share: Option<f64>,
}

/// The record of one run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// When it began, RFC 3339 in UTC.
    pub began_at: String,
    /// Where.
    pub environment: Environment,
    /// What was asked for.
    pub plan: LoadPlan,
    /// The generator's driver: `io_uring` or `mio`.
    pub driver: String,
    /// Why this driver.
    pub driver_reason: String,
    /// Length of the measured part in seconds.
    pub measured_s: f64,
    /// Rate asked for, in SSDUs per second; absent in a closed loop.
    pub target_ssdu_per_s: Option<f64>,
    /// SSDUs answered per second.
    pub ssdu_per_s: f64,
    /// User data answered per second, in 10^6 octets.
    pub mb_per_s: f64,
    /// Counts.
    pub counts: Counts,
    /// Ends and refusals by class.
    pub errors: BTreeMap<String, u64>,
    /// From due to answered.
    pub response_us: Percentiles,
    /// The same of a closed loop, corrected for coordinated omission: long times stand for what was not asked meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected_us: Option<Percentiles>,
    /// From sent to answered.
    pub service_us: Percentiles,
    /// From opening the network connection to the S-CONNECT confirm.
    pub connect_us: Percentiles,
    /// Each step of the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    /// Each threshold of the plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdResult>,
    /// Every kind of operation that happened, by its name ([`Operation::name`]).
    pub operations: BTreeMap<&'static str, OperationReport>,
    /// The generator's own part.
    pub generator: Own,
    /// False when something makes the numbers say less than they seem to.
    pub valid: bool,
    /// What that is.
    pub invalid_reasons: Vec<String>,
    /// What a reader must know beside.
    pub notes: Vec<String>,
    /// Length of the intervals of `intervals.hlog` and `timeline.csv`, in seconds.
    pub interval_s: f64,
    /// Latencies by interval.
    #[serde(skip)]
    pub intervals: Intervals,
    /// The histograms behind the percentiles.
    #[serde(skip)]
    pub recorder: Recorder,
}

/// What the report is made from, beside the merged records of the threads.
pub(crate) struct RunFacts {
    pub(crate) began_at: String,
    pub(crate) environment: Environment,
    pub(crate) driver: String,
    pub(crate) driver_reason: String,
    /// What the shards of the generator have counted.
    pub(crate) tally: Tally,
    pub(crate) elapsed: Duration,
    pub(crate) clock_step: Duration,
    pub(crate) interrupted: bool,
    pub(crate) intervals: Intervals,
}

#[cfg(test)]
impl RunFacts {
    /// Those of a run that took place in a test's head.
    pub(crate) fn of_test(environment: Environment) -> RunFacts {
        RunFacts {
            began_at: String::new(),
            environment,
            driver: "none".into(),
            driver_reason: String::new(),
            tally: Tally::default(),
            elapsed: Duration::ZERO,
            clock_step: Duration::ZERO,
            interrupted: false,
            intervals: Intervals::default(),
        }
    }
}

impl Report {
    pub(crate) fn new(plan: LoadPlan, recorder: Recorder, facts: RunFacts) -> Report {
        let seconds = recorder.measured.as_secs_f64();
        let per_second = |count: f64| if seconds > 0.0 { count / seconds } else { 0.0 };
        let counts = recorder.counts;
        let cpu: Duration = recorder.cpu.iter().sum();
        let busiest = recorder.cpu.iter().max().copied().unwrap_or_default().as_secs_f64();
        let per = |value: f64, count: u64| if count > 0 { value / count as f64 } else { 0.0 };
        let generator = Own {
            cpu_us_per_ssdu: per(cpu.as_secs_f64() * 1e6, counts.sent_in_window),
            cpu_share_max: per_second(busiest),
            cpu_share_by_thread: recorder.cpu.iter().map(|cpu| per_second(cpu.as_secs_f64())).collect(),
            system_calls_per_ssdu: per(facts.tally.system_calls as f64, counts.sent),
            tsdus_per_ssdu: per(facts.tally.tsdus_out as f64, counts.sent),
            lateness_us: Percentiles::of(&recorder.lateness_ns),
            steal_share: steal_share(&facts.environment, facts.elapsed),
        };
        let mut report = Report {
            schema_version: SCHEMA_VERSION,
            began_at: facts.began_at,
            environment: facts.environment,
            driver: facts.driver,
            driver_reason: facts.driver_reason,
            measured_s: seconds,
            target_ssdu_per_s: plan.target_per_s(),
            ssdu_per_s: per_second(counts.answered_in_window as f64),
            mb_per_s: per_second(counts.octets_in_window as f64 / 1e6),
            counts,
            errors: recorder.errors.clone(),
            response_us: Percentiles::of(&recorder.response_ns),
            corrected_us: plan
                .target_per_s()
                .map_or_else(|| omission::corrected(&recorder.response_ns), |_| None),
            service_us: Percentiles::of(&recorder.service_ns),
            connect_us: Percentiles::of(&recorder.connect_ns),
            steps: StepReport::all(&plan, &recorder),
            thresholds: Vec::new(),
            operations: operations_of(&recorder),
            generator,
            valid: true,
            invalid_reasons: Vec::new(),
            notes: Vec::new(),
            interval_s: facts.intervals.length().as_secs_f64(),
            intervals: facts.intervals,
            plan,
            recorder,
        };
        report.invalid_reasons = report.judge(facts.clock_step, facts.interrupted);
        report.valid = report.invalid_reasons.is_empty();
        let corrected = report.corrected_us.as_ref();
        report.notes.extend(corrected.and_then(|corrected| omission::note(&report.response_us, corrected)));
        report.thresholds = report.plan.thresholds.iter().map(|threshold| threshold.judge(&report)).collect();
        report
    }

    /// True when nothing was lost, changed or reordered and no session failed.
    pub fn is_clean(&self) -> bool {
        let counts = &self.counts;
        [
            counts.failed,
            counts.ended_early,
            counts.lost,
            counts.reordered,
            counts.corrupted,
            counts.unexpected,
        ] == [0; 6]
            && self.errors.is_empty()
            && self.operations.values().all(|operation| operation.errors + operation.lost == 0)
            && counts.established >= counts.sessions
            && counts.released + counts.aborted == counts.established
    }

    /// Errors of all classes, and SSDUs that came back changed, out of turn or unasked for.
    pub fn errors_count(&self) -> u64 {
        let counts = &self.counts;
        self.errors.values().sum::<u64>() + counts.reordered + counts.corrupted + counts.unexpected
    }

    fn judge(&self, clock_step: Duration, interrupted: bool) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut say = |wrong: bool, reason: String| {
            if wrong {
                reasons.push(reason);
            }
        };
        let counts = &self.counts;
        say(interrupted, "the run was stopped before its time".into());
        say(counts.measured == 0, "nothing was measured".into());
        say(
            self.generator.cpu_share_max > CPU_SHARE_MAX,
            format!(
                "the generator used {:.0} % of a core (limit {:.0} %): it may be what limits the rate",
                self.generator.cpu_share_max * 100.0,
                CPU_SHARE_MAX * 100.0
            ),
        );
        if let Some(target) = self.target_ssdu_per_s.filter(|_| self.plan.ssdus_per_session_max == 0) {
            say(
                self.ssdu_per_s < target * RATE_SHARE_MIN,
                format!(
                    "{:.0} SSDU/s reached of {target:.0} asked for (limit {:.0} %)",
                    self.ssdu_per_s,
                    RATE_SHARE_MIN * 100.0
                ),
            );
        }
        say(
            self.generator.lateness_us.p99 > self.plan.lateness_p99_us_max as f64,
            format!(
                "lateness p99 of {:.0} us is above the limit of {} us",
                self.generator.lateness_us.p99, self.plan.lateness_p99_us_max
            ),
        );
        say(counts.failed > 0, format!("{} sessions could not be established", counts.failed));
        say(counts.ended_early > 0, format!("{} sessions ended before their time", counts.ended_early));
        say(counts.lost > 0, format!("{} SSDUs were lost", counts.lost));
        say(counts.reordered > 0, format!("{} SSDUs came back out of order", counts.reordered));
        say(counts.corrupted > 0, format!("{} SSDUs came back changed", counts.corrupted));
        say(counts.unexpected > 0, format!("{} SSDUs came that were not asked for", counts.unexpected));
        for (name, operation) in &self.operations {
            let OperationReport { errors, lost, .. } = operation;
            say(*errors > 0 && *name != "data", format!("{errors} x {name} went wrong"));
            say(*lost > 0 && *name != "data", format!("{lost} x {name} without an answer"));
        }
        for step in &self.steps {
            step.invalid_reasons.iter().for_each(|reason| say(true, format!("step {}: {reason}", step.name)));
        }
        say(
            clock_step > Duration::from_millis(200),
            format!("the clock was set by {} ms during the run", clock_step.as_millis()),
        );
        say(!self.environment.optimized, "not a release build".into());
        reasons
    }

    /// Writes into `folder`: `result.json`, the histograms (`.hgrm` as text, `.hdr` in the V2 form), the intervals
    /// (`intervals.hlog` and `timeline.csv`).
    ///
    /// # Errors
    /// What the system says.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut json = serde_json::to_vec_pretty(self)?;
        json.push(b'\n');
        std::fs::write(folder.join("result.json"), json)?;
        let recorder = &self.recorder;
        let create = |name: String| Ok::<_, io::Error>(BufWriter::new(File::create(folder.join(name))?));
        let own = [
            ("response", &recorder.response_ns),
            ("service", &recorder.service_ns),
            ("lateness", &recorder.lateness_ns),
            ("connect", &recorder.connect_ns),
        ];
        let operations = Operation::ALL.into_iter().filter_map(|operation| {
            Some((operation.name(), recorder.operations.of(operation).latency_ns.as_deref()?))
        });
        for (name, histogram) in own.into_iter().chain(operations) {
            if histogram.is_empty() {
                continue;
            }
            hdr::write_hgrm(histogram, &mut create(format!("{name}.hgrm"))?)?;
            hdr::write_hdr(histogram, &mut create(format!("{name}.hdr"))?)?;
        }
        let began_at = recorder.rolling.began_at().unwrap_or(SystemTime::UNIX_EPOCH);
        hdr::write_log(&self.intervals, began_at, recorder.measured, &mut create(LOG_FILE.into())?)?;
        hdr::write_timeline(&self.intervals, recorder.measured, &mut create(TIMELINE_FILE.into())?)
    }

    /// Operations whose latency is not in the table anyway, in the order of [`Operation::ALL`].
    fn operations_beside(&self) -> impl Iterator<Item = (&'static str, &OperationReport)> {
        let plain = self.plan.mix == Mix::default() && self.plan.dialogue == Dialogue::Duplex;
        let in_table = move |operation: &Operation| {
            matches!(operation, Operation::Connect | Operation::Data)
                || (plain && *operation == Operation::Release)
        };
        Operation::ALL
            .into_iter()
            .filter(move |operation| !in_table(operation))
            .filter_map(|operation| Some((operation.name(), self.operations.get(operation.name())?)))
    }

    /// The result as a table for people.
    pub fn table(&self) -> String {
        let mut text = String::new();
        let counts = &self.counts;
        let mut row = |name: &str, value: String| {
            text.push_str(&format!("{name:<18}{value}\n"));
        };
        if self.plan.mix.churns() {
            let (sessions, established) = (counts.sessions, counts.established);
            row("sessions", format!("{sessions} at a time, {established} established one after another"));
        } else {
            row("sessions", format!("{} of {} established", counts.established, counts.sessions));
        }
        let target = self.target_ssdu_per_s.map_or(String::new(), |rate| format!(" of {rate:.0} asked for"));
        row("SSDU/s", format!("{:.0}{target}", self.ssdu_per_s));
        row("MB/s", format!("{:.1} each way", self.mb_per_s));
        row("latency in us", format!("{:>9}{:>9}{:>9}{:>9}{:>10}", "p50", "p90", "p99", "p99.9", "max"));
        row("  response", times(&self.response_us));
        row("  service", times(&self.service_us));
        row("  connect", times(&self.connect_us));
        if self.target_ssdu_per_s.is_some() {
            row("  own lateness", times(&self.generator.lateness_us));
            row(
                "open loop",
                format!("{} late, {} waited, {} missed", counts.late, counts.waited, counts.missed),
            );
        }
        for (name, operation) in self.operations_beside() {
            row(&format!("  {name}"), format!("{}  {}", times(&operation.service_us), operation.tally()));
        }
        let checked = if self.plan.check == Check::Echo { "" } else { " (content not checked)" };
        row(
            "SSDUs",
            format!(
                "{} sent, {} answered, {} lost, {} out of order, {} changed{checked}",
                counts.sent, counts.answered, counts.lost, counts.reordered, counts.corrupted
            ),
        );
        if counts.purged + counts.points_left_out > 0 {
            let (purged, left_out) = (counts.purged, counts.points_left_out);
            row(
                "on purpose",
                format!("{purged} SSDUs purged, {left_out} points left out for want of numbers"),
            );
        }
        for (class, count) in &self.errors {
            row("error", format!("{count} x {class}"));
        }
        row(
            "generator",
            format!(
                "{:.2} CPU us, {:.3} system calls and {:.2} TSDUs per SSDU, {:.0} % of a core",
                self.generator.cpu_us_per_ssdu,
                self.generator.system_calls_per_ssdu,
                self.generator.tsdus_per_ssdu,
                self.generator.cpu_share_max * 100.0
            ),
        );
        row("driver", format!("{}: {}", self.driver, self.driver_reason));
        if self.valid {
            row("valid", "yes".into());
        }
        for reason in &self.invalid_reasons {
            row("NOT VALID", reason.clone());
        }
        for note in &self.notes {
            row("note", note.clone());
        }
        text.push_str(&steps::table(&self.steps));
        text.push_str(&thresholds::table(&self.thresholds));
        text
    }
}

impl OperationReport {
    /// The counts, those that are not zero beside the first.
    fn tally(&self) -> String {
        let mut text = format!("{} done", self.completed);
        let open = self.begun.saturating_sub(self.completed + self.lost + self.purged);
        for (count, name) in
            [(self.errors, "wrong"), (self.lost, "lost"), (self.purged, "purged"), (open, "unconfirmed")]
        {
            if count > 0 {
                text.push_str(&format!(", {count} {name}"));
            }
        }
        text
    }
}

/// Percentiles as columns of the table.
fn times(p: &Percentiles) -> String {
    if p.count == 0 {
        return format!("{:>9}{:>9}{:>9}{:>9}{:>10}", "-", "-", "-", "-", "-");
    }
    format!("{:>9.0}{:>9.0}{:>9.0}{:>9.0}{:>10.0}", p.p50, p.p90, p.p99, p.p999, p.max)
}

fn operations_of(recorder: &Recorder) -> BTreeMap<&'static str, OperationReport> {
    let counts = &recorder.counts;
    let report = |operation: Operation| match operation {
        Operation::Connect => OperationReport {
            begun: counts.established + counts.failed,
            completed: counts.established,
            errors: counts.failed,
            service_us: Percentiles::of(&recorder.connect_ns),
            ..OperationReport::default()
        },
        Operation::Data => OperationReport {
            begun: counts.sent,
            completed: counts.answered,
            errors: recorder.operations.of(operation).errors + counts.reordered + counts.corrupted,
            lost: counts.lost,
            purged: counts.purged,
            service_us: Percentiles::of(&recorder.service_ns),
        },
        _ => {
            let record = recorder.operations.of(operation);
            let latency = record.latency_ns.as_deref();
            OperationReport {
                begun: record.begun,
                completed: record.completed,
                errors: record.errors,
                lost: record.lost,
                purged: record.purged,
                service_us: latency.map(Percentiles::of).unwrap_or_default(),
            }
        }
    };
    let reports = Operation::ALL.into_iter().map(|operation| (operation.name(), report(operation)));
    reports.filter(|(_, report)| report.begun + report.completed + report.errors > 0).collect()
}

fn steal_share(environment: &Environment, elapsed: Duration) -> Option<f64> {
    /// Ticks a second in `/proc/stat` on every Linux of interest.
    const TICKS_PER_S: f64 = 100.0;
    let ticks = crate::environment::steal_ticks()?.saturating_sub(environment.steal_ticks?);
    let all = elapsed.as_secs_f64() * TICKS_PER_S * environment.cores as f64;
    (all > 0.0).then(|| ticks as f64 / all)
}
