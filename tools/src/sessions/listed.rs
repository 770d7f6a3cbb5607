//! `colloquy sessions list`.

use std::cmp::Ordering;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::control::table::Table;
use crate::control::{Control, Fault, SocketArgs, member};

/// Which sessions, and in which order.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Accepted on this listener
    #[arg(long, value_name = "NAME")]
    listener: Option<String>,
    /// Of this target
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Taken by this route
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// With this peer: an address, with or without a port
    #[arg(long, value_name = "ADDR")]
    peer: Option<String>,
    /// In this phase, as open, or this state of X.225, as STA713
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Largest first, of names the first; without it as the shards have them
    #[arg(long, value_name = "KEY")]
    sort: Option<Sort>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sort {
    /// Oldest first
    Age,
    /// Longest idle first
    Idle,
    /// Octets in and out
    Octets,
    /// Octets that wait to be sent
    Queued,
    /// Peer's address
    Peer,
    /// State
    State,
}

/// Runs it.
pub(super) fn run(args: &ListArgs, socket: &SocketArgs, json: bool) -> ExitCode {
    match sessions(args, socket) {
        Err(fault) => return fault.tell(json),
        Ok(sessions) if json => {
            let line = json!({ "ok": true, "sessions": sessions });
            crate::say(&format!("{line}\n"));
        }
        Ok(sessions) => crate::say(&table(&sessions)),
    }
    ExitCode::SUCCESS
}

fn sessions(args: &ListArgs, socket: &SocketArgs) -> Result<Vec<Map<String, Value>>, Fault> {
    let mut arguments = Map::new();
    let ListArgs { listener, target, route, peer, state, limit, sort } = args;
    let texts =
        [("listener", listener), ("target", target), ("route", route), ("peer", peer), ("state", state)];
    for (name, value) in texts {
        if let Some(value) = value {
            arguments.insert(name.to_owned(), json!(value));
        }
    }
    // What comes first is known only when all have come.
    if let (Some(limit), None) = (limit, sort) {
        arguments.insert("limit".to_owned(), json!(limit));
    }
    let mut sessions = Vec::new();
    Control::open(socket)?.ask_each("sessions", Value::Object(arguments), |mut line| {
        if let Some(Value::Array(page)) = line.remove("sessions") {
            sessions.extend(page.into_iter().filter_map(|session| match session {
                Value::Object(session) => Some(session),
                _ => None,
            }));
        }
    })?;
    if let Some(sort) = sort {
        sessions.sort_by(|one, other| compare(*sort, one, other));
    }
    sessions.truncate(limit.unwrap_or(usize::MAX));
    Ok(sessions)
}

fn compare(sort: Sort, one: &Map<String, Value>, other: &Map<String, Value>) -> Ordering {
    let number =
        |session: &Map<String, Value>, name: &str| session.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    let largest = |of: &dyn Fn(&Map<String, Value>) -> f64| of(other).total_cmp(&of(one));
    match sort {
        Sort::Age => largest(&|session| number(session, "age_seconds")),
        Sort::Idle => largest(&|session| number(session, "idle_seconds")),
        Sort::Octets => largest(&|session| number(session, "bytes_in") + number(session, "bytes_out")),
        Sort::Queued => largest(&|session| number(session, "queued_bytes")),
        Sort::Peer => member(one, "peer").cmp(&member(other, "peer")),
        Sort::State => member(one, "state").cmp(&member(other, "state")),
    }
}

fn table(sessions: &[Map<String, Value>]) -> String {
    if sessions.is_empty() {
        return "no sessions\n".to_owned();
    }
    const COLUMNS: [&str; 8] = ["session", "role", "peer", "listener", "target", "phase", "state", "partner"];
    let mut table = Table::new(&[&COLUMNS[..], &["age", "idle", "in", "out", "queued"]].concat());
    for session in sessions {
        let mut row: Vec<String> = COLUMNS.iter().map(|column| member(session, column)).collect();
        for name in ["age_seconds", "idle_seconds"] {
            row.push(format!("{:.0}s", session.get(name).and_then(Value::as_f64).unwrap_or_default()));
        }
        row.extend(["bytes_in", "bytes_out", "queued_bytes"].map(|name| member(session, name)));
        table.push(row);
    }
    table.print()
}
