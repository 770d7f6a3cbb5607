//! Colloquy beside real stacks: round trips for each second of the server's CPU, the same load on each, one by one and
//! pipelined.

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
const SESSIONS: usize = 64;
/// Connections that libiec61850 surely takes as its wheel is built, whatever it is configured to.
const LIBIEC61850_SESSIONS: usize = 4;
/// Round trips of a session in flight in the pipelined load.
const DEEP: usize = 16;
/// Of libiec61850, which has a bound for requests that are not answered.
const LIBIEC61850_DEEP: usize = 4;
const OCTETS: usize = 64;
const START_PATIENCE: Duration = Duration::from_secs(60);
const HINT: &str = "tools/test installs the peers";
/// `tools/test` builds it for tests; beside ours it has to be built for speed.
const RUSTY_HINT: &str = "cargo build --release --locked --manifest-path tools/interop/peers/Cargo.toml --target-dir \
                          .tools/target-peers";
/// A program under such a folder is not built for speed.
const DEBUG_FOLDER: &str = "/debug/";

/// The rows of this file.
pub(super) fn rows() -> Vec<Box<dyn Row<Lab>>> {
    PEERS.iter().map(|peer| Box::new(peer) as Box<dyn Row<Lab>>).collect()
}

/// A stack written by others, and how many times its round trips we want.
struct Peer {
    id: &'static str,
    /// Of the pipelined load.
    deep_id: &'static str,
    what: &'static str,
    target: f64,
    /// The first of these that is there.
    programs: &'static [&'static str],
    /// Arguments before and behind address or port.
    arguments: &'static [&'static str],
    takes: Takes,
    behind: &'static [&'static str],
    exchange: fn() -> Exchange,
    sessions: usize,
    deep: usize,
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
        deep_id: "peers-rusty-deep",
        what: "round trips of 64 octets for each second of server CPU: Colloquy beside rusty-cosp",
        target: 10.0,
        programs: &[".tools/target-peers/release/rusty-peer", ".tools/target-peers/debug/rusty-peer"],
        arguments: &["respond"],
        takes: Takes::Address,
        behind: &[],
        // It ends connections that propose 8192 octets.
        exchange: || Exchange::echo_x224(OCTETS),
        sessions: SESSIONS,
        deep: DEEP,
        hint: RUSTY_HINT,
    },
    Peer {
        id: "peers-libiec61850",
        deep_id: "peers-libiec61850-deep",
        what: "MMS Identify for each second of server CPU: Colloquy echoing its octets beside libiec61850 answering it",
        target: 10.0,
        programs: &[PYTHON],
        arguments: &["-u", "tools/interop/mms_server.py"],
        takes: Takes::Port,
        behind: &["tools/interop/model.cfg"],
        exchange: Exchange::mms,
        sessions: LIBIEC61850_SESSIONS,
        deep: LIBIEC61850_DEEP,
        hint: HINT,
    },
    Peer {
        id: "peers-hat",
        deep_id: "peers-hat-deep",
        what: "round trips of 64 octets for each second of server CPU: Colloquy beside hat-drivers",
        target: 100.0,
        programs: &[PYTHON],
        arguments: &["-u", "tools/interop/hat_responder.py"],
        takes: Takes::Port,
        behind: &[],
        exchange: || Exchange::echo(OCTETS),
        sessions: SESSIONS,
        deep: DEEP,
        hint: HINT,
    },
];

impl Peer {
    fn program(&self) -> Result<&'static str, LabError> {
        let found = self.programs.iter().find(|program| Path::new(program).exists());
        let [wanted, ..] = self.programs else { unreachable!("a peer is a program") };
        let missing = || LabError::Missing { program: (*wanted).to_owned(), hint: self.hint.to_owned() };
        found.copied().ok_or_else(missing)
    }

    /// Depth 1, and then the pipelined load.
    fn loads(&self) -> [(&'static str, usize); 2] {
        [(self.id, 1), (self.deep_id, self.deep)]
    }

    /// In words, at this depth.
    fn what_at(&self, depth: usize) -> String {
        if depth == 1 { self.what.to_owned() } else { format!("{}, {depth} in flight a session", self.what) }
    }

    fn start(&self, lab: &Lab) -> Result<Server, LabError> {
        let program = self.program()?;
        let address = ports::free()?;
        let mut command = vec![program.to_owned()];
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

    fn ids(&self) -> Vec<String> {
        self.loads().map(|(id, _)| id.to_owned()).to_vec()
    }

    fn what(&self) -> &'static str {
        self.what
    }

    fn measure(&self, lab: &mut Lab) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (id, depth) in self.loads() {
            if lab.wants(id) {
                findings.push(beside(lab, self, id, depth).unwrap_or_else(|why| {
                    Finding::not_measured(id, self.what_at(depth), self.target, &why).at_least()
                }));
            }
        }
        findings
    }
}

