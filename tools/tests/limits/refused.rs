//! Limits on sessions and connections: what the peer is answered, what the operator sees.

use std::net::{Ipv4Addr, SocketAddr};

use crate::gateway::Gateway;
use crate::octets::{CC, CN, CR, DR_CONGESTION, data, hex};
use crate::peer::Peer;
use crate::process::free_address;

/// DR reason 3, address unknown.
const DR_UNKNOWN: [u8; 11] = [0x03, 0x00, 0x00, 0x0b, 0x06, 0x80, 0x47, 0x11, 0x00, 0x00, 0x03];

/// What a limit may be on, beside a route.
const SCOPES: [&str; 3] = ["all", "listener", "source"];

/// A configuration with one echo that limits `key` of `scope` to `max`.
fn limited(scope: &str, key: &str, max: usize) -> String {
    let line = format!("{key} = {max}\n");
    let (limits, listener) = match scope {
        "all" => (line, String::new()),
        "source" => (format!("source_{line}"), String::new()),
        _ => (String::new(), line),
    };
    format!(
        "[limits]\n{limits}[[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n\
         tim = \"300ms\"\n{listener}"
    )
}

/// The source of peers that a limit is for: there is one record for each source.
const SOURCE: Ipv4Addr = Ipv4Addr::new(127, 9, 9, 9);

/// A peer from an address of its own, or from the one whose limits are reached.
fn connect(scope: &str, to: SocketAddr) -> Peer {
    match scope {
        "source" => Peer::connect_from(SOURCE, to),
        _ => Peer::connect(to),
    }
}

fn session(scope: &str, to: SocketAddr) -> Peer {
    let mut peer = connect(scope, to);
    peer.establish();
    peer
}

/// So many peers get DR with the reason.
fn expect_refused(to: SocketAddr, count: usize, answer: &[u8]) {
    for _ in 0..count {
        let mut peer = Peer::connect_from(SOURCE, to);
        peer.send(&CR);
        peer.expect_last(answer);
    }
}

pub(crate) fn sessions(driver: &str) {
    for scope in SCOPES {
        let gateway = Gateway::start(driver, &limited(scope, "sessions_max", 3));
        let address = gateway.address("echo");
        let mut open: Vec<Peer> = (0..3).map(|_| session(scope, address)).collect();
        expect_refused(address, 5, &DR_CONGESTION);
        open.iter_mut().for_each(|peer| peer.echo(b"served meanwhile"));
        let last = open.pop().expect("three");
        last.release();
        gateway.wait_for_metric("colloquy_admitted_sessions{state=\"all\"}", 2.0);
        session(scope, address).release();
        open.into_iter().for_each(Peer::release);
        if scope == "source" {
            // Each of these is alone.
            (0..5).map(|_| Peer::session(address)).collect::<Vec<_>>().into_iter().for_each(Peer::release);
        }
        gateway.expect_refused_by(scope, "sessions", 5);
        gateway.finish();
    }
}

pub(crate) fn not_established(driver: &str) {
    for scope in SCOPES {
        let gateway = Gateway::start(driver, &limited(scope, "connections_not_established_max", 2));
        let address = gateway.address("echo");
        // Those that are established do not count.
        let open: Vec<Peer> = (0..4).map(|_| session(scope, address)).collect();
        let mut silent: Vec<Peer> = (0..2).map(|_| connect(scope, address)).collect();
        silent[0].send(&CR);
        silent[0].expect(&CC);
        gateway.wait_for_metric("colloquy_admitted_sessions{state=\"not_established\"}", 2.0);
        expect_refused(address, 4, &DR_CONGESTION);
        drop(silent);
        gateway.wait_for_metric("colloquy_admitted_sessions{state=\"not_established\"}", 0.0);
        session(scope, address).release();
        open.into_iter().for_each(Peer::release);
        gateway.expect_refused_by(scope, "connections_not_established", 4);
        gateway.finish();
    }
}

