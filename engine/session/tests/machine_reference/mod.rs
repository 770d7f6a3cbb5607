//! The reference that the tables are tested against: `data/x225-state-tables.txt`, read, and evaluated by code of its
//! own: formulas of predicates, effects of actions, what is sent.
#![allow(dead_code)]

pub(crate) mod configuration;
pub(crate) mod effect;
pub(crate) mod execution;
pub(crate) mod formula;

use colloquy_session::State;
use colloquy_session::machine::tables::Row;
use colloquy_session::machine::{Action, Event, Output, Predicate};
use std::sync::OnceLock;

/// The file, read.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    /// Name, meaning.
    pub(crate) states: Vec<Vec<&'static str>>,
    /// Name, origin, meaning.
    pub(crate) events: Vec<Vec<&'static str>>,
    /// Name, meaning.
    pub(crate) primitives: Vec<Vec<&'static str>>,
    /// Name, used or unused, formula, the reference's own words.
    pub(crate) predicates: Vec<Vec<&'static str>>,
    /// Name, used or unused, effect, the reference's own words.
    pub(crate) actions: Vec<Vec<&'static str>>,
    /// Name of the table, rows.
    pub(crate) tables: Vec<(&'static str, Vec<Line>)>,
    /// The reconstructed rows of symmetric synchronize.
    pub(crate) symmetric: Vec<Line>,
    /// Name, text.
    pub(crate) notes: Vec<Vec<&'static str>>,
}

/// A row, by names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) event: &'static str,
    pub(crate) state: &'static str,
    /// Predicates, with a leading `!` where negated.
    pub(crate) guard: Vec<String>,
    pub(crate) actions: Vec<&'static str>,
    pub(crate) outputs: Vec<&'static str>,
    pub(crate) next: &'static str,
    pub(crate) verified: bool,
    pub(crate) note: Option<&'static str>,
}

/// The file, read once.
pub(crate) fn reference() -> &'static Reference {
    static REFERENCE: OnceLock<Reference> = OnceLock::new();
    REFERENCE.get_or_init(|| read(include_str!("../data/x225-state-tables.txt")))
}

fn read(text: &'static str) -> Reference {
    let mut reference = Reference::default();
    let mut section = "";
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let notes: Vec<Vec<&str>> = text
        .lines()
        .skip_while(|line| *line != "[notes]")
        .skip(1)
        .map(|line| line.splitn(2, " | ").collect())
        .collect();
    for line in lines {
        if let Some(rest) = line.strip_prefix('[') {
            section = rest.split(']').next().expect("a section ends");
            if let Some(table) = section.strip_prefix("rows ") {
                reference.tables.push((table, Vec::new()));
            }
            continue;
        }
        let fields: Vec<&'static str> = line.split(" | ").collect();
        match section {
            "states" => reference.states.push(fields),
            "events" => reference.events.push(fields),
            "primitives" => reference.primitives.push(fields),
            "predicates" => reference.predicates.push(fields),
            "actions" => reference.actions.push(fields),
            "symmetric" => reference.symmetric.push(row(&fields, &notes)),
            "notes" => {}
            _ => {
                let (_, rows) = reference.tables.last_mut().expect("rows follow the name of their table");
                rows.push(row(&fields, &notes));
            }
        }
    }
    reference.notes = notes;
    reference
}

fn row(fields: &[&'static str], notes: &[Vec<&'static str>]) -> Line {
    let &[event, state, guard, actions, outputs, next, verified, note] = fields else {
        panic!("eight fields: {fields:?}")
    };
    let list = |field: &'static str| field.split(' ').filter(|name| *name != "-").collect();
    let guard = guard.split("&&").map(|term| term.trim().to_string()).filter(|term| term != "-").collect();
    let note = notes.iter().find(|entry| entry[0] == note).map(|entry| entry[1]);
    let verified = verified == "verified";
    Line { event, state, guard, actions: list(actions), outputs: list(outputs), next, verified, note }
}

impl Reference {
    /// The rows of all tables but the one of symmetric synchronize.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Line> {
        self.tables.iter().flat_map(|(_, rows)| rows)
    }

    /// The formula of a predicate.
    pub(crate) fn formula(&self, predicate: &str) -> &'static str {
        self.predicates.iter().find(|entry| entry[0] == predicate).expect("a known predicate")[2]
    }

    /// The effect of an action.
    pub(crate) fn effect(&self, action: &str) -> &'static str {
        self.actions.iter().find(|entry| entry[0] == action).expect("a known action")[2]
    }
}

impl Line {
    /// A row of the machine's tables, by names.
    pub(crate) fn of(row: &'static Row) -> Line {
        let term = |negated: bool, name: &str| format!("{}{name}", if negated { "!" } else { "" });
        Line {
            event: row.event.name(),
            state: row.state.name(),
            guard: row.guard.iter().map(|t| term(t.negated, t.predicate.name())).collect(),
            actions: row.actions.iter().map(|action| action.name()).collect(),
            outputs: row.outputs.iter().map(|output| output.name()).collect(),
            next: row.next.name(),
            verified: row.trust.verified,
            note: row.trust.note,
        }
    }

    /// Whether the line is about this cell.
    pub(crate) fn is_in(&self, state: State, event: Event) -> bool {
        self.state == state.name() && self.event == event.name()
    }

    /// `STA05A RA: p35 && p49`.
    pub(crate) fn title(&self) -> String {
        format!("{} {}: {}", self.state, self.event, self.guard.join(" && "))
    }
}

/// The predicate of this name, and whether the term negates it.
pub(crate) fn term(text: &str) -> (Predicate, bool) {
    let name = text.trim_start_matches('!');
    let predicate = Predicate::ALL.iter().find(|predicate| predicate.name() == name);
    (*predicate.unwrap_or_else(|| panic!("predicate {name}")), text.starts_with('!'))
}

/// The state of this name.
pub(crate) fn state(name: &str) -> State {
    State::ALL.into_iter().find(|state| state.name() == name).unwrap_or_else(|| panic!("state {name}"))
}

/// The action of this name.
pub(crate) fn action(name: &str) -> Action {
    *Action::ALL.iter().find(|action| action.name() == name).unwrap_or_else(|| panic!("action {name}"))
}

/// The output of this name.
pub(crate) fn output(name: &str) -> Output {
    *Output::ALL.iter().find(|output| output.name() == name).unwrap_or_else(|| panic!("output {name}"))
}
