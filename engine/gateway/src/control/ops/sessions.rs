//! `sessions`, `sessions.first`, `sessions.show`, `sessions.explain`, `sessions.close`, `sessions.abort`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{Call, Level, Op, Refused, Reply};
use crate::app::CloseHow;
use crate::app::query::{Answer, Question, SessionDetail};
use crate::control::conditions::Conditions;
use crate::control::describe::{self, Belongs};
use crate::control::explain::explain;
use crate::control::listing::{self, Listing};
use crate::control::protocol::{self, Code};
use crate::control::{Control, shards};
use crate::name::SessionName;

/// Sessions named in one request.
const SESSIONS_MAX: usize = 1024;

/// Sessions, as many as fit the conditions.
pub(super) const LIST: Op =
    Op { name: "sessions", level: Level::Observer, run: |call| Box::pin(async move { list(call) }) };
/// Those that come first in an order.
pub(super) const FIRST: Op =
    Op { name: "sessions.first", level: Level::Observer, run: |call| Box::pin(first(call)) };
/// All about a session.
pub(super) const SHOW: Op =
    Op { name: "sessions.show", level: Level::Observer, run: |call| Box::pin(show(call)) };
/// All about a session, in English.
pub(super) const EXPLAIN: Op =
    Op { name: "sessions.explain", level: Level::Observer, run: |call| Box::pin(explained(call)) };
/// Ends sessions in order.
pub(super) const CLOSE: Op =
    Op { name: "sessions.close", level: Level::Operator, run: |call| Box::pin(end(call, CloseHow::Release)) };
/// Ends sessions at once.
pub(super) const ABORT: Op =
    Op { name: "sessions.abort", level: Level::Operator, run: |call| Box::pin(end(call, CloseHow::Abort)) };

fn list(call: Call) -> Result<Reply, Refused> {
    let conditions: Conditions = protocol::arguments(&call.arguments)?;
    conditions.check()?;
    let (lines, taken) = mpsc::channel(1);
    let control = Arc::clone(&call.control);
    tokio::spawn(async move {
        if let Err(refused) = pages(&control, &conditions, &lines).await {
            // Nobody may be there to hear it.
            let _ = lines.send(Err(refused)).await;
        }
    });
    Ok(Reply::Lines(taken))
}

async fn first(call: Call) -> Result<Reply, Refused> {
    let listed = listing::list(&call.control.vitals, &Listing::of(call.arguments)?).await?;
    json(listed)
}

/// Sends the sessions of each shard, page by page, as fast as the client takes them.
async fn pages(
    control: &Control,
    conditions: &Conditions,
    lines: &mpsc::Sender<Result<Value, Refused>>,
) -> Result<(), Refused> {
    let mut left = conditions.limit.unwrap_or(usize::MAX);
    for shard in 0..control.vitals.shard_count() {
        let mut from = Some(0);
        while let Some(index) = from.filter(|_| left > 0) {
            let question = Question::Page { from: index };
            let Some(Answer::Page { rows, next }) = shards::ask(&control.vitals, shard, question).await?
            else {
                break;
            };
            let plan = control.vitals.plan();
            let fit = rows.iter().filter(|row| conditions.hold(row, &Belongs::of(&plan.config, row)));
            let page: Vec<Value> =
                fit.take(left).map(|row| Value::Object(describe::brief(&plan.config, row))).collect();
            left -= page.len();
            from = next;
            if !page.is_empty() && lines.send(Ok(json!({ "sessions": page }))).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneSession {
    session: String,
}

fn parse(text: &str) -> Result<SessionName, Refused> {
    text.parse()
        .map_err(|fault: crate::name::NoSessionName| Refused::new(Code::BadRequest, fault.to_string()))
}

async fn detail(call: &Call) -> Result<Box<SessionDetail>, Refused> {
    let OneSession { session } = protocol::arguments(&call.arguments)?;
    let name = parse(&session)?;
    match shards::ask(&call.control.vitals, name.shard, Question::One(name.session)).await? {
        Some(Answer::One(Some(detail))) => Ok(detail),
        _ => Err(Refused::new(Code::NotFound, format!("no session {name}: it has ended, or never was"))),
    }
}

async fn show(call: Call) -> Result<Reply, Refused> {
    let detail = detail(&call).await?;
    let plan = call.control.vitals.plan();
    let partner = detail.partner.as_ref().map(|(row, _)| describe::full(&plan.config, row));
    let partner_events = detail.partner.as_ref().map(|(row, events)| describe::events(row, events));
    Ok(Reply::One(json!({
        "session": describe::full(&plan.config, &detail.row),
        "events": describe::events(&detail.row, &detail.events),
        "partner": partner,
        "partner_events": partner_events,
    })))
}

async fn explained(call: Call) -> Result<Reply, Refused> {
    let detail = detail(&call).await?;
    let plan = call.control.vitals.plan();
    json(explain(&plan.config, &detail))
}

fn json(answer: impl Serialize) -> Result<Reply, Refused> {
    let value = serde_json::to_value(answer);
    value.map(Reply::One).map_err(|error| Refused::new(Code::System, error.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    sessions: Vec<String>,
}

async fn end(call: Call, how: CloseHow) -> Result<Reply, Refused> {
    let Named { sessions } = protocol::arguments(&call.arguments)?;
    if sessions.is_empty() || sessions.len() > SESSIONS_MAX {
        return Err(Refused::new(Code::BadRequest, format!("1 to {SESSIONS_MAX} sessions are named")));
    }
    let names: Vec<SessionName> = sessions.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
    let (mut ending, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        match shards::ask(&call.control.vitals, name.shard, Question::Close(name.session, how)).await? {
            Some(Answer::Close(true)) => ending.push(name.to_string()),
            _ => unknown.push(name.to_string()),
        }
    }
    if ending.is_empty() {
        let text = format!("no session {}: ended, or never was", unknown.join(", "));
        return Err(Refused::new(Code::NotFound, text));
    }
    Ok(Reply::One(json!({ "ending": ending, "not_found": unknown })))
}
