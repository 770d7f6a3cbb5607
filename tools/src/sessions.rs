//! `colloquy sessions`: the sessions of a running gateway.

mod explained;
mod listed;

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::control::{self, Control, PARTIAL, SocketArgs};

/// Lists, shows, explains and ends sessions of a running gateway.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy sessions list --listener mms --sort age\n          colloquy sessions explain 0-7.2",
    after_help = "A session is named SHARD-INDEX.GENERATION, as in the log.\n\
                  Exit status: 0 done, 1 refused or no such session, 2 bad usage, 3 no gateway there, 4 done for some."
)]
pub(crate) struct SessionsArgs {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    socket: SocketArgs,
    /// JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Those that fit all conditions
    List(listed::ListArgs),
    /// All that is known of one
    Show(One),
    /// The same in plain English: where it stands, what it waits for, what comes next
    Explain(One),
    /// Ends sessions in order; by ABORT what cannot be released in time
    Close(Some),
    /// Ends sessions by ABORT
    Abort(Some),
}

#[derive(Debug, Args)]
struct One {
    /// The session
    #[arg(value_name = "SESSION")]
    session: String,
}

#[derive(Debug, Args)]
struct Some {
    /// Sessions
    #[arg(required = true, value_name = "SESSION")]
    sessions: Vec<String>,
}

/// Runs the verb.
pub(crate) fn run(args: &SessionsArgs) -> ExitCode {
    let SessionsArgs { action, socket, json } = args;
    match action {
        Action::List(list) => listed::run(list, socket, *json),
        Action::Show(One { session }) => {
            control::run(socket, *json, ("sessions.show", json!({ "session": session })), shown)
        }
        Action::Explain(One { session }) => {
            control::run(socket, *json, ("sessions.explain", json!({ "session": session })), explained::text)
        }
        Action::Close(Some { sessions }) => end(args, "sessions.close", sessions),
        Action::Abort(Some { sessions }) => end(args, "sessions.abort", sessions),
    }
}

fn end(args: &SessionsArgs, op: &str, sessions: &[String]) -> ExitCode {
    let answer =
        Control::open(&args.socket).and_then(|mut control| control.ask(op, json!({ "sessions": sessions })));
    let answer = match answer {
        Ok(answer) => answer,
        Err(fault) => return fault.tell(args.json),
    };
    let names = |member: &str| -> Vec<String> {
        let values = answer.get(member).and_then(Value::as_array).cloned().unwrap_or_default();
        values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let (ending, unknown) = (names("ending"), names("not_found"));
    if args.json {
        crate::say(&format!("{}\n", Value::Object(answer)));
    } else {
        ending.iter().for_each(|name| crate::say(&format!("{name}: is being ended\n")));
        unknown.iter().for_each(|name| eprintln!("colloquy: no session {name}: ended, or never was"));
    }
    if unknown.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(PARTIAL) }
}

/// A line for each member, leg after leg.
fn shown(answer: &Map<String, Value>) -> String {
    let mut out = String::new();
    for (title, events) in [("session", "events"), ("partner", "partner_events")] {
        let Some(session) = answer.get(title).and_then(Value::as_object) else { continue };
        let width = session.keys().map(String::len).max().unwrap_or(0);
        for (name, value) in session {
            let value = match value {
                Value::Null => "-".to_owned(),
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            out.push_str(&format!("{name:width$}  {value}\n"));
        }
        for event in answer.get(events).and_then(Value::as_array).into_iter().flatten() {
            let ago = event["seconds_ago"].as_f64().unwrap_or_default();
            let detail = event["detail"].as_str().map_or_else(String::new, |detail| format!(", {detail}"));
            out.push_str(&format!(
                "  {ago:9.3} s ago  {}{detail}\n",
                event["event"].as_str().unwrap_or_default()
            ));
        }
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}
