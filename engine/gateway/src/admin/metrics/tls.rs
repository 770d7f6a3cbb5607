//! TLS: handshakes, sessions, and when certificates expire.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use colloquy_shard::Tally;
use prometheus_client::encoding::DescriptorEncoder;

use super::{Labels, counters, gauges};
use crate::plan::Plan;
use crate::vitals::ShardReport;

pub(super) fn encode(
    encoder: &mut DescriptorEncoder<'_>,
    total: &Tally,
    shards: &[ShardReport],
    plan: &Plan,
) -> fmt::Result {
    let mut faults = BTreeMap::new();
    for (kind, count) in shards.iter().flat_map(|shard| &shard.app.tls.faults) {
        *faults.entry(*kind).or_insert(0) += count;
    }
    let mut handshakes: Vec<(Labels<'_>, u64)> = vec![
        (vec![("outcome", "ok"), ("tls_version", "1.2")], total.tls_handshakes_12),
        (vec![("outcome", "ok"), ("tls_version", "1.3")], total.tls_handshakes_13),
    ];
    handshakes.extend(
        faults.into_iter().map(|(kind, count)| (vec![("outcome", kind), ("tls_version", "unknown")], count)),
    );
    let help = "TLS handshakes, and TLS connections that failed, by outcome";
    counters(encoder, "tls_handshakes", help, &handshakes)?;
    let resumed = [(Labels::new(), total.tls_handshakes_resumed)];
    counters(encoder, "tls_handshakes_resumed", "TLS handshakes that resumed an earlier session", &resumed)?;
    let begun = [
        (vec![("state", "under_way")], total.tls_handshakes_under_way as f64),
        (vec![("state", "waiting")], total.tls_handshakes_waiting as f64),
    ];
    let help = "TLS handshakes that the handshake threads have, and connections that wait to go there";
    gauges(encoder, "tls_handshakes_begun", help, &begun)?;
    let sessions = [
        (vec![("tls_version", "1.2")], total.tls_open_12 as f64),
        (vec![("tls_version", "1.3")], total.tls_open_13 as f64),
    ];
    gauges(encoder, "tls_sessions", "Connections that speak TLS", &sessions)?;
    let sum = |pick: fn(&ShardReport) -> u64| [(Labels::new(), shards.iter().map(pick).sum::<u64>())];
    let help = "Sessions refused because no binding of the peer's certificate fits their selectors";
    counters(encoder, "tls_misbound", help, &sum(|shard| shard.app.tls.misbound))?;
    let help = "Connections without the PROXY protocol header that they must have";
    counters(encoder, "proxy_protocol_faults", help, &sum(|shard| shard.app.tls.proxy_faults))?;
    expiries(encoder, plan)
}

/// The first of each kind to expire, by table.
fn expiries(encoder: &mut DescriptorEncoder<'_>, plan: &Plan) -> fmt::Result {
    let now = SystemTime::now();
    let mut first = BTreeMap::new();
    for material in &plan.tls {
        for expiry in &material.expiries {
            let left = expiry.seconds_left(now);
            let known = first.entry((material.name.as_str(), expiry.kind.name())).or_insert(left);
            *known = left.min(*known);
        }
    }
    let series: Vec<(Labels<'_>, f64)> = first
        .into_iter()
        .map(|((table, kind), left)| (vec![("tls", table), ("kind", kind)], left as f64))
        .collect();
    let help = "Time until the first certificate or revocation list expires; negative when it has";
    gauges(encoder, "tls_cert_expiry_seconds", help, &series)
}
