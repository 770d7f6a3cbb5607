//! A session in plain English: what it is, where it stands, what it waits for, what comes next.

use std::time::Duration;

use colloquy_session::{FunctionalUnits, State, Tokens};
use colloquy_shard::{DeadlineView, SessionPhase};
use serde::Serialize;

use super::describe::{Belongs, detail_text, token_names, version_number};
use crate::app::query::{SessionDetail, SessionRow};
use crate::app::recent::Happening;
use crate::app::{Role, TimerFor};
use crate::config::Config;
use crate::name::SessionName;

/// Units that have synchronization points.
const NUMBERED: FunctionalUnits = FunctionalUnits::MINOR_SYNC
    .union(FunctionalUnits::MAJOR_SYNC)
    .union(FunctionalUnits::RESYNCHRONIZE)
    .union(FunctionalUnits::SYMMETRIC_SYNC);

/// The explanation of a session, and of the other leg of its relay.
#[derive(Debug, Serialize)]
pub(super) struct Explanation {
    pub(super) legs: Vec<Leg>,
}

/// One session.
#[derive(Debug, Serialize)]
pub(super) struct Leg {
    pub(super) session: String,
    /// What it is and where it stands: sentences.
    pub(super) facts: Vec<String>,
    /// What it waits for, and from whom.
    pub(super) waits_for: String,
    /// For how long nothing but data has come.
    pub(super) quiet_seconds: f64,
    /// What happens next, and when.
    pub(super) next: Vec<String>,
    /// What has happened lately, oldest first.
    pub(super) events: Vec<String>,
}

/// Explains.
pub(super) fn explain(config: &Config, detail: &SessionDetail) -> Explanation {
    let other = detail.partner.as_ref().map(|(row, _)| row);
    let mut legs = vec![leg(config, &detail.row, other, &detail.events)];
    if let Some((row, events)) = &detail.partner {
        legs.push(leg(config, row, Some(&detail.row), events));
    }
    Explanation { legs }
}

fn leg(config: &Config, row: &SessionRow, other: Option<&SessionRow>, events: &[Happening]) -> Leg {
    let since = events.last().map_or(row.view.opened_at, |event| event.at);
    Leg {
        session: name(row),
        facts: facts(config, row, other),
        waits_for: waits_for(row, other),
        quiet_seconds: row.now.saturating_sub(since).as_secs_f64(),
        next: next(row, other),
        events: events.iter().map(|event| event_line(row, event)).collect(),
    }
}

fn name(row: &SessionRow) -> String {
    SessionName { shard: row.shard, session: row.id }.to_string()
}

fn peer(row: &SessionRow) -> String {
    row.peer.map_or_else(|| "its peer".to_owned(), |peer| format!("peer {peer}"))
}

/// Seconds as a person says them.
pub(super) fn seconds(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", time.as_secs() / 60, time.as_secs() % 60),
        _ => format!("{} h {} min", time.as_secs() / 3600, time.as_secs() / 60 % 60),
    }
}

fn facts(config: &Config, row: &SessionRow, other: Option<&SessionRow>) -> Vec<String> {
    let view = &row.view;
    let mut facts = vec![origin(config, row, other)];
    facts.push(format!("State {}: {}", view.state.name(), view.state.text()));
    if let Some(version) = view.version {
        let units: Vec<&str> = view.functional_units.names().collect();
        facts.push(format!("Version {}, functional units {}.", version_number(version), units.join(", ")));
        facts.push(tokens(row));
    }
    if view.functional_units.intersects(NUMBERED) {
        facts.push(points(row));
    }
    if view.activity_in_progress {
        facts.push("An activity is in progress.".to_owned());
    }
    let [came, went] = row.ssdus;
    let [octets_in, octets_out] = row.octets;
    facts.push(format!(
        "{came} SSDUs with {octets_in} octets have come, {went} with {octets_out} have gone; {} octets are queued.",
        view.queued_octets
    ));
    facts.extend(flow(row));
    if let Some(why) = row.why {
        facts.push(format!("The gateway is ending it: {}.", why.name()));
    }
    if view.faulted {
        facts.push("The peer has broken the protocol; the log has the record.".to_owned());
    }
    facts
}

