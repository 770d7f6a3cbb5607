//! The codec: GT and DT in a DT TPDU, decoded and encoded, on one core without a network.

use serde_json::json;

use super::super::statistics::estimate;
use super::super::{Finding, Lab, LabError, Row};
use crate::micro::{Kernel, codec, nanoseconds};

/// Most nanoseconds that decoding, or encoding, one of them may take.
const NANOSECONDS_MAX: f64 = 12.0;
/// Least octets a second, in GB/s.
const GIGAOCTETS_MIN: f64 = 3.0;
/// Iterations of one round: some tens of milliseconds.
const ITERATIONS: u64 = 2_000_000;

/// The rows of this file.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Codec)]
}

/// `codec-decode`, `codec-encode`, `codec-throughput`.
struct Codec;

impl Row<Lab> for Codec {
    fn id(&self) -> &'static str {
        "codec"
    }

    fn what(&self) -> &'static str {
        "GT and DT in a DT TPDU of 64 octets: decoded and encoded in 12 ns each; 3 GB/s decoded"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        vec![decode(lab), encode(lab), throughput(lab)]
    }
}

/// Nanoseconds of an iteration in each round; the beginning of a round is not measured.
pub(super) fn rounds_of(lab: &mut Lab, kernels: &[&Kernel]) -> Result<Vec<Vec<f64>>, LabError> {
    let iterations = if lab.effort().quick { ITERATIONS / 4 } else { ITERATIONS };
    let mut found = vec![Vec::new(); kernels.len()];
    for round in 0..lab.effort().rounds {
        lab.go_on()?;
        lab.say(&format!("{}  round {}/{}", kernels[0].id, round + 1, lab.effort().rounds));
        for (kernel, rounds) in kernels.iter().zip(&mut found) {
            nanoseconds(kernel, iterations / 10);
            rounds.push(nanoseconds(kernel, iterations));
        }
    }
    Ok(found)
}

/// A finding in nanoseconds whose first kernel is the measured one; the others are said in the remark.
pub(super) fn finding(lab: &mut Lab, kernels: &[&Kernel], nanoseconds_max: f64, remark: &str) -> Finding {
    let [kernel, others @ ..] = kernels else { unreachable!("a row measures something") };
    let rounds = match rounds_of(lab, kernels) {
        Ok(rounds) => rounds,
        Err(why) => return Finding::not_measured(kernel.id, kernel.what, nanoseconds_max, &why),
    };
    let mut remark = remark.to_owned();
    for (other, rounds) in others.iter().zip(&rounds[1..]) {
        remark.push_str(&format!(" {}: {:.1} ns ({}).", other.id, estimate(rounds).value, other.what));
    }
    let raw = kernels
        .iter()
        .zip(&rounds)
        .map(|(kernel, rounds)| json!({ "kernel": kernel.id, "what": kernel.what, "ns": rounds }));
    Finding::quantity(kernel.id, kernel.what, "ns", nanoseconds_max, estimate(&rounds[0]))
        .remarked(remark)
        .with_raw(raw)
}

fn decode(lab: &mut Lab) -> Finding {
    let remark =
        "Class0::receive of a block's slice, next_event, Tsdu::next_spdu; on the load core, no network.";
    finding(lab, &[&codec::DECODE, &codec::DECODE_RECEIPT, &codec::PARSE], NANOSECONDS_MAX, remark)
}

fn encode(lab: &mut Lab) -> Finding {
    let remark = "DataHeader and Class0::data_request into a TxBatch that is emptied every 16 TSDUs; the 64 octets are \
                  copied, as in a gateway.";
    finding(lab, &[&codec::ENCODE, &codec::ENCODE_HEADERS], NANOSECONDS_MAX, remark)
}

fn throughput(lab: &mut Lab) -> Finding {
    let (id, what) =
        ("codec-throughput", "octets of DT TPDUs with 64 octets of user data decoded in a second");
    let rounds = match rounds_of(lab, &[&codec::DECODE]) {
        Ok(rounds) => rounds,
        Err(why) => return Finding::not_measured(id, what, GIGAOCTETS_MIN, &why).at_least(),
    };
    let gigaoctets: Vec<f64> = rounds[0].iter().map(|ns| codec::gigaoctets_per_s(*ns)).collect();
    let user = estimate(&gigaoctets).value * codec::USER_OCTETS as f64 / codec::TPKT_OCTETS as f64;
    Finding::quantity(id, what, "GB/s", GIGAOCTETS_MIN, estimate(&gigaoctets))
        .at_least()
        .remarked(format!("User data and headers, 75 octets a TPKT; of user data alone {user:.2} GB/s."))
        .with_raw([json!({ "kernel": codec::DECODE.id, "ns": rounds[0], "gigaoctets_per_s": gigaoctets })])
}
