//! A row of the target table.

use std::time::Duration;

use super::Finding;

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Interleaved rounds: 7 or more for a record.
    pub rounds: usize,
    /// Measured part of each run.
    pub measured: Duration,
    /// Load before it.
    pub warm_up: Duration,
    /// A short form: fewer cells, fewer sessions where the row says so in its remark.
    pub quick: bool,
}

/// Measures one row of the table, which may have several cells.
pub trait Row<L> {
    /// Short, stable: the beginning of the ids of its findings.
    fn id(&self) -> &'static str;
    /// Ids of its findings, for `--list` and for the check of `--only`.
    fn ids(&self) -> Vec<String> {
        vec![self.id().to_owned()]
    }
    /// The target in words.
    fn what(&self) -> &'static str;
    /// Measures. A fault of one cell is a finding that was skipped, with the reason.
    fn measure(&self, lab: &mut L) -> Vec<Finding>;
}
