//! A gateway with a control socket, and the program that talks to it.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::log::Log;
use crate::peer::{PATIENCE, Peer};
use crate::process::{Server, free_address, poll_pause};

/// Signals.
pub(crate) const SIGHUP: i32 = 1;
pub(crate) const SIGTERM: i32 = 15;

/// What differs between gateways.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    /// Where the relay named `held` opens its sessions.
    pub(crate) upstream: Option<SocketAddr>,
    /// Further keys of `[admin]`.
    pub(crate) admin: &'static str,
    /// Further keys of every listener.
    pub(crate) listener: &'static str,
    /// With an audit file.
    pub(crate) audit: bool,
}

/// A running gateway.
pub(crate) struct Gateway {
    server: Server,
    log: Log,
    folder: tempfile::TempDir,
    addresses: Vec<(String, SocketAddr)>,
}

impl Gateway {
    /// Starts one: listeners `echo`, `relay` (to echo), `held` (to the test's own upstream), `picky` (SSAP 0009 only).
    pub(crate) fn start(setup: &Setup) -> Gateway {
        Gateway::start_in(tempfile::tempdir().expect("a temporary folder"), setup)
    }

    /// The same with the files of one that was there before.
    pub(crate) fn start_in(folder: tempfile::TempDir, setup: &Setup) -> Gateway {
        let echo = free_address();
        let mut text = format!(
            "schema_version = 1\n[engine]\nshards = 2\nsessions_max = 6000\n[log]\nformat = \"json\"\n[admin]\n\
             control_socket = \"{}\"\n{}\n",
            folder.path().join("control.sock").display(),
            setup.admin
        );
        if setup.audit {
            let _ = writeln!(text, "audit_file = \"{}\"", folder.path().join("audit.jsonl").display());
        }
        let held = setup.upstream.unwrap_or_else(free_address);
        let listeners = [
            ("echo", echo, "application = \"echo\""),
            ("relay", SocketAddr::from(([127, 0, 0, 1], 0)), "application = \"relay\"\ntarget = \"echo\""),
            ("held", SocketAddr::from(([127, 0, 0, 1], 0)), "application = \"relay\"\ntarget = \"held\""),
            (
                "picky",
                SocketAddr::from(([127, 0, 0, 1], 0)),
                "application = \"echo\"\ncalled_ssaps = [\"0x0009\"]",
            ),
        ];
        for (name, address, rest) in listeners {
            let _ = writeln!(
                text,
                "[[listener]]\nname = \"{name}\"\naddress = \"{address}\"\nsessions_max = 6000\n\
                 connections_not_established_max = 6000\ntim = \"300ms\"\n{rest}\n{}",
                setup.listener
            );
        }
        for (name, address) in [("echo", echo), ("held", held)] {
            let _ = writeln!(text, "[[target]]\nname = \"{name}\"\naddress = \"{address}\"\ntim = \"300ms\"");
        }
        std::fs::write(folder.path().join("gateway.toml"), text).expect("the folder is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(folder.path().join("gateway.toml")).stderr(Stdio::piped());
        let mut server = Server::start(command);
        let log = Log::of(server.take_stderr());
        log.wait_for("control socket", |record| record["event_id"] == "CLQ-A01");
        let addresses = listeners
            .iter()
            .map(|(name, ..)| {
                let listening =
                    |record: &Value| record["event_id"] == "CLQ-G02" && record["listener"] == *name;
                let text =
                    log.wait_for(name, listening)[0]["address"].as_str().expect("an address").to_owned();
                ((*name).to_owned(), text.parse().expect("an address"))
            })
            .collect();
        Gateway { server, log, folder, addresses }
    }

    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        self.addresses.iter().find(|(name, _)| name == listener).expect("a listener").1
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn signal(&self, number: i32) {
        self.server.signal(number);
    }

    /// Runs a verb of the program against this gateway.
    pub(crate) fn verb(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.args(arguments).env("COLLOQUY_SOCKET", self.path("control.sock"));
        command.output().expect("the program runs")
    }

    /// The same where it must succeed: what it prints.
    pub(crate) fn text(&self, arguments: &[&str]) -> String {
        let output = self.verb(arguments);
        let (text, errors) = (said(&output.stdout), said(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {}\n{text}\n{errors}", output.status);
        text
    }

    /// The same as JSON.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let text = self.text(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {text}"))
    }

    /// A connection to the control socket.
    pub(crate) fn client(&self) -> Client {
        let stream = UnixStream::connect(self.path("control.sock")).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Client { reader: BufReader::new(stream) }
    }

    /// The name of the session with this peer, once the gateway has it in some phase.
    pub(crate) fn session_of(&self, peer: &Peer, phase: &str) -> String {
        let address = peer.address().to_string();
        let end = Instant::now() + PATIENCE;
        loop {
            let list = self.json(&["sessions", "list", "--peer", &address]);
            let found = list["sessions"].as_array().expect("a list");
            if let [session] = &found[..]
                && session["phase"] == phase
            {
                return session["session"].as_str().expect("a name").to_owned();
            }
            assert!(Instant::now() < end, "{address} in {phase}: {list}");
            poll_pause();
        }
    }

    /// Drains and waits for the end; gives the folder for another one.
    pub(crate) fn stop(self) -> tempfile::TempDir {
        self.server.signal(SIGTERM);
        let status = self.server.wait(PATIENCE * 3);
        assert!(status.success(), "the gateway ended with {status}");
        assert!(self.log.finish() > 0, "a log");
        self.folder
    }
}

/// A client of the control socket, by hand.
pub(crate) struct Client {
    reader: BufReader<UnixStream>,
}

impl Client {
    /// Sends octets as they are; a connection that is closed already takes nothing.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        let _ = self.reader.get_mut().write_all(octets);
    }

    /// The next line; `None` at the end.
    pub(crate) fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line).unwrap_or(0);
        (read > 0).then(|| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// Asks, and takes the first line of the answer.
    pub(crate) fn ask(&mut self, request: &str) -> Value {
        self.send(format!("{request}\n").as_bytes());
        self.line().expect("an answer")
    }
}

/// Output as text.
pub(crate) fn said(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}
