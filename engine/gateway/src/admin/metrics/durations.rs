//! How long it takes until sessions are established and released, as histograms.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::app::{DURATION_BOUNDS, DurationTally, Stage};
use crate::sight::durations;
use crate::vitals::ShardReport;

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, shards: &[ShardReport]) -> fmt::Result {
    let help = "Time until a session is there: to CC from accept, to AC of a target, to AC from accept";
    let mut connect =
        encoder.encode_descriptor("connect_duration_seconds", help, None, MetricType::Histogram)?;
    for stage in [Stage::Transport, Stage::Upstream, Stage::Session] {
        let tally = durations(shards, stage);
        let labels = [("stage", stage.name())];
        let mut metric = connect.encode_family(&labels)?;
        metric.encode_histogram::<NoLabelSet>(
            tally.sum.as_secs_f64(),
            tally.count(),
            &buckets(&tally),
            None,
        )?;
    }
    let help = "Time from FN to the end of a session that was released";
    let mut metric =
        encoder.encode_descriptor("release_duration_seconds", help, None, MetricType::Histogram)?;
    let tally = durations(shards, Stage::Release);
    metric.encode_histogram::<NoLabelSet>(tally.sum.as_secs_f64(), tally.count(), &buckets(&tally), None)
}

/// The library adds the counts up and takes the largest number for infinity.
fn buckets(tally: &DurationTally) -> Vec<(f64, u64)> {
    DURATION_BOUNDS.into_iter().chain([f64::MAX]).zip(tally.buckets).collect()
}
