//! Flatness: what an SSDU costs when there are many sessions.

use serde_json::json;

use super::super::contestant::{Contestant, Driver};
use super::super::statistics::{estimate, paired_ratios};
use super::super::{Finding, Lab, LabError, Row};
use super::load::{self, Load};
use super::valgrind::{self, Cell};
use crate::pump::Exchange;

/// How much more instructions an SSDU may take with many sessions, and how much less: whichever is further off.
const INSTRUCTIONS_MAX: f64 = 1.05;
const ACTIVE_MAX: f64 = 1.10;
/// Sessions with an SSDU in flight at a time, whatever their number.
const AT_ONCE: usize = 10;
const SESSIONS: [usize; 4] = [10, 100, 1_000, 10_000];
const SSDUS: u64 = 20_000;
const WARM_UP: u64 = 2_000;
/// Sessions that carry load, and sessions in all.
const ACTIVE: usize = 64;
const IDLE_TOO: usize = 10_000;
const OCTETS: usize = 64;

/// The rows of this file.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    vec![Box::new(Instructions), Box::new(Active)]
}

struct Instructions;

impl Row<Lab> for Instructions {
    fn id(&self) -> &'static str {
        "flat-instructions"
    }

    fn what(&self) -> &'static str {
        "user instructions for each SSDU from 10 to 10 000 sessions: within 5 %"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        vec![match instructions(lab) {
            Ok((ratio, remark, raw)) => {
                Finding::ratio(self.id(), self.what(), INSTRUCTIONS_MAX, estimate(&[ratio]))
                    .remarked(remark)
                    .with_raw(raw)
            }
            Err(why) => Finding::not_measured(self.id(), self.what(), INSTRUCTIONS_MAX, &why),
        }]
    }
}

/// The largest of all ratios to the fewest sessions, either way round.
fn instructions(lab: &mut Lab) -> Result<(f64, String, Vec<serde_json::Value>), LabError> {
    let quick = lab.effort().quick;
    let ssdus = if quick { SSDUS / 4 } else { SSDUS };
    let mut each = Vec::new();
    let mut raw = Vec::new();
    for sessions in SESSIONS {
        if quick && sessions == 100 {
            continue;
        }
        lab.go_on()?;
        lab.say(&format!("flat-instructions  {sessions} sessions under callgrind"));
        let cell = Cell {
            relay: false,
            octets: OCTETS,
            depth: 1,
            sessions,
            at_once: AT_ONCE,
            warm_up: WARM_UP,
            ssdus,
        };
        let (counted, instructions) = valgrind::instructions(lab, &cell)?;
        let one = instructions as f64 / counted.ssdus as f64;
        raw.push(json!({
            "sessions": sessions, "ssdus": counted.ssdus, "instructions": instructions, "per_ssdu": one,
        }));
        each.push((sessions, one));
    }
    let fewest = each[0].1;
    let ratio = each.iter().map(|(_, one)| (one / fewest).max(fewest / one)).fold(1.0, f64::max);
    let listed: Vec<String> = each.iter().map(|(sessions, one)| format!("{sessions}: {one:.0}")).collect();
    let remark = format!(
        "Instructions of a gateway's echo shard on io_uring for an SSDU of 64 octets, by sessions: {}. Callgrind, kernel not \
         counted; {AT_ONCE} SSDUs in flight at a time, and all sessions take their turn, so that batches are equal. \
         Counted, not sampled, so once.",
        listed.join(", ")
    );
    Ok((ratio, remark, raw))
}

struct Active;

impl Row<Lab> for Active {
    fn id(&self) -> &'static str {
        "flat-active"
    }

    fn what(&self) -> &'static str {
        "CPU for each SSDU: 64 active of 10 000 sessions beside 64 of 64"
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        vec![match active(lab) {
            Ok(finding) => finding,
            Err(why) => Finding::not_measured(self.id(), self.what(), ACTIVE_MAX, &why),
        }]
    }
}

fn active(lab: &mut Lab) -> Result<Finding, LabError> {
    let idle_too = if lab.effort().quick { IDLE_TOO / 5 } else { IDLE_TOO };
    let sessions = [idle_too, ACTIVE];
    let names = sessions.map(|sessions| format!("{ACTIVE} active of {sessions}"));
    let runs = lab.interleave("flat-active", &names, |lab, contestant, _| {
        let server = lab.start(&Contestant::echo(Driver::IoUring))?;
        let exchange = Exchange::echo(OCTETS);
        let load = Load { exchange, sessions: sessions[contestant], active: ACTIVE, depth: 1 };
        load::run(lab, &server, &load)
    })?;
    if let Some(why) = runs.absent.iter().flatten().next() {
        return Err(why.clone());
    }
    let [many, few] = [0, 1].map(|index| runs.figure(&names[index], |run| run.cpu_ns_per_ssdu()));
    let what = format!("CPU for each SSDU of 64 octets at depth 1: {} beside {}", names[0], names[1]);
    let remark = format!(
        "{:.0} ns beside {:.0} ns; pid clock of a gateway that echoes on io_uring, a new one in each round.{}",
        estimate(&many).value,
        estimate(&few).value,
        if idle_too == IDLE_TOO { String::new() } else { format!(" Short form: {idle_too} sessions.") }
    );
    Ok(Finding::ratio("flat-active", what, ACTIVE_MAX, estimate(&paired_ratios(&many, &few)))
        .remarked(remark)
        .with_runs(runs.all()))
}
