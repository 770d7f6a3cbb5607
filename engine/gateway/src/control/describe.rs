//! A session as JSON.

use colloquy_session::{SerialNumbers, Tokens, Versions};
use colloquy_shard::{DeadlineView, SessionPhase};
use serde_json::{Map, Value, json};

use crate::app::Role;
use crate::app::query::SessionRow;
use crate::app::recent::{Detail, Happening};
use crate::config::Config;
use crate::name::SessionName;

/// Names of what a session belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Belongs<'a> {
    /// `echo`, `sink`, `downstream`, `upstream`, `probe`, `warm`, `unknown`.
    pub(super) role: &'static str,
    pub(super) listener: Option<&'a str>,
    pub(super) route: Option<&'a str>,
    pub(super) target: Option<&'a str>,
}

impl<'a> Belongs<'a> {
    pub(super) fn of(config: &'a Config, row: &SessionRow) -> Belongs<'a> {
        let listener =
            |index: u16| config.listeners.get(usize::from(index)).map(|listener| listener.name.as_str());
        let target = |index: u16| config.targets.get(usize::from(index)).map(|target| target.name.as_str());
        match row.role {
            Role::Unknown => Belongs { role: "unknown", ..Belongs::default() },
            Role::Echo { listener: index } => {
                Belongs { role: "echo", listener: listener(index), ..Belongs::default() }
            }
            Role::Sink { listener: index } => {
                Belongs { role: "sink", listener: listener(index), ..Belongs::default() }
            }
            Role::Downstream { listener: of, route, target: to } => Belongs {
                role: "downstream",
                listener: listener(of),
                route: route
                    .and_then(|index| config.routes.get(usize::from(index)))
                    .map(|route| route.name.as_str()),
                target: to.and_then(target),
            },
            Role::Upstream { target: to } => {
                Belongs { role: "upstream", target: target(to), ..Belongs::default() }
            }
            Role::Probe { target: to } => Belongs { role: "probe", target: target(to), ..Belongs::default() },
            Role::Warm { target: to } => Belongs { role: "warm", target: target(to), ..Belongs::default() },
        }
    }
}

/// The word for how far a session is.
pub(super) fn phase_name(phase: SessionPhase) -> &'static str {
    match phase {
        SessionPhase::Connecting => "connecting",
        SessionPhase::AwaitCc => "await_cc",
        SessionPhase::AwaitAc => "await_ac",
        SessionPhase::AwaitCr => "await_cr",
        SessionPhase::AwaitCn => "await_cn",
        SessionPhase::AwaitResponse => "await_response",
        SessionPhase::Open => "open",
        SessionPhase::Releasing => "releasing",
        SessionPhase::Kept => "kept",
        SessionPhase::Reached => "reached",
        SessionPhase::Over => "over",
        SessionPhase::Closing => "closing",
        _ => "other",
    }
}

/// Names of tokens.
pub(super) fn token_names(tokens: Tokens) -> Vec<&'static str> {
    let names = [
        (Tokens::DATA, "data"),
        (Tokens::MINOR, "minor"),
        (Tokens::MAJOR, "major"),
        (Tokens::RELEASE, "release"),
    ];
    names.into_iter().filter(|(token, _)| tokens.contains(*token)).map(|(_, name)| name).collect()
}

/// 1 or 2.
pub(super) fn version_number(version: Versions) -> u8 {
    if version == Versions::V1 { 1 } else { 2 }
}

/// What a list of sessions tells of one.
pub(super) fn brief(config: &Config, row: &SessionRow) -> Map<String, Value> {
    let view = &row.view;
    let Belongs { role, listener, route, target } = Belongs::of(config, row);
    let name = |session| SessionName { shard: row.shard, session }.to_string();
    let units: Vec<&str> = view.functional_units.names().collect();
    let line = json!({
        "session": name(row.id),
        "shard": row.shard,
        "role": role,
        "listener": listener,
        "route": route,
        "target": target,
        "peer": row.peer.map(|peer| peer.to_string()),
        "partner": row.partner.map(name),
        "phase": phase_name(view.phase),
        "state": view.state.name(),
        "version": view.version.map(version_number),
        "fu": units,
        "age_seconds": row.now.saturating_sub(view.opened_at).as_secs_f64(),
        "idle_seconds": row.now.saturating_sub(row.idle_since).as_secs(),
        "ssdus_in": row.ssdus[0],
        "ssdus_out": row.ssdus[1],
        "bytes_in": row.octets[0],
        "bytes_out": row.octets[1],
        "queued_bytes": view.queued_octets,
    });
    match line {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// All that can be told of a session.
pub(super) fn full(config: &Config, row: &SessionRow) -> Value {
    let view = &row.view;
    let mut members = brief(config, row);
    let deadlines: Vec<Value> =
        view.deadlines.iter().flatten().map(|deadline| deadline_value(row, deadline)).collect();
    let flows = view.flow_numbers.map(|flows| flows.map(|numbers| numbers_value(&numbers)));
    let more = json!({
        "state_text": view.state.text(),
        "tokens_here": token_names(view.tokens_owned),
        "tokens_at_peer": token_names(view.tokens_available - view.tokens_owned),
        "numbers": numbers_value(&view.serial_numbers),
        "flow_numbers": flows,
        "activity_in_progress": view.activity_in_progress,
        "tpdu_octets": view.tpdu_octets,
        "transport_open": view.transport_open,
        "transport_expedited": view.transport_expedited,
        "transport_kept": view.transport_kept,
        "receipts_waiting": view.receipts_waiting,
        "held_octets": view.held_octets,
        "holds_ssdus": row.holds,
        "paused": view.paused,
        "congested": view.congested,
        "receive_stopped": view.receive_stopped,
        "sending": view.sending,
        "peer_gone": view.peer_gone,
        "faulted": view.faulted,
        "tapped": view.tapped,
        "ending_because": row.why.map(|why| why.name()),
        "deadlines": deadlines,
    });
    if let Value::Object(more) = more {
        members.extend(more);
    }
    Value::Object(members)
}

fn numbers_value(numbers: &SerialNumbers) -> Value {
    json!({
        "v_m": numbers.next.0,
        "v_a": numbers.lowest_unconfirmed.0,
        "v_r": numbers.lowest_restart.0,
        "may_confirm": numbers.may_confirm,
    })
}

fn deadline_value(row: &SessionRow, deadline: &DeadlineView) -> Value {
    let purpose = (deadline.name == "application").then(|| row.timer.name());
    json!({ "timer": deadline.name, "for": purpose, "seconds_left": deadline.left.as_secs_f64() })
}

/// What has happened, with its age.
pub(super) fn events(row: &SessionRow, happenings: &[Happening]) -> Vec<Value> {
    let value = |happening: &Happening| {
        json!({
            "seconds_ago": row.now.saturating_sub(happening.at).as_secs_f64(),
            "event": happening.what,
            "detail": detail_text(happening.detail),
        })
    };
    happenings.iter().map(value).collect()
}

/// More about something that has happened, in words.
pub(super) fn detail_text(detail: Detail) -> Option<String> {
    match detail {
        Detail::Nothing => None,
        Detail::Tokens(tokens) => Some(format!("tokens {}", token_names(tokens).join(", "))),
        Detail::Number(number) => Some(format!("point {}", number.0)),
        Detail::Code(code) => Some(format!("reason {code}")),
        Detail::Word(word) => Some(word.to_owned()),
    }
}
