//! Help, bad usage and bad files: what the binary says and with which exit status.
#![allow(clippy::unwrap_used)] // A test.

use std::process::{Command, Output};

/// Lines and columns of a screen on which help must fit.
const SCREEN: (usize, usize) = (44, 110);
const VERBS: &[&str] = &["demo", "gateway", "load", "check", "dump"];

fn colloquy(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_colloquy")).args(arguments).output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).unwrap()
}

/// A file of the repository.
fn repository(path: &str) -> String {
    format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn help_begins_with_an_example_and_fits_a_screen() {
    let mut pages = vec![vec!["--help"]];
    pages.extend(VERBS.iter().map(|verb| vec![*verb, "--help"]));
    for page in pages {
        let output = colloquy(&page);
        let help = text(&output.stdout);
        assert!(output.status.success(), "{page:?}");
        assert!(help.starts_with("Example:  colloquy "), "{page:?}: {help}");
        assert!(help.contains("Exit status: 0 "), "{page:?}: {help}");
        assert!(!help.contains('\u{1b}'), "{page:?}: control characters where there is no terminal");
        assert!(help.lines().count() <= SCREEN.0, "{page:?}: {} lines", help.lines().count());
        for line in help.lines() {
            assert!(line.chars().count() <= SCREEN.1, "{page:?}: {line}");
        }
    }
}

#[test]
fn every_verb_is_in_the_help() {
    let help = text(&colloquy(&["--help"]).stdout);
    for verb in VERBS {
        assert!(help.contains(&format!("\n  {verb} ")), "{verb}: {help}");
    }
}

#[test]
fn bad_usage_is_status_2_and_says_what() {
    for (arguments, say) in [
        (&["dmo"][..], "unrecognized subcommand 'dmo'"),
        (&["demo", "--sesions", "3"], "--sessions"),
        (&["demo", "--driver", "epoll"], "possible values: auto, io_uring, mio"),
        (&["demo", "--sessions", "0"], "sessions = 0: 1 to 1000000"),
        (&["demo", "--seconds", "0"], "duration_ms = 0: at least 1"),
        (&["load"], "PLAN"),
        (&["load", "--to", "nowhere"], "nowhere"),
        (&["load", "--to", "127.0.0.1:1", "--depth", "0"], "depth = 0: 1 to 4096"),
        (&["load", "--to", "127.0.0.1:1", "--poisson"], "rate_per_s = 0"),
        (&["load", "--to", "127.0.0.1:1", "--called-tsap", "7"], "must begin with 0x or ascii:"),
        (&["load", "no-such-plan.toml"], "no-such-plan.toml: "),
        (&["gateway", "no-such-config.toml"], "no-such-config.toml: "),
        (&["check", "no-such-config.toml"], "no-such-config.toml: "),
        (&["dump"], "FILE"),
    ] {
        let output = colloquy(arguments);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(say), "{arguments:?}: {err}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!err.contains('\u{1b}'), "{arguments:?}: {err}");
    }
}

#[test]
fn check_takes_the_shipped_configurations() {
    let profiles = ["default", "latency", "throughput", "many-idle", "container"];
    let configs: Vec<String> = ["gateway", "echo", "relay-mms"]
        .iter()
        .chain(&profiles)
        .map(|name| repository(&format!("configs/{name}.toml")))
        .collect();
    let arguments: Vec<&str> = std::iter::once("check").chain(configs.iter().map(String::as_str)).collect();
    let output = colloquy(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), configs.len());
}

#[test]
fn check_names_every_fault_with_file_line_and_column() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("faulty.toml");
    std::fs::write(
        &path,
        "schema_version = 1\n[engine]\nshards = -1\n[[listener]]\nname = \"a\"\naddres = \"127.0.0.1:1\"\n\
         application = \"echo\"\n",
    )
    .unwrap();
    let output = colloquy(&["check", path.to_str().unwrap()]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    for place in ["faulty.toml:3:10", "faulty.toml:6:1"] {
        assert!(err.contains(place), "{place}: {err}");
    }
    assert!(err.contains("address"), "a suggestion: {err}");
    // The same file does not start a gateway.
    let output = colloquy(&["gateway", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn an_unknown_key_of_a_plan_is_named_with_its_line() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("plan.toml");
    std::fs::write(&path, "to = [\"127.0.0.1:1\"]\nsesions = 3\n").unwrap();
    let output = colloquy(&["load", path.to_str().unwrap()]);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("plan.toml") && err.contains("line 2") && err.contains("sesions"), "{err}");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_responder_that_is_not_there_is_status_1() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let output = colloquy(&["load", "--to", &address, "--sessions", "2", "--seconds", "0.1"]);
    assert_eq!(output.status.code(), Some(1));
    let out = text(&output.stdout);
    assert!(out.contains("0 of 2 established"), "{out}");
    assert!(out.contains("NOT VALID"), "{out}");
}
