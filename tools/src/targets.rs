//! `colloquy targets`: the targets of a running gateway, and what an operator wants of them.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use crate::control::table::Table;
use crate::control::{self, Control, PARTIAL, SocketArgs, member};

/// Lists targets of a running gateway, takes them out of service and puts them back.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy targets list\n          colloquy targets drain mms-1",
    after_help = "drain: no new sessions, open ones go on. maint: no sessions, open ones are ended. ready: as ever.\n\
                  What is set here holds until it is set again, the file is reloaded with another state, or the\n\
                  gateway starts anew.\n\
                  Exit status: 0 done, 1 refused or no such target, 2 bad usage, 3 no gateway there, 4 done for some."
)]
pub(crate) struct TargetsArgs {
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
    /// What there is, and how it is
    List,
    /// Takes no new sessions
    Drain(Names),
    /// Takes sessions
    Ready(Names),
    /// Takes no sessions, and those that are there are ended
    Maint(Names),
}

#[derive(Debug, Args)]
struct Names {
    /// Targets by name
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
}

/// Runs the verb.
pub(crate) fn run(args: &TargetsArgs) -> ExitCode {
    match &args.action {
        Action::List => control::run(&args.socket, args.json, ("targets", json!({})), table),
        Action::Drain(names) => set(args, names, "drain"),
        Action::Ready(names) => set(args, names, "ready"),
        Action::Maint(names) => set(args, names, "maint"),
    }
}

/// Sets all that can be set; tells of the others.
fn set(args: &TargetsArgs, names: &Names, state: &str) -> ExitCode {
    let mut control = match Control::open(&args.socket) {
        Ok(control) => control,
        Err(fault) => return fault.tell(args.json),
    };
    let (mut done, mut failed) = (0, None);
    for target in &names.targets {
        match control.ask("targets.set", json!({ "target": target, "state": state })) {
            Ok(answer) if args.json => crate::say(&format!("{}\n", Value::Object(answer))),
            Ok(answer) => crate::say(&format!("{target}: {} -> {state}\n", member(&answer, "before"))),
            Err(fault) => {
                failed = Some(fault.tell(args.json));
                continue;
            }
        }
        done += 1;
    }
    match failed {
        Some(_) if done > 0 => ExitCode::from(PARTIAL),
        Some(code) => code,
        None => ExitCode::SUCCESS,
    }
}

fn table(answer: &Map<String, Value>) -> String {
    const COLUMNS: [&str; 8] =
        ["name", "address", "state", "health", "sessions", "ejections", "warm_failures", "last_failure"];
    let rows: Vec<&Map<String, Value>> = answer
        .get("targets")
        .and_then(Value::as_array)
        .map(|rows| rows.iter().filter_map(Value::as_object).collect())
        .unwrap_or_default();
    // What this gateway does not tell needs no column.
    let columns: Vec<&'static str> =
        COLUMNS.into_iter().filter(|column| rows.iter().any(|row| row.contains_key(*column))).collect();
    if rows.is_empty() {
        return "no targets\n".to_owned();
    }
    let mut table = Table::new(&columns);
    for row in rows {
        table.push(columns.iter().map(|column| member(row, column)).collect());
    }
    table.print()
}
