//! How a report is made from what other threads may read of a gateway.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use colloquy_shard::Tally;

use super::sampler::{Numbers, Sample, Samples, spdus};
use super::status::{
    ConfigStatus, Count, LimitRefusals, ListenerReport, RateSpans, RouteReport, STATUS_VERSION, Sessions,
    ShardStatus, StageLatency, StatusReport, TargetReport, Totals, UpstreamReport,
};
use super::{Sight, events};
use crate::app::{DurationTally, Stage};
use crate::config::{Balance, Config, Destination, HashOn, ListenerApplication, TargetConfig};
use crate::limits::LimitsTally;
use crate::log::time_text;
use crate::plan::{ConnectOutcome, Plan, TargetStatus};
use crate::vitals::{ShardReport, Vitals};

impl StatusReport {
    /// The state of a gateway at this moment. Reads counters and `/proc`; not for a shard's thread.
    pub fn of(vitals: &Vitals) -> StatusReport {
        let sight = vitals.sight();
        sight.tick(vitals);
        let uptime = vitals.uptime();
        let plan = vitals.plan();
        let shards = vitals.shards();
        let limits = vitals.limits();
        let mut total = Tally::default();
        shards.iter().for_each(|shard| total.add(&shard.tally));
        let numbers = shards.iter().map(|shard| Numbers::of(&shard.tally)).collect();
        let now = Sample::of_tallies(uptime, numbers, &plan);
        let (rates, history, by_shard) = sight.with_samples(|samples| {
            let by_shard: Vec<_> = (0..shards.len()).map(|shard| spans(samples, &now, Some(shard))).collect();
            (spans(samples, &now, None), samples.history(), by_shard)
        });
        StatusReport {
            status_version: STATUS_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process_id: std::process::id(),
            at: time_text(SystemTime::now()),
            started_at: time_text(sight.started_at),
            uptime_seconds: uptime.as_secs_f64(),
            backend: vitals.backend().to_string(),
            backend_reason: vitals.backend_reason().to_owned(),
            config_generation: plan.generation,
            config: ConfigStatus::of(vitals.reloads.told()),
            draining: vitals.is_draining(),
            totals: totals(&total, &shards, &limits, vitals.records_dropped()),
            sessions: sessions(&total),
            rates,
            history,
            shards: shards
                .iter()
                .zip(by_shard)
                .enumerate()
                .map(|(number, (shard, rates))| shard_status(&plan.config, number, shard, rates))
                .collect(),
            listeners: listeners(&plan, sight, &now),
            routes: routes(&plan),
            upstreams: upstreams(&plan.config),
            targets: targets(&plan),
            latencies: latencies(&shards),
            closings: counted(closings(&total).into_iter()),
            refusals: refusal_counts(&total, &limits),
            events: events::last(),
        }
    }
}

fn spans(samples: &Samples, now: &Sample, shard: Option<usize>) -> RateSpans {
    let rates = |seconds| samples.rates(now, shard, Duration::from_secs(seconds));
    RateSpans { last_1s: rates(1), last_10s: rates(10), last_60s: rates(60) }
}

fn totals(total: &Tally, shards: &[ShardReport], limits: &LimitsTally, records_dropped: u64) -> Totals {
    let numbers = Numbers::of(total);
    Totals {
        accepted: total.accepted,
        opened: total.sessions_opened,
        established: total.sessions_connected,
        closed: numbers.closed,
        ssdus_in: numbers.ssdus_in,
        ssdus_out: numbers.ssdus_out,
        user_octets_in: total.user_octets_in,
        user_octets_out: total.user_octets_out,
        octets_in: total.octets_in,
        octets_out: total.octets_out,
        faults: shards.iter().flat_map(|shard| &shard.app.faults).map(|(_, _, count)| count).sum(),
        refused: refusals(total, limits).map(|(_, _, count)| count).sum(),
        relays_refused: shards.iter().map(|shard| shard.app.relays_refused).sum(),
        records_dropped,
    }
}

fn sessions(total: &Tally) -> Sessions {
    let (initiator, responder) = (total.sessions_open_initiator, total.sessions_open_responder);
    let all = initiator + responder;
    Sessions {
        all,
        initiator,
        responder,
        opening: all.saturating_sub(total.sessions_established),
        established: total.sessions_established,
        being_refused: total.refusals_open,
    }
}

