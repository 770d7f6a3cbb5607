//! Colloquy beside real stacks: round trips for each second of the server's CPU, the same load on each.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::super::contestant::{Contestant, Counter, Driver};
use super::super::statistics::{Estimate, estimate, paired_ratios};
use super::super::{Finding, Lab, LabError, Row, Run, Server, ports};
use super::load::{self, Load};
use crate::pump::Exchange;
use crate::raw::floor::{FloorPlan, floor};

/// How often Colloquy may be dearer than the TCP floor where the floor forbids the target.
const FLOOR_MAX: f64 = 1.25;
/// Sessions where a peer takes so many.
const SESSIONS: usize = 16;
/// Connections that libiec61850 takes as its wheel is built, whatever it is configured to.
const LIBIEC61850_SESSIONS: usize = 5;
const OCTETS: usize = 64;
const START_PATIENCE: Duration = Duration::from_secs(60);
const HINT: &str = "tools/test installs the peers";
/// `tools/test` builds it for tests; beside ours it has to be built for speed.
const RUSTY_HINT: &str = "cargo build --release --locked --manifest-path tools/interop/peers/Cargo.toml --target-dir \
                          .tools/target-peers";

/// The rows of this file.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    PEERS.iter().map(|peer| Box::new(peer) as Box<dyn Row<Lab>>).collect()
}

/// A stack written by others, and how many times its round trips we want.
struct Peer {
    id: &'static str,
    what: &'static str,
    target: f64,
    program: &'static str,
    /// Arguments before and behind address or port.
    arguments: &'static [&'static str],
    takes: Takes,
    behind: &'static [&'static str],
    exchange: fn() -> Exchange,
    sessions: usize,
    hint: &'static str,
}

/// What a peer wants to be told about where to listen.
#[derive(Clone, Copy)]
enum Takes {
    Address,
    Port,
}

const PYTHON: &str = ".venv/bin/python";

const PEERS: [Peer; 3] = [
    Peer {
        id: "peers-rusty",
        what: "round trips of 64 octets for each second of server CPU: Colloquy beside rusty-cosp",
        target: 10.0,
        program: ".tools/target-peers/release/rusty-peer",
        arguments: &["respond"],
        takes: Takes::Address,
        behind: &[],
        exchange: || Exchange::echo(OCTETS),
        sessions: SESSIONS,
        hint: RUSTY_HINT,
    },
    Peer {
        id: "peers-libiec61850",
        what: "MMS Identify for each second of server CPU: Colloquy echoing its octets beside libiec61850 answering it",
        target: 10.0,
        program: PYTHON,
        arguments: &["-u", "tools/interop/mms_server.py"],
        takes: Takes::Port,
        behind: &["tools/interop/model.cfg"],
        exchange: Exchange::mms,
        sessions: LIBIEC61850_SESSIONS,
        hint: HINT,
    },
    Peer {
        id: "peers-hat",
        what: "round trips of 64 octets for each second of server CPU: Colloquy beside hat-drivers",
        target: 100.0,
        program: PYTHON,
        arguments: &["-u", "tools/interop/hat_responder.py"],
        takes: Takes::Port,
        behind: &[],
        exchange: || Exchange::echo(OCTETS),
        sessions: SESSIONS,
        hint: HINT,
    },
];

impl Peer {
    fn start(&self, lab: &Lab) -> Result<Server, LabError> {
        if !Path::new(self.program).exists() {
            return Err(LabError::Missing { program: self.program.to_owned(), hint: self.hint.to_owned() });
        }
        let address = ports::free()?;
        let mut command = vec![self.program.to_owned()];
        command.extend(self.arguments.iter().map(|argument| (*argument).to_owned()));
        command.push(self.listen(address));
        command.extend(self.behind.iter().map(|argument| (*argument).to_owned()));
        let mut process = lab.spawn(self.id, &command, lab.server_core())?;
        while !process.line(START_PATIENCE)?.contains("READY") {}
        Ok(Server::new(self.id, address, process, Counter::Unknown))
    }

    fn listen(&self, address: SocketAddr) -> String {
        match self.takes {
            Takes::Address => address.to_string(),
            Takes::Port => address.port().to_string(),
        }
    }
}

impl Row<Lab> for &Peer {
    fn id(&self) -> &'static str {
        self.id
    }

    fn what(&self) -> &'static str {
        self.what
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        vec![match beside(lab, self) {
            Ok(finding) => finding,
            Err(why) => Finding::not_measured(self.id, self.what, self.target, &why).at_least(),
        }]
    }
}

