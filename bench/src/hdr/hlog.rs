//! The histogram log: intervals as lines of text that HdrHistogram's log tools read.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogIterator, IntervalLogWriterBuilder, LogEntry, Tag,
};

use super::hgrm::read_hdr;
use super::intervals::Intervals;

/// The series whose lines have no tag, so that tools which do not ask for tags show it.
const UNTAGGED: &str = "response";
/// What the third column is divided by: it is in milliseconds while the histograms are in nanoseconds.
const MAX_DIVISOR: f64 = 1e6;
/// The line with the columns' names, as the first writer of such logs has it.
const LEGEND: &str =
    "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"";

/// Writes the log; `began_at` is the beginning of the measured part, `measured` its length: what is in the last
/// interval is told over the part of it that was measured.
///
/// # Errors
/// What the writer says.
pub fn write_log(
    intervals: &Intervals,
    began_at: SystemTime,
    measured: Duration,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut deflate = V2DeflateSerializer::new();
    IntervalLogWriterBuilder::new()
        .add_comment("[Histogram log format version 1.3]")
        .add_comment(
            "[Histograms in nanoseconds, Interval_Max in milliseconds; no tag: response time of SSDUs]",
        )
        .with_start_time(began_at)
        .begin_log_with(out, &mut deflate)?;
    writeln!(out, "{LEGEND}")?;
    let mut lines = IntervalLogWriterBuilder::new();
    let mut log = lines.with_max_value_divisor(MAX_DIVISOR).begin_log_with(out, &mut deflate)?;
    for interval in intervals.iter() {
        let tag = match interval.series {
            UNTAGGED => None,
            series => Tag::new(series),
        };
        let length = told_length(intervals.length(), interval.start, measured);
        log.write_histogram(&interval.histogram_ns, interval.start, length, tag)
            .map_err(|error| io::Error::other(error.to_string()))?;
    }
    Ok(())
}

/// The part of an interval that was measured; all of it when it lies behind the measured part, where the last answers
/// come.
pub(super) fn told_length(length: Duration, start: Duration, measured: Duration) -> Duration {
    match measured.checked_sub(start) {
        Some(left) if left > Duration::from_millis(1) => length.min(left),
        _ => length,
    }
}

/// A log as read.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Beginning of the measured part since 1970, where the log says it.
    pub began_at: Option<Duration>,
    /// The intervals of each series in the order of the log; lines without a tag are `response`.
    pub series: BTreeMap<String, Vec<Span>>,
}

/// One interval as read.
#[derive(Clone, Debug)]
pub struct Span {
    /// Since the beginning of the measured part.
    pub start: Duration,
    /// How long it was.
    pub length: Duration,
    /// What was answered in it, in nanoseconds.
    pub histogram_ns: Histogram<u64>,
}

impl Span {
    /// Values a second.
    pub fn rate_per_s(&self) -> f64 {
        match self.length.is_zero() {
            true => 0.0,
            false => self.histogram_ns.len() as f64 / self.length.as_secs_f64(),
        }
    }
}

/// Why a log cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A line is neither a comment nor an interval.
    #[error("line {line} (octet {offset}) is no interval: start,length,max,histogram")]
    Line {
        /// Counted from 1.
        line: usize,
        /// Offset in the file.
        offset: usize,
    },
    /// The histogram of an interval cannot be read.
    #[error("interval {number} (start {start_ms} ms): {reason}")]
    Histogram {
        /// Counted from 1.
        number: usize,
        /// Its start.
        start_ms: u128,
        /// Why.
        reason: String,
    },
}

/// Reads a log.
///
/// # Errors
/// [`LogError`], which names the place.
pub fn read_log(text: &[u8]) -> Result<Log, LogError> {
    let mut log = Log::default();
    let mut number = 0;
    for entry in IntervalLogIterator::new(text) {
        let entry = entry.map_err(|error| {
            let hdrhistogram::serialization::interval_log::LogIteratorError::ParseError { offset } = error;
            let line = 1 + text[..offset.min(text.len())].iter().filter(|octet| **octet == b'\n').count();
            LogError::Line { line, offset }
        })?;
        let interval = match entry {
            LogEntry::StartTime(began_at) => {
                log.began_at = Some(began_at);
                continue;
            }
            LogEntry::BaseTime(_) => continue,
            LogEntry::Interval(interval) => interval,
        };
        number += 1;
        let start = interval.start_timestamp();
        let fault = |reason: String| LogError::Histogram { number, start_ms: start.as_millis(), reason };
        let octets =
            STANDARD.decode(interval.encoded_histogram()).map_err(|error| fault(error.to_string()))?;
        let histogram_ns = read_hdr(&mut &octets[..]).map_err(|error| fault(error.to_string()))?;
        let series = interval.tag().map_or(UNTAGGED, |tag| tag.as_str()).to_owned();
        log.series.entry(series).or_default().push(Span { start, length: interval.duration(), histogram_ns });
    }
    Ok(log)
}

