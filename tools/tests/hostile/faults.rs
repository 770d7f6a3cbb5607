//! The faults of `cases/*.txt`: what a peer does wrong, what it is answered, and what the log says about it.
//!
//! ```text
//! == name of the case
//! on echo              listener; echo when left out
//! after network        what went before: network, transport, session, half-duplex or sized
//! > 04 00 00 07        octets that the peer sends; >> sends them as a TSDU in one DT TPDU
//! < 03 00 00 0b        octets that it must get, before the end of the connection; << as a TSDU
//! fin                  the peer half-closes; otherwise it leaves that to the gateway
//! ! layer=TPKT offset=0 reason=Version(4)     the fault's record: these fields and no others
//! = protocol_error     reason (and code) in the record of the end
//! ```

use std::time::Instant;

use serde_json::Value;

use crate::gateway::Gateway;
use crate::octets::{data, hex};
use crate::peer::{PATIENCE, Peer};

/// The fields that say where a fault is.
const PLACE: [&str; 6] = ["layer", "spdu", "parameter", "offset", "state", "reason"];
/// CN and AC with half duplex, the data token with the initiator; and with TSDUs of at most 1024 octets.
const CN_HALF_DUPLEX: &str = "0d0f 0509 130100 160102 1a0100 14020001";
const AC_HALF_DUPLEX: &str = "0e0f 0509 130100 160102 1a0100 14020001";
const CN_SIZED: &str = "0d12 050c 130100 1504 0400 0400 160102 14020002";
const AC_SIZED: &str = "0e12 050c 130100 1504 0400 0400 160102 14020002";

/// One fault.
#[derive(Default)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) listener: String,
    pub(crate) after: String,
    pub(crate) sent: Vec<u8>,
    pub(crate) answer: Vec<u8>,
    pub(crate) half_close: bool,
    /// Fields of the fault's record; none when it is no fault.
    pub(crate) fault: Vec<(String, Value)>,
    pub(crate) end: String,
}

impl Case {
    /// The case as something to be done beside others.
    pub(crate) fn job<'a>(&'a self, gateway: &'a Gateway) -> Job<'a> {
        (self.name.clone(), Box::new(move || run(gateway, self)))
    }
}

/// Reads a file of cases.
pub(crate) fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word == "==" {
            let (listener, after) = ("echo".to_owned(), "session".to_owned());
            cases.push(Case { name: rest.to_owned(), listener, after, ..Case::default() });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{line}: no case has begun"));
        match word {
            "on" => case.listener = rest.to_owned(),
            "after" => case.after = rest.to_owned(),
            ">" => case.sent.extend(hex(rest)),
            ">>" => case.sent.extend(data(&hex(rest))),
            "<" => case.answer.extend(hex(rest)),
            "<<" => case.answer.extend(data(&hex(rest))),
            "fin" => case.half_close = true,
            "!" => case.fault = fields(rest),
            "=" => case.end = rest.to_owned(),
            _ => panic!("{line}: begins with no word of the format"),
        }
    }
    cases
}

/// `name=value` pairs; `reason` is the last and takes the rest of the line.
fn fields(text: &str) -> Vec<(String, Value)> {
    let (places, reason) = text.split_once("reason=").unwrap_or_else(|| panic!("{text}: no reason"));
    let mut fields = vec![("reason".to_owned(), Value::from(reason))];
    let mut rest = places.trim();
    while let Some((name, after)) = rest.split_once('=') {
        // Names of SPDUs have spaces: a value ends where the next name begins.
        let end = after.split_once('=').map_or(after.len(), |(value, _)| {
            value.rfind(' ').unwrap_or_else(|| panic!("{text}: {name} without an end"))
        });
        let value = after[..end].trim();
        let value = value.parse::<u64>().map_or_else(|_| Value::from(value), Value::from);
        fields.push((name.trim().to_owned(), value));
        rest = after[end..].trim();
    }
    fields
}

/// Does it, and looks at the answer and at the log.
fn run(gateway: &Gateway, case: &Case) {
    let to = gateway.address(&case.listener);
    let mut peer = match case.after.as_str() {
        "network" => Peer::connect(to),
        "transport" => Peer::transport(to),
        "session" => Peer::session(to),
        "half-duplex" => opened(to, CN_HALF_DUPLEX, AC_HALF_DUPLEX),
        "sized" => opened(to, CN_SIZED, AC_SIZED),
        other => panic!("{}: after {other}?", case.name),
    };
    let began = Instant::now();
    peer.send(&case.sent);
    if case.half_close {
        peer.half_close();
    }
    peer.expect_last(&case.answer);
    assert!(began.elapsed() < PATIENCE, "the connection was closed late");
    let (fault, end) = gateway.log().fault_and_end(peer.address());
    let found: Vec<(String, Value)> = fault.iter().flat_map(place).collect();
    let mut expected = case.fault.clone();
    expected.sort_by_key(|(name, _)| PLACE.iter().position(|known| known == name));
    assert_eq!(found, expected, "the record of the fault");
    let code = end.get("code").map_or(String::new(), |code| format!(" {code}"));
    assert_eq!(format!("{}{code}", end["reason"].as_str().unwrap_or_default()), case.end, "{end}");
    assert_eq!(end["listener"], *case.listener, "{end}");
}

/// The fields of a fault's record that say where it is, in one order.
pub(crate) fn place(record: &Value) -> Vec<(String, Value)> {
    PLACE.iter().filter_map(|name| Some(((*name).to_owned(), record.get(*name)?.clone()))).collect()
}

fn opened(to: std::net::SocketAddr, connect: &str, accept: &str) -> Peer {
    let mut peer = Peer::transport(to);
    peer.send(&data(&hex(connect)));
    peer.expect(&data(&hex(accept)));
    peer
}

/// Runs jobs side by side, most of which wait for the gateway; panics with the names of those that failed.
pub(crate) fn side_by_side(mut jobs: Vec<Job<'_>>) {
    let mut failed = Vec::new();
    while !jobs.is_empty() {
        let batch: Vec<_> = jobs.drain(..jobs.len().min(SIDE_BY_SIDE_MAX)).collect();
        std::thread::scope(|scope| {
            let started: Vec<_> = batch
                .into_iter()
                .map(|(name, job)| {
                    let thread = std::thread::Builder::new().name(name.clone());
                    (name, thread.spawn_scoped(scope, job).expect("a thread"))
                })
                .collect();
            failed.extend(started.into_iter().filter_map(|(name, job)| job.join().is_err().then_some(name)));
        });
    }
    assert!(failed.is_empty(), "{} failed: {failed:#?}", failed.len());
}

/// Something to be done on a thread of its own, and its name.
pub(crate) type Job<'a> = (String, Box<dyn FnOnce() + Send + 'a>);

/// Threads at once.
const SIDE_BY_SIDE_MAX: usize = 32;
