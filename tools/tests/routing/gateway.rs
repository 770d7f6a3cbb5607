//! The gateway whose routing is looked at, as a process of its own.

use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::log::Log;
use crate::octets::{data, tpkt};
use crate::peer::{PATIENCE, Peer};
use crate::process::{Server, poll_pause, run, wait_for_listener};

/// A running gateway.
pub(crate) struct Gateway {
    server: Server,
    pub(crate) log: Log,
    listeners: Vec<(String, SocketAddr)>,
    admin: SocketAddr,
    folder: tempfile::TempDir,
}

impl Gateway {
    /// Starts one with these listeners; `rest` is the rest of the file.
    pub(crate) fn start(driver: &str, shards: usize, listeners: &[(&str, &str)], rest: &str) -> Gateway {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("control.sock");
        let mut text = format!(
            "schema_version = 1\n[engine]\ndriver = \"{driver}\"\nshards = {shards}\n\
             [admin]\naddress = \"127.0.0.1:0\"\ncontrol_socket = {socket:?}\n[log]\nformat = \"json\"\n"
        );
        for (name, keys) in listeners {
            text += &format!(
                "[[listener]]\nname = \"{name}\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\n{keys}\n"
            );
        }
        text += rest;
        let config = folder.path().join("gateway.toml");
        std::fs::write(&config, text).expect("the folder is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&config).stderr(Stdio::piped());
        let mut server = Server::start(command);
        let log = Log::of(server.take_stderr());
        let address = |records: Vec<Value>| {
            records[0]["address"]
                .as_str()
                .and_then(|text| text.parse::<SocketAddr>().ok())
                .expect("an address")
        };
        let listeners = listeners
            .iter()
            .map(|(name, _)| {
                let heard = |record: &Value| record["event_id"] == "CLQ-G02" && record["listener"] == *name;
                ((*name).to_owned(), address(log.wait_for(name, heard)))
            })
            .collect();
        let admin = address(log.wait_for("admin", |record| record["event_id"] == "CLQ-G03"));
        Gateway { server, log, listeners, admin, folder }
    }

    /// Starts one that echoes.
    pub(crate) fn start_echo(driver: &str, address: SocketAddr) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("gateway.toml");
        let text = format!(
            "schema_version = 1\n[engine]\ndriver = \"{driver}\"\nshards = 1\n[[listener]]\nname = \"echo\"\n\
             address = \"{address}\"\napplication = \"echo\"\n"
        );
        std::fs::write(&config, text).expect("the folder is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&config).stderr(Stdio::null());
        let server = Server::start(command);
        wait_for_listener(address);
        server
    }

    /// Where a listener listens.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let found = self.listeners.iter().find(|(name, _)| name == listener);
        found.unwrap_or_else(|| panic!("no listener {listener}")).1
    }

    /// Runs `colloquy targets` against it.
    pub(crate) fn targets(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("targets").args(arguments).arg("--socket").arg(self.folder.path().join("control.sock"));
        run(command)
    }

    /// `/metrics`, as text.
    pub(crate) fn metrics(&self) -> String {
        use std::io::{Read, Write};
        let mut stream = TcpStream::connect(self.admin).expect("the admin port listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("text");
        text
    }

    /// The value of a series by its whole name with labels.
    pub(crate) fn metric(&self, series: &str) -> Option<f64> {
        let metrics = self.metrics();
        let line =
            metrics.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
        line.and_then(|line| line.rsplit(' ').next()).and_then(|value| value.parse().ok())
    }

    /// SIGTERM, and the end with status 0.
    pub(crate) fn finish(self) {
        const SIGTERM: i32 = 15;
        self.server.signal(SIGTERM);
        let status = self.server.wait(Duration::from_secs(30));
        assert!(status.success(), "the gateway ended with {status}");
    }
}

/// What a client that calls like this is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) called_tsap: &'a [u8],
    pub(crate) calling_tsap: &'a [u8],
    pub(crate) called_ssap: &'a [u8],
    pub(crate) calling_ssap: &'a [u8],
    /// Session User Requirements.
    pub(crate) units: u16,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Call { called_tsap: b"T", calling_tsap: b"t", called_ssap: b"S", calling_ssap: b"s", units: 2 }
    }
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Answer {
    /// DR with this reason.
    TransportRefused(u8),
    /// RF with this reason.
    Refused(u8),
    /// AC: the session is open.
    Accepted(Peer),
}

impl Answer {
    pub(crate) fn reason(&self) -> Option<u8> {
        match self {
            Answer::Refused(reason) => Some(*reason),
            _ => None,
        }
    }

    pub(crate) fn accepted(self) -> Peer {
        match self {
            Answer::Accepted(peer) => peer,
            other => panic!("not accepted: {other:?}"),
        }
    }
}

impl Call<'_> {
    /// Calls and waits for the answer.
    pub(crate) fn to(&self, address: SocketAddr) -> Answer {
        let mut peer = Peer::connect(address);
        let parameter = |code: u8, octets: &[u8]| [&[code, octets.len() as u8], octets].concat();
        let selectors = [parameter(0xc1, self.calling_tsap), parameter(0xc2, self.called_tsap)].concat();
        let cr = [&[6 + selectors.len() as u8, 0xe0, 0, 0, 0x47, 0x11, 0], &selectors[..]].concat();
        peer.send(&tpkt(&cr));
        let header = peer.receive(4);
        let tpdu = peer.receive(usize::from(header[3]) - 4);
        if tpdu[1] & 0xf0 == 0x80 {
            return Answer::TransportRefused(tpdu[6]);
        }
        assert_eq!(tpdu[1] & 0xf0, 0xd0, "CC or DR");
        let parameters = [
            vec![0x05, 0x06, 0x13, 0x01, 0x00, 0x16, 0x01, 0x02],
            parameter(0x14, &self.units.to_be_bytes()),
            parameter(0x33, self.calling_ssap),
            parameter(0x34, self.called_ssap),
            parameter(0xc1, &[0xa1, 0xa2, 0xa3]),
        ]
        .concat();
        peer.send(&data(&[&[0x0d, parameters.len() as u8], &parameters[..]].concat()));
        let answer = peer.tsdu();
        match answer[0] {
            0x0c => Answer::Refused(*answer.last().expect("not empty")),
            0x0e => Answer::Accepted(peer),
            other => panic!("SI {other}: {answer:02x?}"),
        }
    }
}

/// Polls until something is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        poll_pause();
    }
}
