//! One end of a simulated TCP connection.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::driver::ConnectionId;

/// A socket of the network; stale once it is closed.
pub(super) type SocketId = ConnectionId;

/// One end of a connection.
///
/// ```text
///   writer ──► arriving (in the network, each with its time) ──► arrived (in the socket) ──► reader
///          └───────────── at most window_octets, counted by the writer ─────────────┘
/// ```
#[derive(Debug)]
pub(super) struct Socket {
    /// Index of the host it belongs to.
    pub(super) host: usize,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    /// The driver's id; `None` while it waits in a backlog.
    pub(super) owner: Option<ConnectionId>,
    /// The other end; `None` before the handshake, and after the network has ended the connection.
    pub(super) peer: Option<SocketId>,
    pub(super) handshake: Handshake,
    /// Under way to this end, in order of time.
    pub(super) arriving: VecDeque<(Duration, Arrival)>,
    /// When the last of `arriving` arrives: nothing overtakes.
    pub(super) last_arrival_at: Duration,
    pub(super) arrived: VecDeque<u8>,
    /// The peer's FIN has arrived.
    pub(super) fin: bool,
    /// What reading and writing gives from here on (reading after `arrived`).
    pub(super) error: Option<io::ErrorKind>,
    /// Octets written here and not read at the other end.
    pub(super) window_used: usize,
    /// A write found less room than it wanted; the host is told when there is more.
    pub(super) blocked: bool,
    /// FIN was sent.
    pub(super) shut_down: bool,
    /// It is in the ready queue of its host.
    pub(super) announced: bool,
    /// Index of the captured flow of what it writes.
    pub(super) flow: Option<usize>,
}

/// How far the handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handshake {
    UnderWay,
    Done,
    Failed(io::ErrorKind),
}

/// What arrives.
#[derive(Debug)]
pub(super) enum Arrival {
    Octets(Vec<u8>),
    Fin,
    Reset,
}

impl Socket {
    pub(super) fn new(host: usize, local: SocketAddr, remote: SocketAddr) -> Socket {
        Socket {
            host,
            local,
            remote,
            owner: None,
            peer: None,
            handshake: Handshake::UnderWay,
            arriving: VecDeque::new(),
            last_arrival_at: Duration::ZERO,
            arrived: VecDeque::new(),
            fin: false,
            error: None,
            window_used: 0,
            blocked: false,
            shut_down: false,
            announced: false,
            flow: None,
        }
    }

    /// Takes in what has arrived by `now`.
    pub(super) fn arrive(&mut self, now: Duration) {
        while self.arriving.front().is_some_and(|(at, _)| *at <= now) {
            match self.arriving.pop_front() {
                Some((_, Arrival::Octets(octets))) => self.arrived.extend(octets),
                Some((_, Arrival::Fin)) => self.fin = true,
                Some((_, Arrival::Reset)) | None => self.error = Some(io::ErrorKind::ConnectionReset),
            }
        }
    }

    /// There are octets that nobody has read, here or under way.
    pub(super) fn has_unread(&self) -> bool {
        !self.arrived.is_empty()
            || self.arriving.iter().any(|(_, arrival)| matches!(arrival, Arrival::Octets(_)))
    }

    /// Moves octets that have arrived to `room`; there are at least `octets`.
    pub(super) fn take_arrived(&mut self, room: &mut [u8], octets: usize) {
        let (first, second) = self.arrived.as_slices();
        let split = octets.min(first.len());
        room[..split].copy_from_slice(&first[..split]);
        room[split..octets].copy_from_slice(&second[..octets - split]);
        self.arrived.drain(..octets);
    }
}
