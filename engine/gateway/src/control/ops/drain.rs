//! `drain` and `drain.status`: going away.

use serde_json::{Value, json};

use super::{Call, Level, Op, Refused, Reply};
use crate::config::read_duration;
use crate::control::protocol::{self, Code};
use crate::vitals::Vitals;

/// Begins a drain, or moves the deadline of one.
pub(super) const DRAIN: Op =
    Op { name: "drain", level: Level::Admin, run: |call| Box::pin(async move { drain(&call) }) };
/// How a drain stands.
pub(super) const STATUS: Op =
    Op { name: "drain.status", level: Level::Observer, run: |call| Box::pin(async move { status(&call) }) };

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// As in the configuration: `30s`.
    deadline: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn drain(call: &Call) -> Result<Reply, Refused> {
    let Arguments { deadline } = protocol::arguments(&call.arguments)?;
    let vitals = &call.control.vitals;
    let configured = vitals.plan().config.drain.deadline;
    let deadline = match deadline {
        None => configured,
        Some(text) => read_duration(&text).ok_or_else(|| {
            Refused::new(Code::BadRequest, format!("{text:?} is no time, as 750ms, 30s or 5m"))
        })?,
    };
    vitals.drain(deadline);
    Ok(Reply::One(value(vitals)))
}

fn status(call: &Call) -> Result<Reply, Refused> {
    let Nothing {} = protocol::arguments(&call.arguments)?;
    Ok(Reply::One(value(&call.control.vitals)))
}

fn value(vitals: &Vitals) -> Value {
    let Some(status) = vitals.drain_status() else { return json!({ "draining": false }) };
    json!({
        "draining": true,
        "action": status.action.name(),
        "sessions_per_second": status.sessions_per_second,
        "seconds": status.since.as_secs_f64(),
        "deadline_in_seconds": status.deadline_in.as_secs_f64(),
        "began_with": status.began_with,
        "remaining": status.remaining,
        "released": status.released,
        "aborted": status.aborted,
        "aborted_at_deadline": status.at_deadline,
        "ended_by_themselves": status.by_themselves,
    })
}
