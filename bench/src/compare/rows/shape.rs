//! Shapes of load, and what findings say about the cells they come from.

use std::time::Duration;

use crate::pump::{Exchange, Pace, Window};

use super::super::cell::CellPlan;
use super::super::statistics::{self, median};
use super::super::{CellRuns, Contestant, Effort, Finding, LabError, Run};

/// Sessions, octets of an SSDU, SSDUs in flight on each session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub(super) sessions: usize,
    pub(super) octets: usize,
    pub(super) depth: usize,
}

impl Shape {
    /// As in records: `64x256x1`.
    pub(super) fn name(self) -> String {
        format!("{}x{}x{}", self.sessions, self.octets, self.depth)
    }

    /// The cell of this shape, in a closed loop.
    pub(super) fn cell(self, prefix: &str, effort: Effort, contestants: Vec<Contestant>) -> CellPlan {
        CellPlan {
            name: format!("{prefix}{}", self.name()),
            sessions: self.sessions,
            exchange: Exchange::echo(self.octets),
            window: window(effort, Pace::Closed { depth: self.depth }),
            contestants,
        }
    }
}

/// A window as long as the effort says.
pub(super) fn window(effort: Effort, pace: Pace) -> Window {
    Window { pace, warm_up: effort.warm_up, measured: effort.measured }
}

/// Colloquy's CPU time per SSDU over that of another, in one cell.
pub(super) fn cpu_ratio(
    id: &str,
    what: &str,
    target: f64,
    cell: &CellRuns,
    ours: &str,
    theirs: &str,
) -> Finding {
    if let Err(why) = cell.need(&[ours, theirs]) {
        return Finding::not_measured(id, what, target, &why);
    }
    let ratios = cell.ratios(ours, theirs, Run::cpu_ns_per_ssdu);
    Finding::ratio(id, what, target, statistics::estimate(&ratios))
        .remarked(cpu_remark(cell, ours, theirs))
        .with_runs(cell.by(ours))
        .with_runs(cell.by(theirs))
}

/// `1.92 us against 1.80 us CPU per SSDU, 402 000/s against 431 000/s`.
pub(super) fn cpu_remark(cell: &CellRuns, ours: &str, theirs: &str) -> String {
    let cpu = |who| median(&cell.figure(who, Run::cpu_ns_per_ssdu)) / 1000.0;
    let rate = |who| median(&cell.figure(who, Run::rate_per_s)) / 1000.0;
    format!(
        "CPU per SSDU {:.2} us against {:.2} us; {:.0} thousand SSDUs/s against {:.0}",
        cpu(ours),
        cpu(theirs),
        rate(ours),
        rate(theirs)
    )
}

/// The geometric mean, over cells, of Colloquy's CPU time per SSDU over that of another.
pub(super) fn mean_cpu_ratio(
    id: &str,
    what: &str,
    target: f64,
    cells: &[(String, CellRuns)],
    ours: &str,
    theirs: &str,
) -> Finding {
    let lacking = cells.iter().find_map(|(name, cell)| match cell.need(&[ours, theirs]) {
        Err(LabError::Failed(why)) => Some(LabError::Failed(format!("{name}: {why}"))),
        other => other.err(),
    });
    let nothing = || cells.is_empty().then(|| LabError::Failed("no cell was measured".to_owned()));
    if let Some(why) = lacking.or_else(nothing) {
        return Finding::not_measured(id, what, target, &why);
    }
    let ratios: Vec<Vec<f64>> =
        cells.iter().map(|(_, cell)| cell.ratios(ours, theirs, Run::cpu_ns_per_ssdu)).collect();
    let each: Vec<String> = cells
        .iter()
        .zip(&ratios)
        .map(|((name, _), ratios)| format!("{name} {:.2}", median(ratios)))
        .collect();
    let runs = cells.iter().flat_map(|(_, cell)| cell.by(ours).iter().chain(cell.by(theirs)));
    Finding::ratio(id, what, target, statistics::geometric_mean(&ratios))
        .remarked(format!("geometric mean of {}", each.join(", ")))
        .with_runs(runs)
}

/// Twice the window of other rows: percentiles far out need many samples.
pub(super) fn long_window(effort: Effort, pace: Pace) -> Window {
    let measured: Duration = effort.measured * 2;
    Window { measured, ..window(effort, pace) }
}
