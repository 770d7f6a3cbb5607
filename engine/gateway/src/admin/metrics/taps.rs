//! Live taps.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;

use super::{Labels, counters, gauges};
use crate::vitals::Vitals;

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, vitals: &Vitals) -> fmt::Result {
    gauges(encoder, "taps", "Taps that are on", &[(Labels::new(), vitals.taps.count() as f64)])?;
    let dropped = [(Labels::new(), vitals.taps.runs_left_out())];
    counters(
        encoder,
        "tap_dropped",
        "Receipts and sends that taps left out, for want of room or budget",
        &dropped,
    )
}