pub(crate) fn connects_per_second(driver: &str) {
    for scope in SCOPES {
        let gateway = Gateway::start(driver, &limited(scope, "connects_per_second_max", 1));
        let address = gateway.address("echo");
        let first = session(scope, address);
        // Within a second of the first at least one is too many; then the rate brings another.
        let mut refused = 0;
        let second = loop {
            // More than wait for their CR at once are closed, perhaps before connect has returned.
            let Ok(mut peer) = Peer::try_connect_from(SOURCE, address) else {
                refused += 1;
                continue;
            };
            peer.send(&CR);
            let answer = peer.receive(CR.len());
            if answer == CC {
                break peer;
            }
            assert!(answer == DR_CONGESTION || answer.is_empty(), "{answer:02x?}");
            refused += 1;
        };
        assert!(refused > 0, "two connections in a second");
        drop(second);
        first.release();
        gateway.expect_refused_by(scope, "connects_per_second", refused);
        gateway.finish();
    }
}

pub(crate) fn networks(driver: &str) {
    let gateway = Gateway::start(
        driver,
        "[[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\ntim = \"300ms\"\n\
         allow = [\"127.0.0.0/8\"]\ndeny = [\"127.9.9.0/24\"]\n",
    );
    let address = gateway.address("echo");
    expect_refused(address, 3, &DR_UNKNOWN);
    Peer::session(address).release();
    gateway.expect_refused("listener", "network", "CLQ-L03", 3);
    gateway.finish();
}

pub(crate) fn routes(driver: &str) {
    let echo = free_address();
    let gateway = Gateway::start(
        driver,
        &format!(
            "[[listener]]\nname = \"echo\"\naddress = \"{echo}\"\napplication = \"echo\"\ntim = \"300ms\"\n\
             [[listener]]\nname = \"relay\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntim = \"300ms\"\n\
             [[route]]\nname = \"narrow\"\ntarget = \"echo\"\nsessions_max = 2\n\
             [[target]]\nname = \"echo\"\naddress = \"{echo}\"\ntim = \"300ms\"\n"
        ),
    );
    let address = gateway.address("relay");
    let open: Vec<Peer> = (0..2).map(|_| Peer::session(address)).collect();
    for _ in 0..3 {
        let mut peer = Peer::connect_from(SOURCE, address);
        peer.send(&CR);
        peer.expect(&CC);
        peer.send(&data(&hex(CN)));
        let refuse = peer.tsdu();
        // RF with PI 50 (reason code) 131.
        assert_eq!(refuse[0], 0x0c, "REFUSE: {refuse:02x?}");
        assert!(refuse.windows(3).any(|octets| octets == [0x32, 0x01, 131]), "{refuse:02x?}");
    }
    open.into_iter().for_each(Peer::release);
    gateway.expect_refused_by("route", "sessions", 3);
    gateway.finish();
}

/// However many addresses they come from: one record in a while, which names some.
pub(crate) fn flood(driver: &str) {
    const PEERS: u64 = 60;
    let gateway = Gateway::start(driver, &limited("listener", "sessions_max", 1));
    let address = gateway.address("echo");
    let held = Peer::session(address);
    for _ in 0..PEERS {
        let mut peer = Peer::connect(address);
        peer.send(&CR);
        peer.expect_last(&DR_CONGESTION);
    }
    let series = "colloquy_connections_refused_total{scope=\"listener\",limit=\"sessions\"}";
    gateway.wait_for_metric(series, PEERS as f64);
    held.release();
    let records = gateway.log().wait_for("CLQ-L01", |record| record["event_id"] == "CLQ-L01");
    let first = &records[0];
    let (count, sources) = (first["count"].as_u64(), first["sources"].as_u64());
    assert!(sources.is_some_and(|sources| sources > 1) && count == sources, "each came once: {first}");
    let named = first["top_sources"].as_str().expect("some are named");
    assert_eq!(named.split(", ").filter(|source| source.ends_with(" (1)")).count(), 5, "{first}");
    gateway.finish();
}
