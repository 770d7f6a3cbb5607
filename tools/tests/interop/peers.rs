//! Peers written by others, as commands. `tools/test` installs them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::process::{Server, free_address, root, wait_for_listener};
use crate::skip::skip;

/// True when the peers are installed; else the skip is said and counted, or fails where they must be there.
pub(crate) fn installed() -> bool {
    let missing: Vec<PathBuf> =
        [python(), ied(), rusty()].into_iter().filter(|program| !program.exists()).collect();
    if missing.is_empty() {
        return true;
    }
    let reason = format!("interop: peers not installed ({missing:?}); tools/test installs them");
    assert!(std::env::var_os("COLLOQUY_REQUIRE_PEERS").is_none(), "{reason}");
    skip(&reason);
    false
}

fn python() -> PathBuf {
    root().join(".venv/bin/python")
}

fn ied() -> PathBuf {
    root().join(".tools/bin/ied")
}

fn rusty() -> PathBuf {
    root().join(".tools/target-peers/debug/rusty-peer")
}

fn script(name: &str) -> Command {
    let mut command = Command::new(python());
    command.arg("-u").arg(root().join("tools/interop").join(name));
    command
}

fn client(name: &str, to: SocketAddr) -> Command {
    let mut command = script(name);
    command.arg(to.ip().to_string()).arg(to.port().to_string());
    command
}

/// hat-drivers as initiator.
pub(crate) fn hat_initiator(to: SocketAddr) -> Command {
    client("hat_initiator.py", to)
}

/// hat-drivers as initiator that waits to be ended.
#[allow(dead_code, reason = "not every test binary that shares this file ends sessions")]
pub(crate) fn hat_waiter(to: SocketAddr) -> Command {
    client("hat_waiter.py", to)
}

/// libiec61850 as MMS client that waits to be ended.
#[allow(dead_code, reason = "not every test binary that shares this file ends sessions")]
pub(crate) fn libiec61850_waiter(to: SocketAddr) -> Command {
    client("mms_waiter.py", to)
}

/// icspacket as initiator.
pub(crate) fn icspacket_initiator(to: SocketAddr) -> Command {
    client("icspacket_initiator.py", to)
}

/// python-snap7 as user of the transport.
pub(crate) fn snap7_client(to: SocketAddr) -> Command {
    client("snap7_client.py", to)
}

/// libiec61850 (pyiec61850-ng) as MMS client, `associations` times.
pub(crate) fn libiec61850_client(to: SocketAddr, associations: usize) -> Command {
    let mut command = client("mms_client.py", to);
    command.arg(associations.to_string());
    command
}

/// csp0924 (iec61850 of PyPI) as MMS client.
pub(crate) fn csp_client(to: SocketAddr, associations: usize) -> Command {
    let mut command = client("csp_client.py", to);
    command.arg(associations.to_string());
    command
}

/// iec61850-rs as MMS client that walks the server.
pub(crate) fn ied_browse(to: SocketAddr) -> Command {
    let mut command = Command::new(ied());
    command.args(["mms", "browse", &to.to_string()]);
    command
}

/// rusty-cosp as initiator.
pub(crate) fn rusty_initiator(to: SocketAddr, ssdus: usize, connect_octets: usize) -> Command {
    let mut command = Command::new(rusty());
    command.args(["initiate", &to.to_string(), &ssdus.to_string(), &connect_octets.to_string()]);
    command
}

/// A session by hand whose initiator sends a second CONNECT in the data phase, and gets ABORT.
pub(crate) fn second_connect(to: SocketAddr) {
    const CR: [u8; 11] = [3, 0, 0, 11, 6, 0xe0, 0, 0, 0, 9, 0];
    const CN: [u8; 23] = [3, 0, 0, 23, 2, 0xf0, 0x80, 13, 14, 5, 6, 19, 1, 0, 22, 1, 2, 20, 2, 0, 2, 0x33, 0];
    let mut stream = TcpStream::connect(to).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a TCP socket");
    stream.write_all(&CR).expect("it reads");
    let mut confirm = [0; 11];
    stream.read_exact(&mut confirm).expect("CC");
    let mut header = [0; 8];
    for expected in [14, 25] {
        stream.write_all(&CN).expect("it reads");
        stream.read_exact(&mut header).expect("AC, then AB");
        assert_eq!(header[7], expected, "AC, then AB");
        let mut rest = vec![0; usize::from(header[3]) - header.len()];
        stream.read_exact(&mut rest).expect("the rest of the SPDU");
    }
}

/// rusty-cosp as responder: `respond` echoes, `refuse` refuses.
pub(crate) fn rusty_responder(verb: &str) -> (SocketAddr, Server) {
    let address = free_address();
    let mut command = Command::new(rusty());
    command.args([verb, &address.to_string()]);
    (address, Server::start_until(command, "READY"))
}

/// hat-drivers as echo responder.
pub(crate) fn hat_responder() -> (SocketAddr, Server) {
    python_server("hat_responder.py", None)
}

/// libiec61850 (pyiec61850-ng) as MMS server.
pub(crate) fn libiec61850_server() -> (SocketAddr, Server) {
    python_server("mms_server.py", Some("model.cfg"))
}

/// csp0924 as MMS server.
pub(crate) fn csp_server() -> (SocketAddr, Server) {
    python_server("csp_server.py", Some("model.icd"))
}

/// iec61850-rs as MMS server.
pub(crate) fn ied_server() -> (SocketAddr, Server) {
    let address = free_address();
    let mut command = Command::new(ied());
    command.arg("sim").arg(root().join("tools/interop/model.icd"));
    command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let server = Server::start(command);
    wait_for_listener(address);
    (address, server)
}

fn python_server(name: &str, model: Option<&str>) -> (SocketAddr, Server) {
    let address = free_address();
    let mut command = script(name);
    command.arg(address.port().to_string());
    if let Some(model) = model {
        command.arg(root().join("tools/interop").join(model));
    }
    (address, Server::start_until(command, "READY"))
}
