//! The state tables of Annex A as data: nine files of rows, and the index that finds the rows of a cell. A tenth
//! file holds the reconstructed rows of symmetric synchronize, apart from the others.
//!
//! A cell (state, event) holds one or more rows with different guards. A blank cell holds none: an invalid
//! intersection, for which [`super::Spm`] has rules.

mod abort;
mod activity_capability;
mod connection_establishment;
mod data_transfer;
mod interrupt_discard;
mod notes;
mod release;
mod resynchronization;
mod symmetric_synchronize;
mod synchronization;
mod token_exception;

use super::{Action, Event, Output, Predicate, State};

/// One row: what happens in a state on an event when the guard holds.
#[derive(Debug)]
pub struct Row {
    /// The incoming event.
    pub event: Event,
    /// The state it finds.
    pub state: State,
    /// All terms must hold; empty: always.
    pub guard: &'static [Term],
    /// Actions, in order, run after the outputs are built.
    pub actions: &'static [Action],
    /// What is sent, in order.
    pub outputs: &'static [Output],
    /// The state afterwards.
    pub next: State,
    /// How far the row is confirmed.
    pub trust: Trust,
}

/// A predicate, or its negation, in a guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The predicate.
    pub predicate: Predicate,
    /// True when the guard wants it not to hold.
    pub negated: bool,
}

/// How far a row is confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trust {
    /// Two independent sources give the row as it stands.
    pub verified: bool,
    /// What is peculiar about it.
    pub note: Option<&'static str>,
}

/// All rows, table by table, in the order of Annex A.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES.iter().flat_map(|table| table.rows.iter())
}

/// The tables, in the order of Annex A.
pub fn tables() -> &'static [Table] {
    &TABLES
}

/// The rows of one cell; empty for a blank one.
pub fn cell(state: State, event: Event) -> &'static [Row] {
    let range = INDEX[state as usize][event as usize];
    let start = usize::from(range.start);
    &TABLES[usize::from(range.table)].rows[start..start + usize::from(range.rows)]
}

/// The rows of one cell of the reconstructed table for symmetric synchronize; empty where the other tables hold.
///
/// All of them are unverified. The machine asks only when that unit is selected.
pub fn symmetric_cell(state: State, event: Event) -> &'static [Row] {
    let rows = SYMMETRIC.rows;
    let in_cell = |row: &Row| row.state == state && row.event == event;
    let Some(start) = rows.iter().position(in_cell) else { return &[] };
    let count = rows[start..].iter().take_while(|row| in_cell(row)).count();
    &rows[start..start + count]
}

/// The reconstructed table for symmetric synchronize.
pub fn symmetric() -> &'static Table {
    &SYMMETRIC
}

/// One table of Annex A.
#[derive(Debug)]
pub struct Table {
    /// What the table is about.
    pub name: &'static str,
    /// Its rows; those of one cell stand together.
    pub rows: &'static [Row],
}

static TABLES: [Table; 9] = [
    Table { name: "connection establishment", rows: connection_establishment::ROWS },
    Table { name: "data transfer", rows: data_transfer::ROWS },
    Table { name: "synchronization", rows: synchronization::ROWS },
    Table { name: "resynchronization", rows: resynchronization::ROWS },
    Table { name: "activity interrupt and discard", rows: interrupt_discard::ROWS },
    Table { name: "activity start and resume, capability data", rows: activity_capability::ROWS },
    Table { name: "tokens and exceptions", rows: token_exception::ROWS },
    Table { name: "release", rows: release::ROWS },
    Table { name: "abort", rows: abort::ROWS },
];

static SYMMETRIC: Table =
    Table { name: "symmetric synchronize (reconstructed)", rows: symmetric_synchronize::ROWS };

/// Where the rows of a cell are.
#[derive(Clone, Copy)]
struct Range {
    table: u8,
    rows: u8,
    start: u16,
}

/// State x event to rows: an SPDU costs one load here instead of a walk over 913 rows.
static INDEX: [[Range; Event::ALL.len()]; State::ALL.len()] = index();

const fn index() -> [[Range; Event::ALL.len()]; State::ALL.len()] {
    let blank = Range { table: 0, rows: 0, start: 0 };
    let mut index = [[blank; Event::ALL.len()]; State::ALL.len()];
    let mut table = 0;
    while table < TABLES.len() {
        let rows = TABLES[table].rows;
        let mut at = 0;
        while at < rows.len() {
            let range = &mut index[rows[at].state as usize][rows[at].event as usize];
            if range.rows == 0 {
                *range = Range { table: table as u8, rows: 0, start: at as u16 };
            }
            assert!(range.table as usize == table, "a cell lies in one table");
            assert!(range.start as usize + range.rows as usize == at, "rows of a cell stand together");
            range.rows += 1;
            at += 1;
        }
        table += 1;
    }
    index
}

/// Verified.
const V: Trust = Trust { verified: true, note: None };
/// Unverified.
const U: Trust = Trust { verified: false, note: None };

/// Verified, with a note.
const fn v(note: &'static str) -> Trust {
    Trust { verified: true, note: Some(note) }
}

/// Unverified, with a note.
const fn u(note: &'static str) -> Trust {
    Trust { verified: false, note: Some(note) }
}

const fn is(predicate: Predicate) -> Term {
    Term { predicate, negated: false }
}

const fn not(predicate: Predicate) -> Term {
    Term { predicate, negated: true }
}

const fn row(
    event: Event,
    state: State,
    guard: &'static [Term],
    actions: &'static [Action],
    outputs: &'static [Output],
    next: State,
    trust: Trust,
) -> Row {
    Row { event, state, guard, actions, outputs, next, trust }
}
