//! What a gateway does when nobody takes its log: a pipe that is not read, a pipe without a reader, a full disk.

#[path = "../hostile/octets.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod octets;
#[path = "../hostile/peer.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod peer;
#[path = "../interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use peer::Peer;
use process::{Server, free_address, poll_pause};

/// Sessions whose records fill the pipe (64 KiB) and the lines that wait behind it several times over.
const SESSIONS: usize = 2500;
/// Longest time for anything: beyond what an idle machine needs.
const PATIENCE: Duration = Duration::from_secs(60);
const SIGUSR1: i32 = 10;
const SIGUSR2: i32 = 12;
const SIGTERM: i32 = 15;

struct Gateway {
    server: Server,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Gateway {
    fn start(log: Stdio) -> Gateway {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let address = free_address();
        let file = folder.path().join("gateway.toml");
        let text = format!(
            "schema_version = 1\n[[listener]]\nname = \"echo\"\naddress = \"{address}\"\napplication = \"echo\"\n\
             [admin]\ncontrol_socket = \"{}\"\n[log]\nformat = \"json\"\n[drain]\ndeadline = \"2s\"\n",
            folder.path().join("control.sock").display()
        );
        std::fs::write(&file, text).expect("writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&file).stderr(log);
        let server = Server::start(command);
        process::wait_for_listener(address);
        Gateway { server, address, folder }
    }

    /// Sessions one after the other, each of which must be served.
    fn serve(&self, sessions: usize) {
        for _ in 0..sessions {
            Peer::session(self.address).release();
        }
    }

    fn status(&self) -> Value {
        let output = self.verb(&["status", "--json"]);
        serde_json::from_slice(&output).unwrap_or_else(|error| panic!("{error}: {output:?}"))
    }

    /// Output of a verb, which must succeed in time.
    fn verb(&self, arguments: &[&str]) -> Vec<u8> {
        let mut command = Command::new("timeout");
        command.arg("30").arg(env!("CARGO_BIN_EXE_colloquy")).args(arguments);
        let output = command.env("COLLOQUY_SOCKET", self.folder.path().join("control.sock")).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        output.stdout
    }

    /// Waits until so many records have been lost.
    fn wait_for_lost(&self, least: u64) {
        let end = Instant::now() + PATIENCE;
        loop {
            let status = self.status();
            if status["totals"]["records_dropped"].as_u64().is_some_and(|count| count >= least) {
                return;
            }
            assert!(Instant::now() < end, "{status}");
            poll_pause();
        }
    }

    /// Drained although a session is open, and gone within its time.
    fn stop(self) {
        let _open = Peer::session(self.address);
        self.server.signal(SIGTERM);
        let status = self.server.wait(PATIENCE);
        assert!(status.success(), "the gateway ended with {status}");
    }
}

#[test]
fn a_log_that_nobody_reads_stops_neither_sessions_nor_reload_nor_drain() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let gateway = Gateway::start(writer.into());
    gateway.serve(SESSIONS);
    gateway.verb(&["reload"]);
    // They mean nothing to it, and must not end it.
    for signal in [SIGUSR1, SIGUSR2] {
        gateway.server.signal(signal);
    }
    // A reload logs; the second one finds the log as full as the first left it.
    gateway.verb(&["reload"]);
    assert_eq!(gateway.status()["sessions"]["all"], 0);
    gateway.stop();
    drop(reader);
}

#[test]
fn records_that_wait_for_a_reader_come_when_it_reads_again() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let gateway = Gateway::start(writer.into());
    gateway.serve(SESSIONS);
    assert_eq!(gateway.status()["totals"]["records_dropped"], 0, "they wait");
    let reading = std::thread::spawn(move || {
        let mut open = BTreeMap::new();
        for line in BufReader::new(reader).lines() {
            let line = line.expect("text");
            let record: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let count = match record["event_id"].as_str() {
                Some("CLQ-S07") => 1,
                Some("CLQ-S01") => -1,
                _ => continue,
            };
            *open.entry(record["session"].to_string()).or_insert(0) += count;
        }
        open
    });
    gateway.serve(1);
    gateway.stop();
    let open = reading.join().expect("lines of JSON");
    assert!(open.values().all(|count| *count == 0), "without an end or a beginning: {open:?}");
    assert_eq!(
        open.len(),
        SESSIONS + 3,
        "with the one that waited for the listener, the late one and the open one"
    );
}

#[test]
fn lines_that_the_system_refuses_are_counted() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let (reader, closed) = std::io::pipe().expect("a pipe");
    drop(reader);
    for log in [Stdio::from(full), Stdio::from(closed)] {
        let gateway = Gateway::start(log);
        gateway.serve(10);
        // Two of each session, at least.
        gateway.wait_for_lost(20);
        gateway.verb(&["reload"]);
        gateway.stop();
    }
}
