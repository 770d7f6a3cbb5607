//! Addresses that another program listens on now. Read from /proc: nothing is bound to find out.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::super::diagnostics::{Diagnostics, FaultKind};
use super::super::read::File;
use super::super::relations::given_address;

/// State of a listening socket in /proc/net/tcp.
const LISTEN: &str = "0A";
/// Where its lines have the local address, the state and the inode.
const LOCAL: usize = 1;
const STATE: usize = 3;
const INODE: usize = 9;
/// Whose sockets are no trouble: a gateway that runs with this configuration, and a service manager that passes them.
const OURS: [&str; 2] = ["colloquy", "systemd"];

pub(super) fn check(file: &File, diagnostics: &mut Diagnostics) {
    let listening = listening();
    for values in file.listeners.iter().chain(std::iter::once(&file.admin)) {
        let Some(address) = given_address(values).filter(|address| address.port() != 0) else { continue };
        let holders = listening.iter().filter(|(taken, _)| overlap(*taken, address));
        // Who it is can be told of one's own processes only, of all as root: then nothing is said.
        let stranger = holders.filter_map(|(_, inode)| owner(inode)).find(|(_, name)| !is_ours(name));
        if let Some((process, name)) = stranger {
            diagnostics.warn(
                FaultKind::System,
                values.span("address"),
                values.key("address"),
                format!("{address} is taken at the moment: {name} (process {process}) listens there"),
                "an address that nobody listens on when the gateway starts",
                None,
            );
        }
    }
}

fn is_ours(name: &str) -> bool {
    OURS.iter().any(|ours| name.starts_with(ours))
}

fn overlap(left: SocketAddr, right: SocketAddr) -> bool {
    let same = left.ip().to_canonical() == right.ip().to_canonical();
    left.port() == right.port() && (same || left.ip().is_unspecified() || right.ip().is_unspecified())
}

/// Addresses that are listened on in this network namespace, each with the inode of its socket.
fn listening() -> Vec<(SocketAddr, String)> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let texts = tables.iter().filter_map(|table| fs::read_to_string(table).ok());
    texts.flat_map(|text| text.lines().filter_map(listener).collect::<Vec<_>>()).collect()
}

fn listener(line: &str) -> Option<(SocketAddr, String)> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    (*columns.get(STATE)? == LISTEN).then_some(())?;
    let (host, port) = columns.get(LOCAL)?.split_once(':')?;
    let words: Option<Vec<u8>> = (0..host.len())
        .step_by(8)
        .map(|at| u32::from_str_radix(host.get(at..at + 8)?, 16).ok().map(u32::to_ne_bytes))
        .collect::<Option<Vec<[u8; 4]>>>()
        .map(|words| words.concat());
    let octets = words?;
    let ip = match octets.len() {
        4 => IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)),
        16 => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)),
        _ => return None,
    };
    let port = u16::from_str_radix(port, 16).ok()?;
    Some((SocketAddr::new(ip, port), (*columns.get(INODE)?).to_owned()))
}

/// The process that has a socket, and its name; `None` where it cannot be told.
fn owner(inode: &str) -> Option<(u32, String)> {
    let socket = format!("socket:[{inode}]");
    let has_it = |process: &Path| {
        let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        descriptors
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|link| link.as_os_str() == socket.as_str())
    };
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let found = processes
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())))
        .find(|(_, path)| has_it(path))?;
    let name = fs::read_to_string(found.1.join("comm")).ok()?;
    Some((found.0, name.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_read() {
        let line = |local: &str, state: &str| {
            format!(
                "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  0  0 4711 1 x"
            )
        };
        // The kernel writes words as this machine has them.
        let loopback = format!("{:08X}:2776", u32::from_ne_bytes([127, 0, 0, 1]));
        let expected = (([127, 0, 0, 1], 10102).into(), "4711".to_owned());
        assert_eq!(listener(&line(&loopback, "0A")), Some(expected));
        assert_eq!(listener(&line(&loopback, "01")), None, "a connection");
        let any = listener(&line("00000000000000000000000000000000:0066", "0A")).map(|(address, _)| address);
        assert_eq!(any, Some((Ipv6Addr::UNSPECIFIED, 102).into()));
        for bad in ["", "a b c d", "0: zz:1 x 0A", "  sl  local_address rem_address   st"] {
            assert_eq!(listener(bad), None);
        }
    }
}
