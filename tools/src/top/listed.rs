//! Sessions as the gateway lists them: the first ones in an order.

use colloquy_gateway::sight::text::{NOTHING, age, group, octets};
use colloquy_gateway::sight::{Listed, Order};
use serde_json::{Map, Value};

use super::grid::{Cell, Grid};
use super::tables::{elastic, left, right};
use crate::control::member;

/// Which of how many sessions these are.
pub(super) fn text(listed: &Listed) -> String {
    let first = match listed.sort {
        Order::Idle => "longest idle first",
        Order::Age => "oldest first",
        Order::New => "newest first",
        Order::Octets => "most octets first",
        Order::Queued => "most octets queued first",
    };
    let (shown, total) = (listed.sessions.len(), listed.total);
    let which = if shown < total { format!("{} of ", group(shown as u64)) } else { String::new() };
    format!("{which}{} sessions, {first} (s: next order)", group(total as u64))
}

/// The column that shows an order.
pub(super) fn column(order: Order) -> usize {
    match order {
        Order::Age | Order::New => AGE,
        Order::Idle => AGE + 1,
        Order::Octets => AGE + 2,
        Order::Queued => AGE + 4,
    }
}

/// The order behind another one.
pub(super) fn next(order: Order) -> Order {
    let at = Order::ALL.iter().position(|each| *each == order).unwrap_or(0);
    Order::ALL[(at + 1) % Order::ALL.len()]
}

/// Index of the column of ages.
const AGE: usize = 8;

/// The sessions; without a list none.
pub(super) fn sessions(listed: Option<&Listed>) -> Grid {
    let columns = vec![
        left("Session", 0),
        left("Role", 7),
        left("Peer", 1),
        elastic("Listener", 4),
        elastic("Target", 5),
        left("Phase", 2),
        left("State", 3),
        left("Partner", 9),
        right("Age", 6),
        right("Idle", 1),
        right("Octets in", 5),
        right("out", 6),
        right("queued", 4),
    ];
    let rows = listed.map_or(&[][..], |listed| &listed.sessions).iter().map(row);
    Grid { columns, rows: rows.collect() }
}

fn row(session: &Map<String, Value>) -> Vec<Cell> {
    let word = |name: &str| {
        let text = member(session, name);
        Cell::text(if text.is_empty() { NOTHING.to_owned() } else { text })
    };
    let number = |name: &str, text: fn(f64) -> String| match session.get(name).and_then(Value::as_f64) {
        Some(value) => Cell::number(value, text(value)),
        None => Cell::text(NOTHING),
    };
    let words = ["session", "role", "peer", "listener", "target", "phase", "state", "partner"].map(word);
    let times = ["age_seconds", "idle_seconds"].map(|name| number(name, age));
    let sums = ["bytes_in", "bytes_out", "queued_bytes"].map(|name| number(name, octets));
    words.into_iter().chain(times).chain(sums).collect()
}