fn beside(lab: &mut Lab, peer: &Peer, id: &str, depth: usize) -> Result<Finding, LabError> {
    let program = peer.program()?;
    let ours = Contestant::echo(Driver::IoUring);
    let names = [ours.name(), peer.id.trim_start_matches("peers-").to_owned()];
    let load = Load { exchange: (peer.exchange)(), sessions: peer.sessions, active: peer.sessions, depth };
    let mut floors = Vec::new();
    let runs = lab.interleave(id, &names, |lab, index, _| {
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
    let mut finding = judged(peer, depth, &Costs { our, their, floors: floors.clone() });
    if program.contains(DEBUG_FOLDER) {
        finding
            .remark
            .push_str(&format!(" The peer is a debug build; for one that is fair to it: {}.", peer.hint));
    }
    let raw = json!({ "floor_ns": floors, "target": peer.target, "depth": depth, "program": program });
    Ok(finding.with_runs(runs.all()).with_raw([raw]))
}

/// CPU nanoseconds of a round trip, round by round.
struct Costs {
    our: Vec<f64>,
    their: Vec<f64>,
    floors: Vec<f64>,
}

/// The ratio beside the peer; or, at depth 1, beside the floor where even a server that did nothing but receive and send would
/// miss the target. Where requests share segments there is no such floor, so only the ratio counts.
fn judged(peer: &Peer, depth: usize, costs: &Costs) -> Finding {
    let [our, their, floor] = [&costs.our, &costs.their, &costs.floors].map(|rounds| estimate(rounds).value);
    let times = estimate(&paired_ratios(&costs.their, &costs.our));
    let figures = format!(
        "{} and {} round trips for each second of server CPU ({:.2} and {:.2} us each); {} sessions at depth {depth}, one \
         core; the TCP floor of one send and one receive is {:.2} us.",
        (1e9 / our).round(),
        (1e9 / their).round(),
        our / 1e3,
        their / 1e3,
        peer.sessions,
        floor / 1e3
    );
    let (id, what) = (if depth == 1 { peer.id } else { peer.deep_id }, peer.what_at(depth));
    let by_ratio =
        |remark: String| Finding::ratio(id, what.clone(), peer.target, times).at_least().remarked(remark);
    if depth > 1 {
        return by_ratio(format!("{figures} Round trips in flight share segments, and so that floor."));
    }
    if their / floor >= peer.target || times.value >= peer.target {
        return by_ratio(figures);
    }
    let of_floor: Estimate = estimate(&paired_ratios(&costs.our, &costs.floors));
    let what = format!("{what}; the target is beyond the TCP floor, so: Colloquy beside that floor");
    Finding::ratio(id, what, FLOOR_MAX, of_floor).remarked(format!(
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
        let finding = judged(peer, 1, &costs(4.0, 60.0, 3.0));
        assert_eq!((finding.ratio, finding.at_least, finding.verdict()), (15.0, true, Verdict::Reached));
        let finding = judged(peer, 1, &costs(10.0, 60.0, 3.0));
        assert_eq!((finding.ratio, finding.verdict()), (6.0, Verdict::Missed));
    }

    #[test]
    fn where_the_floor_forbids_the_target_the_floor_judges() {
        let peer = &PEERS[0];
        // Ten times as good as 20 would be 2, and the floor is 3.
        let finding = judged(peer, 1, &costs(3.6, 20.0, 3.0));
        assert!((finding.ratio - 1.2).abs() < 1e-9 && !finding.at_least, "{finding:?}");
        assert_eq!(finding.verdict(), Verdict::Reached);
        assert!(finding.remark.contains("5.6 times the peer"), "{}", finding.remark);
        assert_eq!(judged(peer, 1, &costs(4.5, 20.0, 3.0)).verdict(), Verdict::Missed);
    }

    #[test]
    fn a_pipelined_load_is_judged_by_the_ratio_alone() {
        for peer in &PEERS {
            let finding = judged(peer, peer.deep, &costs(3.0, 20.0, 3.0));
            assert_eq!((finding.id.as_str(), finding.verdict()), (peer.deep_id, Verdict::Missed));
            assert!(
                finding.at_least && finding.ratio > 6.6 && finding.what.contains("in flight"),
                "{finding:?}"
            );
            let finding = judged(peer, peer.deep, &costs(1.0, peer.target, 3.0));
            assert_eq!((finding.id.as_str(), finding.verdict()), (peer.deep_id, Verdict::Reached));
        }
    }

    #[test]
    fn a_compiled_peer_is_built_for_speed_where_there_is_such_a_build() {
        let [wanted, other] = PEERS[0].programs else { panic!("{:?}", PEERS[0].programs) };
        assert!(wanted.contains("/release/") && PEERS[0].hint.contains("--release"));
        assert!(other.contains(DEBUG_FOLDER));
        assert!(PEERS.iter().all(|peer| peer.id.starts_with("peers-") && peer.deep_id.starts_with(peer.id)));
    }
}
