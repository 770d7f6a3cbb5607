//! What `/sessions.json` and the operation `sessions.first` of the control socket answer.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Which sessions come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Over which nothing has gone for the longest time.
    #[default]
    Idle,
    /// The oldest.
    Age,
    /// The newest.
    New,
    /// Most octets in and out.
    Octets,
    /// Most octets that wait to be sent.
    Queued,
}

impl Order {
    /// Every order.
    pub const ALL: [Order; 5] = [Order::Idle, Order::Age, Order::New, Order::Octets, Order::Queued];

    /// The word of requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Order::Idle => "idle",
            Order::Age => "age",
            Order::New => "new",
            Order::Octets => "octets",
            Order::Queued => "queued",
        }
    }
}

/// The sessions that come first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// The moment, RFC 3339, UTC.
    pub at: String,
    /// What comes first.
    pub sort: Order,
    /// So many were asked for at most.
    pub limit: usize,
    /// Sessions that there are.
    pub total: usize,
    /// Those of them that fit the conditions.
    pub matching: usize,
    /// The first of these, each as `sessions list --json` has it.
    pub sessions: Vec<Map<String, Value>>,
}
