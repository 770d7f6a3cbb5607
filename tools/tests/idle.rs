//! Idle sessions of the real gateway over real sockets: FINISH or ABORT to the peer, both legs, both drivers, and what
//! peers that others have written make of it.

#[path = "limits/gateway.rs"]
#[allow(dead_code, reason = "shared with the limits, which ask more of it")]
mod gateway;
#[path = "hostile/log.rs"]
#[allow(dead_code, reason = "shared with the hostile peers, which ask more of it")]
mod log;
#[path = "hostile/octets.rs"]
#[allow(dead_code, reason = "shared with the hostile peers, which send more")]
mod octets;
#[path = "hostile/peer.rs"]
#[allow(dead_code, reason = "shared with the hostile peers, which do more")]
mod peer;
#[path = "interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
#[path = "interop/skip.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod skip;

use std::time::{Duration, Instant};

use gateway::Gateway;
use octets::{DN, FN_OF_GATEWAY, data};
use peer::Peer;
use process::free_address;

const IDLE: Duration = Duration::from_millis(500);

/// An echo without an idle timeout, and a relay to it with one.
fn start(driver: &str, action: &str) -> Gateway {
    let echo = free_address();
    Gateway::start(
        driver,
        &format!(
            "[[listener]]\nname = \"echo\"\naddress = \"{echo}\"\napplication = \"echo\"\ntim = \"300ms\"\n\
             [[listener]]\nname = \"relay\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntim = \"300ms\"\n\
             idle_timeout = \"1h\"\nidle_action = \"abort\"\nrelease_timeout = \"2s\"\n\
             [[route]]\nname = \"quiet\"\ntarget = \"echo\"\nidle_timeout = \"{}ms\"\nidle_action = \"{action}\"\n\
             [[target]]\nname = \"echo\"\naddress = \"{echo}\"\ntim = \"300ms\"\nrelease_timeout = \"2s\"\n",
            IDLE.as_millis()
        ),
    )
}

/// A session that has been used for longer than it may be idle, and since when it is idle.
fn used(gateway: &Gateway) -> (Peer, Instant) {
    let mut peer = Peer::session(gateway.address("relay"));
    let start = Instant::now();
    while start.elapsed() < 2 * IDLE {
        peer.echo(b"not idle");
        process::poll_pause();
    }
    (peer, Instant::now())
}

fn closed(gateway: &Gateway, how: &str) {
    let series = format!("colloquy_sessions_closed_by_gateway_total{{why=\"idle\",how=\"{how}\"}}");
    gateway.wait_for_metric(&series, 1.0);
}

/// The records of the ends of both legs' accepted ends: the relay's downstream, and what the echo saw of the upstream.
fn reasons(gateway: &Gateway, peer: &Peer) -> serde_json::Value {
    let records = gateway.log().of_peer(peer.address());
    let end = records.into_iter().find(|record| record["event_id"] == "CLQ-S01");
    end.expect("a record of the end")
}

fn released(driver: &str) {
    let gateway = start(driver, "release");
    let (mut peer, since) = used(&gateway);
    assert_eq!(peer.tsdu(), FN_OF_GATEWAY, "FINISH");
    assert!(since.elapsed() >= IDLE * 9 / 10, "ended after {:?}", since.elapsed());
    peer.send(&data(&DN));
    peer.half_close();
    peer.expect_last(&[]);
    closed(&gateway, "release");
    let end = reasons(&gateway, &peer);
    assert_eq!((&end["reason"], &end["why"]), (&"released".into(), &"idle".into()), "{end}");
    // The upstream's turn: the echo was sent FINISH, too.
    let upstream =
        |record: &serde_json::Value| record["event_id"] == "CLQ-S01" && record["listener"] == "echo";
    assert_eq!(gateway.log().wait_for("the upstream's end", upstream)[0]["reason"], "released");
    gateway.finish();
}

fn aborted(driver: &str) {
    let gateway = start(driver, "abort");
    let (mut peer, _) = used(&gateway);
    assert_eq!(peer.tsdu()[0], 0x19, "ABORT");
    peer.half_close();
    peer.expect_last(&[]);
    closed(&gateway, "abort");
    let end = reasons(&gateway, &peer);
    assert_eq!((&end["reason"], &end["why"]), (&"aborted_by_provider".into(), &"idle".into()), "{end}");
    gateway.finish();
}

fn unanswered(driver: &str) {
    let gateway = start(driver, "release");
    let (mut peer, _) = used(&gateway);
    assert_eq!(peer.tsdu(), FN_OF_GATEWAY, "FINISH");
    assert_eq!(peer.tsdu()[0], 0x19, "ABORT when the release timer has run out");
    peer.half_close();
    peer.expect_last(&[]);
    closed(&gateway, "abort");
    gateway.finish();
}

macro_rules! on_each_driver {
    ($($name:ident => $test:ident),* $(,)?) => {
        mod on_io_uring {
            $(#[test] fn $test() { if crate::skip::io_uring_allowed("idle sessions") { super::$name("io_uring") } })*
        }
        mod on_mio {
            $(#[test] fn $test() { super::$name("mio") })*
        }
    };
}

on_each_driver! {
    released => an_idle_session_is_released_leg_after_leg,
    aborted => an_idle_session_is_aborted_where_the_route_says_so,
    unanswered => a_release_that_is_not_answered_becomes_an_abort,
}
