//! Response times in the open loop.

use crate::pump::{Exchange, Pace};

use super::super::cell::CellPlan;
use super::super::statistics::{self, median};
use super::super::{CellRuns, Contestant, Driver, Finding, Lab, LabError, RawKind, Row, Run};
use super::shape::{Shape, long_window};

pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Latency)]
}

/// A percentile of the row: its id, its target, and where it is in a run.
type Percentile = (&'static str, f64, fn(&Run) -> f64);

const PERCENTILES: [Percentile; 2] =
    [("latency-p50", 1.15, |run| run.p50_ns as f64), ("latency-p99.9", 1.25, |run| run.p999_ns as f64)];
const SHAPE: Shape = Shape { sessions: 64, octets: 256, depth: 1 };
/// Of the capacity of the slower one.
const LOAD: f64 = 0.7;
const SEED: u64 = 0x225;

/// Poisson arrivals at one rate for both.
struct Latency;

impl Row<Lab> for Latency {
    fn id(&self) -> &'static str {
        "latency"
    }

    fn ids(&self) -> Vec<String> {
        PERCENTILES.map(|(id, ..)| id.to_owned()).to_vec()
    }

    fn what(&self) -> &'static str {
        "64 sessions, 256 octets, Poisson arrivals at 70 % of the capacity of the slower: response time, Colloquy / raw mio"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let wanted: Vec<Percentile> = PERCENTILES.into_iter().filter(|(id, ..)| lab.wants(id)).collect();
        let measured = measured(lab);
        wanted
            .into_iter()
            .map(|(id, target, figure)| match &measured {
                Ok((cell, rate)) => percentile(id, self.what(), target, cell, *rate, figure),
                Err(why) => Finding::not_measured(id, self.what(), target, why),
            })
            .collect()
    }
}

fn contestants() -> [Contestant; 2] {
    [Contestant::echo(Driver::IoUring), Contestant::raw(RawKind::Mio)]
}

/// The open loop, and its rate.
fn measured(lab: &mut Lab) -> Result<(CellRuns, f64), LabError> {
    let [ours, theirs] = contestants().map(|contestant| contestant.name());
    let capacity = lab.cell(&SHAPE.cell("capacity ", lab.effort(), contestants().to_vec()))?;
    capacity.need(&[&ours, &theirs])?;
    let most = |who: &str| median(&capacity.figure(who, Run::rate_per_s));
    let rate = LOAD * most(&ours).min(most(&theirs));
    let pace = Pace::Open { rate_per_s: rate, poisson: true, seed: SEED };
    let cell = lab.cell(&CellPlan {
        name: format!("open {}", SHAPE.name()),
        sessions: SHAPE.sessions,
        exchange: Exchange::echo(SHAPE.octets),
        window: long_window(lab.effort(), pace),
        contestants: contestants().to_vec(),
    })?;
    cell.need(&[&ours, &theirs])?;
    Ok((cell, rate))
}

fn percentile(
    id: &str,
    what: &str,
    target: f64,
    cell: &CellRuns,
    rate: f64,
    figure: fn(&Run) -> f64,
) -> Finding {
    let [ours, theirs] = contestants().map(|contestant| contestant.name());
    let us = |who: &str| median(&cell.figure(who, figure)) / 1000.0;
    let late = cell.all().filter_map(|run| run.lateness_p99_ns).max().unwrap_or(0) as f64 / 1000.0;
    Finding::ratio(id, what, target, statistics::estimate(&cell.ratios(&ours, &theirs, figure)))
        .remarked(format!(
            "{:.1} us against {:.1} us at {rate:.0} SSDUs/s; the client was at most {late:.0} us late (p99)",
            us(&ours),
            us(&theirs)
        ))
        .with_runs(cell.all())
}
