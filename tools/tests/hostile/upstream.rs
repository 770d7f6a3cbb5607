//! A responder by hand, for the relay to open its sessions to.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Instant;

use crate::octets::{AC, data, hex, tpkt};
use crate::peer::{PATIENCE, Peer};
use crate::process::poll_pause;

/// A listener whose connections the test answers itself.
pub(crate) struct Upstream {
    listener: TcpListener,
}

impl Upstream {
    /// Listens on a port of its own.
    pub(crate) fn listen() -> Upstream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback binds");
        listener.set_nonblocking(true).expect("a TCP socket");
        Upstream { listener }
    }

    /// Where.
    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("bound")
    }

    /// The next connection of the relay, with its session open.
    pub(crate) fn accept_session(&self) -> Peer {
        let mut peer = self.accept();
        let header = peer.receive(4);
        let cr = peer.receive(usize::from(header[3]) - 4);
        assert_eq!(cr[1], 0xe0, "CR");
        // CC from the reference of the CR to its own, class 0, nothing selected that was not proposed.
        peer.send(&tpkt(&[0x06, 0xd0, cr[4], cr[5], 0x47, 0x11, 0x00]));
        assert_eq!(peer.tsdu()[0], 0x0d, "CN");
        peer.send(&data(&hex(AC)));
        peer
    }

    /// The next connection of the relay.
    pub(crate) fn accept(&self) -> Peer {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).expect("a TCP socket");
                    return Peer::accepted(stream);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    assert!(Instant::now() < end, "the relay did not connect");
                    poll_pause();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}
