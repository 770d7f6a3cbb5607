//! The metrics that a threshold may name.

use std::fmt;
use std::str::FromStr;

use hdrhistogram::Histogram;

use crate::operation::Operation;
use crate::report::Report;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Metric {
    /// A statistic of a latency, in a unit: `p99_response_ms`.
    Latency(Statistic, Subject, Unit),
    /// A number of the run: `ssdu_per_s`.
    Scalar(Scalar),
    /// How many operations of a kind came to this: `minor_sync_completed`.
    Tally(Operation, Outcome),
}

/// A statistic of a latency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// The percentile of this number, above 0 and below 100.
    Percentile(f64),
    /// The shortest.
    Min,
    /// The mean.
    Mean,
    /// The longest.
    Max,
}

/// Whose latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// From due to answered.
    Response,
    /// From sent to answered.
    Service,
    /// From due to sent, where only the generator stood between.
    Lateness,
    /// An operation, from request to answer.
    Operation(Operation),
}

/// The unit of a latency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

/// What operations of a kind came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered.
    Completed,
    /// Answered wrongly.
    Errors,
    /// Never answered.
    Lost,
}

/// A number of the run; `SCALARS` tells what each is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    SsduPerS,
    MbPerS,
    RateShare,
    Errors,
    Lost,
    Missed,
    Late,
    Waited,
    Sent,
    Answered,
    Established,
    Failed,
    EndedEarly,
    Reordered,
    Corrupted,
    Unexpected,
    InvalidReasons,
    CpuShare,
    CpuUsPerSsdu,
    SystemCallsPerSsdu,
    TsdusPerSsdu,
}

/// Every number of the run: its name, whether steps have it too, and what it is.
pub(super) const SCALARS: [(&str, Scalar, bool, &str); 21] = [
    ("ssdu_per_s", Scalar::SsduPerS, true, "SSDUs answered per second"),
    ("mb_per_s", Scalar::MbPerS, true, "user data answered per second, in 10^6 octets"),
    ("rate_share", Scalar::RateShare, true, "ssdu_per_s as a share of the rate asked for (open loop)"),
    (
        "errors",
        Scalar::Errors,
        false,
        "errors of all classes, with changed, reordered and unasked-for answers",
    ),
    ("lost", Scalar::Lost, true, "SSDUs sent and never answered"),
    ("missed", Scalar::Missed, true, "requests due and never sent (open loop)"),
    ("late", Scalar::Late, true, "requests that the generator sent late (open loop)"),
    ("waited", Scalar::Waited, true, "requests that waited for a free place in their session (open loop)"),
    ("sent", Scalar::Sent, true, "SSDUs sent, of the run with its warm-up"),
    ("answered", Scalar::Answered, true, "SSDUs answered, of the run with its warm-up"),
    ("established", Scalar::Established, false, "sessions that reached the data phase"),
    ("failed", Scalar::Failed, false, "sessions that never did"),
    ("ended_early", Scalar::EndedEarly, false, "sessions that ended before their time"),
    ("reordered", Scalar::Reordered, false, "answers out of turn"),
    ("corrupted", Scalar::Corrupted, false, "answers whose content was changed"),
    ("unexpected", Scalar::Unexpected, false, "SSDUs that nothing asked for"),
    ("invalid_reasons", Scalar::InvalidReasons, true, "reasons why the run is not valid"),
    (
        "cpu_share",
        Scalar::CpuShare,
        false,
        "share of its core that the busiest generator thread used, 0 to 1",
    ),
    ("cpu_us_per_ssdu", Scalar::CpuUsPerSsdu, false, "processor time of the generator per SSDU"),
    ("system_calls_per_ssdu", Scalar::SystemCallsPerSsdu, false, "system calls of the generator per SSDU"),
    ("tsdus_per_ssdu", Scalar::TsdusPerSsdu, false, "TSDUs sent per SSDU"),
];

const OUTCOMES: [(&str, Outcome); 3] =
    [("completed", Outcome::Completed), ("errors", Outcome::Errors), ("lost", Outcome::Lost)];

const UNITS: [(&str, Unit, f64); 3] = [("us", Unit::Us, 1e3), ("ms", Unit::Ms, 1e6), ("s", Unit::S, 1e9)];

