//! What a service manager sees and gives: notifications, watchdog, passed sockets, and its view of the unit.

use std::io::Read;
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::gateway::{Gateway, head};
use crate::peer::{PATIENCE, Peer};
use crate::process::{free_address, root};
use crate::seccomp::script;
use crate::{on_each_driver, skip};

fn config(driver: &str, shards: usize, address: &str) -> String {
    format!(
        "{}[drain]\naction = \"wait\"\n[[listener]]\nname = \"main\"\naddress = \"{address}\"\napplication = \"echo\"\n",
        head(driver, shards, "info")
    )
}

fn launch(options: &[&str], config: &Path) -> Command {
    let mut command = Command::new("python3");
    command.arg(script("launch.py")).args(options).arg("--").arg(env!("CARGO_BIN_EXE_colloquy"));
    command.arg("gateway").arg(config);
    command
}

/// The service manager's end.
struct Notified {
    socket: UnixDatagram,
    _folder: tempfile::TempDir,
}

impl Notified {
    fn new() -> (Notified, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        (Notified { socket, _folder: folder }, path)
    }

    /// Waits for a message with this line, and gives it whole.
    fn wait_for(&self, line: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while Instant::now() < end {
            let mut octets = [0; 4096];
            let Ok(count) = self.socket.recv(&mut octets) else { break };
            let text = String::from_utf8_lossy(&octets[..count]).into_owned();
            if text.lines().any(|each| each.starts_with(line)) {
                return text;
            }
            seen.push(text);
        }
        panic!("no {line} was told, only {seen:?}");
    }

    /// Messages that are there, and come within `time`.
    fn within(&self, time: Duration) -> Vec<String> {
        let end = Instant::now() + time;
        let mut seen = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            self.socket.set_read_timeout(Some(left)).expect("a socket");
            let mut octets = [0; 4096];
            if let Ok(count) = self.socket.recv(&mut octets) {
                seen.push(String::from_utf8_lossy(&octets[..count]).into_owned());
            }
        }
        self.socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
        seen
    }
}

#[test]
fn the_service_manager_is_told_of_start_life_reload_and_end() {
    on_each_driver("notifications", |driver| {
        let (manager, path) = Notified::new();
        let gateway = Gateway::start_by(&config(driver, 2, "127.0.0.1:0"), |config| {
            let mut command = launch(&["--watchdog", "400000"], config);
            command.env("NOTIFY_SOCKET", &path);
            command
        });
        manager.wait_for("READY=1");
        let status = manager.wait_for("STATUS=");
        assert!(status.contains(driver) && status.contains("2 shards"), "{status}");
        for _ in 0..3 {
            manager.wait_for("WATCHDOG=1");
        }
        gateway.hang_up();
        let reloading = manager.wait_for("RELOADING=1");
        assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
        manager.wait_for("READY=1");
        let peer = Peer::session(gateway.address("main"));
        gateway.terminate();
        manager.wait_for("STOPPING=1");
        let status = manager.wait_for("STATUS=draining");
        assert!(status.contains("wait"), "{status}");
        manager.wait_for("WATCHDOG=1");
        peer.release();
        assert!(gateway.wait().0.success());
    });
}

#[test]
fn a_gateway_that_stands_still_says_nothing_to_the_watchdog() {
    let (manager, path) = Notified::new();
    let gateway = Gateway::start_by(&config("mio", 1, "127.0.0.1:0"), |config| {
        let mut command = launch(&["--watchdog", "200000"], config);
        command.env("NOTIFY_SOCKET", &path);
        command
    });
    manager.wait_for("WATCHDOG=1");
    let stop = |signal: &str| {
        let status = Command::new("kill").args([signal, &gateway.process().to_string()]).status();
        assert!(status.expect("kill runs").success());
    };
    stop("-STOP");
    // What was on its way when it stopped.
    manager.within(Duration::from_millis(100));
    let told = manager.within(Duration::from_millis(600));
    stop("-CONT");
    assert!(told.is_empty(), "{told:?}");
    manager.wait_for("WATCHDOG=1");
    gateway.terminate();
    assert!(gateway.wait().0.success());
}

