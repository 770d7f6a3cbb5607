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