/// The wall clock of a log's beginning.
impl Log {
    /// When the measured part began.
    pub fn began_at_time(&self) -> Option<SystemTime> {
        Some(UNIX_EPOCH + self.began_at?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::hdr::{Collector, Exchange, Interval, Rolling, write_timeline};
    use crate::operation::Operation;
    use crate::plan::LoadPlan;
    use crate::recorder::Recorder;

    const MS: Duration = Duration::from_millis(1);

    /// Answers at 0, 50, 120, 320 and, behind a measured part of 350 ms, 410 ms: each took as many microseconds.
    fn intervals() -> Intervals {
        let plan = LoadPlan { duration_ms: 350, ..LoadPlan::default() };
        let exchange = Arc::new(Exchange::new(&plan));
        let mut collector = Collector::default();
        collector.add(exchange.clone());
        let mut recorder = Recorder { rolling: Rolling::new(exchange, &plan), ..Recorder::default() };
        recorder.prepare(&plan);
        recorder.rolling.begin(Duration::ZERO, Duration::ZERO);
        for ms in [0, 50, 120, 320, 410] {
            recorder.roll(ms * MS);
            recorder.response_ns.record(u64::from(ms.max(1)) * 1000).unwrap();
        }
        recorder.operations.completed(Operation::Release, Some(7 * MS));
        collector.last(&mut recorder);
        collector.finish(&plan, &mut recorder)
    }

    fn log_text() -> Vec<u8> {
        let mut text = Vec::new();
        write_log(&intervals(), UNIX_EPOCH + Duration::from_secs(1_700_000_000), 350 * MS, &mut text)
            .unwrap();
        text
    }

    #[test]
    fn what_is_written_comes_back_with_times_tags_and_values() {
        let log = read_log(&log_text()).unwrap();
        assert_eq!(log.began_at, Some(Duration::from_secs(1_700_000_000)));
        let told: Vec<(u128, u128, u64)> = log.series["response"]
            .iter()
            .map(|span| (span.start.as_millis(), span.length.as_millis(), span.histogram_ns.len()))
            .collect();
        assert_eq!(told, [(0, 100, 2), (100, 100, 1), (200, 100, 0), (300, 50, 1), (400, 100, 1)]);
        let total =
            |series: &str| -> Vec<Interval> { intervals().iter().filter(|i| i.series == series).collect() };
        let written: Vec<Histogram<u64>> = total("response").into_iter().map(|i| i.histogram_ns).collect();
        let read: Vec<Histogram<u64>> =
            log.series["response"].iter().map(|span| span.histogram_ns.clone()).collect();
        assert_eq!(read, written);
        assert_eq!(log.series["release"][0].histogram_ns.len(), 1);
        assert_eq!(log.series.keys().collect::<Vec<_>>(), ["release", "response"]);
        assert_eq!(log.series["response"][3].rate_per_s(), 20.0);
    }

    #[test]
    fn the_log_has_the_head_and_the_columns_of_the_form() {
        let text = String::from_utf8(log_text()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "#[Histogram log format version 1.3]");
        assert!(lines[2].starts_with("#[StartTime: 1700000000.000"), "{text}");
        assert_eq!(lines[3], LEGEND);
        assert!(lines[5].starts_with("0.000,0.100,0.050,HISTFAAAA"), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("Tag=release,0.400,0.100,7")), "{text}");
    }

    #[test]
    fn a_damaged_log_is_named_by_line_or_interval() {
        let mut text = String::from_utf8(log_text()).unwrap();
        assert_eq!(read_log(b"#x\nnonsense\n").unwrap_err(), LogError::Line { line: 2, offset: 3 });
        let at = text.find("HISTFAAAA").unwrap() + 12;
        text.replace_range(at..at + 4, "!!!!");
        let error = read_log(text.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("interval 1 (start 0 ms): "), "{error}");
        assert!(read_log(b"").unwrap().series.is_empty());
    }

    #[test]
    fn the_timeline_tells_rates_over_the_measured_part_of_an_interval() {
        let mut text = Vec::new();
        write_timeline(&intervals(), 350 * MS, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        let rows: Vec<&str> = text.lines().filter(|line| line.contains(",response,")).collect();
        assert_eq!(rows[2], "0.200,0.100,response,0,0.0,,,");
        assert!(rows[3].starts_with("0.300,0.050,response,1,20.0,320."), "{text}");
        assert_eq!(rows.len(), 5);
    }
}
