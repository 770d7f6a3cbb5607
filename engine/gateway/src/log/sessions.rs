//! The account of sessions in the log: an event when one opens, and one when it ends.

use colloquy_session::Versions;
use colloquy_shard::WireFault;

use super::events::{Common, event, units};
use crate::app::Why;
use crate::config::Config;
use crate::record::{Destination, EndReason, EndRecord, OpenRecord, Subject};

pub(super) fn emit_open(config: &Config, subject: &Subject, common: Common<'_>, opened: &OpenRecord) {
    let (route, target) = destination(config, opened.destination, common.target);
    let common = Common { target, ..common };
    event!(
        info,
        "CLQ-S07",
        subject,
        common,
        {
            route,
            tsel_calling = opened.calling_tsap.map(|selector| hex(selector.as_octets())),
            tsel_called = opened.called_tsap.map(|selector| hex(selector.as_octets())),
            ssel_calling = opened.calling_ssap.map(|selector| hex(selector.as_octets())),
            ssel_called = opened.called_ssap.map(|selector| hex(selector.as_octets())),
            fu = (!opened.units.is_empty()).then(|| units(opened.units)),
            tls_version = opened.tls_version,
            version = (!opened.versions.is_empty()).then(|| versions(opened.versions)),
        },
        "session opened"
    );
}

pub(super) fn emit_end(config: &Config, subject: &Subject, common: Common<'_>, ended: &EndRecord) {
    let code = match ended.end {
        EndReason::Refused { reason, .. } | EndReason::TransportRefused { reason } => Some(u64::from(reason)),
        _ => None,
    };
    let detail = match ended.end {
        EndReason::Network { kind, os_error: Some(code) } => Some(format!("{kind} (os error {code})")),
        EndReason::Network { kind, os_error: None } => Some(kind.to_string()),
        EndReason::Timeout(timer) => Some(timer.to_owned()),
        EndReason::Wire(WireFault::Tls(fault)) => Some(fault.to_string()),
        EndReason::Wire(WireFault::Proxy(fault)) => Some(fault.to_string()),
        _ => None,
    };
    let (route, target) = destination(config, ended.destination, common.target);
    let common = Common { target, ..common };
    let sync = ended.sync;
    event!(
        info,
        "CLQ-S01",
        subject,
        common,
        {
            route,
            reason = ended.end.name(),
            why = ended.why.map(Why::name),
            code,
            detail,
            state = ended.state.map(|state| state.name()),
            dur_ms = ended.duration.as_millis() as u64,
            connect_ms = ended.connect.map(|time| time.as_millis() as u64),
            open_ms = ended.open.map(|time| time.as_millis() as u64),
            ssdus_in = ended.ssdus_in,
            ssdus_out = ended.ssdus_out,
            bytes_in = ended.octets_in,
            bytes_out = ended.octets_out,
            fu = (!ended.units.is_empty()).then(|| units(ended.units)),
            tls_version = ended.tls_version,
            version = ended.version.map(|version| if version == Versions::V1 { 1_u64 } else { 2 }),
            sync_major = sync.and_then(|sync| sync.major).map(|number| u64::from(number.0)),
            sync_minor = sync.and_then(|sync| sync.last).map(|number| u64::from(number.0)),
        },
        "session ended"
    );
}

/// Names of route and target; a session to a target has its own.
fn destination<'a>(
    config: &'a Config,
    destination: Destination,
    target: Option<&'a str>,
) -> (Option<&'a str>, Option<&'a str>) {
    let route = destination.route.and_then(|index| config.routes.get(usize::from(index)));
    let chosen = destination.target.and_then(|index| config.targets.get(usize::from(index)));
    (route.map(|route| route.name.as_str()), target.or(chosen.map(|target| target.name.as_str())))
}

/// Versions as a peer offers them: `1`, `2` or `1+2`.
fn versions(versions: Versions) -> &'static str {
    match (versions.contains(Versions::V1), versions.contains(Versions::V2)) {
        (true, true) => "1+2",
        (true, false) => "1",
        _ => "2",
    }
}

/// A selector as the configuration writes it.
fn hex(octets: &[u8]) -> String {
    octets.iter().fold("0x".to_owned(), |text, octet| text + &format!("{octet:02x}"))
}
