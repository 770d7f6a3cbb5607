//! `colloquy table`: the state tables that the machine runs by, as Markdown, DOT or JSON.

mod dot;
mod json;
mod markdown;

use std::process::ExitCode;

use clap::{Args, ValueEnum};
use colloquy_session::State;
use colloquy_session::machine::Event;
use colloquy_session::machine::tables::{self, Row, Table};

/// Shows the state tables of X.225 Annex A as the session machine runs them.
#[derive(Debug, Args)]
#[command(
    before_help = "Example:  colloquy table --state 04A\n          colloquy table --table release --format dot | dot -Tsvg > release.svg",
    after_help = "Exit status: 0 shown, 2 no such table, state or event."
)]
pub(crate) struct TableArgs {
    /// How to show them
    #[arg(long, value_enum, default_value_t = Format::Markdown)]
    format: Format,
    /// Only tables whose name contains this
    #[arg(long, value_name = "NAME")]
    table: Option<String>,
    /// Only these states, as in 713 or 04A
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<String>,
    /// Only these events, as in MAP, SSYNmreq or RS-r
    #[arg(long, value_name = "EVENT", value_delimiter = ',')]
    event: Vec<String>,
    /// The reconstructed rows of symmetric synchronize too
    #[arg(long)]
    symmetric: bool,
    /// What the states, events, predicates and actions mean, instead of the rows (Markdown only)
    #[arg(long, conflicts_with_all = ["format", "table", "state", "event"])]
    legend: bool,
}

/// How the tables are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    // A table for each table of the annex, a line for each row.
    Markdown,
    // States and the transitions between them, for graphviz.
    Dot,
    // One object for each row.
    Json,
}

/// What of the tables is shown.
struct Selection {
    states: Vec<State>,
    events: Vec<Event>,
}

impl Selection {
    fn has(&self, row: &Row) -> bool {
        (self.states.is_empty() || self.states.contains(&row.state))
            && (self.events.is_empty() || self.events.contains(&row.event))
    }

    fn rows<'t>(&'t self, table: &'t Table) -> impl Iterator<Item = &'t Row> {
        table.rows.iter().filter(|row| self.has(row))
    }
}

/// Runs the verb.
pub(crate) fn run(args: &TableArgs) -> ExitCode {
    if args.legend {
        crate::say(&markdown::legend());
        return ExitCode::SUCCESS;
    }
    let (selection, tables) = match selected(args) {
        Ok(selected) => selected,
        Err(fault) => {
            eprintln!("colloquy: {fault}");
            return ExitCode::from(2);
        }
    };
    crate::say(&match args.format {
        Format::Markdown => markdown::tables(&selection, &tables),
        Format::Dot => dot::graph(&selection, &tables),
        Format::Json => json::rows(&selection, &tables),
    });
    ExitCode::SUCCESS
}

fn selected(args: &TableArgs) -> Result<(Selection, Vec<&'static Table>), String> {
    let mut known: Vec<&Table> = tables::tables().iter().collect();
    if args.symmetric {
        known.push(tables::symmetric());
    }
    let tables: Vec<&Table> = match &args.table {
        None => known.clone(),
        Some(part) => known.iter().copied().filter(|table| table.name.contains(part.as_str())).collect(),
    };
    if tables.is_empty() {
        let names: Vec<&str> = known.iter().map(|table| table.name).collect();
        return Err(format!("--table: none of the tables has that name: {}", names.join(", ")));
    }
    let states = args.state.iter().map(|text| state(text)).collect::<Result<_, _>>()?;
    let events = args.event.iter().map(|text| event(text)).collect::<Result<_, _>>()?;
    Ok((Selection { states, events }, tables))
}

/// A state by its number, with or without `STA`.
fn state(text: &str) -> Result<State, String> {
    let number = number(text);
    State::ALL
        .into_iter()
        .find(|state| self::number(state.name()).eq_ignore_ascii_case(number))
        .ok_or_else(|| format!("--state: there is no state {text}; see `colloquy table --legend`"))
}

/// A state's name without `STA`.
fn number(name: &str) -> &str {
    name.strip_prefix("STA").or_else(|| name.strip_prefix("sta")).unwrap_or(name)
}

/// An event by its name; upper and lower case differ in SSYNmreq and SSYNMreq only.
fn event(text: &str) -> Result<Event, String> {
    let exact = Event::ALL.iter().find(|event| event.name() == text);
    let close = || Event::ALL.iter().find(|event| event.name().eq_ignore_ascii_case(text));
    exact
        .or_else(close)
        .copied()
        .ok_or_else(|| format!("--event: there is no event {text}; see `colloquy table --legend`"))
}

/// A guard as text: terms joined by "and".
fn guard(row: &Row) -> String {
    let terms = row.guard.iter().map(|term| match term.negated {
        true => format!("not {}", term.predicate.name()),
        false => term.predicate.name().to_owned(),
    });
    terms.collect::<Vec<_>>().join(" and ")
}

/// Names joined by a comma.
fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
