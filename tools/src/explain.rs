//! `colloquy explain`: the manual page of an event id.

use std::process::ExitCode;

use clap::Args;
use colloquy_gateway::manual::{PAGES, page, title};
use serde_json::json;

use crate::control::table::Table;

/// Explains an event id of a log: meaning, cause, action.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy explain CLQ-S04\n          colloquy explain",
    after_help = "Exit status: 0 explained, 1 no such id."
)]
pub(crate) struct ExplainArgs {
    /// Id, as CLQ-S04; without one all are listed
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub(crate) fn run(args: &ExplainArgs) -> ExitCode {
    let Some(id) = &args.id else {
        list(args.json);
        return ExitCode::SUCCESS;
    };
    match page(id) {
        Some(text) if args.json => {
            crate::say(&format!("{}\n", json!({ "title": title(text), "page": text })))
        }
        Some(text) => crate::say(text),
        None => {
            eprintln!("colloquy: no page for {id}; `colloquy explain` lists all");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn list(json: bool) {
    if json {
        let pages: Vec<_> =
            PAGES.iter().map(|(id, text)| json!({ "id": id, "title": title(text) })).collect();
        return crate::say(&format!("{}\n", json!({ "pages": pages })));
    }
    let mut table = Table::new(&["id", "event"]);
    for (id, text) in PAGES {
        table.push(vec![(*id).to_owned(), title(text).to_owned()]);
    }
    crate::say(&table.print());
}
