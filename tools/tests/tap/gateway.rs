//! The gateway whose sessions are tapped, and the taps.

use std::io::{Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::authority::Authority;
use crate::dissect::Capture;
use crate::log::Log;
use crate::process::{Server, free_address, poll_pause};

/// A tap may take so long.
pub(crate) const TAP_TIME_MAX: Duration = Duration::from_secs(30);

/// A gateway with an echo and a relay to it.
pub(crate) struct Gateway {
    _server: Server,
    log: Log,
    addresses: Vec<SocketAddr>,
    admin: SocketAddr,
    socket: PathBuf,
    config: PathBuf,
    _folder: tempfile::TempDir,
}

const LISTENERS: [&str; 4] = ["echo", "relay", "secure", "private"];

/// A tap that is on; its process ends with it.
pub(crate) struct Tap {
    child: Child,
    file: Option<(PathBuf, tempfile::TempDir)>,
}

impl Gateway {
    pub(crate) fn start(driver: &str, shards: usize) -> Gateway {
        Gateway::start_with(driver, shards, "tap_octets_per_second_max = 1000000000\n")
    }

    /// With keys of `[admin]`.
    pub(crate) fn start_with(driver: &str, shards: usize, admin: &str) -> Gateway {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = folder.path().join("control.sock");
        let (echo, secure) = (free_address(), free_address());
        let authority = Authority::new(folder.path(), "authority");
        authority.issue("gateway", "gateway.example", 1, (2024, 4000));
        let tls = folder.path().display();
        let text = format!(
            "schema_version = 1\n[engine]\ndriver = \"{driver}\"\nshards = {shards}\n[admin]\n\
             address = \"127.0.0.1:0\"\ncontrol_socket = \"{}\"\n{admin}[log]\nformat = \"json\"\n\
             [[listener]]\nname = \"echo\"\naddress = \"{echo}\"\napplication = \"echo\"\n\
             [[listener]]\nname = \"relay\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntarget = \"echo\"\n\
             [[target]]\nname = \"echo\"\naddress = \"{echo}\"\n\
             [[listener]]\nname = \"secure\"\naddress = \"{secure}\"\napplication = \"echo\"\ntls = \"main\"\n\
             [[listener]]\nname = \"private\"\naddress = \"127.0.0.1:0\"\napplication = \"relay\"\ntarget = \"secure\"\n\
             [[target]]\nname = \"secure\"\naddress = \"{secure}\"\ntls = \"main\"\ntls_server_name = \"gateway.example\"\n\
             [[tls]]\nname = \"main\"\ncertificate = \"{tls}/gateway.pem\"\nkey = \"{tls}/gateway.key\"\n\
             authorities = [\"{tls}/authority.pem\"]\n",
            socket.display()
        );
        let config = folder.path().join("gateway.toml");
        std::fs::write(&config, text).expect("the folder is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.arg("gateway").arg(&config).stderr(Stdio::piped());
        let mut server = Server::start(command);
        let log = Log::of(server.take_stderr());
        let address = |name: &&str| {
            let listens = |record: &Value| record["event_id"] == "CLQ-G02" && record["listener"] == **name;
            let records = log.wait_for(name, listens);
            let text = records[0]["address"].as_str().expect("an address").to_owned();
            text.parse::<SocketAddr>().unwrap_or_else(|error| panic!("{text}: {error}"))
        };
        let addresses = LISTENERS.iter().map(address).collect();
        let listens = log.wait_for("admin HTTP", |record| record["event_id"] == "CLQ-G03");
        let admin = listens[0]["address"].as_str().and_then(|text| text.parse().ok()).expect("an address");
        Gateway { _server: server, log, addresses, admin, socket, config, _folder: folder }
    }

    pub(crate) fn address(&self, listener: &str) -> SocketAddr {
        let index = LISTENERS.iter().position(|name| *name == listener).expect("a listener");
        self.addresses[index]
    }

    /// Changes the configuration, and reloads it.
    pub(crate) fn reload_with(&self, change: impl FnOnce(String) -> String) {
        let text = std::fs::read_to_string(&self.config).expect("it was written");
        std::fs::write(&self.config, change(text)).expect("the folder is writable");
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        let output =
            command.args(["reload", "--socket"]).arg(&self.socket).output().expect("the binary runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A metric without labels.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let mut stream = TcpStream::connect(self.admin).expect("the admin listener accepts");
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n")
            .expect("it reads");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer in text");
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let value = value.and_then(|value| value.trim().parse::<f64>().ok());
        value.unwrap_or_else(|| panic!("no {name} in\n{text}")) as u64
    }

    /// Begins a tap into a file; it is on when this returns.
    pub(crate) fn tap(&self, arguments: &[&str]) -> Tap {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("tap.pcapng");
        let file = path.to_str().expect("text").to_owned();
        let mut tap = self.tap_to(&[arguments, &["-o", &file]].concat(), Stdio::null());
        tap.file = Some((path, folder));
        tap
    }

    /// Begins a tap with this standard output.
    pub(crate) fn tap_to(&self, arguments: &[&str], stdout: Stdio) -> Tap {
        let begun = |log: &Log| log.count(|record| record["event_id"] == "CLQ-P01");
        let before = begun(&self.log);
        let child = self.command(arguments).stdout(stdout).spawn().expect("the binary runs");
        let end = Instant::now() + TAP_TIME_MAX;
        while begun(&self.log) == before {
            assert!(Instant::now() < end, "the tap {arguments:?} is not on");
            poll_pause();
        }
        Tap { child, file: None }
    }

    /// The exit status of a tap that is refused, and what it said; the file it was to write is as it was.
    pub(crate) fn refused_tap(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("precious.pcapng");
        std::fs::write(&path, "precious").expect("the folder is writable");
        let mut command = self.command(arguments);
        let output = command.arg("-o").arg(&path).output().expect("the binary runs");
        assert_eq!(std::fs::read(&path).expect("it is there"), b"precious");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
        command.args(["tap", "--socket"]).arg(&self.socket).args(arguments);
        command
    }

    /// The name of the session with this peer.
    pub(crate) fn session_of(&self, peer: SocketAddr) -> String {
        let end = Instant::now() + TAP_TIME_MAX;
        loop {
            let mut stream = UnixStream::connect(&self.socket).expect("it listens");
            let request = format!("{{\"op\":\"sessions\",\"peer\":\"{peer}\"}}\n");
            stream.write_all(request.as_bytes()).expect("it reads");
            stream.shutdown(std::net::Shutdown::Write).expect("a socket");
            let mut text = String::new();
            stream.read_to_string(&mut text).expect("it answers");
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            for line in lines {
                let rows = line["sessions"].as_array().cloned().unwrap_or_else(|| vec![line.clone()]);
                let name = rows.iter().find_map(|row| row["session"].as_str());
                if let Some(name) = name {
                    return name.to_owned();
                }
            }
            assert!(Instant::now() < end, "no session of {peer}: {text}");
            poll_pause();
        }
    }

    /// The record of the last tap that has ended.
    pub(crate) fn tap_record(&self) -> Value {
        self.log
            .wait_for("the end of the tap", |record| record["event_id"] == "CLQ-P02")
            .pop()
            .expect("found")
    }

    /// Demands what the record of a tap says.
    pub(crate) fn ended_tap(&self, tpdus: u64, left_out: u64) {
        let record = self.tap_record();
        assert_eq!((record["tpdus"].as_u64(), record["left_out"].as_u64()), (Some(tpdus), Some(left_out)));
    }
}

impl Tap {
    pub(crate) fn take_stdout(&mut self) -> ChildStdout {
        self.child.stdout.take().expect("piped, and taken once")
    }

    /// It has not all that it was to have.
    pub(crate) fn goes_on(&mut self) -> bool {
        self.child.try_wait().expect("a child can be waited for").is_none()
    }

    /// Waits until the tap has all that it was to have.
    pub(crate) fn finished(mut self) -> Capture {
        let end = Instant::now() + TAP_TIME_MAX;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                assert!(status.success(), "{status}");
                break;
            }
            if Instant::now() >= end {
                let (path, folder) = self.file.take().expect("it writes to a file");
                panic!("the tap does not end; it has\n{}", Capture::of(path, folder).summary());
            }
            poll_pause();
        }
        let (path, folder) = self.file.take().expect("it writes to a file");
        Capture::of(path, folder)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