fn origin(config: &Config, row: &SessionRow, other: Option<&SessionRow>) -> String {
    let Belongs { role, listener, route, target } = Belongs::of(config, row);
    let age = seconds(row.now.saturating_sub(row.view.opened_at));
    let from = peer(row);
    let mut text = match (listener, target) {
        (Some(listener), _) => format!("Accepted from {from} on listener {listener} {age} ago, as {role}"),
        (None, Some(target)) => format!("Opened to target {target} ({from}) {age} ago, as {role}"),
        (None, None) => format!("Began {age} ago with {from}"),
    };
    if let Some(route) = route {
        text += &format!(", by route {route}");
    }
    if let (Some(_), Some(target)) = (listener, target) {
        text += &format!(", for target {target}");
    }
    if let Some(other) = other {
        text += &format!("; the other leg is session {}", name(other));
    }
    text + "."
}

fn tokens(row: &SessionRow) -> String {
    let (here, there) = (row.view.tokens_owned, row.view.tokens_available - row.view.tokens_owned);
    let say = |tokens: Tokens| token_names(tokens).join(", ");
    match (here.is_empty(), there.is_empty()) {
        (true, true) => "No tokens: either side may send and release.".to_owned(),
        (false, true) => format!("Tokens: {} here, at the gateway's side.", say(here)),
        (true, false) => format!("Tokens: {} at the peer.", say(there)),
        (false, false) => {
            format!("Tokens: {} here, at the gateway's side; {} at the peer.", say(here), say(there))
        }
    }
}

fn points(row: &SessionRow) -> String {
    let numbers = row.view.serial_numbers;
    let (next, lowest) = (numbers.next.0, numbers.lowest_unconfirmed.0);
    let unconfirmed = match next.saturating_sub(lowest) {
        0 => "all points are confirmed".to_owned(),
        1 => format!("point {lowest} is not confirmed"),
        _ => format!("points {lowest} to {} are not confirmed", next - 1),
    };
    let who = if next == lowest {
        ""
    } else if numbers.may_confirm {
        ", and this side has to"
    } else {
        ", and the peer has to"
    };
    format!(
        "Synchronization: V(M) {next} is the next point, V(A) {lowest}: {unconfirmed}{who}; V(R) {} is the lowest to restart at.",
        numbers.lowest_restart.0
    )
}

