//! The hidden verb `pump`, as a process: load, and sessions held for as long as somebody wants them.
#![allow(clippy::unwrap_used)] // A test.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

fn colloquy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a verb; its first line.
fn start(arguments: &[&str]) -> (Child, String) {
    let mut child = colloquy(arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, line.trim().to_owned())
}

/// A server that answers what the pump sends.
fn server() -> (Child, String) {
    let (child, line) = start(&["raw", "mio"]);
    let address = line.strip_prefix("listening on ").expect(&line).to_owned();
    (child, address)
}

/// Ends what goes on until standard input ends: status and standard error.
fn end(mut child: Child) -> (Option<i32>, String) {
    drop(child.stdin.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code(), said)
}

#[test]
fn sessions_are_held_until_standard_input_ends() {
    let (server, address) = server();
    let hold = ["pump", "--to", &address, "--connections", "40", "--hold"];
    let (holder, line) = start(&hold);
    assert_eq!(line, "holding 40");
    assert_eq!(end(holder), (Some(0), String::new()));
    let (holder, line) = start(&hold);
    assert_eq!(line, "holding 40");
    assert_eq!(end(server).0, Some(0));
    // What the server closed is not passed over in silence.
    let (status, said) = end(holder);
    assert_eq!(status, Some(1));
    assert!(said.contains("only 0 of 40 connections were open at the end"), "{said}");
    let output = colloquy(&hold).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(said.contains(&format!("{address}: TCP connect: Connection refused")), "{said}");
}

#[test]
fn load_and_cycles_are_told_as_json() {
    let (server, address) = server();
    let json = |arguments: &[&str]| -> Value {
        let common = ["pump", "--to", &address, "--seconds", "0.2", "--warm-up", "0.05"];
        let output = colloquy(&[&common, arguments].concat()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let closed = json(&["--connections", "4", "--depth", "2", "--size", "9000", "--verify"]);
    assert!(closed["answered"].as_u64() > Some(0) && closed["lost"] == 0, "{closed}");
    let open = json(&["--connections", "4", "--rate", "500"]);
    assert!((99..=101).contains(&open["due"].as_u64().unwrap()), "{open}");
    let cycles = json(&["--cycle", "2"]);
    assert!(cycles["cycles"].as_u64() > Some(0) && cycles["failed"] == 0, "{cycles}");
    assert_eq!(end(server).0, Some(0));
}
