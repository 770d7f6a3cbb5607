//! Peers that break the protocol, stall, flood or vanish, against a gateway in its own process, on io_uring
//! and on mio.
//!
//! Whatever they do: they get the answer that the protocol has for it, the connection ends, the log says once
//! what was wrong and where, others are served meanwhile, and nothing is left behind.

mod faults;
mod flow;
mod gateway;
mod limits;
mod log;
mod octets;
mod peer;
#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
mod random;
#[path = "../interop/skip.rs"]
mod skip;
mod stalled;
mod truncated;
mod upstream;

use gateway::Gateway;
use upstream::Upstream;

/// One module of tests for each driver, so that the name of a failed test says on which one.
macro_rules! on_each_driver {
    ($($(#[$doc:meta])* fn $name:ident($driver:ident) $body:block)*) => {
        $($(#[$doc])* fn $name($driver: &str) $body)*
        mod on_io_uring {
            $(#[test] fn $name() { if crate::skip::io_uring_allowed("hostile peers") { super::$name("io_uring") } })*
        }
        mod on_mio {
            $(#[test] fn $name() { super::$name("mio") })*
        }
    };
}

on_each_driver! {
    fn faults_of_the_transport_layer(driver) {
        run_cases(driver, include_str!("cases/transport.txt"));
    }

    fn faults_while_a_session_is_set_up(driver) {
        run_cases(driver, include_str!("cases/connect.txt"));
    }

    fn faults_in_a_session(driver) {
        run_cases(driver, include_str!("cases/session.txt"));
    }

    fn spdus_and_tpdus_cut_at_every_octet(driver) {
        let gateway = Gateway::start(driver, 2, None);
        faults::side_by_side(truncated::jobs(&gateway));
        gateway.finish();
    }

    fn random_octets(driver) {
        let gateway = Gateway::start(driver, 2, None);
        let memory = gateway.resident_octets();
        faults::side_by_side(random::jobs(&gateway, random::seed()));
        let grown = gateway.resident_octets().saturating_sub(memory);
        assert!(grown < 32 << 20, "memory grew by {grown} octets");
        gateway.finish();
    }

    fn peers_that_drip_or_say_nothing_are_cut_off(driver) {
        let gateway = Gateway::start(driver, 2, None);
        faults::side_by_side(stalled::jobs(&gateway));
        gateway.finish();
    }

    fn a_relay_outlives_a_silent_upstream(driver) {
        let upstream = Upstream::listen();
        let gateway = Gateway::start(driver, 1, Some(upstream.address()));
        stalled::silent_upstream(&gateway, &upstream);
        gateway.finish();
    }

    fn a_relay_pauses_the_side_that_feeds_a_peer_that_does_not_read(driver) {
        let upstream = Upstream::listen();
        let gateway = Gateway::start(driver, 1, Some(upstream.address()));
        flow::the_feeding_side_is_paused(&gateway, &upstream);
        gateway.finish();
    }

    fn connections_beyond_the_limits_are_refused(driver) {
        let gateway = Gateway::start(driver, 1, None);
        limits::connections_not_established(&gateway);
        limits::sessions(&gateway);
        limits::flood(&gateway);
        gateway.finish();
    }

    fn peers_that_do_not_read_or_vanish(driver) {
        let gateway = Gateway::start(driver, 2, None);
        faults::side_by_side(flow::jobs(&gateway));
        gateway.finish();
    }
}

fn run_cases(driver: &str, text: &str) {
    let gateway = Gateway::start(driver, 2, None);
    let cases = faults::cases(text);
    assert!(cases.len() >= 10, "only {} cases", cases.len());
    faults::side_by_side(cases.iter().map(|case| case.job(&gateway)).collect());
    gateway.finish();
}
