//! A system that refuses io_uring, by a real seccomp filter: mio and one actionable line, or no start.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::gateway::{Gateway, head};
use crate::on_each_driver;
use crate::peer::Peer;
use crate::process::root;
use crate::skip;

/// A file beside these tests.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lifecycle").join(name)
}

fn refused(config: &Path) -> Command {
    let mut command = Command::new("python3");
    command.arg(script("refuse_io_uring.py")).arg(env!("CARGO_BIN_EXE_colloquy")).arg("gateway").arg(config);
    command
}

fn config(driver: &str) -> String {
    format!(
        "{}[[listener]]\nname = \"echo\"\naddress = \"127.0.0.1:0\"\napplication = \"echo\"\n",
        head(driver, 2, "info")
    )
}

#[test]
fn where_io_uring_is_refused_mio_serves_and_says_why_in_one_line() {
    let gateway = Gateway::start_by(&config("auto"), refused);
    let told = gateway.log.wait_for("fallback", |record| record["event_id"] == "CLQ-G12");
    let line = told[0].to_string();
    for part in ["mio", "os error 1", "seccomp", "io_uring_setup", "driver"] {
        assert!(line.contains(part), "{part:?} is not in {line}");
    }
    assert_eq!(told.len(), 1);
    let metrics = gateway.get("/metrics").1;
    let info =
        metrics.lines().find(|line| line.starts_with("colloquy_io_backend_info{")).expect("the metric");
    assert!(info.contains("backend=\"mio\"") && info.contains("os error 1"), "{info}");
    let mut peer = Peer::session(gateway.address("echo"));
    peer.echo(&[7; 30_000]);
    peer.release();
    gateway.terminate();
    let (status, log) = gateway.wait();
    assert!(status.success());
    log.finish();
}

#[test]
fn whoever_insists_on_io_uring_is_refused_with_the_same_advice() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("gateway.toml");
    std::fs::write(&path, config("io_uring")).expect("the folder is writable");
    let output = refused(&path).output().expect("python3 runs");
    let text = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{text}");
    for part in ["io_uring cannot be used", "os error 1", "seccomp", "io_uring_setup"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn mio_that_was_asked_for_needs_no_word() {
    let gateway = Gateway::start_by(&config("mio"), refused);
    let mut peer = Peer::session(gateway.address("echo"));
    peer.echo(b"served");
    peer.release();
    gateway.terminate();
    let (_, log) = gateway.wait();
    let all = log.wait_for("records", |_| true);
    assert!(all.iter().all(|record| record["event_id"] != "CLQ-G12"), "{all:?}");
}

#[test]
fn the_shipped_profile_allows_all_that_the_gateway_calls() {
    const NUMBERS: &str = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";
    if !Path::new(NUMBERS).exists() {
        skip::skip("the kernel's header of system calls for x86-64 is not installed");
        return;
    }
    on_each_driver("the seccomp profile", |driver| {
        let gateway = Gateway::start_by(&config(driver), |config| {
            let mut command = Command::new("python3");
            command.arg(script("under_profile.py")).arg(root().join("packaging/seccomp-io-uring.json"));
            command.arg(env!("CARGO_BIN_EXE_colloquy")).arg("gateway").arg(config);
            command
        });
        let metrics = gateway.get("/metrics").1;
        assert!(metrics.contains(&format!("colloquy_io_backend_info{{backend=\"{driver}\"")), "{metrics}");
        let mut peer = Peer::session(gateway.address("echo"));
        peer.echo(&[9; 50_000]);
        peer.release();
        gateway.hang_up();
        gateway.wait_for_metric("colloquy_config_generation", 2.0);
        gateway.terminate();
        let (status, log) = gateway.wait();
        assert!(status.success());
        log.finish();
    });
}
