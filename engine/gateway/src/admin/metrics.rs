//! The counters as metrics. Labels are few and bounded; nothing is labelled by session or peer.

mod durations;
mod lifecycle;
mod limits;
mod process;
mod taps;
mod targets;
mod tls;

use std::fmt;
use std::sync::Arc;

use colloquy_shard::Tally;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::sight::closings;
use crate::vitals::{ShardReport, Vitals};

/// The content type of the OpenMetrics text format.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The metrics at this moment, as text.
pub(super) fn encode(vitals: &Arc<Vitals>) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    let ours = registry.sub_registry_with_prefix("colloquy");
    ours.register_collector(Box::new(Scrape { vitals: Arc::clone(vitals) }));
    registry.register_collector(Box::new(process::Process { started_at: vitals.sight().started_at() }));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

#[derive(Debug)]
struct Scrape {
    vitals: Arc<Vitals>,
}

/// Label names and values of one series.
type Labels<'a> = Vec<(&'static str, &'a str)>;

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let shards = self.vitals.shards();
        let total = self.vitals.total();
        info(&mut encoder, &self.vitals)?;
        sessions(&mut encoder, &total)?;
        spdus(&mut encoder, &total)?;
        by_application(&mut encoder, &shards)?;
        engine(&mut encoder, &total)?;
        durations::encode(&mut encoder, &shards)?;
        lifecycle::encode(&mut encoder, &self.vitals)?;
        tls::encode(&mut encoder, &total, &shards, &self.vitals.plan())?;
        limits::encode(&mut encoder, &total, &self.vitals.limits())?;
        let dropped = [(Labels::new(), self.vitals.records_dropped())];
        counters(
            &mut encoder,
            "log_records_dropped",
            "Log records that did not fit the log's ring",
            &dropped,
        )?;
        taps::encode(&mut encoder, &self.vitals)?;
        targets::encode(&mut encoder, &self.vitals.plan())?;
        by_shard(&mut encoder, &shards, &self.vitals)
    }
}

fn info(encoder: &mut DescriptorEncoder<'_>, vitals: &Vitals) -> fmt::Result {
    let backend = vitals.backend().to_string();
    let labels = vec![("backend", backend.as_str()), ("reason", vitals.backend_reason())];
    gauges(encoder, "io_backend_info", "Backend in use, and why", &[(labels, 1.0)])?;
    let labels = vec![("version", env!("CARGO_PKG_VERSION"))];
    gauges(encoder, "build_info", "Version of this program", &[(labels, 1.0)])?;
    let uptime = [(Labels::new(), vitals.uptime().as_secs_f64())];
    gauges(encoder, "uptime_seconds", "Time since the gateway started", &uptime)?;
    let draining = [(Labels::new(), f64::from(u8::from(vitals.is_draining())))];
    gauges(encoder, "draining", "1 while the gateway drains", &draining)
}

fn sessions(encoder: &mut DescriptorEncoder<'_>, total: &Tally) -> fmt::Result {
    let opening = |role: u64, established: u64| role.saturating_sub(established) as f64;
    let (initiator, responder) = (total.sessions_open_initiator, total.sessions_open_responder);
    let established = total.sessions_established;
    let series = [
        (vec![("state", "all"), ("role", "initiator")], initiator as f64),
        (vec![("state", "all"), ("role", "responder")], responder as f64),
        (vec![("state", "established"), ("role", "any")], established as f64),
        (vec![("state", "not_established"), ("role", "any")], opening(initiator + responder, established)),
    ];
    gauges(encoder, "sessions", "Sessions that exist", &series)?;
    let opened = [(Labels::new(), total.sessions_opened)];
    counters(encoder, "sessions_opened", "Sessions opened or accepted", &opened)?;
    counters(
        encoder,
        "sessions_closed",
        "Sessions ended, by how they ended",
        &labelled("reason", &closings(total)),
    )
}