fn shard_status(config: &Config, number: usize, shard: &ShardReport, rates: RateSpans) -> ShardStatus {
    let tally = &shard.tally;
    let spdus = spdus(tally);
    ShardStatus {
        number,
        core: shard.pinned,
        sessions: tally.sessions_open_initiator + tally.sessions_open_responder,
        sessions_max: config.engine.sessions_max as u64,
        rates,
        turns: tally.turns,
        cpu_seconds: shard.cpu.map(|cpu| cpu.as_secs_f64()),
        // A shard that has not turned yet has not told.
        blocks_free: if tally.turns == 0 { config.engine.receive_blocks as u64 } else { tally.blocks_free },
        blocks: config.engine.receive_blocks as u64,
        queue_octets: tally.octets_pinned,
        system_calls_per_spdu: (spdus > 0).then(|| tally.system_calls as f64 / spdus as f64),
    }
}

fn listeners(plan: &Plan, sight: &Sight, now: &Sample) -> Vec<ListenerReport> {
    let config = &plan.config;
    let bound = sight.addresses.get();
    let report = |index: usize| {
        let listener = &config.listeners[index];
        let address = bound.and_then(|bound| bound.get(index)).unwrap_or(&listener.address);
        let (application, to) = match listener.application {
            ListenerApplication::Echo => ("echo", None),
            ListenerApplication::Sink => ("sink", None),
            ListenerApplication::Relay { target } => ("relay", Some(target_name(config, target))),
            ListenerApplication::Balance { upstream } => ("relay", Some(upstream_name(config, upstream))),
            ListenerApplication::Routed => ("relay", Some("routes".to_owned())),
        };
        ListenerReport {
            name: listener.name.clone(),
            address: address.to_string(),
            application: application.to_owned(),
            to,
            tls: tls_name(config, listener.tls),
            sessions: Some(plan.listeners[index].limits.sessions()),
            established: Some(now.listeners()[index]),
            established_per_second: Some(sight.with_samples(|samples| samples.listener_rate(now, index))),
            refused: counted(plan.listeners[index].refused.each()),
        }
    };
    (0..config.listeners.len()).map(report).collect()
}

fn routes(plan: &Plan) -> Vec<RouteReport> {
    let config = &plan.config;
    let removed = (0..config.routes.len()).filter(|index| config.routes[*index].removed);
    let order = config.route_order.iter().copied().chain(removed);
    let report = |index: usize| {
        let route = &config.routes[index];
        RouteReport {
            name: route.name.clone(),
            to: match route.destination {
                Destination::Target(target) => target_name(config, target),
                Destination::Upstream(upstream) => upstream_name(config, upstream),
                Destination::Refuse(code) => format!("refuse {code}"),
            },
            removed: route.removed,
            sessions: Some(u64::from(plan.routes[index].sessions())),
            matched: Some(plan.routes[index].selections()),
        }
    };
    order.map(report).collect()
}

fn upstreams(config: &Config) -> Vec<UpstreamReport> {
    let name = |index: &usize| config.targets[*index].name.clone();
    let report = |upstream: &crate::config::UpstreamConfig| UpstreamReport {
        name: upstream.name.clone(),
        balance: balance_name(upstream.balance).to_owned(),
        targets: upstream.targets.iter().map(name).collect(),
        removed: upstream.removed,
    };
    config.upstreams.iter().map(report).collect()
}

fn balance_name(balance: Balance) -> &'static str {
    match balance {
        Balance::RoundRobin => "round robin",
        Balance::LeastSessions => "least sessions",
        Balance::Hash(HashOn::CalledSsap) => "hash on called SSAP",
        Balance::Hash(HashOn::CallingSsap) => "hash on calling SSAP",
        Balance::Hash(HashOn::CalledTsap) => "hash on called TSAP",
        Balance::Hash(HashOn::CallingTsap) => "hash on calling TSAP",
        Balance::Hash(HashOn::Source) => "hash on source",
    }
}

fn targets(plan: &Plan) -> Vec<TargetReport> {
    let config = &plan.config;
    let now = plan.origin.elapsed();
    let report = |(target, status): (&TargetConfig, &Arc<TargetStatus>)| {
        let times = status.accept_times();
        let count = |outcome: ConnectOutcome| Count::new(outcome.name(), status.connects(outcome));
        TargetReport {
            name: target.name.clone(),
            address: target.address.to_string(),
            state: status.state().name().to_owned(),
            health: Some(status.health().name().to_owned()),
            ejected_for_seconds: status.ejected_until(now).map(|until| (until - now).as_secs_f64()),
            weight: target.weight,
            sessions: Some(u64::from(status.sessions())),
            connects: ConnectOutcome::ALL.into_iter().map(count).filter(|count| count.count > 0).collect(),
            tls: tls_name(config, target.tls),
            removed: target.removed,
            connect_p50_seconds: times.quantile(0.5),
            connect_p99_seconds: times.quantile(0.99),
        }
    };
    config.targets.iter().zip(&plan.targets).map(report).collect()
}

