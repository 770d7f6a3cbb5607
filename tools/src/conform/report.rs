//! What a run came to: as text for people, as JSON for programs.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, json};

use super::purpose::{Deviation, Kind, Purpose};

/// The result of a run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// What was tested.
    pub(crate) against: String,
    /// Purposes that ran, in one role at least.
    pub(crate) run: usize,
    /// Purposes that ran and found nothing.
    pub(crate) passed: usize,
    /// Purposes that found a deviation.
    pub(crate) failed: usize,
    /// Purposes that could not be tested.
    pub(crate) skipped: Vec<Skipped>,
    /// What the IUT does other than the reference says.
    pub(crate) deviations: Vec<Deviating>,
    /// Cells of the state tables, beside the purposes.
    pub(crate) cells: Cells,
}

/// Cells of the state tables that were executed from outside.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Cells {
    pub(crate) run: usize,
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// States that were reached.
    pub(crate) states: Vec<String>,
}

/// A purpose that could not be tested.
#[derive(Debug, Serialize)]
pub(crate) struct Skipped {
    pub(crate) purpose: u16,
    pub(crate) reason: String,
}

/// A deviation.
#[derive(Debug, Serialize)]
pub(crate) struct Deviating {
    /// The number of the purpose, or `STATE/SPDU` for a cell.
    pub(crate) purpose: Value,
    /// The role in which the IUT was tested: responder, initiator, user.
    pub(crate) role: &'static str,
    pub(crate) title: String,
    pub(crate) sent: String,
    pub(crate) expected: String,
    pub(crate) received: String,
}

impl Deviating {
    /// Of a purpose.
    pub(crate) fn of(purpose: &Purpose, role: &'static str, deviation: Deviation) -> Deviating {
        Deviating::new(json!(purpose.number), role, purpose.title.to_owned(), deviation)
    }

    /// Of anything.
    pub(crate) fn new(purpose: Value, role: &'static str, title: String, found: Deviation) -> Deviating {
        let Deviation { sent, expected, received } = found;
        Deviating { purpose, role, title, sent, expected, received }
    }
}

impl Report {
    /// True when nothing deviates.
    pub(crate) fn is_clean(&self) -> bool {
        self.deviations.is_empty()
    }

    /// One JSON object.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("plain data")
    }

    /// Lines for people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for deviation in &self.deviations {
            let Deviating { purpose, role, title, sent, expected, received } = deviation;
            let name = purpose.as_str().map_or_else(|| purpose.to_string(), str::to_owned);
            let _ = write!(
                text,
                "DEVIATION {name} ({role}): {title}\n  sent      {sent}\n  expected  {expected}\n  received  \
                 {received}\n"
            );
        }
        for Skipped { purpose, reason } in &self.skipped {
            let _ = writeln!(text, "skipped {purpose}: {reason}");
        }
        let Report { against, run, passed, failed, skipped, cells, .. } = self;
        let _ = writeln!(
            text,
            "{against}: {run} of 147 purposes run, {passed} passed, {failed} failed, {} skipped; {} cells run, \
             {} failed",
            skipped.len(),
            cells.run,
            cells.failed
        );
        text
    }
}

/// The purposes as a list.
pub(crate) fn list<'p>(purposes: impl Iterator<Item = &'p Purpose>) -> String {
    let mut text = String::new();
    for purpose in purposes {
        let Purpose { number, kind, title, .. } = purpose;
        let roles: Vec<&str> = [
            (purpose.responder.is_some(), "responder"),
            (purpose.initiator.is_some(), "initiator"),
            (purpose.user.is_some(), "user"),
        ]
        .into_iter()
        .filter_map(|(there, role)| there.then_some(role))
        .collect();
        let units = super::context::words(purpose.units);
        let units = if units.is_empty() { "kernel".to_owned() } else { units };
        let letter = Kind::letter(*kind);
        let _ = writeln!(text, "{number:>3} [{letter}] {title} ({units}; {})", roles.join(", "));
    }
    text
}
