//! `colloquy reload`: a running gateway reads its configuration again.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::control::{self, SocketArgs, member};

/// Lets a running gateway read its configuration again.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy check /etc/colloquy/gateway.toml && colloquy reload",
    after_help = "A file with any fault changes nothing. What needs a restart stays as it runs and is named.\n\
                  Exit status: 0 reloaded, 1 refused, 2 the configuration has faults, 3 no gateway there."
)]
pub(crate) struct ReloadArgs {
    #[command(flatten)]
    socket: SocketArgs,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &ReloadArgs) -> ExitCode {
    control::run(&args.socket, args.json, ("reload", json!({})), text)
}

fn text(answer: &Map<String, Value>) -> String {
    let mut out = format!("reloaded, generation {}\n", member(answer, "generation"));
    let list = |name: &str| answer.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    for (title, name) in [("in effect", "applied"), ("needs a restart", "needs_restart")] {
        for change in list(name).iter().filter_map(Value::as_object) {
            let [key, old, new, class] = ["key", "old", "new", "class"].map(|name| member(change, name));
            out.push_str(&format!("{title}: {key}: {old} -> {new} ({class})\n"));
        }
    }
    if list("applied").is_empty() && list("needs_restart").is_empty() {
        out.push_str("nothing has changed\n");
    }
    for warning in list("warnings").iter().filter_map(Value::as_str) {
        out.push_str(&format!("warning: {warning}\n"));
    }
    out
}
