//! `colloquy probe` against the gateway's echo, against nothing, and against what is no X.225 responder.
#![allow(clippy::unwrap_used, reason = "a test that stops is a test that failed")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};

use colloquy_gateway::Gateway;
use colloquy_gateway::config::check_str;
use serde_json::{Value, json};

fn probe(to: SocketAddr, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.arg("probe").arg(to.to_string()).args(more).output().unwrap()
}

/// A port that was free a moment ago.
fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn echo(at: SocketAddr) -> Gateway {
    let text = format!(
        "schema_version = 1\n[[listener]]\nname = \"echo\"\naddress = \"{at}\"\napplication = \"echo\"\n"
    );
    let config = check_str("echo.toml", &text).unwrap_or_else(|faults| panic!("{}", faults.render(false)));
    Gateway::start(config).unwrap()
}

#[test]
fn the_echo_is_found_to_speak_what_it_offers() {
    let at = free_port();
    let gateway = echo(at);
    let output = probe(at, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["speaks_x225"], true);
    assert_eq!(found["versions"], json!([1, 2]));
    assert_eq!(found["functional_units"], json!(["half_duplex", "duplex", "negotiated_release"]));
    assert_eq!(found["tsdu_maximum_size"], json!([4096, 4096]));
    assert_eq!(found["selects"], json!(["duplex"]));
    assert_eq!(found["transport_reuse"], false);
    assert_eq!(found["transport"]["tpdu_octets"], 8192);
    assert!(found["release"].as_str().unwrap().starts_with("DISCONNECT after"), "{found}");
    let text = String::from_utf8(probe(at, &[]).stdout).unwrap();
    assert!(
        text.lines().any(|line| line.starts_with("versions (duplex)") && line.contains("2 accepted")),
        "{text}"
    );
    drop(gateway);
}

#[test]
fn what_does_not_speak_it_is_said_and_nothing_hangs() {
    let output = probe(free_port(), &["--timeout-ms", "2000"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("TCP: "));
    for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b""] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            // Both attempts of the probe: with and without expedited data.
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut buffer = [0; 512];
                let _ = stream.read(&mut buffer);
                let _ = stream.write_all(answer);
            }
        });
        let output = probe(at, &["--json", "--timeout-ms", "2000"]);
        server.join().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["speaks_x225"], false);
        assert!(found["transport"].as_str().unwrap().starts_with("no CC"), "{found}");
    }
}

#[test]
fn wrong_arguments_are_named() {
    let at = "127.0.0.1:102".parse().unwrap();
    for (arguments, said) in [
        (["--called-ssap", "0x0102030405060708090a0b0c0d0e0f1011"], "at most 16 octets"),
        (["--connect-user-data", "no-such-file.hex"], "no-such-file.hex"),
        (["--timeout-ms", "0"], "0"),
    ] {
        let output = probe(at, &arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8(output.stderr).unwrap().contains(said));
    }
}
