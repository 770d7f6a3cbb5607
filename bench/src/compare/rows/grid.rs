//! The grid of echo cells, which feeds five rows: each cell is measured once, with every contestant that a row in question
//! needs.

use super::super::statistics::{self};
use super::super::{CellRuns, Contestant, Driver, Effort, Finding, Lab, LabError, RawKind, Row, Run};
use super::shape::{Shape, cpu_ratio, mean_cpu_ratio};

const OURS: &str = "colloquy io_uring";
const FALLBACK: &str = "colloquy mio";
const BARE: &str = "raw io_uring";
const TOKIO: &str = "raw tokio";
/// A batch of one TSDU: nothing is coalesced.
pub(super) const APART: (&str, u32) = ("send_batch_octets_max", 1);

const SESSIONS: [usize; 3] = [64, 1000, 5000];
const OCTETS: [usize; 4] = [64, 1024, 4096, 16384];
const DEEP: usize = 16;

/// Every row that derives from the grid.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(EchoAlone), Box::new(EchoDeep), Box::new(Tokio), Box::new(Calls), Box::new(Fallback)]
}

fn shallow() -> Vec<Shape> {
    let of = |sessions| OCTETS.map(|octets| Shape { sessions, octets, depth: 1 });
    SESSIONS.into_iter().flat_map(of).collect()
}

fn deep() -> Vec<Shape> {
    [64, 1000].map(|sessions| Shape { sessions, octets: 64, depth: DEEP }).to_vec()
}

/// The cells that are measured: all, or in the short form the corners.
fn taken(shapes: Vec<Shape>, effort: Effort) -> Vec<Shape> {
    const CORNERS: [(usize, usize); 4] = [(64, 64), (64, 16384), (1000, 1024), (5000, 64)];
    let in_short = |shape: &Shape| shape.depth > 1 || CORNERS.contains(&(shape.sessions, shape.octets));
    shapes.into_iter().filter(|shape| !effort.quick || in_short(shape)).collect()
}

fn echo_id(shape: Shape) -> String {
    format!("echo-{}-{}x{}", shape.depth, shape.sessions, shape.octets)
}

/// Colloquy as it is when TSDUs of one session never share a send.
pub(super) fn apart() -> Contestant {
    Contestant::echo(Driver::IoUring).with_engine_key(APART.0, APART.1)
}

/// One cell of the grid, with whoever the wanted rows need.
pub(super) fn measured(lab: &mut Lab, shape: Shape) -> Result<CellRuns, LabError> {
    let mut contestants = vec![Contestant::echo(Driver::IoUring)];
    if lab.wants(&echo_id(shape)) || lab.wants(&format!("echo-{}", shape.depth)) {
        contestants.push(Contestant::raw(RawKind::IoUring));
    }
    if lab.wants("tokio") {
        contestants.push(Contestant::raw(RawKind::Tokio));
    }
    if lab.wants("fallback") {
        contestants.push(Contestant::echo(Driver::Mio));
    }
    if (shape.sessions, shape.octets, shape.depth) == (64, 64, DEEP) && lab.wants("coalescing-cost") {
        contestants.push(apart());
    }
    let plan = shape.cell("", lab.effort(), contestants);
    lab.cell(&plan)
}

/// The cells of these shapes by name; the user's stop ends the list.
fn all_measured(lab: &mut Lab, shapes: Vec<Shape>) -> Vec<(String, CellRuns)> {
    let effort = lab.effort();
    let mut cells = Vec::new();
    for shape in taken(shapes, effort) {
        match measured(lab, shape) {
            Ok(cell) => cells.push((shape.name(), cell)),
            Err(_) => break,
        }
    }
    cells
}

/// Findings for each wanted shape, and their cells.
fn each(
    lab: &mut Lab,
    shapes: Vec<Shape>,
    target: f64,
    what: &str,
) -> (Vec<Finding>, Vec<(String, CellRuns)>) {
    let effort = lab.effort();
    let (mut findings, mut cells) = (Vec::new(), Vec::new());
    for shape in taken(shapes, effort) {
        let id = echo_id(shape);
        if !lab.wants(&id) {
            continue;
        }
        match measured(lab, shape) {
            Ok(cell) => {
                findings.push(cpu_ratio(&id, what, target, &cell, OURS, BARE));
                cells.push((shape.name(), cell));
            }
            Err(why) => findings.push(Finding::not_measured(&id, what, target, &why)),
        }
    }
    (findings, cells)
}

