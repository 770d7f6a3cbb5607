//! The verbs: what they print, and their exit status.

use std::process::Command;

use crate::bed::{Gateway, Setup, said};
use crate::peer::Peer;

#[test]
fn status_targets_and_explain_answer_in_text_and_json() {
    let gateway = Gateway::start(&Setup::default());
    let status = gateway.json(&["status"]);
    assert_eq!(status["ok"], true);
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["shards"].as_array().map(Vec::len), Some(2), "{status}");
    assert!(gateway.text(&["status"]).contains(env!("CARGO_PKG_VERSION")));

    let targets = gateway.json(&["targets", "list"]);
    let names: Vec<&str> =
        targets["targets"].as_array().unwrap().iter().filter_map(|target| target["name"].as_str()).collect();
    assert_eq!(names, ["echo", "held"]);
    assert!(gateway.text(&["targets", "list"]).starts_with("NAME"));
    assert_eq!(gateway.text(&["targets", "drain", "held"]), "held: ready -> drain\n");
    assert_eq!(gateway.json(&["targets", "maint", "held"])["state"], "maint");
    assert_eq!(gateway.json(&["targets", "list"])["targets"][1]["state"], "maint");
    assert_eq!(gateway.text(&["targets", "ready", "held"]), "held: maint -> ready\n");
    assert_eq!(gateway.verb(&["targets", "drain", "nobody"]).status.code(), Some(1));
    assert_eq!(gateway.verb(&["targets", "drain", "held", "nobody"]).status.code(), Some(4));

    assert_eq!(gateway.text(&["sessions", "list"]), "no sessions\n");
    assert!(gateway.text(&["explain", "s04"]).starts_with("# CLQ-S04: "));
    assert!(gateway.text(&["explain"]).lines().any(|line| line.starts_with("CLQ-A01")));
    assert_eq!(gateway.verb(&["explain", "CLQ-Z99"]).status.code(), Some(1));
    gateway.stop();
}

#[test]
fn sessions_are_closed_in_order_and_aborted() {
    let gateway = Gateway::start(&Setup::default());
    let mut closed = Peer::session(gateway.address("echo"));
    let mut aborted = Peer::session(gateway.address("relay"));
    let (first, second) = (gateway.session_of(&closed, "open"), gateway.session_of(&aborted, "open"));
    assert_eq!(gateway.verb(&["sessions", "close", &first, "1-999.1"]).status.code(), Some(4));
    assert_eq!(closed.tsdu()[0], 0x09, "FN");
    closed.send(&crate::octets::data(&crate::octets::DN));
    closed.half_close();
    gateway.json(&["sessions", "abort", &second]);
    assert_eq!(aborted.tsdu()[0], 0x19, "AB");
    for (peer, reason) in [(&closed, "released"), (&aborted, "aborted_by_provider")] {
        let end = gateway.log().of_peer(peer.address()).pop().expect("records");
        assert_eq!((&end["reason"], &end["why"]), (&reason.into(), &"operator".into()), "{end}");
    }
    assert_eq!(gateway.verb(&["sessions", "abort", &second]).status.code(), Some(1), "it has ended");
    assert_eq!(gateway.verb(&["sessions", "abort", "7.2"]).status.code(), Some(2), "that is no name");
    gateway.stop();
}

#[test]
fn reload_tells_what_it_did_and_a_wrong_file_changes_nothing() {
    let gateway = Gateway::start(&Setup::default());
    let file = gateway.path("gateway.toml");
    let good = std::fs::read_to_string(&file).expect("the configuration");
    std::fs::write(&file, good.replace("[log]\n", "[log]\nlevel = \"warn\"\n")).expect("writable");
    let answer = gateway.json(&["reload"]);
    assert_eq!(answer["applied"][0]["key"], "log.level", "{answer}");
    std::fs::write(&file, good.replace("shards = 2", "shards = \"two\"\nshrads = 3")).expect("writable");
    let refused = gateway.verb(&["reload"]);
    assert_eq!(refused.status.code(), Some(2));
    let told = said(&refused.stderr);
    assert!(told.contains("CLQ-C02") && told.contains("CLQ-C04"), "every fault is told: {told}");
    // Session records are of level info, which is not logged any more.
    Peer::session(gateway.address("echo")).release();
    std::fs::write(&file, &good).expect("writable");
    gateway.text(&["reload"]);
    let last = Peer::session(gateway.address("echo"));
    let address = last.address();
    last.release();
    let records = gateway.log().of_peer(address);
    assert_eq!(records.len(), 2, "{records:?}");
    let all = gateway.log().wait_for("records", |record| record["event_id"] == "CLQ-S07");
    assert_eq!(all.len(), 1, "that of the first session was not logged: {all:?}");
}

#[test]
fn a_drain_over_the_socket_ends_the_gateway() {
    let gateway = Gateway::start(&Setup::default());
    let peer = Peer::session(gateway.address("echo"));
    let text = gateway.text(&["drain", "--deadline", "200ms", "--wait"]);
    assert!(text.contains("draining: 1 of 1 sessions left"), "{text}");
    drop(peer);
    assert_eq!(gateway.verb(&["status"]).status.code(), Some(3), "it has gone");
}

#[test]
fn nobody_there_is_exit_status_three() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("none.sock");
    for verb in [&["status"][..], &["sessions", "list"], &["targets", "list"], &["reload"], &["drain"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        let output = command.args(verb).arg("--socket").arg(&socket).output().expect("the program runs");
        assert_eq!(output.status.code(), Some(3), "{verb:?}");
        assert!(said(&output.stderr).contains("no gateway at"), "{verb:?}: {}", said(&output.stderr));
    }
}
