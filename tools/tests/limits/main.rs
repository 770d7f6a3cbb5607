//! Limits, throttles and idle sessions of the real gateway over real sockets, on io_uring and on mio.
//!
//! Each limit in each scope gives the answer of the protocol, its counter and one record; nothing is left when everybody
//! has gone. What octets per second delay comes whole, and not faster than they let it.

mod gateway;
#[path = "../hostile/log.rs"]
#[allow(dead_code, reason = "shared with the hostile peers, which ask more of it")]
mod log;
#[path = "../hostile/octets.rs"]
#[allow(dead_code, reason = "shared with the hostile peers, which send more")]
mod octets;
#[path = "../hostile/peer.rs"]
#[allow(dead_code, reason = "shared with the hostile peers, which do more")]
mod peer;
#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
mod refused;
#[path = "../interop/skip.rs"]
mod skip;
mod throttled;
mod timers;

/// One module of tests for each driver, so that the name of a failed test says on which one.
macro_rules! on_each_driver {
    ($($name:path => $test:ident),* $(,)?) => {
        mod on_io_uring {
            $(#[test] fn $test() { if crate::skip::io_uring_allowed("limits") { $name("io_uring") } })*
        }
        mod on_mio {
            $(#[test] fn $test() { $name("mio") })*
        }
    };
}

on_each_driver! {
    crate::refused::sessions => sessions_over_a_limit_are_refused_and_counted,
    crate::refused::not_established => connections_that_say_nothing_are_limited,
    crate::refused::connects_per_second => connects_per_second_are_limited,
    crate::refused::networks => networks_are_let_in_or_not,
    crate::refused::flood => many_sources_over_a_limit_make_one_record,
    crate::refused::routes => limits_of_a_route_are_answered_by_refuse,
    crate::throttled::octets_per_second => octets_per_second_delay_and_lose_nothing,
    crate::timers::keepalive => tcp_probes_idle_peers,
    crate::timers::phases => each_phase_has_its_timer,
}
