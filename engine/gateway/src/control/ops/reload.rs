//! `reload`: the configuration read again.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Call, Level, Op, Refused, Reply};
use crate::config::{Change, LoadedFile};
use crate::control::protocol::{self, Code};
use crate::reload::{Asker, ReloadError, ReloadReport};

/// Reads the configuration again and applies what can be applied.
pub(super) const RELOAD: Op = Op { name: "reload", level: Level::Admin, run: |call| Box::pin(reload(call)) };

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn reload(call: Call) -> Result<Reply, Refused> {
    let Nothing {} = protocol::arguments(&call.arguments)?;
    let vitals = Arc::clone(&call.control.vitals);
    let asker = Asker::caller(&call.caller.name(), call.caller.who(&vitals.plan().config.admin));
    // It reads files, which may take a while.
    let reloaded = tokio::task::spawn_blocking(move || vitals.reload(&asker)).await;
    match reloaded.map_err(|error| Refused::new(Code::System, error.to_string()))? {
        Ok(report) => Ok(Reply::One(report_value(&report))),
        Err(error) => Err(refused(&error)),
    }
}

fn report_value(report: &ReloadReport) -> Value {
    json!({
        "generation": report.generation,
        "applied": changes(&report.applied),
        "needs_restart": changes(&report.needs_restart),
        "warnings": report.warnings,
        "old_files": files(&report.old_files),
        "new_files": files(&report.new_files),
    })
}

fn changes(changes: &[Change]) -> Vec<Value> {
    let value = |change: &Change| json!({ "key": change.key, "old": change.old, "new": change.new, "class": change.class.name() });
    changes.iter().map(value).collect()
}

fn files(files: &[LoadedFile]) -> Vec<Value> {
    files
        .iter()
        .map(|file| json!({ "path": file.path.display().to_string(), "sha256": file.sha256 }))
        .collect()
}

fn refused(error: &ReloadError) -> Refused {
    let ReloadError::Config(diagnostics) = error else {
        return Refused::new(Code::Refused, error.to_string());
    };
    let faults: Vec<String> = diagnostics.faults().map(|fault| fault.line_text()).collect();
    let text =
        format!("the configuration has {} faults, nothing has changed:\n{}", faults.len(), faults.join("\n"));
    Refused { code: Code::Config, text, detail: Map::from_iter([("faults".to_owned(), json!(faults))]) }
}
