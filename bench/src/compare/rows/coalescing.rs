//! What coalescing saves, and what it costs who does not need it.

use super::super::statistics;
use super::super::{CellRuns, Contestant, Driver, Finding, Lab, LabError, Row};
use super::grid::{apart, measured};
use super::shape::{Shape, cpu_ratio};

pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Cost), Box::new(Latency)]
}

/// Sixteen small SSDUs in one send, against one send each.
struct Cost;

impl Row<Lab> for Cost {
    fn id(&self) -> &'static str {
        "coalescing-cost"
    }

    fn what(&self) -> &'static str {
        "16 SSDUs of 64 octets in flight on each of 64 sessions: CPU per SSDU, coalesced / each in a send of its own"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        const TARGET: f64 = 1.0 / 7.0;
        let shape = Shape { sessions: 64, octets: 64, depth: 16 };
        vec![match measured(lab, shape) {
            Ok(cell) => {
                let ours = Contestant::echo(Driver::IoUring).name();
                cpu_ratio(self.id(), self.what(), TARGET, &cell, &ours, &apart().name())
            }
            Err(why) => Finding::not_measured(self.id(), self.what(), TARGET, &why),
        }]
    }
}

/// What coalescing adds to the response time where there is nothing to coalesce.
struct Latency;

const TARGET: f64 = 1.05;
const SESSIONS: [usize; 2] = [1, 64];

impl Row<Lab> for Latency {
    fn id(&self) -> &'static str {
        "coalescing-p50"
    }

    fn ids(&self) -> Vec<String> {
        SESSIONS.map(|sessions| format!("coalescing-p50-{sessions}")).to_vec()
    }

    fn what(&self) -> &'static str {
        "64 octets at depth 1: median response time, with coalescing / without"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (sessions, id) in SESSIONS.into_iter().zip(self.ids()) {
            if !lab.wants(&id) {
                continue;
            }
            let shape = Shape { sessions, octets: 64, depth: 1 };
            let plan =
                shape.cell("coalescing ", lab.effort(), vec![Contestant::echo(Driver::IoUring), apart()]);
            let found = lab.cell(&plan).and_then(|cell| p50(&id, self.what(), &cell));
            findings.push(found.unwrap_or_else(|why| Finding::not_measured(&id, self.what(), TARGET, &why)));
        }
        findings
    }
}

fn p50(id: &str, what: &str, cell: &CellRuns) -> Result<Finding, LabError> {
    let (with, without) = (Contestant::echo(Driver::IoUring).name(), apart().name());
    cell.need(&[&with, &without])?;
    let ratios = cell.ratios(&with, &without, |run| run.p50_ns as f64);
    Ok(Finding::ratio(id, what, TARGET, statistics::estimate(&ratios)).with_runs(cell.all()))
}
