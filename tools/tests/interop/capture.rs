//! What really travels on loopback, captured by dumpcap and dissected by tshark.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::process::{Server, poll_pause, run};
use crate::skip::skip;

/// Longest wait for dumpcap to begin, or to have written what was captured.
const CAPTURE_TIME_MAX: Duration = Duration::from_secs(20);
/// Datagrams of these octets mark the beginning and the end of a capture.
const BEGIN: &[u8] = b"the capture has begun";
const END: &[u8] = b"the capture ends here";

/// SI codes by connection and direction (source and destination port), in order: each with how often it
/// comes in a row.
pub(crate) type Spdus = BTreeMap<(u16, u16), Vec<(u64, usize)>>;

/// A capture under way.
pub(crate) struct Capture {
    dumpcap: Server,
    ports: Vec<u16>,
    marker: (UdpSocket, UdpSocket),
    file: PathBuf,
    folder: tempfile::TempDir,
}

/// A capture that has ended.
pub(crate) struct Captured {
    file: PathBuf,
    ports: Vec<u16>,
    _folder: tempfile::TempDir,
}

impl Capture {
    /// Captures the TCP ports; `None`, said and counted as a skip, where the system does not permit it.
    pub(crate) fn start(ports: &[u16]) -> Option<Capture> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("loopback.pcapng");
        let socket = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback binds");
        let marker = (socket(), socket());
        let marker_port = marker.1.local_addr().expect("bound").port();
        marker.0.connect((Ipv4Addr::LOCALHOST, marker_port)).expect("a UDP socket");
        let tcp: Vec<String> = ports.iter().map(|port| format!("tcp port {port}")).collect();
        let filter = format!("{} or udp port {marker_port}", tcp.join(" or "));
        let mut command = Command::new("dumpcap");
        command.args(["-q", "-i", "lo", "-f", &filter, "-w"]).arg(&file);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut capture =
            Capture { dumpcap: Server::start(command), ports: ports.to_vec(), marker, file, folder };
        if capture.mark(BEGIN) {
            return Some(capture);
        }
        let reason = "interop: dumpcap may not capture on loopback here";
        assert!(std::env::var_os("COLLOQUY_REQUIRE_PEERS").is_none(), "{reason}");
        skip(reason);
        None
    }

    /// Ends it once everything sent so far is in the file.
    pub(crate) fn stop(mut self) -> Captured {
        assert!(self.mark(END), "dumpcap has ended");
        const SIGINT: i32 = 2;
        self.dumpcap.signal(SIGINT);
        assert!(self.dumpcap.wait(CAPTURE_TIME_MAX).success(), "dumpcap failed");
        Captured { file: self.file, ports: self.ports, _folder: self.folder }
    }

    /// Sends a mark until it is in the file; false when dumpcap has ended.
    fn mark(&mut self, octets: &[u8]) -> bool {
        let end = Instant::now() + CAPTURE_TIME_MAX;
        loop {
            self.marker.0.send(octets).expect("loopback takes a datagram");
            let written = std::fs::read(&self.file).unwrap_or_default();
            if written.windows(octets.len()).any(|window| window == octets) {
                return true;
            }
            if self.dumpcap.has_ended() {
                return false;
            }
            assert!(Instant::now() < end, "the mark is not in the capture");
            poll_pause();
        }
    }
}

impl Captured {
    /// The capture file, which lives as long as this.
    #[allow(dead_code, reason = "the replay tests read it themselves")]
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// What tshark makes of the frames that pass `filter`: one line for each, the fields between tabs.
    pub(crate) fn frames(&self, filter: &str, preferences: &[&str], fields: &[&str]) -> Vec<String> {
        let mut command = Command::new("tshark");
        command.arg("-r").arg(&self.file).args(["-Y", filter, "-T", "fields"]).args(preferences);
        for port in &self.ports {
            command.args(["-d", &format!("tcp.port=={port},tpkt")]);
        }
        for field in fields {
            command.args(["-e", field]);
        }
        run(command).lines().map(str::to_owned).collect()
    }

    /// The SPDUs as tshark sees them. What is above the session is none of its business here: much of it is no
    /// presentation PPDU at all.
    pub(crate) fn spdus(&self) -> Spdus {
        let fields = ["tcp.srcport", "tcp.dstport", "ses.type"];
        let mut spdus = Spdus::new();
        for line in self.frames("ses", &["--disable-protocol", "pres"], &fields) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [source, destination, types] = columns[..] else { panic!("{line}: three columns") };
            let port = |text: &str| text.parse::<u16>().unwrap_or_else(|error| panic!("{line}: {error}"));
            let types = types
                .split(',')
                .map(|si| si.parse::<u64>().unwrap_or_else(|error| panic!("{line}: {error}")));
            let of_flow = spdus.entry((port(source), port(destination))).or_default();
            types.for_each(|si| append(of_flow, si));
        }
        spdus
    }

    /// The SPDUs as `colloquy dump` sees them, which must find no fault.
    pub(crate) fn dumped(&self) -> Spdus {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.args(["dump", "--json"]).arg(&self.file);
        for port in &self.ports {
            command.args(["--port", &port.to_string()]);
        }
        let mut spdus = Spdus::new();
        for line in run(command).lines() {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let port = |end: &str| {
                let address = line[end].as_str().unwrap_or_else(|| panic!("{line}: no {end}"));
                address.rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).expect("a port")
            };
            let of_flow = spdus.entry((port("from"), port("to"))).or_default();
            for tpdu in line["tree"]["parts"].as_array().into_iter().flatten() {
                if tpdu["name"] == "DT" {
                    let parts = tpdu["parts"].as_array().into_iter().flatten();
                    parts.filter_map(|part| part["code"].as_u64()).for_each(|si| append(of_flow, si));
                }
            }
        }
        spdus.retain(|_, of_flow| !of_flow.is_empty());
        spdus
    }
}

fn append(of_flow: &mut Vec<(u64, usize)>, si: u64) {
    match of_flow.last_mut() {
        Some((last, count)) if *last == si => *count += 1,
        _ => of_flow.push((si, 1)),
    }
}

/// The SPDUs that went to (`true`) or came from a port, sorted: the connections on the two sides of a relay
/// have no order in common.
pub(crate) fn of_port(spdus: &Spdus, port: u16, to: bool) -> Vec<Vec<(u64, usize)>> {
    let here = |(source, destination): &(u16, u16)| if to { *destination == port } else { *source == port };
    let of_port = spdus.iter().filter(|(flow, _)| here(flow));
    let mut of_port: Vec<_> = of_port.map(|(_, of_flow)| of_flow.clone()).collect();
    of_port.sort();
    of_port
}
