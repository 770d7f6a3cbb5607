//! What a shard tells the log: plain values, made on the shard's thread and formatted on another.

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_session::{
    FunctionalUnits, Selector, SerialNumber, SerialNumbers, ServiceError, State, Tolerated, Versions,
};
use colloquy_shard::{Fault, SessionEnd, SessionId, WireFault};
use colloquy_transport::class0::TransportSelector;

use crate::app::Why;

/// Which session a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The shard.
    pub shard: u16,
    /// The session.
    pub session: SessionId,
    /// Which side of it this is.
    pub side: Side,
    /// The peer, while it is known.
    pub peer: Option<SocketAddr>,
    /// The other session of a relay.
    pub partner: Option<SessionId>,
}

/// Which side of a session this is, and by which part of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Accepted on the listener of this index.
    Responder {
        /// Index in `Config::listeners`, while the shard knows the session.
        listener: Option<u16>,
    },
    /// Opened to the target of this index.
    Initiator {
        /// Index in `Config::targets`.
        target: u16,
    },
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// Which session.
    pub subject: Subject,
    /// What happened.
    pub event: RecordEvent,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordEvent {
    /// A session has begun.
    Opened(OpenRecord),
    /// A session ended.
    Ended(EndRecord),
    /// A peer broke the protocol.
    Fault(Fault),
    /// A peer did something wrong, and nothing follows from it.
    Tolerated(Tolerated),
    /// The relay could not carry something over and ended both sessions.
    NotCarried(NotCarried),
    /// No route let a downstream in, or one that refuses.
    NoRoute {
        /// The reason code of the RF that it got.
        refused: u8,
    },
    /// No target of a downstream's destination is usable.
    NoTarget {
        /// The reason code of the RF that it got.
        refused: u8,
    },
    /// Health checks have found that a target answers, or that it does not any more.
    TargetHealth {
        /// It answers.
        up: bool,
        /// Why the last check failed, in a word.
        reason: Option<&'static str>,
    },
    /// Connections that are to be open beforehand cannot be had, or are not kept by the target.
    WarmFailed {
        /// Why the last one failed, in a word.
        reason: &'static str,
        /// Rounds in a row that failed on this shard.
        failures: u32,
        /// When the next is tried.
        again_in: Duration,
    },
    /// A target is passed over for a time because sessions to it failed.
    TargetEjected {
        /// For so long.
        time: Duration,
    },
    /// The time of an ejection is over.
    TargetRestored,
    /// A connection was given up below class 0.
    Wire(WireFault),
    /// The selectors do not fit a binding of the peer's certificate, whose SHA-256 it is.
    Misbound {
        /// The certificate, if there is one.
        certificate: Option<[u8; 32]>,
    },
    /// No upstream session could be opened.
    NotOpened {
        /// The reason code of the RF that the downstream got.
        refused: u8,
    },
}

impl RecordEvent {
    /// True for what is logged however often it happens: the account of what went on, and changes of state.
    pub fn is_always_logged(&self) -> bool {
        let is_change_of_state = matches!(
            self,
            RecordEvent::TargetHealth { .. }
                | RecordEvent::TargetEjected { .. }
                | RecordEvent::TargetRestored
        );
        self.is_account() || is_change_of_state
    }
}

/// How a session went and ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndRecord {
    /// How it ended.
    pub end: EndReason,
    /// From accepting or opening the connection to the end of the session.
    pub duration: Duration,
    /// SSDUs (or segments of one) received.
    pub ssdus_in: u64,
    /// SSDUs (or segments of one) sent.
    pub ssdus_out: u64,
    /// Octets of user data received.
    pub octets_in: u64,
    /// Octets of user data sent.
    pub octets_out: u64,
    /// Functional units that were in use; empty when it was never established.
    pub units: FunctionalUnits,
    /// The version that was in use.
    pub version: Option<Versions>,
    /// From accepting or opening the connection to the answer to S-CONNECT; `None`: it was never established.
    pub connect: Option<Duration>,
    /// From the answer to S-CONNECT to the end.
    pub open: Option<Duration>,
    /// State of the machine at the end.
    pub state: Option<State>,
    /// The last synchronization points, where there were units with such.
    pub sync: Option<SyncNumbers>,
    /// Where an accepted session went.
    pub destination: Destination,
    /// Version of TLS, where there is TLS.
    pub tls_version: Option<&'static str>,
    /// Why the gateway ended it; `None`: it did not.
    pub why: Option<Why>,
}

/// How a session begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenRecord {
    /// Calling TSAP of CR.
    pub calling_tsap: Option<TransportSelector>,
    /// Called TSAP of CR.
    pub called_tsap: Option<TransportSelector>,
    /// Calling SSAP of CN; `None`: it did not come.
    pub calling_ssap: Option<Selector>,
    /// Called SSAP of CN; `None`: it did not come.
    pub called_ssap: Option<Selector>,
    /// Functional units that were proposed.
    pub units: FunctionalUnits,
    /// Versions that were proposed.
    pub versions: Versions,
    /// Where an accepted session goes.
    pub destination: Destination,
    /// Version of TLS, where there is TLS; of a session to a target its close record has it.
    pub tls_version: Option<&'static str>,
}