/// SPDUs by kind, received and sent. Kinds that belong together share a series, which is named by those that begin
/// something and counts their acknowledgements, too.
fn spdus(encoder: &mut DescriptorEncoder<'_>, total: &Tally) -> fmt::Result {
    let both = [
        ("CN", total.spdus_connect_in, total.spdus_connect_out),
        ("AC", total.spdus_accept_in, total.spdus_accept_out),
        ("RF", total.spdus_refuse_in, total.spdus_refuse_out),
        ("FN", total.spdus_finish_in, total.spdus_finish_out),
        ("DN/NF", total.spdus_disconnect_in, total.spdus_disconnect_out),
        ("AB", total.aborts_indicated, total.spdus_abort_out),
        ("DT", total.spdus_data_in, total.spdus_data_out),
        ("TD", total.spdus_typed_data_in, total.spdus_typed_data_out),
        ("EX", total.spdus_expedited_data_in, total.spdus_expedited_data_out),
        ("PR", total.spdus_prepare_in, total.spdus_prepare_out),
        ("CD", total.spdus_capability_in, total.spdus_capability_out),
        ("GT/PT", total.spdus_token_in, total.spdus_token_out),
        ("MIP/MAP", total.spdus_sync_in, total.spdus_sync_out),
        ("RS", total.spdus_resynchronize_in, total.spdus_resynchronize_out),
        ("AS/AR/AI/AD", total.spdus_activity_in, total.spdus_activity_out),
        ("ER/ED", total.spdus_exception_in, total.spdus_exception_out),
        ("other", total.spdus_other_in, total.spdus_other_out),
    ];
    let series: Vec<_> = both
        .iter()
        .flat_map(|(spdu, received, sent)| {
            [
                (vec![("spdu", *spdu), ("direction", "in")], *received),
                (vec![("spdu", *spdu), ("direction", "out")], *sent),
            ]
        })
        .collect();
    counters(encoder, "spdus", "SPDUs; AB in includes aborts of this side's own machine", &series)?;
    let octets = [("in", total.octets_in), ("out", total.octets_out)];
    counters(encoder, "network_bytes", "Octets received and sent", &labelled("direction", &octets))?;
    let octets = [("in", total.user_octets_in), ("out", total.user_octets_out)];
    counters(encoder, "user_data_bytes", "User data received and sent", &labelled("direction", &octets))?;
    let tsdus = [("in", total.tsdus_in), ("out", total.tsdus_out)];
    counters(encoder, "tsdus", "TSDUs received and sent", &labelled("direction", &tsdus))
}

