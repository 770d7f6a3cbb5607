//! A peer by hand: a TCP connection from an address of its own, whose octets the test chooses.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::octets::{AC, CC, CN, CR, DN, FN, data, hex, ssdu};

/// Longest wait for anything that is due: far beyond what an idle machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15);

/// Peers made so far: each gets an address of its own, because the log limits the records of one address.
static PEERS: AtomicU32 = AtomicU32::new(1);

/// One connection.
#[derive(Debug)]
pub(crate) struct Peer {
    stream: TcpStream,
    address: SocketAddr,
}

impl Peer {
    /// Connects from an address of 127/8 that no other peer of this process has.
    pub(crate) fn connect(to: SocketAddr) -> Peer {
        Peer::try_connect(to).expect("the gateway accepts")
    }

    /// The same, where the gateway may reset the connection at once.
    pub(crate) fn try_connect(to: SocketAddr) -> std::io::Result<Peer> {
        let number = PEERS.fetch_add(1, Ordering::Relaxed);
        let [_, high, middle, low] = number.to_be_bytes();
        Peer::try_connect_from(Ipv4Addr::new(127, 1 + high, middle, low), to)
    }

    /// Connects from an address of 127/8 that others may have, too.
    #[allow(dead_code, reason = "the tests of limits, which have this file too, want it")]
    pub(crate) fn connect_from(source: Ipv4Addr, to: SocketAddr) -> Peer {
        Peer::try_connect_from(source, to).expect("the gateway accepts")
    }

    /// The same, where the gateway may reset the connection at once.
    pub(crate) fn try_connect_from(source: Ipv4Addr, to: SocketAddr) -> std::io::Result<Peer> {
        let source = SocketAddr::from((source, 0));
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&source.into()).expect("all of 127/8 is loopback");
        let address = socket.local_addr()?.as_socket().expect("an IP address");
        socket.connect_timeout(&to.into(), PATIENCE)?;
        socket.set_tcp_nodelay(true)?;
        let stream = TcpStream::from(socket);
        Ok(Peer { stream, address })
    }

    /// A connection that the gateway has opened.
    pub(crate) fn accepted(stream: TcpStream) -> Peer {
        let address = stream.peer_addr().expect("connected");
        Peer { stream, address }
    }

    /// With the transport connection open.
    pub(crate) fn transport(to: SocketAddr) -> Peer {
        let mut peer = Peer::connect(to);
        peer.send(&CR);
        peer.expect(&CC);
        peer
    }

    /// With a session open, plain shape.
    pub(crate) fn session(to: SocketAddr) -> Peer {
        let mut peer = Peer::connect(to);
        peer.establish();
        peer
    }

    /// Opens a session, plain shape, on its connection.
    pub(crate) fn establish(&mut self) {
        self.send(&CR);
        self.expect(&CC);
        self.send(&data(&hex(CN)));
        self.expect(&data(&hex(AC)));
    }

    /// Its own address, or the gateway's where the gateway has connected.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The socket.
    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends; a connection that the gateway has closed already takes nothing, which is no fault here.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.stream.set_write_timeout(Some(PATIENCE)).expect("a TCP socket");
        match self.stream.write_all(octets) {
            Err(error) if !is_gone(error.kind()) => panic!("{}: {error}", self.address),
            _ => {}
        }
    }

    /// Demands exactly these octets next.
    pub(crate) fn expect(&mut self, expected: &[u8]) {
        let got = self.receive(expected.len());
        assert_eq!(show(&got), show(expected), "{}: the answer", self.address);
    }

    /// Demands exactly these octets and then the end of the connection.
    pub(crate) fn expect_last(&mut self, expected: &[u8]) {
        let got = self.receive_all();
        assert_eq!(show(&got), show(expected), "{}: all that is answered", self.address);
    }

    /// An SSDU there and back.
    pub(crate) fn echo(&mut self, user_data: &[u8]) {
        self.send(&ssdu(user_data));
        self.expect_ssdu(user_data);
    }

    /// Demands an SSDU, in as many TPDUs as it takes.
    pub(crate) fn expect_ssdu(&mut self, user_data: &[u8]) {
        let tsdu = self.tsdu();
        assert_eq!(tsdu[..4], [1, 0, 1, 0], "{}: GT and DT", self.address);
        assert!(tsdu[4..] == *user_data, "{}: {} other octets came back", self.address, user_data.len());
    }

    /// The next TSDU.
    pub(crate) fn tsdu(&mut self) -> Vec<u8> {
        let mut tsdu = Vec::new();
        loop {
            let header = self.receive(7);
            assert_eq!(header.len(), 7, "{}: the connection ended: {}", self.address, show(&header));
            assert_eq!([header[0], header[4], header[5]], [3, 2, 0xf0], "{}: DT in a TPKT", self.address);
            let octets = usize::from(u16::from_be_bytes([header[2], header[3]])) - 7;
            tsdu.extend(self.receive(octets));
            if header[6] == 0x80 {
                return tsdu;
            }
        }
    }

    /// Orderly release, to the end of the connection.
    pub(crate) fn release(mut self) {
        self.send(&data(&FN));
        self.expect(&data(&DN));
        self.half_close();
        self.expect_last(&[]);
    }

    /// Sends FIN and goes on reading.
    pub(crate) fn half_close(&self) {
        // Fails only where the gateway has reset the connection.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Resets the connection.
    pub(crate) fn reset(self) {
        let socket = Socket::from(self.stream);
        socket.set_linger(Some(Duration::ZERO)).expect("a TCP socket");
    }

    /// What has arrived; `None` when the connection has ended.
    pub(crate) fn look(&mut self, wait: Duration) -> Option<Vec<u8>> {
        self.stream.set_read_timeout(Some(wait)).expect("a TCP socket");
        let mut octets = vec![0; 4096];
        match self.stream.read(&mut octets) {
            Ok(0) => None,
            Ok(count) => Some(octets[..count].to_vec()),
            Err(error) if is_gone(error.kind()) => None,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Some(Vec::new())
            }
            Err(error) => panic!("{}: {error}", self.address),
        }
    }

    /// So many octets, or fewer if the connection ends.
    pub(crate) fn receive(&mut self, count: usize) -> Vec<u8> {
        let mut octets = Vec::new();
        self.read_until(|octets| octets.len() >= count, count, &mut octets);
        octets
    }

    /// Everything to the end of the connection.
    pub(crate) fn receive_all(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.read_until(|_| false, usize::MAX, &mut octets);
        octets
    }

    fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool, count: usize, octets: &mut Vec<u8>) {
        let end = Instant::now() + PATIENCE;
        let mut part = [0; 65536];
        while !enough(octets) {
            let wait = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            self.stream.set_read_timeout(Some(wait)).expect("a TCP socket");
            let room = part.len().min(count - octets.len());
            match self.stream.read(&mut part[..room]) {
                Ok(0) => return,
                Ok(read) => octets.extend_from_slice(&part[..read]),
                Err(error) if is_gone(error.kind()) => return,
                Err(error) => panic!("{}: {error} after {}", self.address, show(octets)),
            }
        }
    }
}

/// Errors of a connection that the other end has ended.
fn is_gone(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::NotConnected)
}

/// Octets as hex, for messages.
pub(crate) fn show(octets: &[u8]) -> String {
    let shown: Vec<String> = octets.iter().take(80).map(|octet| format!("{octet:02x}")).collect();
    let rest = if octets.len() > 80 { format!(" ... {} octets", octets.len()) } else { String::new() };
    shown.join(" ") + &rest
}
