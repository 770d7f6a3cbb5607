//! `status`: how the gateway is.

use super::{Call, Level, Op, Refused, Reply};
use crate::control::protocol::{self, Code};
use crate::sight::StatusReport;

/// How the gateway is, in one object.
pub(super) const STATUS: Op =
    Op { name: "status", level: Level::Observer, run: |call| Box::pin(async move { status(&call) }) };

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn status(call: &Call) -> Result<Reply, Refused> {
    let Nothing {} = protocol::arguments(&call.arguments)?;
    let report = serde_json::to_value(StatusReport::of(&call.control.vitals));
    report.map(Reply::One).map_err(|error| Refused::new(Code::System, error.to_string()))
}
