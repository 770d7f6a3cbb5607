//! Open and close records: one of each for each session, however it ends.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::bed::{Gateway, Setup};
use crate::octets::{CN, CR, DN, FN, data, hex, ssdu};
use crate::peer::Peer;

/// Sessions of the churn; those through the relay have two legs.
const SESSIONS: usize = 2000;

/// Ways for a session to end.
const WAYS: [fn(&Gateway); 8] = [
    |gateway| Peer::session(gateway.address("echo")).release(),
    |gateway| Peer::session(gateway.address("relay")).release(),
    // ABORT by the user.
    |gateway| Peer::session(gateway.address("relay")).send(&data(&[0x19, 0x03, 0x11, 0x01, 0x03])),
    |gateway| Peer::session(gateway.address("echo")).reset(),
    // Closed without a word, with data on their way.
    |gateway| Peer::session(gateway.address("relay")).send(&ssdu(b"gone")),
    // A selector that is not there.
    |gateway| {
        let mut peer = Peer::transport(gateway.address("picky"));
        peer.send(&data(&hex(CN)));
        assert_eq!(peer.tsdu()[0], 0x0c, "RF");
    },
    // Half open.
    |gateway| drop(Peer::transport(gateway.address("echo"))),
    // DN that nobody has asked for.
    |gateway| Peer::session(gateway.address("relay")).send(&data(&DN)),
];

#[test]
fn open_and_close_records_match_one_to_one() {
    let gateway = Gateway::start(&Setup::default());
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let gateway = &gateway;
            scope.spawn(move || {
                (0..SESSIONS / 4).for_each(|number| WAYS[(number + worker) % WAYS.len()](gateway));
            });
        }
    });
    let end = std::time::Instant::now() + crate::peer::PATIENCE * 2;
    while gateway.json(&["status"])["sessions"]["all"] != 0 {
        assert!(std::time::Instant::now() < end, "{}", gateway.text(&["sessions", "list"]));
        crate::process::poll_pause();
    }
    assert_eq!(gateway.json(&["status"])["totals"]["records_dropped"], 0);
    let last = Peer::session(gateway.address("echo"));
    let address = last.address();
    last.release();
    gateway.log().of_peer(address);
    let account = |record: &Value| record["event_id"] == "CLQ-S07" || record["event_id"] == "CLQ-S01";
    let records = gateway.log().wait_for("records", account);
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut opened = 0;
    for record in &records {
        let session = record["session"].as_str().expect("a name").to_owned();
        if record["event_id"] == "CLQ-S07" {
            opened += 1;
            assert_eq!(open.insert(session, opened), None, "opened twice: {record}");
        } else {
            assert!(open.remove(&session).is_some(), "closed without having been opened: {record}");
            assert!(record["dur_ms"].is_u64() && record["state"].is_string(), "{record}");
            *reasons.entry(record["reason"].as_str().expect("a reason").to_owned()).or_default() += 1;
        }
    }
    assert!(open.is_empty(), "never closed: {open:?}");
    // Four of the eight ways have a second leg, and the relay's upstream is an echo of the same gateway.
    let expected = SESSIONS + 2 * SESSIONS / WAYS.len() * 4 + 1;
    assert_eq!(opened, expected, "{reasons:?}");
    for reason in ["released", "aborted_by_peer_user", "network", "eof", "refused", "protocol_error"] {
        assert!(reasons.contains_key(reason), "{reason}: {reasons:?}");
    }
    gateway.stop();
}

#[test]
fn an_open_record_has_selectors_route_and_what_was_proposed() {
    let gateway = Gateway::start(&Setup::default());
    let mut peer = Peer::connect(gateway.address("relay"));
    // CR with calling TSAP 0001 and called TSAP "MMS".
    let mut cr = CR.to_vec();
    cr.extend([0xc1, 2, 0, 1, 0xc2, 3, b'M', b'M', b'S']);
    cr[3] += 9;
    cr[4] += 9;
    peer.send(&cr);
    let cc = peer.receive(4);
    peer.receive(usize::from(cc[3]) - 4);
    peer.send(&data(&hex(CN)));
    assert_eq!(peer.tsdu()[0], 0x0e, "AC");
    peer.send(&data(&FN));
    assert_eq!(peer.tsdu(), DN);
    peer.half_close();
    let records = gateway.log().of_peer(peer.address());
    let [opened, closed] = &records[..] else { panic!("{records:?}") };
    for (key, value) in [
        ("listener", "relay"),
        ("target", "echo"),
        ("tsel_calling", "0x0001"),
        ("tsel_called", "0x4d4d53"),
        ("ssel_calling", "0x0001"),
        ("ssel_called", "0x0001"),
        ("fu", "duplex"),
        ("version", "2"),
    ] {
        assert_eq!(opened[key], value, "{key}: {opened}");
    }
    assert_eq!(closed["reason"], "released");
    for key in ["connect_ms", "open_ms", "dur_ms", "bytes_in", "bytes_out"] {
        assert!(closed[key].is_u64(), "{key}: {closed}");
    }
    let partner = &opened["partner"];
    let legs = gateway
        .log()
        .wait_for("the other leg", |record| record["session"] == *partner && record["event_id"] == "CLQ-S01");
    assert_eq!(legs[0]["target"], "echo");
    gateway.stop();
}
