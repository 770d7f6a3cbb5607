//! The verbs that run: demo, gateway and load, as processes.
#![allow(clippy::unwrap_used)] // A test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Longest time for what takes a moment on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn colloquy(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.args(arguments);
    command
}

fn json_of(arguments: &[&str]) -> (Value, Option<i32>) {
    let output = colloquy(arguments).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(!err.contains('\u{1b}') && !err.contains('\r'), "no bar without a terminal: {err:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text} {err}");
    (serde_json::from_str(&text).unwrap(), output.status.code())
}

#[test]
fn the_demo_tells_what_it_measured() {
    for driver in ["auto", "mio"] {
        let (result, status) = json_of(&[
            "demo",
            "--sessions",
            "50",
            "--size",
            "3000",
            "--depth",
            "4",
            "--seconds",
            "1",
            "--driver",
            driver,
            "--json",
        ]);
        assert_eq!(status, Some(0), "{result}");
        assert_eq!((result["sessions"].as_u64(), result["lost"].as_u64()), (Some(50), Some(0)), "{result}");
        assert_eq!(result["errors"].as_u64(), Some(0), "{result}");
        let rate = result["ssdu_per_s"].as_f64().unwrap();
        assert!(rate > 0.0, "{result}");
        let megabytes = result["mb_per_s"].as_f64().unwrap();
        assert!((megabytes - rate * 3000.0 / 1e6).abs() < 0.01 * megabytes, "{result}");
        assert!(result["gateway_cpu_us_per_ssdu"].as_f64().unwrap() > 0.0, "{result}");
        assert!(!result["driver_reason"].as_str().unwrap().is_empty(), "{result}");
        assert!(matches!(result["driver"].as_str(), Some("io_uring" | "mio")), "{result}");
        assert!(result["valid"].is_boolean(), "{result}");
        for times in ["response_us", "service_us"] {
            let of = |name: &str| result[times][name].as_f64().unwrap();
            let order = [of("p50"), of("p90"), of("p99"), of("p999"), of("max")];
            assert!(order[0] > 0.0 && order.is_sorted(), "{result}");
        }
        if driver == "mio" {
            assert_eq!(result["driver"], "mio", "{result}");
        }
    }
}

#[test]
fn the_demo_names_three_commands_that_exist() {
    let output = colloquy(&["demo", "--sessions", "5", "--seconds", "0.5"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let (_, next) = text.split_once("Next:\n").unwrap();
    let verbs: Vec<&str> = next.lines().filter_map(|line| line.trim().strip_prefix("colloquy ")).collect();
    assert_eq!(verbs.len(), 3, "{next}");
    for line in verbs {
        let verb = line.split_whitespace().next().unwrap();
        assert!(colloquy(&[verb, "--help"]).output().unwrap().status.success(), "{verb}");
    }
}

/// A gateway as a process, ended when dropped.
struct Gateway {
    child: Child,
    log: BufReader<ChildStderr>,
    address: String,
    admin: String,
}

impl Gateway {
    fn start(name: &str, deadline_ms: u32) -> Gateway {
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.toml"));
        let config = format!(
            "schema_version = 1\n[engine]\nshards = 1\n[[listener]]\nname = \"t\"\naddress = \"127.0.0.1:0\"\n\
             application = \"echo\"\n[log]\nformat = \"json\"\n\
             [admin]\naddress = \"127.0.0.1:0\"\n[drain]\ndeadline = \"{deadline_ms}ms\"\n"
        );
        std::fs::write(&path, config).unwrap();
        let mut child =
            colloquy(&["gateway", path.to_str().unwrap()]).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut address_of = |what: &str| loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "the gateway ended before it listened");
            let record: Value = serde_json::from_str(&line).unwrap();
            if record["msg"] == what {
                break record["address"].as_str().unwrap().to_owned();
            }
        };
        let address = address_of("listening");
        let admin = address_of("admin HTTP listening");
        std::fs::remove_file(&path).unwrap();
        Gateway { child, log, address, admin }
    }

    /// Waits until this many sessions are established.
    fn wait_for_sessions(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut stream = TcpStream::connect(&self.admin).unwrap();
            stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
            let mut metrics = String::new();
            stream.read_to_string(&mut metrics).unwrap();
            let gauge = |line: &str| {
                let established =
                    line.strip_prefix("colloquy_sessions{")?.strip_prefix("state=\"established\"")?;
                established.split_once("} ")?.1.trim().parse::<f64>().ok()
            };
            let open: f64 = metrics.lines().filter_map(gauge).sum();
            if open as usize == count {
                return;
            }
            assert!(Instant::now() < deadline, "{open} of {count} sessions: {metrics}");
            // Polls until the deadline above.
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Its exit status and the rest of its log.
    fn end(&mut self) -> (Option<i32>, String) {
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code(), log)
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_gateway_echoes_a_load_and_drains_on_sigterm() {
    let mut gateway = Gateway::start("drain", 30_000);
    let (result, status) = json_of(&[
        "load",
        "--to",
        &gateway.address,
        "--sessions",
        "20",
        "--size",
        "500",
        "--seconds",
        "0.5",
        "--rate",
        "400",
        "--json",
    ]);
    assert_eq!(status, Some(0), "{result}");
    assert_eq!(result["counts"]["released"].as_u64(), Some(20), "{result}");
    assert_eq!(result["counts"]["answered"], result["counts"]["sent"], "{result}");
    assert_eq!(result["target_ssdu_per_s"].as_f64(), Some(400.0));
    gateway.signal(Signal::TERM);
    let (status, log) = gateway.end();
    assert_eq!(status, Some(0), "{log}");
}

#[test]
fn a_second_signal_aborts_what_a_drain_waits_for() {
    let mut gateway = Gateway::start("abort", 600_000);
    let mut load =
        colloquy(&["load", "--to", &gateway.address, "--sessions", "3", "--seconds", "600", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
    gateway.wait_for_sessions(3);
    gateway.signal(Signal::TERM);
    // While it drains nobody else gets in, and the open sessions go on.
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(&gateway.address).is_ok() {
        assert!(Instant::now() < deadline, "it still accepts");
        // Polls until the deadline above.
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(gateway.child.try_wait().unwrap().is_none(), "it waits for its sessions");
    gateway.signal(Signal::TERM);
    let (status, log) = gateway.end();
    assert_eq!(status, Some(0), "{log}");
    kill_process(Pid::from_child(&load), Signal::INT).ok();
    let mut text = String::new();
    load.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(load.wait().unwrap().code(), Some(1), "{text}");
    let result: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(result["counts"]["ended_early"].as_u64(), Some(3), "{result}");
}

#[test]
fn a_load_that_is_interrupted_releases_its_sessions_and_reports() {
    let gateway = Gateway::start("interrupt", 1000);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("interrupted");
    let load = colloquy(&["load", "--to", &gateway.address, "--sessions", "3", "--seconds", "600", "--json"])
        .args(["--out", folder.to_str().unwrap()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    gateway.wait_for_sessions(3);
    kill_process(Pid::from_child(&load), Signal::INT).unwrap();
    let output = load.wait_with_output().unwrap();
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(result["valid"], false, "{result}");
    assert_eq!(result["counts"]["lost"].as_u64(), Some(0), "{result}");
    assert!(folder.join("result.json").exists());
    std::fs::remove_dir_all(&folder).unwrap();
}