/// All metrics for people, each on a line.
pub fn metrics_text() -> String {
    let operations: Vec<&str> = Operation::ALL.into_iter().map(Operation::name).collect();
    let mut text = format!(
        "Metrics of thresholds:\n  \
         STATISTIC_LATENCY_UNIT, as in p99_response_ms\n    \
         statistic: p50, p90, p99, p99.9 or any other percentile; min, mean, max\n    \
         latency:   response, service, lateness, or of an operation:\n               {}\n               {}\n    \
         unit:      us, ms, s\n  \
         OPERATION_OUTCOME, as in minor_sync_lost: completed, errors, lost\n",
        operations[..9].join(", "),
        operations[9..].join(", "),
    );
    for (name, _, of_steps, what) in SCALARS {
        let mark = if of_steps { "" } else { "; not by step" };
        text.push_str(&format!("  {name:<22} {what}{mark}\n"));
    }
    text
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let scalar = SCALARS.into_iter().find(|(known, ..)| *known == name);
        scalar
            .map(|(_, scalar, ..)| Metric::Scalar(scalar))
            .or_else(|| latency(name))
            .or_else(|| tally(name))
            .ok_or_else(|| format!("no metric `{name}`.\n{}", metrics_text()))
    }
}

/// `p99_response_ms`, or the other way round `response_p99_ms`.
fn latency(name: &str) -> Option<Metric> {
    let (rest, unit) = name.rsplit_once('_')?;
    let (_, unit, _) = UNITS.into_iter().find(|(known, ..)| *known == unit)?;
    let forward = rest.split_once('_').and_then(|(first, last)| Some((statistic(first)?, subject(last)?)));
    let backward =
        || rest.rsplit_once('_').and_then(|(first, last)| Some((statistic(last)?, subject(first)?)));
    let (statistic, subject) = forward.or_else(backward)?;
    Some(Metric::Latency(statistic, subject, unit))
}

fn statistic(name: &str) -> Option<Statistic> {
    match name {
        "min" => Some(Statistic::Min),
        "mean" => Some(Statistic::Mean),
        "max" => Some(Statistic::Max),
        _ => {
            let number =
                name.strip_prefix('p').filter(|number| number.starts_with(|c: char| c.is_ascii_digit()))?;
            let percentile: f64 = number.parse().ok()?;
            (percentile > 0.0 && percentile < 100.0).then_some(Statistic::Percentile(percentile))
        }
    }
}

fn subject(name: &str) -> Option<Subject> {
    match name {
        "response" => Some(Subject::Response),
        "service" => Some(Subject::Service),
        "lateness" => Some(Subject::Lateness),
        _ => operation(name).filter(|operation| !operation.is_unanswered()).map(Subject::Operation),
    }
}

fn operation(name: &str) -> Option<Operation> {
    Operation::ALL.into_iter().find(|operation| operation.name() == name)
}

fn tally(name: &str) -> Option<Metric> {
    let (kind, outcome) = name.rsplit_once('_')?;
    let (_, outcome) = OUTCOMES.into_iter().find(|(known, _)| *known == outcome)?;
    Some(Metric::Tally(operation(kind)?, outcome))
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Metric::Latency(statistic, subject, unit) => {
                match statistic {
                    Statistic::Percentile(number) => write!(f, "p{number}_")?,
                    Statistic::Min => f.write_str("min_")?,
                    Statistic::Mean => f.write_str("mean_")?,
                    Statistic::Max => f.write_str("max_")?,
                }
                f.write_str(match subject {
                    Subject::Response => "response",
                    Subject::Service => "service",
                    Subject::Lateness => "lateness",
                    Subject::Operation(operation) => operation.name(),
                })?;
                let name = UNITS.iter().find(|(_, known, _)| known == unit).map_or("", |(name, ..)| name);
                write!(f, "_{name}")
            }
            Metric::Scalar(scalar) => f.write_str(
                SCALARS.iter().find(|(_, known, ..)| known == scalar).map_or("", |(name, ..)| name),
            ),
            Metric::Tally(operation, outcome) => {
                let name = OUTCOMES.iter().find(|(_, known)| known == outcome).map_or("", |(name, _)| name);
                write!(f, "{}_{name}", operation.name())
            }
        }
    }
}

impl Statistic {
    fn of(self, histogram: &Histogram<u64>) -> Option<f64> {
        if histogram.is_empty() {
            return None;
        }
        Some(match self {
            Statistic::Percentile(number) => histogram.value_at_percentile(number) as f64,
            Statistic::Min => histogram.min() as f64,
            Statistic::Mean => histogram.mean(),
            Statistic::Max => histogram.max() as f64,
        })
    }
}

impl Unit {
    fn of_ns(self, ns: f64) -> f64 {
        UNITS.iter().find(|(_, unit, _)| *unit == self).map_or(ns, |(_, _, size)| ns / size)
    }
}

impl Metric {
    /// True when it is measured by step too.
    pub fn is_of_steps(self) -> bool {
        match self {
            Metric::Latency(_, subject, _) => !matches!(subject, Subject::Operation(_)),
            Metric::Scalar(scalar) => {
                SCALARS.iter().any(|(_, known, of_steps, _)| *known == scalar && *of_steps)
            }
            Metric::Tally(..) => false,
        }
    }