fn by_application(encoder: &mut DescriptorEncoder<'_>, shards: &[ShardReport]) -> fmt::Result {
    let sum = |pick: fn(&ShardReport) -> &Vec<(&'static str, &'static str, u64)>| {
        let mut sums = std::collections::BTreeMap::new();
        for (first, second, count) in shards.iter().flat_map(pick) {
            *sums.entry((*first, *second)).or_insert(0) += count;
        }
        sums
    };
    let series = |names: [&'static str; 2],
                  sums: std::collections::BTreeMap<(&'static str, &'static str), u64>| {
        sums.into_iter()
            .map(|((first, second), count)| (vec![(names[0], first), (names[1], second)], count))
            .collect::<Vec<_>>()
    };
    let aborts = series(["origin", "reason"], sum(|shard| &shard.app.aborts));
    counters(encoder, "aborts", "Aborts, by who began them", &aborts)?;
    let faults = series(["layer", "code"], sum(|shard| &shard.app.faults));
    counters(encoder, "protocol_errors", "Faults of peers", &faults)?;
    let closed = series(["why", "how"], sum(|shard| &shard.app.closed));
    counters(encoder, "sessions_closed_by_gateway", "Accepted sessions that the gateway ended", &closed)?;
    let not_carried: u64 = shards.iter().map(|shard| shard.app.not_carried).sum();
    let refused: u64 = shards.iter().map(|shard| shard.app.relays_refused).sum();
    let help = "Relays ended because something could not be carried over";
    counters(encoder, "relays_not_carried", help, &[(Labels::new(), not_carried)])?;
    let help = "Downstream sessions refused because there was no upstream";
    counters(encoder, "relays_refused", help, &[(Labels::new(), refused)])
}

fn engine(encoder: &mut DescriptorEncoder<'_>, total: &Tally) -> fmt::Result {
    let copies = [("small", total.copies_small), ("large", total.copies_large)];
    let help = "User-space copies of user data, below and from 2 KiB";
    counters(encoder, "copies", help, &labelled("size", &copies))?;
    for (name, help, value) in [
        ("copied_bytes", "Octets copied in user space", total.copied_octets),
        ("system_calls", "System calls of the drivers", total.system_calls),
        ("buffers_exhausted", "Receipts that waited for a free block", total.buffers_exhausted),
        ("receive_reclaims", "Silent sessions whose octets a scarce pool took back", total.bodies_unpinned),
        ("completion_overflows", "Completion queue overflows", total.overflows),
        ("congestions", "Times a session went above its high mark", total.congested),
        ("accepts", "Connections accepted", total.accepted),
        ("zero_copy_sends", "Sends that were asked to leave the copy out", total.zero_copy_sends),
        ("zero_copy_sends_copied", "Those of them that the kernel copied", total.zero_copy_sends_copied),
        ("transports_kept", "Sessions on transport connections kept from others", total.transports_kept),
        ("accept_failures", "Accepts that the system refused", total.accept_failed),
    ] {
        counters(encoder, name, help, &[(Labels::new(), value)])?;
    }
    for (name, help, value) in [
        ("receive_blocks_free", "Blocks of the receive pools that are free", total.blocks_free),
        ("receive_pinned_bytes", "Octets kept from being reused in the receive pools", total.octets_pinned),
    ] {
        gauges(encoder, name, help, &[(Labels::new(), value as f64)])?;
    }
    Ok(())
}

fn by_shard(encoder: &mut DescriptorEncoder<'_>, shards: &[ShardReport], vitals: &Vitals) -> fmt::Result {
    let names: Vec<String> = (0..shards.len()).map(|shard| shard.to_string()).collect();
    let each = |value: &dyn Fn(&ShardReport) -> Option<f64>| {
        let values = names.iter().zip(shards);
        values
            .filter_map(|(name, shard)| Some((vec![("shard", name.as_str())], value(shard)?)))
            .collect::<Vec<_>>()
    };
    let ratios = vitals.sight().busy_ratios(vitals);
    let busy: Vec<_> =
        names.iter().zip(&ratios).map(|(name, ratio)| (vec![("shard", name.as_str())], *ratio)).collect();
    gauges(encoder, "shard_busy_ratio", "Share of the last ten seconds that a shard did not wait", &busy)?;
    let busy = each(&|shard| Some(shard.tally.busy_ns as f64 / 1e9));
    gauges(encoder, "shard_busy_seconds", "Time that a shard did not wait", &busy)?;
    let cpu = each(&|shard| shard.cpu.map(|cpu| cpu.as_secs_f64()));
    gauges(encoder, "shard_cpu_seconds", "CPU time of a shard's thread", &cpu)?;
    let turns: Vec<_> = names
        .iter()
        .zip(shards)
        .map(|(name, shard)| (vec![("shard", name.as_str())], shard.tally.turns))
        .collect();
    counters(encoder, "shard_turns", "Turns of a shard's loop", &turns)
}

fn labelled<'a>(name: &'static str, values: &[(&'a str, u64)]) -> Vec<(Labels<'a>, u64)> {
    values.iter().map(|(label, value)| (vec![(name, *label)], *value)).collect()
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: &[(Labels<'_>, u64)],
) -> fmt::Result {
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    each_series(metric, series, |mut metric, value| {
        metric.encode_counter::<NoLabelSet, u64, u64>(value, None)
    })
}

/// Times that are added up: counters whose names end in `_seconds`, to which `_total` is added.
fn seconds_counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: &[(Labels<'_>, f64)],
) -> fmt::Result {
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    each_series(metric, series, |mut metric, value| {
        metric.encode_counter::<NoLabelSet, f64, u64>(value, None)
    })
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: &[(Labels<'_>, f64)],
) -> fmt::Result {
    let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    each_series(metric, series, |mut metric, value| metric.encode_gauge(value))
}

fn each_series<V>(
    mut metric: MetricEncoder<'_>,
    series: &[(Labels<'_>, V)],
    encode: impl Fn(MetricEncoder<'_>, &V) -> fmt::Result,
) -> fmt::Result {
    for (labels, value) in series {
        if labels.is_empty() {
            return encode(metric, value);
        }
        encode(metric.encode_family(labels)?, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Spdus(Tally);

    impl Collector for Spdus {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
            spdus(&mut encoder, &self.0)
        }
    }

    #[test]
    fn every_count_of_spdus_is_a_series() {
        let tally = Tally { spdus_typed_data_out: 7, spdus_prepare_in: 8, ..Tally::default() };
        let mut registry = Registry::with_prefix("colloquy");
        registry.register_collector(Box::new(Spdus(tally)));
        let mut text = String::new();
        text::encode(&mut text, &registry).unwrap();
        let series: Vec<&str> =
            text.lines().filter(|line| line.starts_with("colloquy_spdus_total{")).collect();
        let is_of_spdus = |name: &&&str| name.starts_with("spdus_") || **name == "aborts_indicated";
        assert_eq!(series.len(), Tally::NAMES.iter().filter(is_of_spdus).count(), "{text}");
        assert!(series.contains(&"colloquy_spdus_total{spdu=\"TD\",direction=\"out\"} 7"), "{text}");
        assert!(series.contains(&"colloquy_spdus_total{spdu=\"PR\",direction=\"in\"} 8"), "{text}");
    }
}
