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
fn the_view_of_sessions_has_each_of_them_and_both_legs() {
    let (gateway, echo, relay) = Gateway::echo_and_relay("mio", 2);
    let peers: Vec<Peer> = [echo, relay].map(Peer::session).into();
    gateway.wait_for("sessions", |status| status["sessions"]["established"] == 4);
    let shown = once(&gateway, &["--view", "sessions", "--width", "200"]);
    assert!(shown.contains("4 sessions, longest idle first"), "{shown}");
    let listed = gateway.json("/sessions.json");
    for session in listed["sessions"].as_array().expect("a list") {
        let text = |name: &str| session[name].as_str().expect("text").to_owned();
        let row = shown.lines().find(|line| line.starts_with(&format!("{} ", text("session"))));
        let row = row.unwrap_or_else(|| panic!("{session}:\n{shown}"));
        assert!(["role", "peer", "phase", "state"].iter().all(|name| row.contains(&text(name))), "{row}");
    }
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
    let mut terminal = Terminal::default();
    let mut wait_for = |what: &str| {
        let end = Instant::now() + PATIENCE;
        while !terminal.shows(what) {
            assert!(Instant::now() < end, "{what:?} was not drawn:\n{}", terminal.text());
            match take.try_recv() {
                Ok(text) => terminal.take(&text),
                Err(_) => poll_pause(),
            }
        }
    };
    wait_for("Listener");
    keys.write_all(b"?").expect("it reads");
    wait_for("filter rows");
    keys.write_all(b" \t").expect("it reads");
    wait_for("[Shards]");
    keys.write_all(b"\t/rel\r").expect("it reads");
    wait_for("filter: rel");
    keys.write_all(b"q").expect("it reads");
    // The end of the alternate screen.
    wait_for(LEFT);
    assert!(child.wait().expect("it ends").success());
    gateway.finish();
}

/// What the terminal shows once the alternate screen is left.
const LEFT: &str = "(left the alternate screen)";

/// As much of a terminal as it takes to know what is on it: characters, places, nothing of how they look.
struct Terminal {
    cells: Vec<Vec<char>>,
    at: (usize, usize),
    /// An escape sequence whose end has not come.
    pending: String,
    left: bool,
}

impl Default for Terminal {
    fn default() -> Self {
        Terminal { cells: vec![vec![' '; 100]; 30], at: (0, 0), pending: String::new(), left: false }
    }
}

impl Terminal {
    fn take(&mut self, text: &str) {
        for character in text.chars() {
            if !self.pending.is_empty() {
                self.pending.push(character);
                let ended = self.pending.len() > 2 && character.is_ascii_alphabetic();
                if ended || (self.pending.len() == 2 && character != '[') {
                    self.escape();
                }
            } else if character == '\u{1b}' {
                self.pending.push(character);
            } else if !character.is_control() {
                if let Some(cell) = self.cells.get_mut(self.at.0).and_then(|row| row.get_mut(self.at.1)) {
                    *cell = character;
                }
                self.at.1 += 1;
            }
        }
    }

    fn escape(&mut self) {
        let sequence = std::mem::take(&mut self.pending);
        if let Some(place) = sequence.strip_prefix("\u{1b}[").and_then(|rest| rest.strip_suffix('H')) {
            let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or(1_usize) - 1;
            let mut numbers = place.split(';');
            self.at = (number(numbers.next()), number(numbers.next()));
        } else if sequence == "\u{1b}[2J" {
            self.cells.iter_mut().for_each(|row| row.fill(' '));
        } else if sequence == "\u{1b}[?1049l" {
            self.left = true;
        }
    }

    fn text(&self) -> String {
        self.cells.iter().map(|row| row.iter().collect::<String>() + "\n").collect()
    }

    fn shows(&self, what: &str) -> bool {
        if what == LEFT { self.left } else { self.text().contains(what) }
    }
}
