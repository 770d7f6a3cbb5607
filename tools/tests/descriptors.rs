//! A gateway whose open files are used up by sessions: peers are refused by the protocol, operators get in.

#[path = "hostile/octets.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod octets;
#[path = "hostile/peer.rs"]
#[allow(dead_code, reason = "shared with the hostile tests, which use more of it")]
mod peer;
#[path = "interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use octets::{CN, CR, data, hex};
use peer::{PATIENCE, Peer};
use process::{Server, free_address, poll_pause, wait_for_listener};

/// Open files that the gateway may have; it keeps a quarter for what is no session.
const OPEN_FILES: usize = 256;
const KEPT: usize = OPEN_FILES / 4;

#[test]
fn sessions_leave_descriptors_for_refusals_and_operators() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (echo, relay) = (free_address(), free_address());
    let socket = folder.path().join("control.sock");
    let text = format!(
        "schema_version = 1\n[engine]\ndriver = \"mio\"\nshards = 1\n\
         [[listener]]\nname = \"echo\"\naddress = \"{echo}\"\napplication = \"echo\"\nconnect_timeout = \"1h\"\n\
         [[listener]]\nname = \"relay\"\naddress = \"{relay}\"\napplication = \"relay\"\ntarget = \"echo\"\n\
         [[target]]\nname = \"echo\"\naddress = \"{echo}\"\n[admin]\ncontrol_socket = \"{}\"\n",
        socket.display()
    );
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, text).expect("writable");
    let mut command = Command::new("prlimit");
    command.arg(format!("--nofile={OPEN_FILES}:{OPEN_FILES}")).arg(env!("CARGO_BIN_EXE_colloquy"));
    let _server = Server::start({
        command.arg("gateway").arg(&file).stderr(Stdio::null());
        command
    });
    wait_for_listener(echo);
    // A reload changes nothing about that: the number of sessions waits for a restart.
    let mut reload = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    let reloaded = reload.arg("reload").env("COLLOQUY_SOCKET", &socket).output().expect("it runs");
    assert!(reloaded.status.success(), "{reloaded:?}");
    let status = || -> Output {
        let mut command = Command::new("timeout");
        command.args(["30", env!("CARGO_BIN_EXE_colloquy"), "status", "--json"]);
        command.env("COLLOQUY_SOCKET", &socket).output().expect("it runs")
    };
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..2 * OPEN_FILES {
        let mut peer = Peer::connect(echo);
        peer.send(&CR);
        let answer = peer.receive(6);
        if answer[5] == 0x80 {
            refused += 1;
            continue;
        }
        assert_eq!(answer[5], 0xd0, "CC or DR: {answer:02x?}");
        open.push(peer);
    }
    assert!(open.len() <= OPEN_FILES - KEPT && open.len() > OPEN_FILES - KEPT - 8, "{} open", open.len());
    assert_eq!(refused, 2 * OPEN_FILES - open.len());
    let output = status();
    assert!(output.status.success(), "{output:?}");
    // With one place left a relay gets no upstream session, and its peer is told.
    drop(open.pop());
    let end = Instant::now() + PATIENCE;
    let mut downstream = loop {
        let mut peer = Peer::connect(relay);
        peer.send(&CR);
        if peer.receive(6)[5] == 0xd0 {
            break peer;
        }
        assert!(Instant::now() < end, "the place does not come free");
        poll_pause();
    };
    downstream.receive(5);
    downstream.send(&data(&hex(CN)));
    assert_eq!(downstream.tsdu()[0], 0x0c, "RF");
    drop((open, downstream));
    let end = Instant::now() + PATIENCE;
    while !String::from_utf8_lossy(&status().stdout).contains("\"all\":0") {
        assert!(Instant::now() < end, "sessions stay: {:?}", status());
        poll_pause();
    }
    Peer::session(relay).release();
}

/// What an HTTP server answers; empty where the connection ended.
fn get(admin: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(admin).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE * 4)).expect("a TCP socket");
    let request = format!("GET {path} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("text");
    text
}

#[test]
fn idle_clients_of_http_take_a_bounded_number_of_descriptors() {
    const IDLE: usize = 300;
    const CLIENTS_MAX: usize = 64;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (echo, admin) = (free_address(), free_address());
    let text = format!(
        "schema_version = 1\n[[listener]]\nname = \"echo\"\naddress = \"{echo}\"\napplication = \"echo\"\n\
         [admin]\naddress = \"{admin}\"\n"
    );
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, text).expect("writable");
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.arg("gateway").arg(&file).stderr(Stdio::null());
    let server = Server::start(command);
    wait_for_listener(admin);
    let descriptors = || {
        let of_process = std::fs::read_dir(format!("/proc/{}/fd", server.id()));
        of_process.expect("it runs").count()
    };
    assert!(get(admin, "/readyz").starts_with("HTTP/1.1 200"));
    let before = descriptors();
    let idle: Vec<TcpStream> = (0..IDLE).map(|_| TcpStream::connect(admin).expect("it listens")).collect();
    let at_once = descriptors();
    // Behind all of them in the queue: answered as soon as those who say nothing have been closed.
    assert!(get(admin, "/metrics").starts_with("HTTP/1.1 200"));
    let held = descriptors();
    assert!(at_once.max(held) <= before + CLIENTS_MAX, "{before} before, {at_once} and {held} later");
    drop(idle);
}
