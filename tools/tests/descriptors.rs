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