    /// Its value over the whole run; `None` when nothing was measured.
    pub fn of_run(self, report: &Report) -> Option<f64> {
        let recorder = &report.recorder;
        match self {
            Metric::Latency(statistic, subject, unit) => {
                let histogram = match subject {
                    Subject::Response => &recorder.response_ns,
                    Subject::Service | Subject::Operation(Operation::Data) => &recorder.service_ns,
                    Subject::Lateness => &recorder.lateness_ns,
                    Subject::Operation(Operation::Connect) => &recorder.connect_ns,
                    Subject::Operation(operation) => {
                        recorder.operations.of(operation).latency_ns.as_deref()?
                    }
                };
                statistic.of(histogram).map(|ns| unit.of_ns(ns))
            }
            Metric::Scalar(scalar) => scalar.of_run(report),
            Metric::Tally(operation, outcome) => {
                let happened = report.operations.get(operation.name());
                Some(happened.map_or(0, |operation| match outcome {
                    Outcome::Completed => operation.completed,
                    Outcome::Errors => operation.errors,
                    Outcome::Lost => operation.lost,
                }) as f64)
            }
        }
    }

    /// Its value in a step, counted from 0; `None` when nothing was measured.
    pub fn of_step(self, report: &Report, index: usize) -> Option<f64> {
        let record = report.recorder.steps.all().get(index)?;
        let step = report.steps.get(index).filter(|step| step.due > 0)?;
        let count = |count: u64| Some(count as f64);
        match self {
            Metric::Latency(statistic, subject, unit) => {
                let histogram = match subject {
                    Subject::Response => &record.response_ns,
                    Subject::Service => &record.service_ns,
                    Subject::Lateness => &record.lateness_ns,
                    Subject::Operation(_) => return None,
                };
                statistic.of(histogram).map(|ns| unit.of_ns(ns))
            }
            Metric::Scalar(Scalar::SsduPerS) => Some(step.ssdu_per_s),
            Metric::Scalar(Scalar::MbPerS) => Some(step.mb_per_s),
            Metric::Scalar(Scalar::RateShare) => Some(step.ssdu_per_s / step.target_ssdu_per_s),
            Metric::Scalar(Scalar::Lost) => count(step.lost),
            Metric::Scalar(Scalar::Missed) => count(step.missed),
            Metric::Scalar(Scalar::Late) => count(step.late),
            Metric::Scalar(Scalar::Waited) => count(step.waited),
            Metric::Scalar(Scalar::Sent) => count(record.sent),
            Metric::Scalar(Scalar::Answered) => count(step.answered),
            Metric::Scalar(Scalar::InvalidReasons) => count(step.invalid_reasons.len() as u64),
            Metric::Scalar(_) | Metric::Tally(..) => None,
        }
    }
}

impl Scalar {
    fn of_run(self, report: &Report) -> Option<f64> {
        let (counts, own) = (&report.counts, &report.generator);
        let open = report.target_ssdu_per_s.is_some();
        let count = |count: u64| Some(count as f64);
        let in_open_loop = |count: u64| open.then_some(count as f64);
        match self {
            Scalar::SsduPerS => Some(report.ssdu_per_s),
            Scalar::MbPerS => Some(report.mb_per_s),
            Scalar::RateShare => report.target_ssdu_per_s.map(|target| report.ssdu_per_s / target),
            Scalar::Errors => count(report.errors_count()),
            Scalar::Lost => count(counts.lost),
            Scalar::Missed => in_open_loop(counts.missed),
            Scalar::Late => in_open_loop(counts.late),
            Scalar::Waited => in_open_loop(counts.waited),
            Scalar::Sent => count(counts.sent),
            Scalar::Answered => count(counts.answered),
            Scalar::Established => count(counts.established),
            Scalar::Failed => count(counts.failed),
            Scalar::EndedEarly => count(counts.ended_early),
            Scalar::Reordered => count(counts.reordered),
            Scalar::Corrupted => count(counts.corrupted),
            Scalar::Unexpected => count(counts.unexpected),
            Scalar::InvalidReasons => count(report.invalid_reasons.len() as u64),
            Scalar::CpuShare => Some(own.cpu_share_max),
            Scalar::CpuUsPerSsdu => Some(own.cpu_us_per_ssdu),
            Scalar::SystemCallsPerSsdu => Some(own.system_calls_per_ssdu),
            Scalar::TsdusPerSsdu => Some(own.tsdus_per_ssdu),
        }
    }
}
