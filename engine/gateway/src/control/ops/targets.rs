//! `targets` and `targets.set`: the targets, and what an operator wants of them.

use serde_json::{Value, json};

use super::{Call, Level, Op, Refused, Reply};
use crate::config::TargetState;
use crate::control::protocol::{self, Code};

/// Every target.
pub(super) const LIST: Op =
    Op { name: "targets", level: Level::Observer, run: |call| Box::pin(async move { list(&call) }) };

/// Sets a target's state.
pub(super) const SET: Op =
    Op { name: "targets.set", level: Level::Operator, run: |call| Box::pin(async move { set(&call) }) };

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ListArguments {}

fn list(call: &Call) -> Result<Reply, Refused> {
    let ListArguments {} = protocol::arguments(&call.arguments)?;
    let plan = call.control.vitals.plan();
    let targets: Vec<Value> = plan
        .config
        .targets
        .iter()
        .zip(&plan.targets)
        .map(|(target, status)| {
            json!({
                "name": target.name,
                "address": target.address.to_string(),
                "state": status.state().name(),
                "configured_state": target.state.name(),
                "removed": target.removed,
                "health": status.health().name(),
                "sessions": status.sessions(),
                "ejections": status.ejections(),
                "retries": status.retries(),
                "warm_connections": status.warm_connections(),
                "warm_failures": status.warm_failures(),
                "last_failure": status.last_failure(),
            })
        })
        .collect();
    Ok(Reply::One(json!({ "targets": targets })))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SetArguments {
    target: String,
    state: String,
}

fn set(call: &Call) -> Result<Reply, Refused> {
    let SetArguments { target: name, state } = protocol::arguments(&call.arguments)?;
    let states = [TargetState::Ready, TargetState::Drain, TargetState::Maint];
    let state = states.into_iter().find(|known| known.name() == state).ok_or_else(|| {
        Refused::new(Code::BadRequest, format!("no state {state:?}; there are ready, drain, maint"))
    })?;
    let plan = call.control.vitals.plan();
    let found = plan.config.targets.iter().position(|target| target.name == name && !target.removed);
    let index = found.ok_or_else(|| Refused::new(Code::NotFound, format!("no target {name:?}")))?;
    let before = plan.targets[index].state();
    call.control.vitals.set_target_state(index, state);
    Ok(Reply::One(json!({ "target": name, "before": before.name(), "state": state.name() })))
}
