//! The gateway under attack: its own process, with small limits, watched from outside.

use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::log::Log;
use crate::peer::{PATIENCE, Peer};
use crate::process::{Server, free_address, poll_pause};

/// TIM of its listeners: how long it waits for a peer to disconnect.
pub(crate) const TIM: Duration = Duration::from_millis(300);
/// Time for a peer of the impatient listener to get from accept to CN.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_millis(400);
/// Time for a peer to take what was sent to it.
pub(crate) const SEND_TIMEOUT: Duration = Duration::from_millis(1500);
/// Looks at the descriptors of a process until they are taken for settled.
const DESCRIPTOR_LOOKS: usize = 60;
/// Limits of the narrow listener.
pub(crate) const NOT_ESTABLISHED_MAX: usize = 2;
pub(crate) const SESSIONS_MAX: usize = 4;

/// Listeners that every gateway has; all but the relays echo.
const LISTENERS: [(&str, &str); 6] = [
    ("echo", "application = \"echo\"\ntsdu_octets_max = 32768\n"),
    ("impatient", "application = \"echo\"\nconnect_timeout = \"400ms\"\n"),
    (
        "narrow",
        "application = \"echo\"\nconnections_not_established_max = 2\nsessions_max = 4\nconnect_timeout = \"2s\"\n",
    ),
    (
        "picky",
        "application = \"echo\"\nversions = [1]\nfunctional_units = [\"half_duplex\"]\n\
         called_tsaps = [\"ascii:\", \"0x0001\"]\ncalled_ssaps = [\"0x0001\"]\n",
    ),
    ("relay", "application = \"relay\"\ntarget = \"echo\"\n"),
    ("relay_to_test", "application = \"relay\"\ntarget = \"test\"\n"),
];

/// A running gateway.
pub(crate) struct Gateway {
    server: Server,
    log: Log,
    addresses: Vec<SocketAddr>,
    admin: SocketAddr,
    descriptors: usize,
    _folder: tempfile::TempDir,
}

impl Gateway {
    /// Starts one whose relay `relay_to_test` opens its sessions to `upstream`.
    pub(crate) fn start(driver: &str, shards: usize, upstream: Option<SocketAddr>) -> Gateway {
        // The relay must know where the echo is; all other ports are the system's choice.
        let echo = free_address();
        let mut text = format!(
            "schema_version = 1\n[engine]\ndriver = \"{driver}\"\nshards = {shards}\nsessions_max = 512\n\
             send_timeout = \"{}ms\"\n[admin]\naddress = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\n",
            SEND_TIMEOUT.as_millis()
        );
        for (name, rest) in LISTENERS {
            let address = if name == "echo" { echo } else { SocketAddr::from(([127, 0, 0, 1], 0)) };
            let tim = TIM.as_millis();
            let _ = write!(
                text,
                "[[listener]]\nname = \"{name}\"\naddress = \"{address}\"\ntim = \"{tim}ms\"\n{rest}"
            );
        }
        let targets = [("echo", echo), ("test", upstream.unwrap_or_else(free_address))];
        for (name, address) in targets {
            let _ = write!(
                text,
                "[[target]]\nname = \"{name}\"\naddress = \"{address}\"\ntim = \"300ms\"\nconnect_timeout = \"2s\"\n\
                 release_timeout = \"500ms\"\n"
            );
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("gateway.toml");
        std::fs::write(&config, text).expect("the folder is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&config).stderr(std::process::Stdio::piped());
        let mut server = Server::start(command);
        let log = Log::of(server.take_stderr());
        let address = |records: Vec<Value>| {
            let text = records[0]["address"].as_str().expect("an address").to_owned();
            text.parse::<SocketAddr>().unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        let listening = |name: &&str| {
            log.wait_for(name, |record| record["event_id"] == "CLQ-G02" && record["listener"] == **name)
        };
        let addresses = LISTENERS.iter().map(|(name, _)| address(listening(name))).collect();
        let admin = address(log.wait_for("admin", |record| record["event_id"] == "CLQ-G03"));
        let mut gateway = Gateway { server, log, addresses, admin, descriptors: 0, _folder: folder };
        gateway.healthy();
        gateway.wait_until_idle();
        gateway.descriptors = gateway.settled_descriptors();
        gateway
    }

    /// Where a listener listens.
    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let index = LISTENERS.iter().position(|(name, _)| *name == listener);
        self.addresses[index.unwrap_or_else(|| panic!("no listener {listener}"))]
    }

    /// Its log.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Its process number.
    pub(crate) fn process(&self) -> u32 {
        self.server.id()
    }

    /// A session that does nothing wrong is served, directly and through the relay.
    pub(crate) fn healthy(&self) {
        for listener in ["echo", "relay"] {
            let mut peer = Peer::session(self.address(listener));
            for octets in [1, 300, 20_000] {
                peer.echo(&vec![octets as u8; octets]);
            }
            peer.release();
        }
    }

    /// The value of a metric, by its name and labels as the text has them.
    pub(crate) fn metric(&self, series: &str) -> u64 {
        let text = self.metrics();
        let line =
            text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')));
        let value = line.and_then(|line| line.rsplit(' ').next()).and_then(|value| value.parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("{series} is not in\n{text}")) as u64
    }

    /// Polls until a metric has the value.
    pub(crate) fn wait_for_metric(&self, series: &str, expected: u64) {
        poll(&format!("{series} = {expected}"), || self.metric(series) == expected);
    }

    /// The memory of the process that is in use, in octets.
    pub(crate) fn resident_octets(&self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.process())).expect("it is alive");
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let kibibytes: u64 =
            line.trim().trim_end_matches(" kB").parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        kibibytes << 10
    }

    /// The end of every test: it serves, nothing is left of its attackers, and it drains.
    pub(crate) fn finish(self) {
        self.healthy();
        self.wait_until_idle();
        assert_eq!(self.settled_descriptors(), self.descriptors, "descriptors in the end and at the start");
        assert_eq!(self.metric("colloquy_log_records_dropped_total"), 0);
        const SIGTERM: i32 = 15;
        self.server.signal(SIGTERM);
        let status = self.server.wait(PATIENCE);
        assert!(status.success(), "the gateway ended with {status}");
        assert!(self.log.finish() > 0, "a log");
    }

    fn wait_until_idle(&self) {
        for role in ["initiator", "responder"] {
            self.wait_for_metric(&format!("colloquy_sessions{{state=\"all\",role=\"{role}\"}}"), 0);
        }
        self.wait_for_metric("colloquy_sessions{state=\"established\",role=\"any\"}", 0);
    }

    /// Open descriptors once the HTTP connections that asked for metrics are closed, which takes a moment:
    /// the fewest of many looks.
    fn settled_descriptors(&self) -> usize {
        let folder = format!("/proc/{}/fd", self.process());
        let look = |_| {
            poll_pause();
            std::fs::read_dir(&folder).expect("it is alive").count()
        };
        (0..DESCRIPTOR_LOOKS).map(look).min().expect("some looks")
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

/// Polls until `holds`.
pub(crate) fn poll(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come true within {PATIENCE:?}");
        poll_pause();
    }
}
