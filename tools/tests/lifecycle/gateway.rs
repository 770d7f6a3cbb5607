//! A gateway whose configuration file stays in reach, with its log and metrics.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use crate::log::Log;
use crate::peer::PATIENCE;
use crate::process::{Server, poll_pause};

/// A running gateway.
pub(crate) struct Gateway {
    server: Server,
    pub(crate) log: Log,
    config: PathBuf,
    admin: SocketAddr,
    _folder: tempfile::TempDir,
}

/// The head of a configuration: JSON log, admin HTTP on a free port.
pub(crate) fn head(driver: &str, shards: usize, level: &str) -> String {
    format!(
        "schema_version = 1\n[engine]\ndriver = \"{driver}\"\nshards = {shards}\n\
         [admin]\naddress = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\nlevel = \"{level}\"\n"
    )
}

impl Gateway {
    /// Starts one.
    pub(crate) fn start(text: &str) -> Gateway {
        Gateway::start_by(text, |config| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
            command.arg("gateway").arg(config);
            command
        })
    }

    /// Starts one by a command that gets the configuration's path.
    pub(crate) fn start_by(text: &str, command: impl FnOnce(&Path) -> Command) -> Gateway {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("gateway.toml");
        std::fs::write(&config, text).expect("the folder is writable");
        let mut command = command(&config);
        command.stderr(Stdio::piped());
        let mut server = Server::start(command);
        let log = Log::of(server.take_stderr());
        let admin = log.wait_for("admin", |record| record["event_id"] == "CLQ-G03");
        let admin = address_of(&admin[0]);
        Gateway { server, log, config, admin, _folder: folder }
    }

    /// Where a listener listens.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let is =
            |record: &serde_json::Value| record["event_id"] == "CLQ-G02" && record["listener"] == listener;
        address_of(&self.log.wait_for(listener, is)[0])
    }

    /// Replaces the configuration file, whole at once.
    pub(crate) fn write(&self, text: &str) {
        let next = self.config.with_extension("next");
        std::fs::write(&next, text).expect("the folder is writable");
        std::fs::rename(&next, &self.config).expect("the folder is writable");
    }

    /// SIGHUP.
    pub(crate) fn hang_up(&self) {
        self.server.signal(1);
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.server.signal(15);
    }

    /// Its process number.
    pub(crate) fn process(&self) -> u32 {
        self.server.id()
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(self) -> (ExitStatus, Log) {
        let status = self.server.wait(4 * PATIENCE);
        (status, self.log)
    }

    /// The value of a metric, by its name and labels as the text has them.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.get("/metrics").1;
        let of = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.trim().parse::<f64>().ok();
        text.lines().find_map(of).unwrap_or_else(|| panic!("{series} is not in\n{text}"))
    }

    /// Polls until a metric has the value.
    pub(crate) fn wait_for_metric(&self, series: &str, expected: f64) {
        let end = Instant::now() + PATIENCE;
        loop {
            let value = self.metric(series);
            if value == expected {
                return;
            }
            assert!(Instant::now() < end, "{series} is {value} and not {expected}");
            poll_pause();
        }
    }

    /// Status and body of an admin page.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.admin).expect("the admin listener accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            .expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer in text");
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, text)
    }
}

fn address_of(record: &serde_json::Value) -> SocketAddr {
    let text = record["address"].as_str().expect("an address");
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
