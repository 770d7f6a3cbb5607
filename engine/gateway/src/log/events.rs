//! One tracing event for each record, with the field names that operators know from every other event.

use colloquy_session::{FunctionalUnits, PeerFault, Tolerated};
use colloquy_shard::Fault;

use super::limit::Summary;
use super::routing;
use super::sessions;
use super::wire::emit_wire;
use crate::config::Config;
use crate::name::SessionName;
use crate::record::{NotCarried, Record, RecordEvent, Side, Subject};

/// The fields that every record has.
pub(super) struct Common<'a> {
    pub(super) session: SessionName,
    pub(super) partner: Option<SessionName>,
    pub(super) peer: Option<String>,
    pub(super) listener: Option<&'a str>,
    pub(super) target: Option<&'a str>,
}

/// Makes an event with the common fields and some of its own.
macro_rules! event {
    ($level:ident, $id:literal, $subject:expr, $common:expr, { $($fields:tt)* }, $text:literal) => {{
        let common = &$common;
        tracing::$level!(
            event_id = $id,
            shard = $subject.shard,
            session = %common.session,
            partner = common.partner.map(tracing::field::display),
            peer = common.peer,
            listener = common.listener,
            target = common.target,
            $($fields)*
            $text
        );
    }};
}

pub(super) use event;

pub(super) fn emit(config: &Config, record: &Record) {
    let subject = &record.subject;
    let common = common(config, subject);
    match &record.event {
        RecordEvent::Opened(opened) => sessions::emit_open(config, subject, common, opened),
        RecordEvent::Ended(ended) => sessions::emit_end(config, subject, common, ended),
        RecordEvent::Fault(fault) => emit_fault(subject, &common, fault),
        RecordEvent::Tolerated(tolerated) => emit_tolerated(subject, &common, tolerated),
        RecordEvent::NotCarried(why) => emit_not_carried(subject, &common, why),
        RecordEvent::NoRoute { refused } => {
            event!(warn, "CLQ-R05", subject, common, { code = refused, }, "no route takes the session, downstream refused");
        }
        RecordEvent::NoTarget { refused } => {
            event!(warn, "CLQ-R06", subject, common, { code = refused, }, "no target is usable, downstream refused");
        }
        RecordEvent::TargetHealth { .. }
        | RecordEvent::WarmFailed { .. }
        | RecordEvent::TargetEjected { .. }
        | RecordEvent::TargetRestored => routing::emit(common.target, record),
        RecordEvent::Wire(_) | RecordEvent::Misbound { .. } => emit_wire(config, record),
        RecordEvent::NotOpened { refused } => {
            event!(warn, "CLQ-S04", subject, common, { code = refused, }, "no upstream session, downstream refused");
        }
    }
}

pub(super) fn emit_summary(summary: &Summary) {
    let peer = summary.peer.map(|peer| peer.to_string());
    let suppressed = summary.suppressed;
    tracing::warn!(event_id = "CLQ-S05", peer, suppressed, "repeated records of this peer were left out");
}

fn emit_fault(subject: &Subject, common: &Common<'_>, fault: &Fault) {
    let place = FaultPlace::of(fault);
    event!(
        warn,
        "CLQ-S02",
        subject,
        *common,
        {
            layer = place.layer,
            spdu = place.spdu,
            parameter = place.parameter.map(u64::from),
            offset = place.offset,
            state = place.state,
            reason = place.reason,
        },
        "the peer broke the protocol"
    );
}

fn emit_tolerated(subject: &Subject, common: &Common<'_>, tolerated: &Tolerated) {
    event!(
        info,
        "CLQ-S06",
        subject,
        *common,
        {
            spdu = tolerated.spdu.name(),
            parameter = u64::from(tolerated.parameter),
            offset = tolerated.offset as u64,
        },
        "the peer sent a parameter twice, and the last one counts"
    );
}

fn emit_not_carried(subject: &Subject, common: &Common<'_>, why: &NotCarried) {
    let reason = match why {
        NotCarried::SsduTooLong => "the SSDU is longer than ssdu_octets_max".to_owned(),
        NotCarried::Primitive { name, error } => format!("{name}: {error}"),
        NotCarried::Unknown => "no configured functional unit has this primitive".to_owned(),
        NotCarried::SerialNumber { indicated, next } => {
            format!("synchronization point {} would be number {} on the other side", indicated.0, next.0)
        }
        NotCarried::Timeout { waited_for } => format!("no {waited_for} in time"),
    };
    event!(warn, "CLQ-S03", subject, *common, { reason, }, "relay ended both sessions");
}

pub(super) fn common<'a>(config: &'a Config, subject: &Subject) -> Common<'a> {
    let (listener, target) = match subject.side {
        Side::Responder { listener } => {
            (listener.and_then(|index| config.listeners.get(usize::from(index))), None)
        }
        Side::Initiator { target } => (None, config.targets.get(usize::from(target))),
    };
    let name = |session| SessionName { shard: subject.shard, session };
    Common {
        session: name(subject.session),
        partner: subject.partner.map(name),
        peer: subject.peer.map(|peer| peer.to_string()),
        listener: listener.map(|listener| listener.name.as_str()),
        target: target.map(|target| target.name.as_str()),
    }
}

/// Where a fault is and what it is: layer, SPDU, parameter, octet.
struct FaultPlace {
    layer: &'static str,
    spdu: Option<&'static str>,
    parameter: Option<u8>,
    offset: Option<u64>,
    state: Option<String>,
    reason: String,
}

impl FaultPlace {
    fn of(fault: &Fault) -> FaultPlace {
        let nothing = FaultPlace {
            layer: "SPDU",
            spdu: None,
            parameter: None,
            offset: None,
            state: None,
            reason: String::new(),
        };
        match fault {
            Fault::Transport(fault) => FaultPlace {
                layer: fault.layer,
                offset: Some(fault.offset as u64),
                reason: format!("{:?}", fault.kind),
                ..nothing
            },
            Fault::Session(PeerFault::Decode(error)) => FaultPlace {
                spdu: error.spdu.map(|spdu| spdu.name()),
                parameter: error.parameter,
                offset: Some(error.offset as u64),
                reason: error.kind.to_string(),
                ..nothing
            },
            Fault::Session(PeerFault::Inopportune { spdu, offset, state }) => FaultPlace {
                spdu: Some(spdu.name()),
                offset: Some(*offset as u64),
                state: Some(format!("{state:?}")),
                reason: "not allowed in this state".to_owned(),
                ..nothing
            },
            Fault::Session(PeerFault::Violation { spdu, parameter, offset, rule }) => FaultPlace {
                spdu: Some(spdu.name()),
                parameter: *parameter,
                offset: Some(*offset as u64),
                reason: (*rule).to_owned(),
                ..nothing
            },
        }
    }
}

pub(super) fn units(units: FunctionalUnits) -> String {
    let names: Vec<String> = units.iter_names().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.join("+")
}
