//! `colloquy top`, as a frame for programs and on a terminal.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::gateway::Gateway;
use crate::peer::{PATIENCE, Peer};
use crate::process::poll_pause;
use crate::skip::skip;

fn once(gateway: &Gateway, arguments: &[&str]) -> String {
    let output = gateway.colloquy(&["top", "--once"]).args(arguments).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!output.stdout.contains(&0x1b), "a frame for programs has no control characters");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn one_frame_says_what_the_metrics_say_at_any_width() {
    let (gateway, echo, relay) = Gateway::echo_and_relay("mio", 2);
    let peers: Vec<Peer> = [echo, echo, relay].map(Peer::session).into();
    gateway.wait_for("sessions", |status| status["sessions"]["established"] == 5);
    for (width, height) in [(200, 60), (100, 45), (60, 40), (30, 20)] {
        let frame = once(&gateway, &["--width", &width.to_string(), "--height", &height.to_string()]);
        assert!(frame.lines().count() <= height, "{frame}");
        let widest = frame.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(widest <= width, "{widest} columns of {width}:\n{frame}");
        assert!(frame.contains("ready") && frame.contains("sessions 5"), "{width}:\n{frame}");
    }
    let wide = once(&gateway, &["--width", "200", "--height", "60"]);
    let established = gateway.metric("colloquy_sessions", &[("state", "established"), ("role", "any")]);
    assert!(wide.contains(&format!("established {established}")), "{wide}");
    for listener in ["echo", "relay"] {
        assert!(wide.lines().any(|line| line.starts_with(listener)), "{wide}");
    }
    assert!(wide.contains("Turns/s"), "the least important column is there at 200:\n{wide}");
    let narrow = once(&gateway, &["--width", "60", "--height", "60"]);
    assert!(!narrow.contains("Turns/s") && narrow.contains("Sessions"), "{narrow}");
    for peer in peers {
        peer.release();
    }
    gateway.finish();
}

#[test]
fn without_a_gateway_or_a_terminal_it_says_so() {
    let nowhere = Command::new(env!("CARGO_BIN_EXE_colloquy"))
        .args(["top", "--once", "--socket", "/nonexistent/control.sock"])
        .output()
        .expect("it runs");
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("/nonexistent/control.sock"));
    let (gateway, ..) = Gateway::echo_and_relay("mio", 1);
    let no_terminal = gateway.colloquy(&["top"]).stdin(Stdio::null()).output().expect("it runs");
    assert_eq!(no_terminal.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&no_terminal.stderr).contains("--once"));
    gateway.finish();
}

/// In a terminal that `script` makes: keys work, and quitting leaves the terminal as it was.
#[test]
fn in_a_terminal_keys_turn_the_views_and_quit() {
    let there = Command::new("script").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        return skip("colloquy top in a terminal: there is no script(1)");
    }
    let (gateway, ..) = Gateway::echo_and_relay("mio", 1);
    let program = env!("CARGO_BIN_EXE_colloquy");
    let line = format!("stty rows 30 cols 100; {program} top --socket {}", gateway.socket().display());
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script runs");
    let mut output = child.stdout.take().expect("piped");
    let (give, take) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = output.read(&mut part) {
            let _ = give.send(String::from_utf8_lossy(&part[..count]).into_owned());
        }
    });
    let mut keys = child.stdin.take().expect("piped");
    let mut seen = String::new();
    let mut wait_for = |what: &str| {
        let end = Instant::now() + PATIENCE;
        while !seen.contains(what) {
            assert!(Instant::now() < end, "{what:?} was not drawn: {seen:?}");
            match take.try_recv() {
                Ok(text) => seen.push_str(&text),
                Err(_) => poll_pause(),
            }
        }
        seen.clear();
    };
    wait_for("Listener");
    keys.write_all(b"?").expect("it reads");
    wait_for("filter rows");
    keys.write_all(b" \t").expect("it reads");
    wait_for("[Shards]");
    keys.write_all(b"q").expect("it reads");
    // The end of the alternate screen.
    wait_for("\u{1b}[?1049l");
    assert!(child.wait().expect("it ends").success());
    gateway.finish();
}
