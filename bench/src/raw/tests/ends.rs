//! How connections and servers end: churn, half-closes, resets, what is no opening.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use socket2::SockRef;

use super::client::{AC_OCTETS, CC_OCTETS, CN, CR, Random, connect, open, receive, wait_until};
use super::{KINDS, Running};

#[test]
fn churned_connections_give_everything_back() {
    for kind in KINDS {
        let mut random = Random::new("churn");
        let server = Running::start(kind, false);
        for _ in 0..30 {
            let clients: Vec<TcpStream> = (0..20)
                .map(|_| match random.below(4) {
                    // Some leave before they have said anything, or in mid-opening.
                    0 => connect(server.address),
                    1 => {
                        let mut client = connect(server.address);
                        client.write_all(&CR[..random.below(CR.len())]).unwrap();
                        client
                    }
                    _ => {
                        let mut client = open(server.address);
                        client.write_all(&random.octets(1000)).unwrap();
                        client
                    }
                })
                .collect();
            for client in clients {
                if random.below(2) == 0 {
                    SockRef::from(&client).set_linger(Some(std::time::Duration::ZERO)).unwrap();
                }
            }
        }
        wait_until("all accepted", || server.handle.stats().accepted == 600);
        wait_until("all closed", || server.handle.stats().connections == 0);
        // It still serves.
        let mut client = open(server.address);
        client.write_all(b"after").unwrap();
        assert_eq!(receive(&client, 5), b"after", "{kind:?}");
        server.end();
    }
}

#[test]
fn a_peer_that_ends_its_direction_gets_all_it_is_owed() {
    for kind in KINDS {
        let mut random = Random::new("half-close");
        let server = Running::start(kind, false);
        let sent = random.octets(200_000);
        for octets in [0, 1, 100, sent.len()] {
            let mut client = connect(server.address);
            client.write_all(&[CR, CN, &sent[..octets]].concat()).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            let mut received = Vec::new();
            client.read_to_end(&mut received).unwrap();
            assert_eq!(received.len(), CC_OCTETS + AC_OCTETS + octets, "{kind:?}");
            assert!(received.ends_with(&sent[..octets]), "{kind:?}, {octets} octets");
        }
        wait_until("all closed", || server.handle.stats().connections == 0);
        server.end();
    }
}

#[test]
fn a_reset_in_the_middle_of_a_pipeline_ends_that_connection_alone() {
    for kind in KINDS {
        let server = Running::start(kind, false);
        let mut other = open(server.address);
        for _ in 0..20 {
            let mut client = open(server.address);
            client.write_all(&[7; 150_000]).unwrap();
            SockRef::from(&client).set_linger(Some(std::time::Duration::ZERO)).unwrap();
            drop(client);
            other.write_all(b"still there").unwrap();
            assert_eq!(receive(&other, 11), b"still there", "{kind:?}");
        }
        wait_until("closed but for one", || server.handle.stats().connections == 1);
        server.end();
    }
}

#[test]
fn what_is_no_opening_is_closed() {
    for kind in KINDS {
        let server = Running::start(kind, false);
        for octets in [&b"GET / HTTP/1.1\r\n\r\n"[..], CN, &[3, 0, 0, 4], &[3, 0, 255, 255]] {
            let mut client = connect(server.address);
            client.write_all(octets).unwrap();
            // A reset, where the server had octets it did not read.
            let mut received = Vec::new();
            let _ = client.read_to_end(&mut received);
            assert!(received.is_empty(), "{kind:?}: {received:02x?}");
        }
        wait_until("all closed", || server.handle.stats().connections == 0);
        server.end();
    }
}

/// Descriptors of this process that are sockets or rings; other tests run at the same time, so it is compared with
/// what it falls back to, not with what it was at one moment.
#[cfg(target_os = "linux")]
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_that_ended_has_closed_its_connections_and_leaves_no_descriptor() {
    for kind in KINDS {
        let before = descriptors();
        let server = Running::start(kind, false);
        let mut clients: Vec<TcpStream> = (0..50).map(|_| open(server.address)).collect();
        server.end();
        for client in &mut clients {
            assert!(matches!(client.read(&mut [0; 8]), Ok(0) | Err(_)), "{kind:?}: still open");
        }
        drop(clients);
        // Tests beside this one hold descriptors of their own for a while.
        wait_until("descriptors are back", || descriptors() <= before + 4);
    }
}
