//! A gateway as a process, with HTTP and a control socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::log::Log;
use crate::openmetrics::{self, Family};
use crate::peer::PATIENCE;
use crate::process::{Server, free_address, poll_pause};

const SIGTERM: i32 = 15;

/// A running gateway.
pub(crate) struct Gateway {
    server: Server,
    log: Log,
    admin: SocketAddr,
    folder: tempfile::TempDir,
}

/// What a response says.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Gateway {
    /// Starts one with further tables of the configuration.
    pub(crate) fn start(engine: &str, tables: &str) -> Gateway {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = format!(
            "schema_version = 1\n[engine]\n{engine}\n[admin]\naddress = \"127.0.0.1:0\"\n\
             control_socket = \"{}\"\n[log]\nformat = \"json\"\n{tables}",
            folder.path().join("control.sock").display()
        );
        let config = folder.path().join("gateway.toml");
        std::fs::write(&config, text).expect("the folder is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&config).stderr(Stdio::piped());
        let mut server = Server::start(command);
        let log = Log::of(server.take_stderr());
        let records = log.wait_for("admin", |record| record["event_id"] == "CLQ-G03");
        let admin = records[0]["address"].as_str().expect("an address").parse().expect("an address");
        Gateway { server, log, admin, folder }
    }

    /// One that echoes on the first address and relays from the second to the first.
    pub(crate) fn echo_and_relay(driver: &str, shards: usize) -> (Gateway, SocketAddr, SocketAddr) {
        let (echo, relay) = (free_address(), free_address());
        let engine = format!("driver = \"{driver}\"\nshards = {shards}\nsessions_max = 512\n");
        let tables = format!(
            "[[listener]]\nname = \"echo\"\naddress = \"{echo}\"\napplication = \"echo\"\n\
             [[listener]]\nname = \"relay\"\naddress = \"{relay}\"\napplication = \"relay\"\ntarget = \"server\"\n\
             [[target]]\nname = \"server\"\naddress = \"{echo}\"\n"
        );
        (Gateway::start(&engine, &tables), echo, relay)
    }

    /// Where its HTTP listens.
    pub(crate) fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Its control socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.path().join("control.sock")
    }

    /// A verb that talks to it.
    pub(crate) fn colloquy(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.args(arguments).arg("--socket").arg(self.socket());
        command
    }

    /// Asks for a path.
    pub(crate) fn get(&self, path: &str) -> Response {
        let mut stream = TcpStream::connect(self.admin).expect("the admin listener accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            .expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer in text");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP: {text}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Response { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    /// `/status.json`.
    pub(crate) fn status(&self) -> Value {
        self.json("/status.json")
    }

    /// What a path answers.
    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
    }

    /// `/metrics`, read strictly.
    pub(crate) fn metrics(&self) -> Vec<Family> {
        let answer = self.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.head.contains("content-type: application/openmetrics-text; version=1.0.0"));
        openmetrics::parse(&answer.body).unwrap_or_else(|fault| panic!("{fault}\n{}", answer.body))
    }

    /// The value of one series.
    pub(crate) fn metric(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        openmetrics::value(&self.metrics(), name, labels)
            .unwrap_or_else(|| panic!("no {name} with {labels:?} in\n{}", self.get("/metrics").body))
    }

    /// Polls until no session is left.
    pub(crate) fn wait_until_idle(&self) {
        self.wait_for("no session", |status| status["sessions"]["all"] == 0);
    }

    /// Polls its status until `holds`.
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&Value) -> bool) {
        let end = Instant::now() + PATIENCE;
        loop {
            let status = self.status();
            if holds(&status) {
                return;
            }
            assert!(Instant::now() < end, "{what} did not come true: {status}");
            poll_pause();
        }
    }

    /// Ends it in order; its log must not have errors.
    pub(crate) fn finish(self) {
        self.end().finish();
    }

    /// Ends it in order; its log, which may have errors.
    pub(crate) fn end(self) -> Log {
        self.server.signal(SIGTERM);
        let status = self.server.wait(PATIENCE);
        assert!(status.success(), "the gateway ended with {status}");
        self.log
    }
}