fn beside(lab: &mut Lab, peer: &Peer) -> Result<Finding, LabError> {
    let ours = Contestant::echo(Driver::IoUring);
    let names = [ours.name(), peer.id.trim_start_matches("peers-").to_owned()];
    let load = Load { exchange: (peer.exchange)(), sessions: peer.sessions, active: peer.sessions, depth: 1 };
    let mut floors = Vec::new();
    let runs = lab.interleave(peer.id, &names, |lab, index, _| {
        if index == 0 {
            floors.push(floor_ns(lab, load.exchange.request.len())?);
        }
        let server = if index == 0 { lab.start(&ours)? } else { peer.start(lab)? };
        load::run(lab, &server, &load)
    })?;
    if let Some(why) = runs.absent.iter().flatten().next() {
        return Err(why.clone());
    }
    let [our, their] = [0, 1].map(|index| runs.figure(&names[index], Run::cpu_ns_per_ssdu));
    let finding = judged(peer, &Costs { our, their, floors: floors.clone() });
    Ok(finding.with_runs(runs.all()).with_raw([json!({ "floor_ns": floors, "target": peer.target })]))
}

/// CPU nanoseconds of a round trip, round by round.
struct Costs {
    our: Vec<f64>,
    their: Vec<f64>,
    floors: Vec<f64>,
}

/// The ratio beside the peer; or beside the floor where even a server that did nothing but receive and send would miss the
/// target.
fn judged(peer: &Peer, costs: &Costs) -> Finding {
    let [our, their, floor] = [&costs.our, &costs.their, &costs.floors].map(|rounds| estimate(rounds).value);
    let times = estimate(&paired_ratios(&costs.their, &costs.our));
    let sessions = format!("{} sessions at depth 1, one core", peer.sessions);
    let figures = format!(
        "{} and {} round trips for each second of server CPU ({:.2} and {:.2} us each); the TCP floor is {:.2} us; {sessions}.",
        (1e9 / our).round(),
        (1e9 / their).round(),
        our / 1e3,
        their / 1e3,
        floor / 1e3
    );
    if their / floor >= peer.target || times.value >= peer.target {
        return Finding::ratio(peer.id, peer.what, peer.target, times).at_least().remarked(figures);
    }
    let of_floor: Estimate = estimate(&paired_ratios(&costs.our, &costs.floors));
    let what = format!("{}; the target is beyond the TCP floor, so: Colloquy beside that floor", peer.what);
    Finding::ratio(peer.id, what, FLOOR_MAX, of_floor).remarked(format!(
        "{:.1} times the peer ({:.1} to {:.1}), where {:.0} times is the target and {:.1} times is what a server could have \
         that does nothing but receive and send. {figures}",
        times.value,
        times.low,
        times.high,
        peer.target,
        their / floor
    ))
}

/// One send and one receive of so many octets on one thread, on the core of the server under test.
fn floor_ns(lab: &Lab, octets: usize) -> Result<f64, LabError> {
    let core = lab.server_core();
    let plan = FloorPlan { octets, rounds: 1, round: lab.effort().measured / 4 };
    let measured = std::thread::spawn(move || {
        crate::micro::rings::pin(core)?;
        floor(&plan)
    });
    let floor = measured.join().expect("it does not panic");
    Ok(floor.map_err(|error| LabError::Failed(format!("the TCP floor: {error}")))?.median_ns())
}

#[cfg(test)]
mod tests {
    use super::super::super::Verdict;
    use super::*;

    fn costs(our: f64, their: f64, floor: f64) -> Costs {
        Costs { our: vec![our; 7], their: vec![their; 7], floors: vec![floor; 7] }
    }

    #[test]
    fn a_peer_that_leaves_room_is_judged_by_the_ratio() {
        let peer = &PEERS[0];
        let finding = judged(peer, &costs(4.0, 60.0, 3.0));
        assert_eq!((finding.ratio, finding.at_least, finding.verdict()), (15.0, true, Verdict::Reached));
        let finding = judged(peer, &costs(10.0, 60.0, 3.0));
        assert_eq!((finding.ratio, finding.verdict()), (6.0, Verdict::Missed));
    }

    #[test]
    fn where_the_floor_forbids_the_target_the_floor_judges() {
        let peer = &PEERS[0];
        // Ten times as good as 20 would be 2, and the floor is 3.
        let finding = judged(peer, &costs(3.6, 20.0, 3.0));
        assert!((finding.ratio - 1.2).abs() < 1e-9 && !finding.at_least, "{finding:?}");
        assert_eq!(finding.verdict(), Verdict::Reached);
        assert!(finding.remark.contains("5.6 times the peer"), "{}", finding.remark);
        assert_eq!(judged(peer, &costs(4.5, 20.0, 3.0)).verdict(), Verdict::Missed);
    }

    #[test]
    fn a_compiled_peer_is_built_for_speed() {
        assert!(PEERS[0].program.contains("/release/") && PEERS[0].hint.contains("--release"));
        assert!(PEERS.iter().all(|peer| peer.id.starts_with("peers-")));
    }
}
