//! A gateway with limits in a process of its own.

use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::log::Log;
use crate::peer::PATIENCE;
use crate::process::{Server, poll_pause};

/// A running gateway.
pub(crate) struct Gateway {
    server: Server,
    log: Log,
    admin: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Gateway {
    /// Starts one with two shards; `rest`: `[limits]` and the tables that follow.
    pub(crate) fn start(driver: &str, rest: &str) -> Gateway {
        let text = format!(
            "schema_version = 1\n[engine]\ndriver = \"{driver}\"\nshards = 2\nsessions_max = 512\n\
             [admin]\naddress = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n{rest}"
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("gateway.toml");
        std::fs::write(&config, text).expect("the folder is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&config).stderr(std::process::Stdio::piped());
        let mut server = Server::start(command);
        let log = Log::of(server.take_stderr());
        let admin = address(&log.wait_for("admin", |record| record["event_id"] == "CLQ-G03")[0]);
        Gateway { server, log, admin, _folder: folder }
    }

    /// Where a listener listens.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let is_it = |record: &Value| record["event_id"] == "CLQ-G02" && record["listener"] == listener;
        address(&self.log.wait_for(listener, is_it)[0])
    }

    /// The gateway's process.
    pub(crate) fn process(&self) -> u32 {
        self.server.id()
    }

    /// The value of a metric, by its name and labels as the text has them.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.metrics();
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        let value = line.and_then(|value| value.parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("{series} is not in\n{text}"))
    }

    /// Polls until a metric has the value.
    pub(crate) fn wait_for_metric(&self, series: &str, expected: f64) {
        let end = Instant::now() + PATIENCE;
        while self.metric(series) != expected {
            assert!(Instant::now() < end, "{series} is {}, not {expected}", self.metric(series));
            poll_pause();
        }
    }

    /// How often a limit has refused, demanding that the log tells it in one record.
    pub(crate) fn expect_refused(&self, scope: &str, limit: &str, event: &str, count: u64) {
        let series = format!("colloquy_connections_refused_total{{scope=\"{scope}\",limit=\"{limit}\"}}");
        self.wait_for_metric(&series, count as f64);
        let is_it = |record: &Value| {
            record["event_id"] == event && record["scope"] == scope && record["limit"] == limit
        };
        let records = self.log.wait_for(&format!("{event} {scope} {limit}"), is_it);
        let counts: Vec<_> = records.iter().map(|record| record["count"].as_u64()).collect();
        assert_eq!(counts, [Some(count)], "one record for all of them: {records:?}");
    }

    /// The same for a limit on sessions or connections.
    pub(crate) fn expect_refused_by(&self, scope: &str, limit: &str, count: u64) {
        self.expect_refused(scope, limit, "CLQ-L01", count);
    }

    /// The end: everything that limits have given out is back, and the gateway drains.
    pub(crate) fn finish(self) {
        self.wait_for_metric("colloquy_admitted_sessions{state=\"all\"}", 0.0);
        self.wait_for_metric("colloquy_admitted_sessions{state=\"not_established\"}", 0.0);
        self.wait_for_metric("colloquy_sources", 0.0);
        const SIGTERM: i32 = 15;
        self.server.signal(SIGTERM);
        let status = self.server.wait(PATIENCE + Duration::from_secs(30));
        assert!(status.success(), "the gateway ended with {status}");
        assert!(self.log.finish() > 0, "a log");
    }

    /// Its log.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.admin).expect("the admin listener accepts");
        stream.set_read_timeout(Some(PATIENCE)).expect("a TCP socket");
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            .expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer in text");
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        text
    }
}

fn address(record: &Value) -> SocketAddr {
    let text = record["address"].as_str().expect("an address");
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
