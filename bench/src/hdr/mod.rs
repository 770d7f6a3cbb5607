//! Histograms over time and the files they are kept in, in the forms that the HdrHistogram tools read.
//!
//! | file | what |
//! |---|---|
//! | `<name>.hgrm` | percentile listing in microseconds, for HdrHistogram's plotter |
//! | `<name>.hdr` | the whole histogram in the V2 form, values in nanoseconds |
//! | [`LOG_FILE`] | histogram log 1.3: one line an interval and series; response time of SSDUs without a tag |
//! | [`TIMELINE_FILE`] | the same intervals as count, rate and percentiles, for a spreadsheet |

mod hgrm;
mod hlog;
mod intervals;
mod timeline;

pub use hgrm::{read_hdr, write_hdr, write_hgrm};
pub use hlog::{Log, LogError, Span, read_log, write_log};
pub(crate) use intervals::{Collector, Exchange, Rolling};
pub use intervals::{INTERVALS_MAX, Interval, Intervals, interval_length};
pub use timeline::write_timeline;

/// Name of the histogram log in the folder of a run.
pub const LOG_FILE: &str = "intervals.hlog";
/// Name of the timeline in the folder of a run.
pub const TIMELINE_FILE: &str = "timeline.csv";