impl OpenRecord {
    /// Of a session of which nothing is known.
    pub(crate) fn unknown() -> OpenRecord {
        OpenRecord {
            calling_tsap: None,
            called_tsap: None,
            calling_ssap: None,
            called_ssap: None,
            units: FunctionalUnits::empty(),
            versions: Versions::empty(),
            destination: Destination::default(),
            tls_version: None,
        }
    }
}

/// Where an accepted session goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destination {
    /// Index in `Config::routes` of the route that took it.
    pub route: Option<u16>,
    /// Index in `Config::targets`.
    pub target: Option<u16>,
}

/// Synchronization points at the end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncNumbers {
    /// The last major point that was confirmed.
    pub major: Option<SerialNumber>,
    /// The last point of any kind.
    pub last: Option<SerialNumber>,
}

impl SyncNumbers {
    /// Of a machine's numbers; `None` where its units have no points.
    pub(crate) fn of(units: FunctionalUnits, numbers: SerialNumbers) -> Option<SyncNumbers> {
        let numbered = FunctionalUnits::MINOR_SYNC
            | FunctionalUnits::MAJOR_SYNC
            | FunctionalUnits::RESYNCHRONIZE
            | FunctionalUnits::ACTIVITY;
        // V(R) follows the last confirmed major point, V(M) the last point.
        let before = |number: SerialNumber| number.0.checked_sub(1).map(SerialNumber);
        units
            .intersects(numbered)
            .then(|| SyncNumbers { major: before(numbers.lowest_restart), last: before(numbers.next) })
    }
}

impl RecordEvent {
    /// True for the account of sessions: their open and close records, which match one to one, so that none may be lost.
    pub fn is_account(&self) -> bool {
        matches!(self, RecordEvent::Opened(_) | RecordEvent::Ended(_))
    }
}

/// [`SessionEnd`] as a plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum EndReason {
    Released,
    Refused { reason: u8, by_peer: bool },
    Aborted { by_peer: bool, by_user: bool },
    TransportRefused { reason: u8 },
    Eof,
    Network { kind: std::io::ErrorKind, os_error: Option<i32> },
    Timeout(&'static str),
    ProtocolError,
    Unused,
    Wire(WireFault),
    Other,
}

impl From<&SessionEnd> for EndReason {
    fn from(end: &SessionEnd) -> Self {
        match end {
            SessionEnd::Released => EndReason::Released,
            SessionEnd::Refused { reason, by_peer } => {
                EndReason::Refused { reason: *reason, by_peer: *by_peer }
            }
            SessionEnd::Aborted { by_peer, by_user } => {
                EndReason::Aborted { by_peer: *by_peer, by_user: *by_user }
            }
            SessionEnd::TransportRefused { reason } => EndReason::TransportRefused { reason: *reason },
            SessionEnd::Eof => EndReason::Eof,
            SessionEnd::Network(error) => {
                EndReason::Network { kind: error.kind(), os_error: error.raw_os_error() }
            }
            SessionEnd::Timeout(timer) => EndReason::Timeout(timer),
            SessionEnd::ProtocolError => EndReason::ProtocolError,
            SessionEnd::Unused => EndReason::Unused,
            SessionEnd::Wire(fault) => EndReason::Wire(*fault),
            _ => EndReason::Other,
        }
    }
}

impl EndReason {
    /// The word of logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            EndReason::Released => "released",
            EndReason::Refused { by_peer: true, .. } => "refused_by_peer",
            EndReason::Refused { by_peer: false, .. } => "refused",
            EndReason::Aborted { by_peer: true, by_user: true } => "aborted_by_peer_user",
            EndReason::Aborted { by_peer: true, by_user: false } => "aborted_by_peer_provider",
            EndReason::Aborted { by_peer: false, by_user: true } => "aborted_by_user",
            EndReason::Aborted { by_peer: false, by_user: false } => "aborted_by_provider",
            EndReason::TransportRefused { .. } => "transport_refused",
            EndReason::Eof => "eof",
            EndReason::Network { .. } => "network",
            EndReason::Timeout(_) => "timeout",
            EndReason::ProtocolError => "protocol_error",
            EndReason::Unused => "unused",
            EndReason::Wire(WireFault::Tls(_)) => "tls",
            EndReason::Wire(WireFault::Proxy(_)) => "proxy",
            EndReason::Other => "other",
        }
    }

    /// True for ends that nobody needs to look into.
    pub fn is_orderly(self) -> bool {
        matches!(
            self,
            EndReason::Released
                | EndReason::Aborted { by_user: true, .. }
                | EndReason::Eof
                | EndReason::Unused
        )
    }
}

/// Why a relay ended both sessions by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotCarried {
    /// An SSDU grew beyond `ssdu_octets_max` while it was joined.
    SsduTooLong,
    /// The other side does not allow the primitive.
    Primitive {
        /// The primitive.
        name: &'static str,
        /// What the other side's machine says.
        error: ServiceError,
    },
    /// A primitive that no configured functional unit has.
    Unknown,
    /// A synchronization point has another number on the other side.
    SerialNumber {
        /// The number indicated.
        indicated: SerialNumber,
        /// The number it would get.
        next: SerialNumber,
    },
    /// The peer did not answer in time.
    Timeout {
        /// What it did not answer.
        waited_for: &'static str,
    },
}
