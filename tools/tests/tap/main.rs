//! `colloquy tap` on a gateway in its own process: what tshark makes of the file, what is in it and what is not, and
//! that nobody waits for a tap.

#[path = "../tls/authority.rs"]
#[allow(dead_code, reason = "shared with the tests of TLS, which use more of it")]
mod authority;
mod dissect;
mod gateway;
#[path = "../hostile/log.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod log;
#[path = "../hostile/octets.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod octets;
#[path = "../hostile/peer.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod peer;
#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
#[path = "../interop/skip.rs"]
mod skip;

use std::io::Read;
use std::process::Stdio;
use std::time::Instant;

use dissect::contains;
use gateway::{Gateway, TAP_TIME_MAX};
use peer::Peer;

/// User data that nothing else looks like.
const MARKER: &[u8] = b"ACCOUNT 4711 OWES 1000000";
/// SI codes: what a session is made of. GT and DT have the same.
const CN: u8 = 13;
const AC: u8 = 14;
const DT: u8 = 1;
const FN: u8 = 9;
const DN: u8 = 10;

/// One module of tests for each driver, so that the name of a failed test says on which one.
macro_rules! on_each_driver {
    ($($(#[$doc:meta])* fn $name:ident($driver:ident) $body:block)*) => {
        $($(#[$doc])* fn $name($driver: &str) $body)*
        mod on_io_uring {
            $(#[test] fn $name() { if crate::skip::io_uring_allowed("taps") { super::$name("io_uring") } })*
        }
        mod on_mio {
            $(#[test] fn $name() { super::$name("mio") })*
        }
    };
}

/// TPDUs of a session with `ssdus` SSDUs there and back, on one leg: CR, CC, CN, AC, FN, DN and the data.
fn tpdus(ssdus: usize) -> usize {
    6 + 2 * ssdus
}

fn talk(gateway: &Gateway, listener: &str, ssdus: usize) {
    let mut peer = Peer::session(gateway.address(listener));
    for _ in 0..ssdus {
        peer.echo(MARKER);
    }
    peer.release();
}

on_each_driver! {
    /// Both legs of a relay, redacted.
    fn a_relay_under_traffic_is_dissected_whole_and_without_user_data(driver) {
        const SESSIONS: usize = 5;
        let gateway = Gateway::start(driver, 2);
        let count = (2 * SESSIONS * tpdus(20)).to_string();
        let tap = gateway.tap(&["--listener", "relay", "--count", &count]);
        std::thread::scope(|scope| {
            for _ in 0..SESSIONS {
                scope.spawn(|| talk(&gateway, "relay", 20));
            }
        });
        let capture = tap.finished();
        assert_eq!(capture.malformed(), "", "tshark understands all of it");
        for (si, expected) in [(CN, 2 * SESSIONS), (AC, 2 * SESSIONS), (FN, 2 * SESSIONS), (DN, 2 * SESSIONS)] {
            assert_eq!(capture.spdus(si), expected, "SI {si}");
        }
        assert_eq!(capture.spdus(DT), 2 * SESSIONS * 40);
        assert_eq!(capture.streams(), 2 * SESSIONS, "one TCP connection for each leg");
        assert_eq!(capture.lost_segments(), 0, "sequence numbers are complete");
        assert!(!contains(&capture.octets, MARKER), "no user data");
        assert!(!contains(&capture.octets, &[0xa1, 0xa2, 0xa3]), "none of CN and AC either");
        assert!(contains(&capture.octets, b"listener relay, STA713, V(M) "));
        assert!(contains(&capture.octets, b"target echo, STA"));
        assert_eq!(capture.dropped(), 0);
        gateway.ended_tap(count.parse().unwrap_or_default(), 0);
    }

    fn payload_is_there_when_it_is_asked_for(driver) {
        let gateway = Gateway::start(driver, 1);
        let tap = gateway.tap(&["--listener", "echo", "--count", &tpdus(1).to_string(), "--payload"]);
        talk(&gateway, "echo", 1);
        let capture = tap.finished();
        assert!(contains(&capture.octets, MARKER));
        assert_eq!(capture.malformed(), "");
    }

    /// The leg to a target behind TLS is there in clear, and redacted as any other.
    fn what_goes_through_tls_is_seen_in_clear(driver) {
        let gateway = Gateway::start(driver, 1);
        let tap = gateway.tap(&["--target", "secure", "--count", &(2 * tpdus(3)).to_string()]);
        let behind = gateway.tap(&["--listener", "secure", "--count", &tpdus(3).to_string(), "--payload"]);
        talk(&gateway, "private", 3);
        let capture = tap.finished();
        assert_eq!((capture.malformed(), capture.lost_segments()), (String::new(), 0));
        for (si, expected) in [(CN, 2), (AC, 2), (DT, 12), (FN, 2), (DN, 2)] {
            assert_eq!(capture.spdus(si), expected, "SI {si}\n{}", capture.summary());
        }
        assert!(!contains(&capture.octets, MARKER));
        let capture = behind.finished();
        assert_eq!((capture.spdus(CN), capture.spdus(DT), capture.spdus(DN)), (1, 6, 1));
        assert!(contains(&capture.octets, MARKER), "what the responder of TLS opens and seals");
    }

    fn a_session_that_is_under_way_is_joined_where_a_tsdu_begins(driver) {
        let gateway = Gateway::start(driver, 1);
        let mut peer = Peer::session(gateway.address("echo"));
        peer.echo(MARKER);
        // Half a TSDU is there when the tap begins: the shard takes what has come before what it is asked.
        let ssdu = octets::ssdu(&[b'x'; 3000]);
        peer.send(&ssdu[..1500]);
        let name = gateway.session_of(peer.address());
        let tap = gateway.tap(&["--session", &name, "--count", "7", "--payload"]);
        peer.send(&ssdu[1500..]);
        peer.expect_ssdu(&[b'x'; 3000]);
        for _ in 0..2 {
            peer.echo(MARKER);
        }
        peer.release();
        let capture = tap.finished();
        assert_eq!(capture.malformed(), "");
        // What it sends back is seen whole; what had begun to come is not.
        assert_eq!((capture.spdus(DT), capture.spdus(FN), capture.spdus(DN)), (5, 1, 1));
    }

    fn filters_hold(driver) {
        let gateway = Gateway::start(driver, 2);
        let with_called = gateway.tap(&["--ssap", "0x0001", "--listener", "echo", "--count", "4", "--spdu", "cn,ac"]);
        let with_other = gateway.tap(&["--ssap", "0x0002", "--seconds", "2"]);
        let with_target = gateway.tap(&["--target", "echo", "--spdu", "FN", "--count", "12"]);
        let short = gateway.tap(&["--listener", "echo", "--snap", "8", "--count", "3"]);
        let ports = gateway.tap(&["--listener", "echo", "--real-ports", "--count", "4"]);
        let elsewhere = gateway.tap(&["--network", "10.0.0.0/8", "--seconds", "2"]);
        talk(&gateway, "echo", 3);
        talk(&gateway, "relay", 3);
        let capture = with_called.finished();
        assert_eq!((capture.spdus(CN), capture.spdus(AC), capture.spdus(DT), capture.spdus(FN)), (1, 1, 0, 0));
        for none in [with_other.finished(), elsewhere.finished()] {
            assert_eq!((none.streams(), none.spdus(CN)), (0, 0));
        }
        // CR, CC, FN, and DR or nothing, of both legs; the echo's own session has no target.
        talk(&gateway, "relay", 1);
        let capture = with_target.finished();
        assert_eq!((capture.spdus(FN), capture.spdus(CN)), (4, 0), "{}", capture.summary());
        let capture = short.finished();
        assert_eq!(capture.captured_octets_max(), 40 + 8);
        let capture = ports.finished();
        assert!(capture.ports().contains(&gateway.address("echo").port()));
    }

    /// Nobody reads what the tap says: traffic goes on as ever, and what is missing is counted.
    fn a_slow_reader_slows_nobody(driver) {
        const SSDUS: usize = 3000;
        let gateway = Gateway::start(driver, 1);
        let mut tap = gateway.tap_to(&["--listener", "echo", "--payload"], Stdio::piped());
        let mut peer = Peer::session(gateway.address("echo"));
        let body = vec![b'z'; 16_000];
        for _ in 0..SSDUS {
            peer.echo(&body);
        }
        peer.release();
        let mut octets = vec![0; 4096];
        let mut stdout = tap.take_stdout();
        stdout.read_exact(&mut octets).expect("the file begins");
        drop((stdout, tap));
        let record = gateway.tap_record();
        assert!(record["left_out"].as_u64() > Some(0), "{record}");
        // What was left out is far more than what waits in the gateway and in pipes.
        assert!(record["tpdus"].as_u64() < Some(2 * SSDUS as u64), "{record}");
        // It is as if there had been no tap.
        talk(&gateway, "echo", 1);
    }

    /// Beyond the budget octets are left out, and the rest is dissected all the same.
    fn a_budget_leaves_out_and_goes_on_where_something_begins(driver) {
        let gateway = Gateway::start_with(driver, 1, "tap_octets_per_second_max = 200000\n");
        let tap = gateway.tap(&["--listener", "echo", "--seconds", "4"]);
        let mut peer = Peer::session(gateway.address("echo"));
        let body = vec![b'z'; 20_000];
        for _ in 0..100 {
            peer.echo(&body);
        }
        peer.release();
        let capture = tap.finished();
        assert_eq!(capture.malformed(), "");
        assert!(capture.dropped() > 0, "4 MB do not fit into 4 seconds of 200 kB");
        assert_eq!(gateway.metric("colloquy_tap_dropped_total"), capture.dropped());
        assert_eq!(gateway.metric("colloquy_taps"), 0);
        assert!(capture.spdus(DT) > 0 && capture.octets.len() < 2_000_000, "{}", capture.octets.len());
        assert!(!contains(&capture.octets, b"zzzz"));
    }

    fn a_tap_that_is_on_goes_by_a_reloaded_budget(driver) {
        let gateway = Gateway::start_with(driver, 1, "tap_octets_per_second_max = 1024\n");
        let mut tap = gateway.tap(&["--listener", "echo", "--count", "100"]);
        let mut peer = Peer::session(gateway.address("echo"));
        let body = vec![b'z'; 20_000];
        for _ in 0..20 {
            peer.echo(&body);
        }
        gateway.reload_with(|text| text.replace("tap_octets_per_second_max = 1024", "tap_octets_per_second_max = 1000000000"));
        let before = gateway.metric("colloquy_tap_dropped_total");
        assert!(before >= 30, "{before} left out");
        // The budget is earned with time, and the tap runs when nobody else has something to do.
        let end = Instant::now() + TAP_TIME_MAX;
        while tap.goes_on() {
            peer.echo(&body);
            assert!(Instant::now() < end, "the tap does not end");
        }
        let capture = tap.finished();
        assert_eq!(capture.malformed(), "");
        assert!(capture.spdus(DT) >= 80, "{}", capture.spdus(DT));
    }

    fn what_is_wrong_is_refused_and_the_file_left_alone(driver) {
        let gateway = Gateway::start(driver, 1);
        for (arguments, text) in [
            (["--spdu", "XX"], "spdu: no SPDU \"XX\""),
            (["--session", "seven"], "session: \"seven\" is no session"),
            (["--ssap", "one"], "ssap: \"one\" is neither"),
        ] {
            let (code, said) = gateway.refused_tap(&arguments);
            assert_eq!(code, Some(2), "{said}");
            assert!(said.contains(text), "{said}");
        }
        let taps: Vec<_> = (0..8).map(|_| gateway.tap(&["--listener", "echo", "--count", "1"])).collect();
        let (code, said) = gateway.refused_tap(&["--listener", "echo"]);
        assert_eq!((code, said.contains("8 taps are on")), (Some(1), true), "{said}");
        talk(&gateway, "echo", 1);
        for tap in taps {
            assert!(tap.finished().streams() <= 1);
        }
    }
}
