//! `colloquy raw` as a comparison uses it: where it listens, what it counts, how it ends.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// However busy the machine is, the process ends within it.
const PATIENCE: Duration = Duration::from_secs(60);

/// CR and CN in the plain shape of MMS, and the octets of their answers.
const CR: &[u8] = &[3, 0, 0, 14, 9, 0xe0, 0, 0, 0, 9, 0, 0xc0, 1, 0x0d];
const CC: &[u8] = &[3, 0, 0, 14, 9, 0xd0, 0, 9, 0, 1, 0, 0xc0, 1, 0x0d];
const CN: &[u8] = &[3, 0, 0, 21, 2, 0xf0, 0x80, 0x0d, 12, 5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2];
const AC: &[u8] = &[3, 0, 0, 21, 2, 0xf0, 0x80, 0x0e, 12, 5, 6, 0x13, 1, 0, 0x16, 1, 2, 0x14, 2, 0, 2];

/// A server that does not outlive its test.
struct Raw {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    to: String,
}

impl Raw {
    fn start(arguments: &[&str]) -> Raw {
        let mut child = Command::new(env!("CARGO_BIN_EXE_colloquy"))
            .arg("raw")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut raw = Raw { child, lines, to: String::new() };
        raw.to = raw.line().strip_prefix("listening on ").expect("the first line").to_owned();
        raw
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn stats(&mut self) -> serde_json::Value {
        self.child.stdin.as_mut().unwrap().write_all(b"stats\n").unwrap();
        serde_json::from_str(&self.line()).unwrap()
    }

    fn exit_status(&mut self) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(started.elapsed() < PATIENCE, "it does not end");
            // Polls with the deadline above.
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // It has ended already unless its test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(stream: &mut TcpStream, request: &[u8], answer: &[u8]) {
    stream.write_all(request).unwrap();
    let mut received = vec![0; answer.len()];
    stream.read_exact(&mut received).unwrap();
    assert_eq!(received, answer);
}

#[test]
fn each_kind_answers_counts_and_ends_with_standard_input() {
    for kind in ["mio", "io_uring", "tokio"] {
        let mut raw = Raw::start(&[kind]);
        let mut stream = TcpStream::connect(&raw.to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        ask(&mut stream, CR, CC);
        ask(&mut stream, CN, AC);
        ask(&mut stream, b"echoed", b"echoed");
        let due = (CC.len() + AC.len() + b"echoed".len()) as u64;
        let started = Instant::now();
        // The turn that echoed may not have been published yet.
        while raw.stats()["octets"] != due {
            assert!(started.elapsed() < PATIENCE, "{kind}: {}", raw.stats());
        }
        let stats = raw.stats();
        assert_eq!(stats["connections"], 1, "{kind}: {stats}");
        assert!(stats["system_calls"].as_u64().unwrap() > 0, "{kind}: {stats}");
        drop(raw.child.stdin.take());
        assert_eq!(raw.exit_status(), Some(0), "{kind}");
    }
}

#[test]
fn with_plain_all_is_echoed_until_sigterm() {
    for kind in ["mio", "io_uring", "tokio"] {
        let mut raw = Raw::start(&[kind, "--plain"]);
        let mut stream = TcpStream::connect(&raw.to).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        ask(&mut stream, CR, CR);
        let ended = Command::new("kill").arg(raw.child.id().to_string()).status().unwrap();
        assert!(ended.success());
        assert_eq!(raw.exit_status(), Some(0), "{kind}");
    }
}

#[test]
fn the_floor_is_told_in_json() {
    let output = Command::new(env!("CARGO_BIN_EXE_colloquy"))
        .args(["raw", "floor", "--octets", "64", "--rounds", "3", "--round-ms", "5", "--json"])
        .output()
        .unwrap();
    let floor: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(floor["rounds_ns"].as_array().unwrap().len(), 3);
    assert!(floor["send_receive_ns"].as_f64().unwrap() > 0.0);
    let output = Command::new(env!("CARGO_BIN_EXE_colloquy"))
        .args(["raw", "floor", "--octets", "0"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("octets: 0"));
}

#[test]
fn the_overview_does_not_mention_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_colloquy")).arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(help.contains("gateway"));
    assert!(!help.lines().any(|line| line.trim_start().starts_with("raw")), "{help}");
}
