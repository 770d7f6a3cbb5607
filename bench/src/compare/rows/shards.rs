//! What a second shard costs.

use super::super::{CellRuns, Contestant, Driver, Finding, Lab, Row};
use super::shape::{Shape, mean_cpu_ratio};

pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Shards)]
}

const TARGET: f64 = 1.10;

/// Two shards against one, both on the core of the server under test.
struct Shards;

impl Row<Lab> for Shards {
    fn id(&self) -> &'static str {
        "shards"
    }

    fn what(&self) -> &'static str {
        "echo, 64 octets: CPU per SSDU, Colloquy with 2 shards / with 1, on the same core"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let one = Contestant::echo(Driver::IoUring);
        let two = one.clone().with_shards(2);
        let shapes: &[(usize, usize)] =
            if lab.effort().quick { &[(1000, 1)] } else { &[(64, 1), (1000, 1), (1000, 16)] };
        let mut cells: Vec<(String, CellRuns)> = Vec::new();
        for (sessions, depth) in shapes {
            let shape = Shape { sessions: *sessions, octets: 64, depth: *depth };
            let plan = shape.cell("shards ", lab.effort(), vec![one.clone(), two.clone()]);
            match lab.cell(&plan) {
                Ok(cell) => cells.push((shape.name(), cell)),
                Err(why) => return vec![Finding::not_measured(self.id(), self.what(), TARGET, &why)],
            }
        }
        vec![mean_cpu_ratio(self.id(), self.what(), TARGET, &cells, &two.name(), &one.name())]
    }
}
