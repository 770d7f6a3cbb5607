//! `colloquy status`: how a running gateway is.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::control::{self, SocketArgs};

/// Says how a running gateway is.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy status",
    after_help = "Exit status: 0 it answers, 1 refused, 2 bad usage, 3 no gateway there."
)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    socket: SocketArgs,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &StatusArgs) -> ExitCode {
    control::run(&args.socket, args.json, ("status", json!({})), text)
}

/// Name and value a line; lists of objects as one line each, in any depth.
fn text(answer: &Map<String, Value>) -> String {
    let mut out = String::new();
    write(&mut out, 0, answer);
    out
}

fn write(out: &mut String, depth: usize, members: &Map<String, Value>) {
    let indent = "  ".repeat(depth);
    let names = members.iter().filter(|(_, value)| !value.is_object() && !value.is_array());
    let width = names.map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in members.iter().filter(|(name, _)| *name != "ok") {
        let label = name.replace('_', " ");
        match value {
            Value::Object(inner) => {
                out.push_str(&format!("{indent}{label}\n"));
                write(out, depth + 1, inner);
            }
            Value::Array(values) if values.iter().any(Value::is_object) => {
                out.push_str(&format!("{indent}{label}\n"));
                for inner in values.iter().filter_map(Value::as_object) {
                    let shown: Vec<String> = inner
                        .iter()
                        .map(|(name, value)| format!("{} {}", name.replace('_', " "), plain(value)))
                        .collect();
                    out.push_str(&format!("{indent}  {}\n", shown.join(", ")));
                }
            }
            value => out.push_str(&format!("{indent}{label:width$}  {}\n", plain(value))),
        }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(" "),
        value => value.to_string(),
    }
}
