//! `colloquy status`: how a running gateway is.

mod text;

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::control::{self, SocketArgs};

/// Says how a running gateway is.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy status",
    after_help = "A screenful: what it serves, how much, what went wrong lately. `--json` has all that is known;\n\
                  `colloquy top` shows it as it changes, `colloquy explain` what an event means.\n\
                  Exit status: 0 it answers, 1 refused, 2 bad usage, 3 no gateway there."
)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    socket: SocketArgs,
    /// All that is known, as one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &StatusArgs) -> ExitCode {
    control::run(&args.socket, args.json, ("status", json!({})), text::summary)
}
