//! What lies between a driver and class 0 where a listener or target asks for it: PROXY protocol and TLS.
//!
//! ```text
//!  driver ─► received ─► intake ─► PROXY header ─► TLS ─► class 0        intake waits while a handshake is away
//!                                                   │ ▲
//!                                      complete     ▼ │  octets to send, new state
//!                                      records    threads of the handshake pool
//!
//!  driver ◄─ flush ◄── sealed batch ◄── batch of the session
//! ```
//!
//! * A plain connection has no [`Wire`]; the data path looks at one mark.
//! * A handshake never runs on a shard that has a [`HandshakePool`]: signatures take long. The connection goes to a
//!   thread of the pool with the records that have come, and comes back with what is to be sent. What comes meanwhile
//!   waits in the session's intake, which is bounded as for a session that is paused.
//! * Of one shard at most [`UNDER_WAY_MAX`] connections are with the pool; the others wait their turn.
//! * Once a session's handshake is over its records are opened and sealed where its SPDUs are handled, at most
//!   [`OCTETS_PER_TURN_MAX`] octets of one session in one turn.

mod begin;
mod config;
mod deliver;
mod pool;
mod seal;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use colloquy_transport::buf::{Pool, Slice};
use colloquy_transport::proxy::ProxyFault;
use colloquy_transport::tls::{PeerIdentity, TlsConnection, TlsFault, TlsSummary};

use crate::application::SessionId;

pub use config::{ListenerTls, ListenerWire, ProxySenders, TargetTls, TargetWire};
pub use pool::HandshakePool;

use pool::Returns;

/// Connections of one shard that are with the pool at once.
pub(crate) const UNDER_WAY_MAX: usize = 64;
/// Octets of records of one session that are opened in one turn; the receipt that reaches it is opened whole.
pub(crate) const OCTETS_PER_TURN_MAX: usize = 256 << 10;
/// Handshakes taken back in one turn.
const RETURNS_PER_TURN_MAX: usize = 64;
/// Blocks for plaintext of one shard, 64 KiB each. What finds none free is a vector of its own.
const PLAIN_BLOCKS: usize = 8;
const PLAIN_BLOCK_OCTETS: usize = 64 << 10;

/// Why a connection was given up below class 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireFault {
    /// TLS.
    Tls(TlsFault),
    /// The PROXY protocol.
    Proxy(ProxyFault),
}

/// What one connection has below class 0.
#[derive(Debug)]
pub(crate) struct Wire {
    /// The PROXY header as far as it has come, while it is awaited.
    header: Option<Vec<u8>>,
    /// Who sent the header: the other end of the network connection.
    network_peer: Option<SocketAddr>,
    tls: Tls,
    /// Records of a handshake that wait for the rest of the last one, or for the pool.
    records: Vec<u8>,
    /// In the queue for the pool.
    queued: bool,
    /// To be sent as it is, in front of everything else: PROXY header, handshake, alerts.
    out: Vec<u8>,
    /// Octets opened in the turn of this number.
    opened_octets: usize,
    opened_turn: u32,
    /// Time for an initiator's handshake.
    handshake_timeout: Option<Duration>,
    /// Octets have come from the peer.
    heard: bool,
    summary: Option<TlsSummary>,
    peer: Option<Arc<PeerIdentity>>,
}

/// How far TLS is.
#[derive(Debug)]
enum Tls {
    /// There is none.
    Off,
    /// The handshake goes on here.
    Handshaking(Box<TlsConnection>),
    /// The handshake goes on in the pool.
    Away,
    /// Data go both ways.
    Established(Box<TlsConnection>),
    /// It has failed: nothing is sent or taken in any more but what is in `out`.
    Failed,
}

impl Wire {
    fn new(tls: Option<TlsConnection>) -> Wire {
        Wire {
            header: None,
            network_peer: None,
            tls: tls.map_or(Tls::Off, |tls| Tls::Handshaking(Box::new(tls))),
            records: Vec::new(),
            queued: false,
            out: Vec::new(),
            opened_octets: 0,
            opened_turn: 0,
            handshake_timeout: None,
            heard: false,
            summary: None,
            peer: None,
        }
    }

    /// What a connection to a target begins with.
    pub(crate) fn connecting(wanted: &TargetWire) -> Result<Box<Wire>, TlsFault> {
        let tls = wanted.tls.as_ref().map(|tls| tls.client.connect(tls.name.clone())).transpose()?;
        let mut wire = Wire::new(tls);
        wire.handshake_timeout = wanted.tls.as_ref().map(|tls| tls.handshake_timeout);
        if let Some(header) = &wanted.proxy {
            header.encode(&mut wire.out);
        }
        Ok(Box::new(wire))
    }

    /// Something is to be sent, whatever the session has queued. `closing`: the session sends nothing more.
    pub(crate) fn owes(&self, closing: bool) -> bool {
        let close_notify = matches!(&self.tls, Tls::Established(tls) if closing && !tls.is_closed());
        !self.out.is_empty() || close_notify
    }

    /// Receipts must wait for the pool.
    fn is_away(&self) -> bool {
        self.queued || matches!(self.tls, Tls::Away)
    }

    fn is_handshaking(&self) -> bool {
        matches!(self.tls, Tls::Away | Tls::Handshaking(_))
    }

    pub(crate) fn awaits_header(&self) -> bool {
        self.header.is_some()
    }

    /// Class 0 may use it.
    fn is_ready(&self) -> bool {
        self.header.is_none() && matches!(self.tls, Tls::Off | Tls::Established(_))
    }

    pub(crate) fn summary(&self) -> Option<TlsSummary> {
        self.summary
    }

    pub(crate) fn peer(&self) -> Option<&Arc<PeerIdentity>> {
        self.peer.as_ref()
    }

    pub(crate) fn network_peer(&self) -> Option<SocketAddr> {
        self.network_peer
    }
}

/// What the connections of one shard share below class 0.
#[derive(Debug)]
pub(crate) struct Wires {
    /// None: handshakes run on the shard itself, in virtual time.
    pool: Option<Arc<HandshakePool>>,
    returns: Option<Arc<Returns>>,
    /// Connections with the pool.
    under_way: usize,
    /// Those that wait to go there, in order.
    waiting: VecDeque<SessionId>,
    /// Where plaintext is put; made with the first TLS session.
    plain: Option<Pool>,
    /// Plaintext of one receipt.
    opened: Vec<Slice>,
    /// Where records are opened that are more than a connection keeps memory for; empty.
    spare: Vec<u8>,
    /// Plaintext of a batch whose parts do not lie together.
    gathered: Vec<u8>,
}

impl Wires {
    pub(crate) fn new() -> Wires {
        Wires {
            pool: None,
            returns: None,
            under_way: 0,
            waiting: VecDeque::new(),
            plain: None,
            opened: Vec::new(),
            spare: Vec::new(),
            gathered: Vec::new(),
        }
    }

    /// True when handshakes have come back.
    pub(crate) fn has_returns(&self) -> bool {
        self.returns.as_ref().is_some_and(|returns| !returns.is_empty())
    }
}
