//! The session machine: one SSDU in and out again.

use super::super::{Finding, Lab, Row};
use super::codec::finding;
use crate::micro::machine;

const NANOSECONDS_MAX: f64 = 40.0;

/// The rows of this file.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Machine)]
}

struct Machine;

impl Row<Lab> for Machine {
    fn id(&self) -> &'static str {
        "machine"
    }

    fn what(&self) -> &'static str {
        "DT in through handle_tsdu and out through poll_transmit: 40 ns together"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let remark = "By handle_tsdu, data_request and poll_transmit, the way of every TSDU; a shard's plain data leave them \
                      out (codec-decode, codec-encode). One machine in STA713; user data stay where they are. On the load \
                      core, no network.";
        vec![finding(lab, &[&machine::DATA], NANOSECONDS_MAX, remark)]
    }
}