fn target_name(config: &Config, index: usize) -> String {
    config.targets.get(index).map_or_else(String::new, |target| format!("target {}", target.name))
}

fn upstream_name(config: &Config, index: usize) -> String {
    config.upstreams.get(index).map_or_else(String::new, |upstream| format!("upstream {}", upstream.name))
}

fn tls_name(config: &Config, index: Option<usize>) -> Option<String> {
    config.tls.get(index?).map(|tls| tls.name.clone())
}

/// The durations of one stage on all shards.
pub(crate) fn durations(shards: &[ShardReport], stage: Stage) -> DurationTally {
    let mut sum = DurationTally::default();
    shards.iter().for_each(|shard| sum.add(&shard.app.durations[stage as usize]));
    sum
}

fn latencies(shards: &[ShardReport]) -> Vec<StageLatency> {
    let report = |stage: Stage| {
        let tally = durations(shards, stage);
        let count = tally.count();
        StageLatency {
            stage: stage.name().to_owned(),
            count,
            mean_seconds: (count > 0).then(|| tally.sum.as_secs_f64() / count as f64),
            p50_seconds: tally.quantile(0.5),
            p90_seconds: tally.quantile(0.9),
            p99_seconds: tally.quantile(0.99),
        }
    };
    Stage::ALL.into_iter().map(report).collect()
}

/// Ends of sessions by the word of `colloquy_sessions_closed_total`.
pub(crate) fn closings(total: &Tally) -> [(&'static str, u64); 13] {
    [
        ("released", total.ended_released),
        ("refused", total.ended_refused_local),
        ("refused_by_peer", total.ended_refused_peer),
        ("aborted", total.ended_aborted_local),
        ("aborted_by_peer", total.ended_aborted_peer),
        ("transport_refused", total.ended_transport_refused),
        ("eof", total.ended_eof),
        ("network", total.ended_network),
        ("timeout", total.ended_timeout),
        ("protocol_error", total.ended_protocol_error),
        ("unused", total.ended_unused),
        ("tls", total.ended_tls),
        ("proxy", total.ended_proxy),
    ]
}

/// Connections refused by scope and limit, the words of `colloquy_connections_refused_total`: what a shard counts by
/// itself, and the limits that all shards share.
pub(crate) fn refusals(
    total: &Tally,
    limits: &LimitsTally,
) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
    let shard = [
        ("shard", "sessions", total.refused_sessions_max),
        ("shard", "listener_sessions", total.refused_listener_max),
        ("shard", "listener_connections_not_established", total.refused_not_established_max),
    ];
    shard.into_iter().chain(limits.refused.iter().copied())
}

fn refusal_counts(total: &Tally, limits: &LimitsTally) -> Vec<LimitRefusals> {
    let mut counts: Vec<_> = refusals(total, limits).filter(|(_, _, count)| *count > 0).collect();
    counts.sort_by_key(|(_, _, count)| std::cmp::Reverse(*count));
    let one = |(scope, limit, count): (&str, &str, u64)| LimitRefusals {
        name: limit_key(scope, limit),
        scope: scope.to_owned(),
        limit: limit.to_owned(),
        count,
    };
    counts.into_iter().map(one).collect()
}

/// The key of the configuration that sets a limit: what an operator changes who wants another.
fn limit_key(scope: &str, limit: &str) -> String {
    match (scope, limit) {
        ("all", limit) => format!("limits.{limit}_max"),
        ("source", limit) => format!("limits.source_{limit}_max"),
        ("listener", "network") => "listener.allow, listener.deny".to_owned(),
        ("shard", "memory") => "limits.shard_memory_octets_max".to_owned(),
        ("shard", "sessions") => "engine.sessions_max".to_owned(),
        // The listener's own number, met on one shard before all of them together met it.
        ("shard", limit) => format!("{}_max (one shard)", limit.replacen("listener_", "listener.", 1)),
        (scope, limit) => format!("{scope}.{limit}_max"),
    }
}

/// Those that are not zero, most first.
fn counted<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> Vec<Count> {
    let mut counts: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().map(|(name, count)| Count::new(name, count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::Section;

    #[test]
    fn every_limit_is_named_by_a_key_that_there_is() {
        let tally = crate::limits::Limits::default().tally(Duration::ZERO);
        for (scope, limit, _) in refusals(&Tally::default(), &tally) {
            for name in limit_key(scope, limit).trim_end_matches(" (one shard)").split(", ") {
                let (table, key) = name.split_once('.').unwrap_or_else(|| panic!("{name}"));
                let section = Section::ALL.into_iter().find(|section| section.name() == table);
                let section = section.unwrap_or_else(|| panic!("{name}: no table {table}"));
                assert!(section.keys().any(|known| known.name == key), "{name}: no such key");
            }
        }
    }
}
