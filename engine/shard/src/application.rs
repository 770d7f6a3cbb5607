//! What runs on a shard: the [`Application`] trait, and what it is given and asked for.

use std::net::SocketAddr;

use colloquy_session::{ConnectParameters, Indication, PeerFault, ServiceError, SessionConfig, Tolerated};
use colloquy_transport::buf::Body;
use colloquy_transport::class0::{Class0Config, ConnectTpdu, TransportFault, TransportSelector};
use colloquy_transport::driver::{ConnectOptions, Driver};
use colloquy_transport::tls::TlsFault;

pub use crate::admission::{Admission, ShardLimit};
pub use crate::context::Context;
pub use crate::opening::{OpenTarget, Reach};
use crate::wire::{TargetWire, WireFault};

/// A session of one shard: slab index and generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId {
    /// Slot.
    pub index: u32,
    /// Generation of the slot.
    pub generation: u32,
}

/// What to do with a T-CONNECT indication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportAnswer {
    /// CC.
    Accept,
    /// DR with this reason (X.224 §13.5.3: 3 address unknown, 1 congestion ...).
    Refuse(u8),
}

/// Which end of its transport connection a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportRole {
    /// It opened the transport connection; it alone may begin a session on it.
    Initiator,
    /// It accepted the transport connection.
    Responder,
}

/// How a session ended: each slot is freed with exactly one of these.
#[derive(Debug)]
#[non_exhaustive]
pub enum SessionEnd {
    /// Orderly release, DN sent or received.
    Released,
    /// RF sent or received.
    Refused {
        /// Reason code of the RF.
        reason: u8,
        /// The refusal came from the peer.
        by_peer: bool,
    },
    /// AB sent or received.
    Aborted {
        /// The abort came from the peer.
        by_peer: bool,
        /// By a user; else by a provider.
        by_user: bool,
    },
    /// DR, DC or ER before a session existed, T-CONNECT refused, or closed by
    /// [`Context::refuse_unestablished`] before a CN came.
    TransportRefused {
        /// DR reason.
        reason: u8,
    },
    /// The peer closed the network connection.
    Eof,
    /// The network connection failed: reset, unreachable, refused.
    Network(std::io::Error),
    /// A timer of the shard ran out: `connect` (an initiator's, up to AC or RF), `half-open` (no CN came),
    /// `response` (the application left a CN unanswered), `release` (no answer to FN), `send` (the network
    /// took nothing any more).
    Timeout(&'static str),
    /// The connection was given up below class 0: TLS, or the PROXY protocol.
    Wire(WireFault),
    /// The peer broke the protocol; the fault was reported by `Application::fault`.
    ProtocolError,
    /// A transport connection that was kept from an earlier session ([`Application::transport_kept`]) or opened without
    /// one ([`Context::open`]) was closed, by either side or because no CN came in time, before a session began on it.
    Unused,
}

/// One record for the log about what a peer did wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// In TPKT or TPDU.
    Transport(TransportFault),
    /// In the session layer.
    Session(PeerFault),
}

/// An outgoing session.
#[derive(Clone, Copy, Debug)]
pub struct ConnectTarget<'a> {
    /// Where to.
    pub address: SocketAddr,
    /// Socket options.
    pub options: ConnectOptions,
    /// Calling TSAP.
    pub calling_tsap: Option<TransportSelector>,
    /// Called TSAP.
    pub called_tsap: Option<TransportSelector>,
    /// Transport choices.
    pub transport: Class0Config,
    /// Session choices.
    pub session: SessionConfig,
    /// S-CONNECT request.
    pub connect: ConnectParameters<'a>,
    /// What the connection begins with, below class 0; `None`: nothing.
    pub wire: Option<&'a TargetWire>,
}

/// Code that runs on a shard: one value per shard, called for all its sessions.
///
/// Calls never nest: what a call asks for through the context takes effect on the wire at the end of the
/// completion batch, and indications it causes come in later calls.
pub trait Application: Sized {
    /// State of one session, kept in its slot.
    type Session: Default;
    /// What other threads may send here (through the shard's command ring).
    type Command: Send;

