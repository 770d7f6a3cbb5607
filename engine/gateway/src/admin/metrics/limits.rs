//! What limits have refused and delayed.

use std::fmt;

use colloquy_shard::Tally;
use prometheus_client::encoding::DescriptorEncoder;

use super::{Labels, counters, gauges, seconds_counters};
use crate::limits::LimitsTally;
use crate::sight::refusals;

pub(super) fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    total: &Tally,
    limits: &LimitsTally,
) -> fmt::Result {
    let series: Vec<(Labels<'_>, u64)> = refusals(total, limits)
        .map(|(scope, limit, count)| (vec![("scope", scope), ("limit", limit)], count))
        .collect();
    let help = "Connections refused because of a limit, by what it is on";
    counters(encoder, "connections_refused", help, &series)?;
    let throttles: Vec<(Labels<'_>, u64)> =
        limits.throttled.iter().map(|(scope, count, _)| (vec![("scope", *scope)], *count)).collect();
    let help = "Times that a session was not read from because of octets_per_second_max";
    counters(encoder, "throttles", help, &throttles)?;
    let seconds: Vec<(Labels<'_>, f64)> = limits
        .throttled
        .iter()
        .map(|(scope, _, time)| (vec![("scope", *scope)], time.as_secs_f64()))
        .collect();
    let help = "Time that sessions were not read from because of octets_per_second_max, added up";
    seconds_counters(encoder, "throttled_seconds", help, &seconds)?;
    let sources = [(Labels::new(), limits.sources as f64)];
    gauges(encoder, "sources", "Source addresses that have sessions, or had some a moment ago", &sources)?;
    let overflowed = [(Labels::new(), limits.sources_overflowed)];
    let help = "Connections from sources beyond those that are told apart";
    counters(encoder, "sources_overflowed", help, &overflowed)?;
    let admitted = [
        (vec![("state", "all")], limits.sessions as f64),
        (vec![("state", "not_established")], limits.not_established as f64),
    ];
    gauges(encoder, "admitted_sessions", "Accepted sessions as the limits count them", &admitted)
}