#[test]
fn passed_sockets_are_served_by_name_and_by_address() {
    on_each_driver("passed sockets", |driver| {
        for (name, shards) in [("main", 1), ("main", 3), ("colloquy.socket", 2)] {
            let at = free_address();
            // By name the address of the file does not matter.
            let configured = if name == "main" { "127.0.0.1:1".to_owned() } else { at.to_string() };
            let socket = format!("{name}={}", at.port());
            let gateway = Gateway::start_by(&config(driver, shards, &configured), |config| {
                let mut command = launch(&["--socket", &socket], config);
                command.stdout(Stdio::null());
                command
            });
            assert_eq!(gateway.address("main"), at);
            for _ in 0..5 {
                let mut peer = Peer::session(at);
                peer.echo(b"over a passed socket");
                peer.release();
            }
            gateway.terminate();
            let (status, log) = gateway.wait();
            assert!(status.success());
            log.finish();
        }
    });
}

/// Who comes while the gateway drains is not refused, but waits for the process that is started next.
#[test]
fn a_passed_socket_is_left_to_who_comes_next() {
    on_each_driver("passed sockets while draining", |driver| {
        let at = free_address();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let begins = folder.path().join("begins");
        let (socket, heir) = (format!("main={}", at.port()), begins.to_str().expect("text"));
        let gateway = Gateway::start_by(&config(driver, 1, "127.0.0.1:1"), |config| {
            let mut command = launch(&["--socket", &socket, "--heir", heir], config);
            command.stdout(Stdio::null());
            command
        });
        let peer = Peer::session(at);
        gateway.terminate();
        gateway.log.wait_for("the drain", |record| record["event_id"] == "CLQ-G09");
        // The shard counts its sessions when it begins.
        gateway.wait_for_metric("colloquy_drain_began_sessions", 1.0);
        let mut waiting = TcpStream::connect(at).expect("the socket listens still");
        peer.release();
        let (status, log) = gateway.wait();
        assert!(status.success());
        log.finish();
        std::fs::write(&begins, "").expect("the folder is writable");
        let mut text = String::new();
        waiting.read_to_string(&mut text).expect("nobody resets it");
        assert_eq!(text, "the next process");
    });
}

#[test]
fn a_passed_socket_that_no_listener_wants_is_a_clear_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, config("mio", 1, "127.0.0.1:1")).expect("the folder is writable");
    let output = launch(&["--socket", "other=0"], &path).output().expect("python3 runs");
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("\"other\"") && text.contains("main (127.0.0.1:1)"), "{text}");
}

#[test]
fn the_units_are_sound_and_their_exposure_is_low() {
    const EXPOSURE_MAX: f64 = 2.0;
    let unit = root().join("configs/colloquy.service");
    let Ok(output) = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager"])
        .arg(&unit)
        .output()
    else {
        skip::skip("systemd-analyze is not installed");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(line) = text.lines().find(|line| line.contains("Overall exposure level")) else {
        panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    let exposure: f64 = line
        .split_whitespace()
        .find_map(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no number in {line}"));
    assert!(exposure <= EXPOSURE_MAX, "{text}");
    println!("{}", line.trim());
}

/// What is installed fits together: the socket is passed under the name of a listener of the installed configuration.
#[test]
fn the_socket_unit_names_a_listener_of_the_installed_configuration() {
    let read =
        |name: &str| std::fs::read_to_string(root().join("configs").join(name)).expect("a shipped file");
    let (socket, config) = (read("colloquy.socket"), read("default.toml"));
    let name = socket.lines().find_map(|line| line.strip_prefix("FileDescriptorName=")).expect("a name");
    let listener = config.split("[[listener]]").nth(1).expect("a listener");
    assert!(listener.lines().any(|line| line == format!("name = \"{name}\"")), "{name}: {listener}");
}

/// systemd takes every line of the units. They name the installed binary and its manual page, which are not here.
#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let units = ["colloquy.service", "colloquy.socket"].map(|name| {
        let text = std::fs::read_to_string(root().join("configs").join(name)).expect("a shipped unit");
        let text = text.replace("/usr/bin/colloquy", env!("CARGO_BIN_EXE_colloquy"));
        let path = folder.path().join(name);
        std::fs::write(&path, text.replace("Documentation=man:colloquy(1)\n", ""))
            .expect("the folder is writable");
        path
    });
    let Ok(output) = Command::new("systemd-analyze").arg("verify").args(&units).output() else {
        skip::skip("systemd-analyze is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("colloquy.")).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}
