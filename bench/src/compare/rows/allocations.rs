//! What an SSDU costs in the data phase beside time: allocations and user-space copies.

use serde_json::json;

use super::super::contestant::{Contestant, Driver};
use super::super::statistics::estimate;
use super::super::{Finding, Lab, LabError, Row, Server};
use super::load::{self, Load};
use super::valgrind::{self, Cell};
use crate::pump::Exchange;

/// SSDUs of the short and of the long run: what they differ by is the data phase alone.
const SSDUS: [u64; 2] = [2_000, 12_000];
/// Octets and depth of an SSDU.
const LOADS: [(usize, usize); 4] = [(64, 1), (64, 16), (4096, 1), (16_384, 4)];
/// Bodies that must not be copied: octets and depth.
const LARGE: [(usize, usize); 3] = [(2048, 1), (16_384, 1), (16_384, 16)];
const LARGE_COPIES: &str = "colloquy_copies_total{size=\"large\"}";

/// The rows of this file.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Allocations), Box::new(Copies)]
}

const APPLICATIONS: [(&str, bool); 2] = [("echo", false), ("relay", true)];

struct Allocations;

impl Row<Lab> for Allocations {
    fn id(&self) -> &'static str {
        "allocations"
    }

    fn what(&self) -> &'static str {
        "allocations for each SSDU in the data phase: none"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, relay) in APPLICATIONS {
            let id = format!("allocations-{name}");
            if !lab.wants(&id) {
                continue;
            }
            let what = format!("allocations for each SSDU, {name}");
            findings.push(match allocations(lab, relay) {
                Ok((worst, raw)) => {
                    Finding::quantity(id, what, "allocations per SSDU", 0.0, estimate(&[worst]))
                        .remarked(
                            "The gateway's shard on io_uring under memcheck (`colloquy cell`), which counts every malloc; \
                             difference of two runs, so that setting up cancels. The worst of the loads; counted, not \
                             sampled, so once.",
                        )
                        .with_raw(raw)
                }
                Err(why) => Finding::not_measured(id, what, 0.0, &why),
            });
        }
        findings
    }
}

fn allocations(lab: &mut Lab, relay: bool) -> Result<(f64, Vec<serde_json::Value>), LabError> {
    let (mut worst, mut raw) = (f64::NEG_INFINITY, Vec::new());
    let loads = if lab.effort().quick { &LOADS[1..2] } else { &LOADS[..] };
    for &(octets, depth) in loads {
        let mut counts = Vec::new();
        for ssdus in SSDUS {
            lab.go_on()?;
            lab.say(&format!("allocations  {octets} octets x {depth}, {ssdus} SSDUs under memcheck"));
            let cell = Cell { relay, octets, depth, sessions: 4, at_once: 4, ssdus };
            counts.push(valgrind::allocations(lab, &cell)?);
        }
        let [(short, fewer), (long, more)] = counts[..] else { unreachable!("two runs") };
        let each = more.saturating_sub(fewer) as f64 / (long.ssdus - short.ssdus) as f64;
        raw.push(json!({
            "octets": octets, "depth": depth, "ssdus": [short.ssdus, long.ssdus], "allocations": [fewer, more],
            "per_ssdu": each,
        }));
        worst = worst.max(each);
    }
    Ok((worst, raw))
}

struct Copies;

impl Row<Lab> for Copies {
    fn id(&self) -> &'static str {
        "copies"
    }

    fn what(&self) -> &'static str {
        "user-space copies of bodies of 2 KiB and more for each SSDU in the data phase: none"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, relay) in APPLICATIONS {
            let id = format!("copies-{name}");
            if !lab.wants(&id) {
                continue;
            }
            let what = format!("user-space copies of bodies of 2 KiB and more for each SSDU, {name}");
            findings.push(match copies(lab, relay) {
                Ok((worst, raw)) => {
                    Finding::quantity(id, what, "copies per SSDU", 0.0, estimate(&[worst]))
                        .remarked(
                            "The gateway's own count in /metrics, before and after load on 16 sessions. The worst of the \
                             loads. An SSDU that straddles two blocks of the receive pool is not copied, it is sent in two \
                             pieces; one whose receiver does not read may be copied out of a pool that runs short.",
                        )
                        .with_raw(raw)
                }
                Err(why) => Finding::not_measured(id, what, 0.0, &why),
            });
        }
        findings
    }
}

fn copies(lab: &mut Lab, relay: bool) -> Result<(f64, Vec<serde_json::Value>), LabError> {
    let (mut worst, mut raw) = (f64::NEG_INFINITY, Vec::new());
    for (octets, depth) in LARGE {
        lab.go_on()?;
        lab.say(&format!("copies  {octets} octets x {depth}"));
        let backend = if relay { Some(lab.start_backend(&Contestant::echo(Driver::IoUring))?) } else { None };
        let contestant = match &backend {
            Some(backend) => Contestant::relay(Driver::IoUring, backend.address),
            None => Contestant::echo(Driver::IoUring),
        };
        let server = lab.start(&contestant)?;
        let count = |server: &Server| {
            let missing = || LabError::Failed(format!("{LARGE_COPIES} is not in /metrics"));
            server.metric(LARGE_COPIES)?.ok_or_else(missing)
        };
        let before = count(&server)?;
        let load = Load { exchange: Exchange::echo(octets), sessions: 16, active: 16, depth };
        let run = load::run(lab, &server, &load)?;
        let copies = count(&server)? - before;
        let each = copies / run.ssdus as f64;
        raw.push(json!({
            "octets": octets, "depth": depth, "copies": copies, "ssdus_measured": run.ssdus, "per_ssdu": each,
        }));
        worst = worst.max(each);
    }
    Ok((worst, raw))
}
