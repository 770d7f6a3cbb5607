//! Sessions as the gateway lists them: the first ones in an order.

use colloquy_gateway::sight::text::{NOTHING, age, group, octets};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::grid::{Cell, Grid};
use super::tables::{elastic, left, right};
use crate::control::member;

/// What comes first: the gateway chooses, because it has more sessions than it lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    #[default]
    Idle,
    Age,
    New,
    Octets,
    Queued,
}

impl Order {
    const ALL: [Order; 5] = [Order::Idle, Order::Age, Order::New, Order::Octets, Order::Queued];

    /// The gateway's word for it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Order::Idle => "idle",
            Order::Age => "age",
            Order::New => "new",
            Order::Octets => "octets",
            Order::Queued => "queued",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Order::Idle => "longest idle first",
            Order::Age => "oldest first",
            Order::New => "newest first",
            Order::Octets => "most octets first",
            Order::Queued => "most octets queued first",
        }
    }

    /// The column that shows it.
    pub(super) fn column(self) -> usize {
        match self {
            Order::Age | Order::New => AGE,
            Order::Idle => AGE + 1,
            Order::Octets => AGE + 2,
            Order::Queued => AGE + 4,
        }
    }

    pub(super) fn next(self) -> Order {
        let at = Order::ALL.iter().position(|order| *order == self).unwrap_or(0);
        Order::ALL[(at + 1) % Order::ALL.len()]
    }
}

/// What `sessions.first` answers.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Listed {
    /// What comes first.
    pub(super) sort: Order,
    /// Sessions that there are.
    total: u64,
    sessions: Vec<Map<String, Value>>,
}

impl Listed {
    /// Which of how many these are.
    pub(super) fn text(&self) -> String {
        let (shown, total) = (self.sessions.len() as u64, self.total);
        let which = if shown < total { format!("{} of ", group(shown)) } else { String::new() };
        format!("{which}{} sessions, {} (s: next order)", group(total), self.sort.text())
    }
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
