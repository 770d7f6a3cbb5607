//! Reloads and drains as metrics.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;

use super::{Labels, counters, gauges, labelled};
use crate::vitals::Vitals;

pub(super) fn encode(encoder: &mut DescriptorEncoder<'_>, vitals: &Vitals) -> fmt::Result {
    let reloads = vitals.reload_counts();
    let outcomes = [("applied", reloads.applied), ("refused", reloads.refused)];
    let help = "Reloads of the configuration, by what became of them";
    counters(encoder, "config_reloads", help, &labelled("outcome", &outcomes))?;
    let at = [(Labels::new(), reloads.last_success.as_secs_f64())];
    let help = "When the configuration in effect was taken, in seconds since 1970";
    gauges(encoder, "config_last_reload_success_timestamp_seconds", help, &at)?;
    let successful = [(Labels::new(), f64::from(u8::from(reloads.last_successful)))];
    let help = "1 while the last reload was applied, or there was none; 0 where it was refused";
    gauges(encoder, "config_last_reload_successful", help, &successful)?;
    if let Some(hash) = vitals.reloads.told().sha256 {
        let help = "The configuration in effect, by the SHA-256 of its files";
        gauges(encoder, "config_info", help, &[(vec![("hash", hash.as_str())], 1.0)])?;
    }
    let generation = [(Labels::new(), vitals.plan().generation as f64)];
    gauges(encoder, "config_generation", "1 at the start, one more with each reload", &generation)?;
    let drain = vitals.drain_status();
    let remaining = drain.as_ref().map_or(0.0, |drain| drain.remaining as f64);
    let help = "Accepted sessions that a drain waits for; 0 without a drain";
    gauges(encoder, "drain_remaining_sessions", help, &[(Labels::new(), remaining)])?;
    let Some(drain) = drain else { return Ok(()) };
    let rate = [(Labels::new(), f64::from(drain.sessions_per_second))];
    gauges(encoder, "drain_pace_sessions_per_second", "Sessions that the drain may end in a second", &rate)?;
    let deadline = [(Labels::new(), drain.deadline_in.as_secs_f64())];
    gauges(encoder, "drain_deadline_seconds", "Time until the drain aborts what is left", &deadline)?;
    let began_with = [(Labels::new(), drain.began_with as f64)];
    gauges(encoder, "drain_began_sessions", "Sessions that there were when the drain began", &began_with)?;
    let ended = [
        ("release", drain.released),
        ("abort", drain.aborted),
        ("deadline", drain.at_deadline),
        ("peer", drain.by_themselves),
    ];
    let help = "Sessions that ended while the gateway drains, by what ended them";
    counters(encoder, "drain_ended_sessions", help, &labelled("by", &ended))
}
