//! A gateway from start to end, as its operator and its service manager see it: reload, drain, notifications, passed
//! sockets, a system that refuses io_uring. The real binary over real sockets, on both drivers.

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

#[path = "../tls/authority.rs"]
#[allow(dead_code, reason = "shared with the tests of TLS, which use more of it")]
mod authority;
mod classes;
mod drain;
mod gateway;
mod gentle;
mod identical;
mod reload;
mod removed;
mod seccomp;
mod systemd;
mod tls_added;

/// Runs a test on each driver that this system has.
fn on_each_driver(what: &str, test: impl Fn(&str)) {
    test("mio");
    if skip::io_uring_allowed(what) {
        test("io_uring");
    }
}