/// Echo at depth 1.
struct EchoAlone;

impl Row<Lab> for EchoAlone {
    fn id(&self) -> &'static str {
        "echo-1"
    }

    fn ids(&self) -> Vec<String> {
        std::iter::once("echo-1".to_owned()).chain(shallow().into_iter().map(echo_id)).collect()
    }

    fn what(&self) -> &'static str {
        "echo at depth 1: CPU per SSDU, Colloquy / raw io_uring echo with the same buffers"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        const TARGET: f64 = 1.10;
        let (mut findings, cells) = each(lab, shallow(), TARGET, self.what());
        if lab.wants("echo-1") {
            findings.push(mean_cpu_ratio("echo-1", self.what(), TARGET, &cells, OURS, BARE));
        }
        findings
    }
}

/// Echo at depth 16.
struct EchoDeep;

impl Row<Lab> for EchoDeep {
    fn id(&self) -> &'static str {
        "echo-16"
    }

    fn ids(&self) -> Vec<String> {
        deep().into_iter().map(echo_id).collect()
    }

    fn what(&self) -> &'static str {
        "echo at depth 16: CPU per SSDU, Colloquy / raw io_uring echo with the same buffers"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        each(lab, deep(), 1.35, self.what()).0
    }
}

/// Against plain tokio.
struct Tokio;

impl Row<Lab> for Tokio {
    fn id(&self) -> &'static str {
        "tokio"
    }

    fn what(&self) -> &'static str {
        "echo over the whole grid: CPU per SSDU, Colloquy / plain tokio echo without any OSI layer"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let cells = all_measured(lab, [shallow(), deep()].concat());
        vec![mean_cpu_ratio("tokio", self.what(), 1.0, &cells, OURS, TOKIO)]
    }
}

/// The mio driver against the io_uring driver.
struct Fallback;

impl Row<Lab> for Fallback {
    fn id(&self) -> &'static str {
        "fallback"
    }

    fn what(&self) -> &'static str {
        "echo over the whole grid: CPU per SSDU, Colloquy on mio / Colloquy on io_uring"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let cells = all_measured(lab, [shallow(), deep()].concat());
        vec![mean_cpu_ratio("fallback", self.what(), 1.25, &cells, FALLBACK, OURS)]
    }
}

/// System calls.
struct Calls;

impl Calls {
    fn shapes() -> Vec<(String, Shape, f64)> {
        let of = |shape: Shape, target| (format!("calls-{}-{}", shape.depth, shape.sessions), shape, target);
        let alone = SESSIONS.map(|sessions| of(Shape { sessions, octets: 64, depth: 1 }, 0.1));
        alone.into_iter().chain(deep().into_iter().map(|shape| of(shape, 0.01))).collect()
    }
}

impl Row<Lab> for Calls {
    fn id(&self) -> &'static str {
        "calls"
    }

    fn ids(&self) -> Vec<String> {
        Calls::shapes().into_iter().map(|(id, ..)| id).collect()
    }

    fn what(&self) -> &'static str {
        "echo, 64 octets: system calls per SSDU of Colloquy on io_uring, by its own count"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let effort = lab.effort();
        let mut findings = Vec::new();
        for (id, shape, target) in Calls::shapes() {
            if !lab.wants(&id) || taken(vec![shape], effort).is_empty() {
                continue;
            }
            let found = measured(lab, shape).and_then(|cell| calls_of(&id, self.what(), target, &cell));
            findings.push(found.unwrap_or_else(|why| Finding::not_measured(&id, self.what(), target, &why)));
        }
        findings
    }
}

fn calls_of(id: &str, what: &str, target: f64, cell: &CellRuns) -> Result<Finding, LabError> {
    cell.need(&[OURS])?;
    let calls: Option<Vec<f64>> = cell.by(OURS).iter().map(Run::calls_per_ssdu).collect();
    let calls = calls.ok_or_else(|| LabError::Failed("the gateway counts no system calls".to_owned()))?;
    Ok(Finding::quantity(id, what, "calls per SSDU", target, statistics::estimate(&calls))
        .with_runs(cell.by(OURS)))
}