    /// A connection was accepted, and its true source is known. Nothing it brings was looked at. Called once for each
    /// connection that is within the shard's own limits; [`Application::ended`] is called for those admitted alone,
    /// whatever they bring.
    fn accepted<D: Driver>(
        &mut self,
        _ctx: &mut Context<'_, D, Self>,
        _id: SessionId,
        _listener: u32,
        _peer: SocketAddr,
    ) -> Admission {
        Admission::Admit
    }
    /// A connection was accepted and met a limit of the shard's own: it is told by DR, or closed where too many wait for
    /// that. There is no session.
    fn refused<D: Driver>(
        &mut self,
        _ctx: &mut Context<'_, D, Self>,
        _listener: u32,
        _peer: SocketAddr,
        _limit: ShardLimit,
    ) {
    }
    /// What [`Context::open`] asked for is there.
    fn opened<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, _reach: Reach) {
        ctx.transport_disconnect(id);
    }
    /// T-CONNECT indication on a listener; `listener` is the tag given to `Shard::listen`.
    fn transport_connect<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        listener: u32,
        peer: SocketAddr,
        connect: &ConnectTpdu,
    ) -> TransportAnswer;
    /// A session indication. For `Data` and `TypedData`, `body` is the user data; else it is empty.
    fn indication<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        indication: Indication<'_>,
        body: &Body,
    );
    /// The send queue fell below the low mark after it was above the high mark.
    fn writable<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId);
    /// The receive pool is scarce: [detach](colloquy_transport::buf::Slice::detached) what is kept of this
    /// session. Called only for sessions of which [`Context::keeps_octets`] said so, and once for each time.
    fn unpin<D: Driver>(&mut self, _ctx: &mut Context<'_, D, Self>, _id: SessionId) {}
    /// A timer set by [`Context::set_timer`] ran out.
    fn timer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId);
    /// The session is over and its slot is about to be freed. Called exactly once for each session id
    /// that `accepted` has admitted, or that [`Context::connect`], [`Context::open`] or `transport_kept` made known.
    fn ended<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, end: SessionEnd);
    /// The session `previous` has ended and both sides keep its transport connection: what comes next on it is the
    /// session `id`, which ends with an `ended` of its own. Called behind that of `previous`, and only where the
    /// session configuration has `transport_reuse` set.
    ///
    /// An initiator may call [`Context::connect_again`], here or later. A responder waits for a CN, as long as for
    /// that of a new connection; there is no `transport_connect` for it. Either may call
    /// [`Context::transport_disconnect`], which is what an initiator does unless this is overridden.
    fn transport_kept<D: Driver>(
        &mut self,
        ctx: &mut Context<'_, D, Self>,
        id: SessionId,
        role: TransportRole,
        _previous: SessionId,
    ) {
        if role == TransportRole::Initiator {
            ctx.transport_disconnect(id);
        }
    }
    /// A peer's fault, at most once a session, before `ended`.
    fn fault<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, id: SessionId, fault: Fault);
    /// What a peer does wrong without consequences, at most once a session: a parameter that is there twice.
    fn tolerated<D: Driver>(
        &mut self,
        _ctx: &mut Context<'_, D, Self>,
        _id: SessionId,
        _tolerated: Tolerated,
    ) {
    }
    /// A command from another thread.
    fn command<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>, command: Self::Command);
    /// A shard-wide timer set by [`Context::set_shard_timer`] ran out (the load generator's pacing).
    fn shard_timer<D: Driver>(&mut self, ctx: &mut Context<'_, D, Self>);
}

/// Why no session could be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The shard is at `sessions_max`.
    #[error("the shard is at its limit of {0} sessions")]
    SessionsMax(usize),
    /// The system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// TLS cannot be begun.
    #[error("TLS: {0}")]
    Tls(TlsFault),
    /// A parameter is out of range.
    #[error(transparent)]
    Service(#[from] ServiceError),
}