fn flow(row: &SessionRow) -> Vec<String> {
    let view = &row.view;
    let mut facts = Vec::new();
    if view.congested {
        facts.push(format!("{} does not take what is sent to it as fast as it comes.", capital(&peer(row))));
    }
    if view.paused {
        facts.push("It is not read from, because the side it feeds takes no more.".to_owned());
    }
    if row.holds {
        facts.push("An SSDU, or segments of one, wait here to be sent on.".to_owned());
    }
    if view.peer_gone {
        facts.push("The peer has closed its direction of the connection.".to_owned());
    }
    facts
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// What a session waits for, and from whom.
fn waits_for(row: &SessionRow, other: Option<&SessionRow>) -> String {
    let from = peer(row);
    match row.view.phase {
        SessionPhase::Connecting => format!("the network connection to {from}"),
        SessionPhase::AwaitCc => format!("T-CONNECT confirm (CC) of {from}"),
        SessionPhase::AwaitAc => format!("ACCEPT or REFUSE of {from}"),
        SessionPhase::AwaitCr => format!("T-CONNECT request (CR) of {from}"),
        SessionPhase::AwaitCn => {
            format!("CONNECT of {from}: the transport connection is open, and no session has begun on it")
        }
        SessionPhase::AwaitResponse => match other {
            Some(upstream) => format!(
                "the other leg, session {}, which waits for {}",
                name(upstream),
                waits_for(upstream, None)
            ),
            None => "the gateway's answer to S-CONNECT".to_owned(),
        },
        SessionPhase::Kept | SessionPhase::Reached => {
            "the next session on this connection: none has begun".to_owned()
        }
        SessionPhase::Over => format!("{from} to disconnect: the session is over"),
        SessionPhase::Closing => "the network connection to be closed".to_owned(),
        _ => in_session(row, other),
    }
}

/// The same once a session exists.
fn in_session(row: &SessionRow, other: Option<&SessionRow>) -> String {
    let from = peer(row);
    let user = || match other {
        Some(other) => format!("{}, at the other leg", peer(other)),
        None => "the gateway".to_owned(),
    };
    match row.view.state {
        State::Sta713 if row.token_asked => {
            format!("the data token of {from}: it was asked for (PLEASE TOKENS), because SSDUs wait here")
        }
        State::Sta713 => idle(row),
        State::Sta03 if row.release_requested => {
            format!(
                "DISCONNECT or NOT FINISHED of {from}: FINISH was sent, because {} wants to release",
                user()
            )
        }
        State::Sta03 => format!("DISCONNECT or NOT FINISHED of {from}: FINISH was sent"),
        State::Sta08
        | State::Sta09
        | State::Sta10A
        | State::Sta10B
        | State::Sta11A
        | State::Sta11B
        | State::Sta11C
        | State::Sta22 => {
            format!("the response of {} to what {from} has asked for", user())
        }
        State::Sta20 => format!("a recovery by {}: an exception was reported", user()),
        state => {
            let text = state.text().trim_end_matches('.');
            let what = text.split_once("wait for ").map_or(text, |(_, what)| what);
            format!("{what}, of {from}")
        }
    }
}

/// Data transfer: whose turn it is.
fn idle(row: &SessionRow) -> String {
    let view = &row.view;
    let half_duplex = view.tokens_available.contains(Tokens::DATA);
    if half_duplex && !view.tokens_owned.contains(Tokens::DATA) {
        return format!(
            "nothing of its own: {} has the data token and may send, this side may not",
            peer(row)
        );
    }
    if half_duplex {
        return "nothing of its own: the data token is here, so this side may send and the peer may not"
            .to_owned();
    }
    "nothing: either side may send".to_owned()
}

/// What happens next unless something comes, and when.
fn next(row: &SessionRow, other: Option<&SessionRow>) -> Vec<String> {
    let mut deadlines: Vec<&DeadlineView> = row.view.deadlines.iter().flatten().collect();
    deadlines.sort_by_key(|deadline| deadline.left);
    let lines = deadlines.into_iter().map(|deadline| {
        let what = consequence(row, other, deadline.name);
        format!("In {} {what} (timer {}).", seconds(deadline.left), timer_name(row, deadline.name))
    });
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() { vec!["No timer runs: it goes on until something comes.".to_owned()] } else { lines }
}

fn timer_name(row: &SessionRow, name: &'static str) -> &'static str {
    if name == "application" { row.timer.name() } else { name }
}

fn consequence(row: &SessionRow, other: Option<&SessionRow>, timer: &str) -> String {
    let refused = |what: &str| match other {
        Some(downstream) if matches!(row.role, Role::Upstream { .. }) => {
            format!("{what}, and session {} is refused unless another target takes it", name(downstream))
        }
        _ => what.to_owned(),
    };
    match (timer, row.timer) {
        ("connect", _) | ("application", TimerFor::Answer) => refused("the attempt is given up"),
        ("transport", _) => "the connection is closed, because no CR has come".to_owned(),
        ("half-open", _) => "the connection is closed, because no CONNECT has come".to_owned(),
        ("response", _) => "it is aborted, because S-CONNECT was not answered".to_owned(),
        ("release", _) | ("application", TimerFor::Release) => {
            "it is aborted, because FINISH was not answered".to_owned()
        }
        ("application", TimerFor::Closing) => {
            "it is aborted, because it could not be released in time".to_owned()
        }
        ("TIM", _) => "its connection is closed, because the peer has not disconnected".to_owned(),
        ("send", _) => "its connection is reset, because the network takes nothing".to_owned(),
        ("close", _) => "its connection is reset, because it was not closed in order".to_owned(),
        _ => "the gateway looks at it".to_owned(),
    }
}

fn event_line(row: &SessionRow, event: &Happening) -> String {
    let ago = seconds(row.now.saturating_sub(event.at));
    match detail_text(event.detail) {
        Some(detail) => format!("{ago} ago: {}, {detail}", event.what),
        None => format!("{ago} ago: {}", event.what),
    }
}
