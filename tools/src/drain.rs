//! `colloquy drain`: a running gateway goes away.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::control::{Control, Fault, SocketArgs, member};

/// Time between two looks with `--wait`.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Drains a running gateway: no new sessions, open ones are ended as `drain` of its configuration says, then it stops.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy drain --deadline 5m --wait",
    after_help = "Given again, only the deadline changes: `--deadline 0s` aborts what is left.\n\
                  Exit status: 0 it drains (with --wait: it has), 1 refused, 2 bad usage, 3 no gateway there."
)]
pub(crate) struct DrainArgs {
    #[command(flatten)]
    socket: SocketArgs,
    /// Time until what is left is aborted, as 750ms, 30s or 5m [default: drain.deadline]
    #[arg(long, value_name = "TIME")]
    deadline: Option<String>,
    /// Wait until the gateway has gone
    #[arg(long)]
    wait: bool,
    /// JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &DrainArgs) -> ExitCode {
    let mut arguments = Map::new();
    if let Some(deadline) = &args.deadline {
        arguments.insert("deadline".to_owned(), json!(deadline));
    }
    let begun =
        Control::open(&args.socket).and_then(|mut control| control.ask("drain", Value::Object(arguments)));
    match begun {
        Ok(answer) => tell(&answer, args.json),
        Err(fault) => return fault.tell(args.json),
    }
    if args.wait {
        return wait(args);
    }
    ExitCode::SUCCESS
}

/// Looks until nobody answers any more, which is what a gateway that has drained does.
fn wait(args: &DrainArgs) -> ExitCode {
    let mut last = None;
    loop {
        // Polls until the gateway has gone or the deadline has passed.
        thread::sleep(LOOK_INTERVAL);
        let answer =
            Control::open(&args.socket).and_then(|mut control| control.ask("drain.status", json!({})));
        match answer {
            Ok(answer) => {
                let remaining = member(&answer, "remaining");
                if last.as_ref() != Some(&remaining) {
                    tell(&answer, args.json);
                    last = Some(remaining);
                }
            }
            Err(Fault::Unreachable(_)) => return ExitCode::SUCCESS,
            Err(fault) => return fault.tell(args.json),
        }
    }
}

fn tell(answer: &Map<String, Value>, json: bool) {
    if json {
        return crate::say(&format!("{}\n", Value::Object(answer.clone())));
    }
    let deadline = answer.get("deadline_in_seconds").and_then(Value::as_f64).unwrap_or_default();
    let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
    let [remaining, released, aborted] = ["remaining", "released", "aborted"].map(count);
    // The shards have not counted yet when the first answer goes out.
    let began = count("began_with").max(remaining);
    crate::say(&format!(
        "draining: {remaining} of {began} sessions left, {released} released, {aborted} aborted, deadline in {deadline:.1} s\n"
    ));
}
