//! A thousand sessions at once through the relay, content and order of every SSDU checked, and nothing left
//! behind: descriptors, sessions, receive blocks and memory are where they were before.

#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;
#[path = "../interop/skip.rs"]
mod skip;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use process::{Server, free_address, run, wait_for_listener};

const SESSIONS: u64 = 1000;
/// Memory may not grow by more than this from one thousand sessions to the next: what the first ones left
/// in pools and tables is reused.
const GROWTH_OCTETS_MAX: u64 = 4 << 20;

#[test]
fn a_thousand_sessions_through_the_relay_on_io_uring() {
    if skip::io_uring_allowed("a thousand sessions") {
        thousand("io_uring");
    }
}

#[test]
fn a_thousand_sessions_through_the_relay_on_mio() {
    thousand("mio");
}

fn thousand(driver: &str) {
    let (echo, _echo_admin, echo_server) = gateway(driver, "application = \"echo\"\n");
    let (relay, admin, relay_server) = gateway(
        driver,
        &format!(
            "application = \"relay\"\ntarget = \"echo\"\n\n[[target]]\nname = \"echo\"\naddress = \"{echo}\"\n"
        ),
    );
    let descriptors = open_files(&relay_server);
    load(driver, relay);
    wait_until_idle(admin);
    assert_eq!(open_files(&relay_server), descriptors, "descriptors after the first thousand");
    let memory = resident_octets(&relay_server);
    load(driver, relay);
    wait_until_idle(admin);
    assert_eq!(open_files(&relay_server), descriptors, "descriptors after the second thousand");
    let grown = resident_octets(&relay_server).saturating_sub(memory);
    assert!(grown <= GROWTH_OCTETS_MAX, "memory grew by {grown} octets");
    for server in [relay_server, echo_server] {
        server.signal(15);
        assert!(server.wait(Duration::from_secs(30)).success());
    }
}

fn load(driver: &str, to: SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.args(["load", "--to", &to.to_string(), "--driver", driver, "--json", "--seconds", "3"]);
    command.args(["--sessions", &SESSIONS.to_string(), "--size", "600", "--depth", "2"]);
    let printed = run(command);
    let report: serde_json::Value = serde_json::from_str(printed.trim()).expect("a JSON record");
    let counts = &report["counts"];
    for key in ["lost", "reordered", "corrupted", "failed", "ended_early"] {
        assert_eq!(counts[key], 0, "{key}: {report}");
    }
    assert_eq!(counts["released"], SESSIONS, "{report}");
    assert!(counts["answered"].as_u64().is_some_and(|answered| answered > SESSIONS), "{report}");
}

fn gateway(driver: &str, rest: &str) -> (SocketAddr, SocketAddr, Server) {
    let (address, admin) = (free_address(), free_address());
    let text = format!(
        "schema_version = 1\n\n[engine]\ndriver = \"{driver}\"\nshards = 2\n\n[admin]\naddress = \"{admin}\"\n\n\
         [log]\nlevel = \"warn\"\n\n[[listener]]\nname = \"test\"\naddress = \"{address}\"\n\
         connections_not_established_max = 2000\n{rest}"
    );
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("gateway.toml");
    std::fs::write(&config, text).expect("the folder is writable");
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.arg("gateway").arg(&config);
    let server = Server::start(command);
    wait_for_listener(address);
    wait_until_idle(admin);
    (address, admin, server)
}

/// Polls the metrics until no session is open.
fn wait_until_idle(admin: SocketAddr) {
    wait_for_listener(admin);
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let text = metrics(admin);
        let open: f64 = text
            .lines()
            .filter(|line| line.starts_with("colloquy_sessions{"))
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum();
        assert!(text.contains("colloquy_sessions{"), "{text}");
        if open == 0.0 {
            return;
        }
        assert!(Instant::now() < end, "{open} sessions are still open");
    }
}

fn metrics(admin: SocketAddr) -> String {
    let mut stream = TcpStream::connect(admin).expect("the admin listener accepts");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n").expect("sends");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer in text");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    text
}

/// Open descriptors of a process, but for sockets of HTTP connections that are about to close.
fn open_files(server: &Server) -> usize {
    let folder = format!("/proc/{}/fd", server.id());
    let count = || std::fs::read_dir(&folder).expect("a living process").count();
    // The admin connection of the last poll may still be closing: the count that two looks agree on.
    let mut last = count();
    for _ in 0..1000 {
        std::thread::yield_now();
        let now = count();
        if now <= last {
            last = now;
        }
    }
    last
}

fn resident_octets(server: &Server) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("a living process");
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    let kibibytes: u64 = line.split_whitespace().nth(1).and_then(|text| text.parse().ok()).expect("a number");
    kibibytes << 10
}
