//! Sessions that wait for something, explained; and thousands listed while traffic runs.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::bed::{Gateway, Setup};
use crate::octets::{FN, data, hex, ssdu};
use crate::peer::Peer;
use crate::upstream::Upstream;

/// CN of version 2 with half duplex.
const HALF_DUPLEX_CN: &str = "0d19 0506 130100 160102 14020001 33020001 34020001 c103a1a2a3";
const SESSIONS: usize = 5000;

/// The explanation in one line, so that line ends do not matter.
fn explained(gateway: &Gateway, session: &str) -> String {
    gateway.text(&["sessions", "explain", session]).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_half_open_session_waits_for_connect() {
    let gateway = Gateway::start(&Setup::default());
    let peer = Peer::transport(gateway.address("echo"));
    let session = gateway.session_of(&peer, "await_cn");
    let text = explained(&gateway, &session);
    assert!(text.contains(&format!("Waits for CONNECT of peer {}", peer.address())), "{text}");
    assert!(text.contains("because no CONNECT has come (timer half-open)"), "{text}");
    drop(peer);
    gateway.stop();
}

#[test]
fn a_session_whose_ssdus_wait_for_the_data_token_says_so() {
    let gateway = Gateway::start(&Setup::default());
    let mut peer = Peer::transport(gateway.address("echo"));
    peer.send(&data(&hex(HALF_DUPLEX_CN)));
    assert_eq!(peer.tsdu()[0], 0x0e, "AC");
    peer.send(&ssdu(b"wait"));
    assert_eq!(peer.tsdu()[0], 0x02, "PLEASE TOKENS");
    let session = gateway.session_of(&peer, "open");
    let text = explained(&gateway, &session);
    assert!(text.contains("State STA713: Data transfer"), "{text}");
    assert!(text.contains("Tokens: data at the peer."), "{text}");
    assert!(text.contains("Waits for the data token of peer"), "{text}");
    let shown = gateway.json(&["sessions", "show", &session]);
    assert_eq!(shown["session"]["tokens_at_peer"][0], "data");
    assert_eq!(shown["session"]["holds_ssdus"], true);
    drop(peer);
    gateway.stop();
}

#[test]
fn a_relay_that_waits_for_its_target_is_explained_on_both_legs() {
    let upstream = Upstream::listen();
    let gateway = Gateway::start(&Setup { upstream: Some(upstream.address()), ..Setup::default() });
    let mut peer = Peer::transport(gateway.address("held"));
    peer.send(&data(&hex(crate::octets::CN)));
    let silent = upstream.accept();
    let session = gateway.session_of(&peer, "await_response");
    let text = explained(&gateway, &session);
    assert!(text.contains("for target held"), "{text}");
    assert!(text.contains("which waits for T-CONNECT confirm (CC) of peer"), "{text}");
    assert!(text.contains("The other leg: session"), "{text}");
    assert!(text.contains("(timer answer)"), "when it is given up: {text}");
    drop((silent, peer));
    gateway.stop();
}

#[test]
fn a_session_that_waits_for_disconnect_is_explained_on_both_legs() {
    let upstream = Upstream::listen();
    let gateway = Gateway::start(&Setup { upstream: Some(upstream.address()), ..Setup::default() });
    let mut peer = Peer::transport(gateway.address("held"));
    peer.send(&data(&hex(crate::octets::CN)));
    let mut silent = upstream.accept_session();
    assert_eq!(peer.tsdu()[0], 0x0e, "AC");
    peer.send(&data(&FN));
    assert_eq!(silent.tsdu()[0], 0x09, "FN");
    let session = gateway.session_of(&peer, "open");
    let text = explained(&gateway, &session);
    assert!(text.contains("State STA09"), "{text}");
    assert!(text.contains("DISCONNECT or NOT FINISHED of peer"), "{text}");
    assert!(text.contains("S-RELEASE indication"), "its last event: {text}");
    let explanation = gateway.json(&["sessions", "explain", &session]);
    assert_eq!(explanation["legs"].as_array().map(Vec::len), Some(2), "{explanation}");
    drop((silent, peer));
    gateway.stop();
}

#[test]
fn thousands_are_listed_while_traffic_runs_and_nothing_is_lost() {
    let gateway = Gateway::start(&Setup::default());
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.args(["load", "--to", &gateway.address("echo").to_string(), "--json", "--seconds", "8"]);
    command.args(["--sessions", &SESSIONS.to_string(), "--size", "100"]);
    let mut load = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the load runs");
    let (mut lists, mut whole) = (0, 0);
    while load.try_wait().expect("a child").is_none() {
        let list = gateway.json(&["sessions", "list", "--listener", "echo", "--state", "open"]);
        let sessions = list["sessions"].as_array().expect("a list");
        let names: BTreeSet<&str> =
            sessions.iter().filter_map(|session| session["session"].as_str()).collect();
        assert_eq!(names.len(), sessions.len(), "no session is listed twice");
        lists += 1;
        whole += usize::from(names.len() == SESSIONS);
    }
    let output = load.wait_with_output().expect("its output");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a JSON record");
    for key in ["lost", "reordered", "corrupted", "failed", "ended_early"] {
        assert_eq!(report["counts"][key], 0, "{key}: {report}");
    }
    assert!(whole > 0, "of {lists} lists none had all sessions");
    gateway.stop();
}
