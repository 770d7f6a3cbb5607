//! The intervals of a run as a table for spreadsheets.

use std::io::{self, Write};
use std::time::Duration;

use super::hlog::told_length;
use super::intervals::Intervals;

/// Writes one line an interval and series: rate in values a second, times in microseconds; an interval without a
/// value has no percentiles.
///
/// # Errors
/// What the writer says.
pub fn write_timeline(intervals: &Intervals, measured: Duration, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "start_s,length_s,series,count,rate_per_s,p50_us,p99_us,max_us")?;
    for interval in intervals.iter() {
        let length = told_length(intervals.length(), interval.start, measured).as_secs_f64();
        let of = &interval.histogram_ns;
        let (start, series, count) = (interval.start.as_secs_f64(), interval.series, of.len());
        write!(out, "{start:.3},{length:.3},{series},{count},{:.1},", count as f64 / length)?;
        if of.is_empty() {
            writeln!(out, ",,")?;
            continue;
        }
        let us = |ns: u64| ns as f64 / 1000.0;
        let [p50, p99] = [0.5, 0.99].map(|quantile| us(of.value_at_quantile(quantile)));
        writeln!(out, "{p50:.3},{p99:.3},{:.3}", us(of.max()))?;
    }
    Ok(())
}
