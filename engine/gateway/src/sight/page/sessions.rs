//! The sessions on the page: those that come first, how many there are, how to learn more of one. `page.js` makes the
//! same of the same answer.

use serde_json::{Map, Value};

use super::super::text::{NOTHING, age, group, octets, some};
use super::rows::{Cell, columns, rows};
use crate::sight::Listed;

/// Kinds of the cells of a row.
const KINDS: &str = "th td.w td.less td.less td td.n.less td.n td.n.less td.n.less td.n.less";
/// Where the shards have not said which sessions there are.
const UNKNOWN: &str = "The shards have not answered.";

/// Writes the rows.
pub(super) fn write(out: &mut String, listed: Option<&Listed>) {
    let sessions = listed.map(|listed| listed.sessions.as_slice()).unwrap_or_default();
    let nothing = if listed.is_some() { "No session exists." } else { UNKNOWN };
    rows(out, &columns(KINDS), sessions.iter().map(row), nothing);
}

/// How many there are and how many of them are shown.
pub(super) fn said(listed: Option<&Listed>) -> String {
    let count = |count: usize| group(count as u64);
    match listed {
        None => UNKNOWN.to_owned(),
        Some(listed) if listed.sessions.len() < listed.total => {
            format!("{} of {} sessions.", count(listed.sessions.len()), count(listed.total))
        }
        Some(Listed { total: 1, .. }) => "1 session.".to_owned(),
        Some(listed) => format!("{} sessions.", count(listed.total)),
    }
}

fn row(session: &Map<String, Value>) -> Vec<Cell> {
    let text = |name: &str| some(session.get(name).and_then(Value::as_str), str::to_owned);
    let number = |name: &str| session.get(name).and_then(Value::as_f64).unwrap_or_default();
    let phase = session.get("phase").and_then(Value::as_str).unwrap_or(NOTHING).replace('_', " ");
    vec![
        text("session").into(),
        format!("{phase}, {}", text("state")).into(),
        text("listener").into(),
        text("target").into(),
        text("peer").into(),
        age(number("age_seconds")).into(),
        age(number("idle_seconds")).into(),
        octets(number("bytes_in")).into(),
        octets(number("bytes_out")).into(),
        octets(number("queued_bytes")).into(),
    ]
}
