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
    let remark = "The way of a shard's plain data: Class0::receive of a block's slice, next_whole_tsdu, \
                  Session::plain_data_offset in STA713; on the load core, no network. All else takes the general way.";
    let kernels = [
        &codec::DECODE,
        &codec::DECODE_RECEIPT,
        &codec::DECODE_GENERAL,
        &codec::DECODE_GENERAL_RECEIPT,
        &codec::PARSE,
    ];
    finding(lab, &kernels, NANOSECONDS_MAX, remark)
}

fn encode(lab: &mut Lab) -> Finding {
    let remark = "The way of a shard's plain data: Session::plain_data_header and Class0::whole_data_request into a \
                  TxBatch that is emptied every 16 TSDUs. Headers and the 64 octets are written, as for user data that \
                  were not received behind the same headers. All else takes the general way.";
    let kernels = [&codec::ENCODE, &codec::ENCODE_RECEIVED, &codec::ENCODE_GENERAL, &codec::ENCODE_HEADERS];
    finding(lab, &kernels, NANOSECONDS_MAX, remark)
}

/// By the same way as `codec-decode`; that of the general one is in the remark.
fn throughput(lab: &mut Lab) -> Finding {
    let (id, what) =
        ("codec-throughput", "octets of DT TPDUs with 64 octets of user data decoded in a second");
    let rounds = match rounds_of(lab, &[&codec::DECODE, &codec::DECODE_GENERAL]) {
        Ok(rounds) => rounds,
        Err(why) => return Finding::not_measured(id, what, GIGAOCTETS_MIN, &why).at_least(),
    };
    let [plain, general]: [Vec<f64>; 2] =
        [0, 1].map(|kernel| rounds[kernel].iter().map(|ns| codec::gigaoctets_per_s(*ns)).collect());
    let user = estimate(&plain).value * codec::USER_OCTETS as f64 / codec::TPKT_OCTETS as f64;
    let remark = format!(
        "User data and headers, {} octets a TPKT, by the way of a shard's plain data, 16 in a receipt; of user data alone \
         {user:.2} GB/s. By the general way {:.2} GB/s with headers.",
        codec::TPKT_OCTETS,
        estimate(&general).value
    );
    Finding::quantity(id, what, "GB/s", GIGAOCTETS_MIN, estimate(&plain))
        .at_least()
        .remarked(remark)
        .with_raw([
            json!({ "kernel": codec::DECODE.id, "ns": rounds[0], "gigaoctets_per_s": plain }),
            json!({ "kernel": codec::DECODE_GENERAL.id, "ns": rounds[1], "gigaoctets_per_s": general }),
        ])
}
