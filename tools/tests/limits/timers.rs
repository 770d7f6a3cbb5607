//! Timers of the phases of a connection, and TCP's own.

use std::net::SocketAddr;
use std::time::Instant;

use crate::gateway::Gateway;
use crate::octets::{CC, CN, CR, FN_OF_GATEWAY, data, hex};
use crate::peer::{PATIENCE, Peer};
use crate::process::{free_address, poll_pause};

/// With a keepalive time TCP runs a timer for an idle connection, without one it does not.
pub(crate) fn keepalive(driver: &str) {
    let listener = |name: &str, keepalive: &str| {
        format!(
            "[[listener]]\nname = \"{name}\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\ntim = \"300ms\"\n\
             keepalive = \"{keepalive}\"\n"
        )
    };
    let gateway = Gateway::start(driver, &(listener("probed", "30s") + &listener("silent", "0s")));
    for (name, probed) in [("probed", true), ("silent", false)] {
        let address = gateway.address(name);
        let mut peer = Peer::session(address);
        peer.echo(b"x");
        let end = Instant::now() + PATIENCE;
        // Until what it sent is acknowledged the connection has another timer.
        let timer = loop {
            match timer_of(&gateway, address, peer.address()).as_str() {
                "01" if Instant::now() < end => poll_pause(),
                timer => break timer.to_owned(),
            }
        };
        assert_eq!(timer, if probed { "02" } else { "00" }, "{name}");
        peer.release();
    }
    gateway.finish();
}

/// The timer that the system has on the gateway's end of a connection: proc(5), /proc/net/tcp: 00 none, 01 retransmission,
/// 02 another one, which is that of keepalive.
fn timer_of(gateway: &Gateway, local: SocketAddr, remote: SocketAddr) -> String {
    let text = std::fs::read_to_string(format!("/proc/{}/net/tcp", gateway.process())).expect("it is alive");
    let name = |address: SocketAddr| match address {
        SocketAddr::V4(v4) => format!("{:08X}:{:04X}", u32::from_ne_bytes(v4.ip().octets()), v4.port()),
        SocketAddr::V6(_) => unreachable!("the test speaks IPv4"),
    };
    let connection = format!("{} {}", name(local), name(remote));
    let line = text.lines().find(|line| line.contains(&connection)).expect("the connection");
    let timer = line.split_whitespace().nth(5).expect("a timer");
    timer[..2].to_owned()
}

/// No CR, no CN, no answer of a target, no answer to FN: each phase ends by its timer, with the answer it has.
pub(crate) fn phases(driver: &str) {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let upstream = silent.local_addr().expect("bound");
    let echo = free_address();
    let gateway = Gateway::start(
        driver,
        &format!(
            "[[listener]]\nname = \"echo\"\naddress = \"{echo}\"\napplication = \"echo\"\ntim = \"300ms\"\n\
             transport_timeout = \"300ms\"\nconnect_timeout = \"600ms\"\nidle_timeout = \"400ms\"\n\
             release_timeout = \"400ms\"\n\
             [[listener]]\nname = \"relay\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntarget = \"silent\"\n\
             tim = \"300ms\"\nconnect_timeout = \"2s\"\n\
             [[target]]\nname = \"silent\"\naddress = \"{upstream}\"\ntim = \"300ms\"\nconnect_timeout = \"400ms\"\n"
        ),
    );
    let expect_timeout = |peer: SocketAddr, detail: &str| {
        let end = gateway.log().expect_end(peer, "timeout");
        assert_eq!(end["detail"], detail, "{end}");
    };
    // No CR: there is nothing to answer to.
    let mut peer = Peer::connect(echo);
    peer.expect_last(&[]);
    expect_timeout(peer.address(), "half-open");
    // No CN: class 0 ends a connection by closing it.
    let mut peer = Peer::transport(echo);
    peer.expect_last(&[]);
    expect_timeout(peer.address(), "half-open");
    // No answer of the target: RF 131.
    let mut peer = Peer::connect(gateway.address("relay"));
    peer.send(&CR);
    peer.expect(&CC);
    peer.send(&data(&hex(CN)));
    let refuse = peer.tsdu();
    assert!(
        refuse[0] == 0x0c && refuse.windows(3).any(|octets| octets == [0x32, 0x01, 131]),
        "{refuse:02x?}"
    );
    drop(peer);
    // No answer to FN of the gateway: AB, and the connection is closed after TIM.
    let mut peer = Peer::session(echo);
    assert_eq!(peer.tsdu(), FN_OF_GATEWAY, "FINISH of an idle session");
    assert_eq!(peer.tsdu()[0], 0x19, "ABORT");
    peer.expect_last(&[]);
    let ended = gateway.log().of_peer(peer.address());
    let end = ended.iter().find(|record| record["event_id"] == "CLQ-S01").expect("the end");
    assert_eq!((&end["reason"], &end["why"]), (&"aborted_by_provider".into(), &"idle".into()), "{end}");
    gateway.finish();
}
