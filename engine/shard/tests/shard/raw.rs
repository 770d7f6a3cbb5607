//! A peer made of octets: says what it likes, over a socket, while a shard turns.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use colloquy_session::{Session, SessionConfig, Transmit};
use colloquy_transport::buf::TxBatch;
use colloquy_transport::class0::{Class0, Class0Config, ConnectTpdu};

use crate::pair::{Pair, World};
use crate::recorder::proposal;

pub(crate) struct Raw {
    socket: TcpStream,
    pub(crate) received: Vec<u8>,
    /// The shard has closed, in whatever way.
    pub(crate) closed: bool,
}

impl Raw {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket, received: Vec::new(), closed: false }
    }

    /// A peer whose system takes little that it does not read.
    pub(crate) fn connect_narrow(address: SocketAddr) -> Self {
        let socket =
            socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&address.into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket: socket.into(), received: Vec::new(), closed: false }
    }

    /// From here on the system takes more.
    pub(crate) fn widen(&self) {
        socket2::SockRef::from(&self.socket).set_recv_buffer_size(4 << 20).unwrap();
    }

    /// Sends as much of `octets` as the socket takes at once; how much.
    pub(crate) fn send_some(&mut self, octets: &[u8]) -> usize {
        match self.socket.write(octets) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => panic!("{error}"),
        }
    }

    /// Sends what the socket takes; a shard that has closed is no fault here.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        self.closed |= self.socket.write_all(octets).is_err();
    }

    /// Sends no more; what the shard sends is still taken.
    pub(crate) fn shutdown_write(&mut self) {
        self.socket.shutdown(std::net::Shutdown::Write).unwrap();
    }

    fn receive(&mut self) {
        let mut octets = vec![0; 256 << 10];
        match self.socket.read(&mut octets) {
            Ok(0) => self.closed = true,
            Ok(count) => self.received.extend_from_slice(&octets[..count]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => self.closed = true,
        }
    }

    /// Turns the server until `done`, or panics after half a minute.
    pub(crate) fn until<W: World>(&mut self, pair: &mut Pair<W>, done: impl Fn(&Self, &Pair<W>) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !done(self, pair) {
            pair.server.turn(Some(Duration::from_millis(1))).unwrap();
            self.receive();
            let seen = format!("{:?}", pair.server.app().seen);
            assert!(Instant::now() < deadline, "{seen:.2000} {:#?}", pair.server.inspect());
        }
    }

    /// Sends CR and waits for the CC.
    pub(crate) fn open_transport<W: World>(&mut self, pair: &mut Pair<W>) {
        self.send(&cr());
        self.until(pair, |raw, _| !raw.received.is_empty());
        assert_eq!(self.received[5], 0xd0, "CC");
        self.received.clear();
    }

    /// Sends CR and CN and waits for the AC.
    pub(crate) fn open_session<W: World>(&mut self, pair: &mut Pair<W>) {
        self.open_transport(pair);
        self.send(&cn());
        self.until(pair, |raw, _| !raw.received.is_empty());
        assert_eq!(self.received[7], 14, "AC");
        self.received.clear();
    }
}

/// A CR in its TPKT.
pub(crate) fn cr() -> Vec<u8> {
    let mut batch = TxBatch::new();
    Class0::initiator(&Class0Config::default()).connect_request(&ConnectTpdu::default(), &mut batch);
    batch.to_vec()
}

/// A CN in its TPKT.
pub(crate) fn cn() -> Vec<u8> {
    let mut session = Session::initiator(&SessionConfig::default(), &proposal(b"raw")).unwrap();
    session.transport_connected(Duration::ZERO, false);
    match session.poll_transmit() {
        Some(Transmit::Tsdu(octets)) => tpkt(octets),
        other => panic!("no CN but {other:?}"),
    }
}

/// A TSDU in one TPKT.
pub(crate) fn tpkt(tsdu: &[u8]) -> Vec<u8> {
    let octets = (tsdu.len() + 7) as u16;
    [&[3, 0], &octets.to_be_bytes()[..], &[2, 0xf0, 0x80], tsdu].concat()
}
