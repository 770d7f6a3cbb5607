//! The tables as Markdown, and the legend to them.

use std::fmt::Write;

use colloquy_session::State;
use colloquy_session::machine::tables::{Row, Table};
use colloquy_session::machine::{Action, Event, Output, Predicate};

use super::{Selection, guard, list};

/// One Markdown table for each table that has rows selected.
pub(super) fn tables(selection: &Selection, tables: &[&Table]) -> String {
    let mut text = String::new();
    let mut shown = 0;
    for table in tables {
        let rows: Vec<&Row> = selection.rows(table).collect();
        if rows.is_empty() {
            continue;
        }
        shown += rows.len();
        write!(text, "## {}\n\n", table.name).expect("a string takes all");
        text.push_str(
            "| event | state | guard | actions | output | next state | |\n|---|---|---|---|---|---|---|\n",
        );
        rows.iter().for_each(|row| line(&mut text, row));
        text.push('\n');
    }
    writeln!(
        text,
        "{shown} rows. A blank cell is an invalid intersection. `*`: not confirmed by two sources."
    )
    .expect("a string takes all");
    text
}

fn line(text: &mut String, row: &Row) {
    let next = if row.next == row.state { "=" } else { row.next.name() };
    let trust = if row.trust.verified { "" } else { "*" };
    let note = row.trust.note.unwrap_or("").replace('|', "/");
    writeln!(
        text,
        "| {} | {} | {} | {} | {} | {next} | {} |",
        row.event.name(),
        row.state.name(),
        guard(row),
        list(row.actions.iter().map(|action| action.name())),
        list(row.outputs.iter().map(|output| output.name())),
        [trust, &note].join(" ").trim(),
    )
    .expect("a string takes all");
}

/// What the names in the tables mean.
pub(super) fn legend() -> String {
    let mut text = String::new();
    let states = State::ALL.iter().map(|state| [state.name(), state.text(), ""]);
    section(&mut text, "States", ["state", "meaning", ""], states);
    let events = Event::ALL.iter().map(|event| [event.name(), event.text(), ""]);
    section(&mut text, "Incoming events", ["event", "meaning", ""], events);
    let outputs = Output::ALL.iter().map(|output| [output.name(), output.text(), ""]);
    section(&mut text, "Outputs", ["output", "meaning", ""], outputs);
    let predicates =
        Predicate::ALL.iter().map(|predicate| [predicate.name(), predicate.text(), predicate.formula()]);
    section(&mut text, "Predicates", ["predicate", "meaning", "formula"], predicates);
    let actions = Action::ALL.iter().map(|action| [action.name(), action.text(), ""]);
    section(&mut text, "Actions", ["action", "meaning", ""], actions);
    text
}

fn section<'t>(text: &mut String, title: &str, heads: [&str; 3], lines: impl Iterator<Item = [&'t str; 3]>) {
    let columns = heads.iter().filter(|head| !head.is_empty()).count();
    let rule = "|---".repeat(columns);
    write!(text, "## {title}\n\n| {} |\n{rule}|\n", heads[..columns].join(" | "))
        .expect("a string takes all");
    for cells in lines {
        let cells: Vec<String> = cells[..columns].iter().map(|cell| cell.replace('|', "\\|")).collect();
        writeln!(text, "| {} |", cells.join(" | ")).expect("a string takes all");
    }
    text.push('\n');
}
