//! The conformance run against our own build: every purpose that can be run here runs, and none deviates.

use std::process::Command;

use serde_json::Value;

#[path = "interop/skip.rs"]
mod skip;

/// Purposes that must really run, of the 147.
const RUN_MIN: u64 = 147 - SKIPPED.len() as u64;
/// Purposes that cannot run against this build, with a part of their reason.
const SKIPPED: [(u64, &str); 0] = [];
/// Cells of the state tables that must be executed from outside.
const CELLS_MIN: u64 = 1_700;

fn conform(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_colloquy"))
        .args(["conform", "--json"])
        .args(arguments)
        .output()
        .expect("the binary runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{errors}"));
    (output.status.code(), report)
}

fn is_clean(driver: &str) {
    let (code, report) = conform(&["--self", "--driver", driver]);
    assert_eq!(report["deviations"], Value::Array(Vec::new()), "{driver}");
    assert_eq!((code, &report["failed"]), (Some(0), &Value::from(0)));
    let run = report["run"].as_u64().expect("a count");
    let skipped = report["skipped"].as_array().expect("a list");
    for entry in skipped {
        let purpose = entry["purpose"].as_u64().expect("a number");
        let reason = entry["reason"].as_str().expect("a reason");
        let known = SKIPPED.iter().any(|(number, part)| *number == purpose && reason.contains(part));
        assert!(known, "purpose {purpose} is skipped: {reason}");
    }
    assert!(run >= RUN_MIN, "{run} purposes ran");
    assert_eq!(run + skipped.len() as u64, 147);
    let cells = report["cells"]["run"].as_u64().expect("a count");
    assert!(cells >= CELLS_MIN, "{cells} cells ran");
    let states = report["cells"]["states"].as_array().expect("a list").len();
    assert!(states >= 30, "{states} states were reached");
}

#[test]
fn our_own_build_does_not_deviate_on_mio() {
    is_clean("mio");
}

#[test]
fn our_own_build_does_not_deviate_on_io_uring() {
    if skip::io_uring_allowed("the conformance run") {
        is_clean("io_uring");
    }
}

#[test]
fn single_purposes_can_be_run_by_number() {
    let (code, report) = conform(&["--self", "--driver", "mio", "--only", "34,56,139"]);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report["run"], Value::from(3));
    assert_eq!(report["cells"]["run"], Value::from(0));
}

#[test]
fn nothing_that_listens_is_a_failure_and_bad_usage_is_another() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    let address = closed.local_addr().expect("bound").to_string();
    drop(closed);
    let status = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_colloquy")).arg("conform").args(arguments).output();
        output.expect("the binary runs").status.code()
    };
    assert_eq!(status(&[&address]), Some(1));
    assert_eq!(status(&[&address, "--only", "148"]), Some(2));
    assert_eq!(status(&[&address, "--units", "telepathy"]), Some(2));
    assert_eq!(status(&[]), Some(2));
    assert_eq!(status(&["--self", &address]), Some(2));
    assert_eq!(status(&["--list"]), Some(0));
}
