//! What an SSDU costs in the data phase beside time: allocations and user-space copies.

use serde_json::json;

use super::super::contestant::{Contestant, Driver};
use super::super::statistics::estimate;
use super::super::{Finding, Lab, LabError, Row};
use super::load::{self, Load};
use super::valgrind::{self, Cell};
use crate::pump::Exchange;

/// SSDUs of runs that differ by stretches of the data phase alone. Free lists and batches grow until they hold the most
/// that a load ever needs at once, which is a matter of chance on real sockets; what an SSDU costs shows in every stretch.
const SSDUS: [u64; 4] = [2_000, 12_000, 22_000, 32_000];
const WARM_UP: u64 = 10_000;
/// Octets and depth of an SSDU.
const LOADS: [(usize, usize); 4] = [(64, 1), (64, 16), (4096, 1), (16_384, 4)];
/// Bodies that must not be copied: sessions, octets and depth. At most half the receive pool (2 MiB) is in flight: what goes
/// beyond it is copied by design, so that a peer that does not read keeps no block from others.
const LARGE: [(usize, usize, usize); 3] = [(64, 2048, 1), (64, 16_384, 1), (4, 16_384, 16)];
const LARGE_COPIES: &str = "colloquy_copies_total{size=\"large\"}";
const COPIED_OCTETS: &str = "colloquy_copied_bytes_total";
const OCTETS_OUT: &str = "colloquy_user_data_bytes_total{direction=\"out\"}";

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
                             differences of runs of more and more SSDUs, so that setting up cancels. Of each load the \
                             stretch with the fewest, of all loads the worst; counted, not sampled, so once.",
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
    let quick = lab.effort().quick;
    let loads = if quick { &LOADS[1..2] } else { &LOADS[..] };
    for &(octets, depth) in loads {
        let (mut ssdus, mut counts) = (Vec::new(), Vec::new());
        for asked in if quick { &SSDUS[..3] } else { &SSDUS[..] } {
            lab.go_on()?;
            lab.say(&format!("allocations  {octets} octets x {depth}, {asked} SSDUs under memcheck"));
            let cell =
                Cell { relay, octets, depth, sessions: 4, at_once: 4, warm_up: WARM_UP, ssdus: *asked };
            let (counted, allocations) = valgrind::allocations(lab, &cell)?;
            ssdus.push(counted.ssdus);
            counts.push(allocations);
        }
        let each = least_per_ssdu(&ssdus, &counts);
        raw.push(json!({
            "octets": octets, "depth": depth, "ssdus": ssdus, "allocations": counts, "per_ssdu": each,
        }));
        worst = worst.max(each);
    }
    Ok((worst, raw))
}

/// Allocations for each SSDU in the stretch with the fewest.
fn least_per_ssdu(ssdus: &[u64], allocations: &[u64]) -> f64 {
    let stretches = ssdus.windows(2).zip(allocations.windows(2));
    let each = stretches
        .map(|(ssdus, counts)| counts[1].saturating_sub(counts[0]) as f64 / (ssdus[1] - ssdus[0]) as f64);
    each.fold(f64::INFINITY, f64::min)
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
                Ok((worst, smaller, raw)) => {
                    Finding::quantity(id, what, "copies per SSDU", 0.0, estimate(&[worst]))
                        .remarked(format!(
                            "The gateway's own count in /metrics, before and after load with SSDUs of 2 to 16 KiB, at most half \
                             the receive pool in flight. The worst of the loads. In smaller pieces (where an SSDU straddles two receipts) at \
                             most {:.2} % of the octets sent were copied.",
                            smaller * 100.0
                        ))
                        .with_raw(raw)
                }
                Err(why) => Finding::not_measured(id, what, 0.0, &why),
            });
        }
        findings
    }
}

fn copies(lab: &mut Lab, relay: bool) -> Result<(f64, f64, Vec<serde_json::Value>), LabError> {
    let (mut worst, mut smaller, mut raw) = (f64::NEG_INFINITY, 0.0, Vec::new());
    for (sessions, octets, depth) in LARGE {
        lab.go_on()?;
        lab.say(&format!("copies  {octets} octets x {depth}"));
        let backend = if relay { Some(lab.start_backend(&Contestant::echo(Driver::IoUring))?) } else { None };
        let contestant = match &backend {
            Some(backend) => Contestant::relay(Driver::IoUring, backend.address),
            None => Contestant::echo(Driver::IoUring),
        };
        let server = lab.start(&contestant)?;
        let count = |series: &str| {
            let missing = || LabError::Failed(format!("{series} is not in /metrics"));
            server.metric(series)?.ok_or_else(missing)
        };
        let counts = || -> Result<[f64; 3], LabError> {
            Ok([count(LARGE_COPIES)?, count(COPIED_OCTETS)?, count(OCTETS_OUT)?])
        };
        let before = counts()?;
        let load = Load { exchange: Exchange::echo(octets), sessions, active: sessions, depth };
        let run = load::run(lab, &server, &load)?;
        let after = counts()?;
        let [large, copied, sent] = [0, 1, 2].map(|index| after[index] - before[index]);
        let each = large / (sent / octets as f64);
        raw.push(json!({
            "sessions": sessions, "octets": octets, "depth": depth, "copies_large": large, "octets_copied_in_smaller_pieces": copied,
            "octets_sent": sent, "ssdus_measured": run.ssdus, "per_ssdu": each,
        }));
        smaller = f64::max(smaller, copied / sent);
        worst = worst.max(each);
    }
    Ok((worst, smaller, raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_by_chance_is_not_what_an_ssdu_costs() {
        assert_eq!(least_per_ssdu(&[2000, 12_000, 22_000], &[500, 503, 503]), 0.0);
        assert_eq!(least_per_ssdu(&[2000, 12_000, 22_000], &[500, 10_500, 20_500]), 1.0);
        // One in a thousand is in every stretch.
        assert_eq!(least_per_ssdu(&[2000, 12_000, 22_000], &[500, 512, 522]), 0.001);
    }
}
