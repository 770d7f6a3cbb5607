//! One TLS connection: octets in, octets out, nothing else.

use std::fmt;
use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::UnixTime;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic};
use rustls::{Error, HandshakeKind, ProtocolVersion};

use super::fault::{TlsFault, TlsFaultKind};
use super::identity::PeerIdentity;
use super::verify::{Policy, PolicyError};

/// Octets that wait for the rest of their record or handshake message, at most: the longest message of a handshake
/// (64 KiB) in records of any size, and one record behind it.
pub const TLS_INCOMING_OCTETS_MAX: usize = 128 << 10;
/// Capacity that an idle connection keeps for octets that wait.
const INCOMING_KEPT_OCTETS_MAX: usize = 4 << 10;
/// Plaintext in one record.
const RECORD_OCTETS_MAX: usize = 16 << 10;
/// What a record is longer than its plaintext, at most: header, explicit nonce or content type, tag.
const RECORD_OVERHEAD_OCTETS: usize = 32;
/// Content types of records that may come first (RFC 8446 §5.1): alert and handshake.
const FIRST_OCTETS: std::ops::RangeInclusive<u8> = 21..=22;

/// What was agreed in a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsSummary {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// The cipher suite by its registered name.
    pub cipher: &'static str,
    /// An earlier session was resumed: no certificate was shown anew.
    pub resumed: bool,
}

/// One connection. Its octets go through `receive` and `seal`; what it has to send itself comes out of both.
///
/// After a fault it is of no more use; what it wants to tell the peer about it has come out.
pub struct TlsConnection {
    end: End,
    policy: Arc<Policy>,
    /// Octets received and not used up, from `start` on.
    incoming: Vec<u8>,
    start: usize,
    /// The first octet has come, and was one of TLS.
    begun: bool,
    established: Option<TlsSummary>,
    peer: Option<Arc<PeerIdentity>>,
    close_notify_received: bool,
    close_notify_sent: bool,
}

impl fmt::Debug for TlsConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnection")
            .field("server", &matches!(self.end, End::Server(_)))
            .field("established", &self.established)
            .field("waiting_octets", &self.waiting_octets())
            .finish_non_exhaustive()
    }
}

enum End {
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

/// Calls the same of either end.
macro_rules! either {
    ($end:expr, $connection:ident => $call:expr) => {
        match $end {
            End::Server($connection) => $call,
            End::Client($connection) => $call,
        }
    };
}

/// What a step of rustls has come to.
enum Step {
    /// There may be more to do with what is there.
    More,
    /// Nothing to do before more octets come.
    Blocked,
    /// The peer has said that it sends no more.
    PeerClosed,
    /// `seal` was asked for, and this is how it went.
    Sealed(Result<(), EncryptError>),
}

/// What is wanted once data can be sent.
#[derive(Clone, Copy)]
enum Wanted<'a> {
    Nothing,
    Data(&'a [u8]),
    CloseNotify,
    KeyUpdate,
}

impl TlsConnection {
    pub(super) fn server(connection: UnbufferedServerConnection, policy: Arc<Policy>) -> Self {
        Self::new(End::Server(Box::new(connection)), policy)
    }

    pub(super) fn client(connection: UnbufferedClientConnection, policy: Arc<Policy>) -> Self {
        Self::new(End::Client(Box::new(connection)), policy)
    }

    fn new(end: End, policy: Arc<Policy>) -> Self {
        TlsConnection {
            end,
            policy,
            incoming: Vec::new(),
            start: 0,
            begun: false,
            established: None,
            peer: None,
            close_notify_received: false,
            close_notify_sent: false,
        }
    }

    /// True once the handshake is over and data may go either way.
    pub fn is_established(&self) -> bool {
        self.established.is_some()
    }

    /// What was agreed, once established.
    pub fn summary(&self) -> Option<TlsSummary> {
        self.established
    }

    /// Who the peer is, once established, if it has shown a certificate.
    pub fn peer(&self) -> Option<&Arc<PeerIdentity>> {
        self.peer.as_ref()
    }

    /// True when the peer has said that it sends no more: an end of the network connection without that is
    /// [`TlsFaultKind::Truncated`].
    pub fn is_closed_by_peer(&self) -> bool {
        self.close_notify_received
    }

    /// True once `close_notify` was sealed.
    pub fn is_closed(&self) -> bool {
        self.close_notify_sent
    }

    /// Octets received that wait for more.
    pub fn waiting_octets(&self) -> usize {
        self.incoming.len() - self.start
    }

    /// Takes octets from the network. Plaintext goes to `plain`, one call for each record; what is to be sent is
    /// appended to `out`. A client begins with no octets.
    ///
    /// # Errors
    /// What is wrong with the peer; `out` has the alert for it.
    pub fn receive(
        &mut self,
        octets: &[u8],
        out: &mut Vec<u8>,
        plain: &mut dyn FnMut(&[u8]),
    ) -> Result<(), TlsFault> {
        self.receive_in(&mut Vec::new(), octets, out, plain)
    }

    /// The same with memory that connections share: what does not fit the little that this one keeps is handled in
    /// `spare`, which is empty before and after, and stays with the connection only while a record is incomplete.
    ///
    /// # Errors
    /// As [`TlsConnection::receive`].
    pub fn receive_in(
        &mut self,
        spare: &mut Vec<u8>,
        octets: &[u8],
        out: &mut Vec<u8>,
        plain: &mut dyn FnMut(&[u8]),
    ) -> Result<(), TlsFault> {
        debug_assert!(spare.is_empty(), "octets of another connection");
        if let Some(first) = octets.first()
            && !std::mem::replace(&mut self.begun, true)
            && !FIRST_OCTETS.contains(first)
        {
            return Err(TlsFaultKind::NotTls.into());
        }
        if self.incoming.is_empty() && octets.len() > self.incoming.capacity() {
            std::mem::swap(&mut self.incoming, spare);
        }
        self.incoming.extend_from_slice(octets);
        let result = self.work(Wanted::Nothing, out, plain);
        if result.is_err() {
            self.tell(out);
        }
        self.tidy(spare);
        result?;
        if self.waiting_octets() > TLS_INCOMING_OCTETS_MAX {
            return Err(TlsFaultKind::BadRecord.into());
        }
        self.note_established()
    }

    /// Appends records with `octets` to `out`: as few as there can be.
    ///
    /// # Errors
    /// When the connection has failed, or its keys are used up.
    ///
    /// # Panics
    /// Before it is established: nothing can be sent then.
    pub fn seal(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), TlsFault> {
        assert!(self.is_established(), "data are sent after the handshake");
        if octets.is_empty() { Ok(()) } else { self.work(Wanted::Data(octets), out, &mut |_| ()) }
    }

    /// Appends `close_notify` to `out`, once: nothing is sealed after it. Nothing before the handshake is over.
    pub fn close(&mut self, out: &mut Vec<u8>) {
        if self.is_established() && !std::mem::replace(&mut self.close_notify_sent, true) {
            // Fails only when the connection has failed, and then there is nobody to tell.
            let _ = self.work(Wanted::CloseNotify, out, &mut |_| ());
        }
    }

    /// Changes the keys of this direction and asks the peer to change its own (TLS 1.3); its octets go to `out`.
    ///
    /// # Errors
    /// When the connection has failed or is one of TLS 1.2, where the keys cannot be changed.
    pub fn update_keys(&mut self, out: &mut Vec<u8>) -> Result<(), TlsFault> {
        self.work(Wanted::KeyUpdate, out, &mut |_| ())?;
        self.work(Wanted::Nothing, out, &mut |_| ())
    }

    fn work(
        &mut self,
        mut wanted: Wanted<'_>,
        out: &mut Vec<u8>,
        plain: &mut dyn FnMut(&[u8]),
    ) -> Result<(), TlsFault> {
        loop {
            let incoming = &mut self.incoming[self.start..];
            let (used, step) = either!(&mut self.end, connection => {
                step(connection.process_tls_records(incoming), wanted, out, plain)
            });
            self.start += used;
            match step.map_err(|error| TlsFault::of(&error))? {
                Step::More => {}
                Step::PeerClosed => self.close_notify_received = true,
                Step::Blocked => return Ok(()),
                Step::Sealed(Ok(())) => {
                    if matches!(wanted, Wanted::KeyUpdate) {
                        wanted = Wanted::Nothing;
                    } else {
                        return Ok(());
                    }
                }
                Step::Sealed(Err(_)) => return Err(TlsFaultKind::Other.into()),
            }
        }
    }

    /// Lets out what a connection that has failed wants to tell the peer: an alert. Not a step more, in which rustls
    /// would meet the same fault again.
    fn tell(&mut self, out: &mut Vec<u8>) {
        while either!(&self.end, connection => connection.wants_write()) {
            let incoming = &mut self.incoming[self.start..];
            let (used, step) = either!(&mut self.end, connection => {
                step(connection.process_tls_records(incoming), Wanted::Nothing, out, &mut |_| ())
            });
            self.start += used;
            if !matches!(step, Ok(Step::More)) {
                return;
            }
        }
    }

    /// Forgets octets that are used up, and gives back memory that an idle connection does not need.
    fn tidy(&mut self, spare: &mut Vec<u8>) {
        if self.start == self.incoming.len() {
            self.incoming.clear();
            if self.incoming.capacity() > INCOMING_KEPT_OCTETS_MAX {
                let kept = std::mem::take(spare);
                *spare = std::mem::replace(&mut self.incoming, kept);
                if self.incoming.capacity() > INCOMING_KEPT_OCTETS_MAX {
                    self.incoming = Vec::new();
                }
            }
        } else if self.start > 0 {
            self.incoming.drain(..self.start);
        }
        self.start = 0;
    }

    fn note_established(&mut self) -> Result<(), TlsFault> {
        if self.established.is_some() || either!(&self.end, connection => connection.is_handshaking()) {
            return Ok(());
        }
        let (version, suite, kind, certificate) = either!(&self.end, connection => (
            connection.protocol_version(),
            connection.negotiated_cipher_suite(),
            connection.handshake_kind(),
            connection.peer_certificates().and_then(<[_]>::first),
        ));
        let peer = match certificate {
            Some(certificate) => Some(PeerIdentity::of(certificate).ok_or(TlsFaultKind::BadCertificate)?),
            None => None,
        };
        let resumed = kind == Some(HandshakeKind::Resumed);
        if let Some(peer) = peer.as_ref().filter(|_| resumed) {
            self.judge_again(peer)?;
        }
        self.established = Some(TlsSummary {
            version: if version == Some(ProtocolVersion::TLSv1_2) { "1.2" } else { "1.3" },
            cipher: suite.and_then(|suite| suite.suite().as_str()).unwrap_or("unknown"),
            resumed,
        });
        self.peer = peer.map(Arc::new);
        Ok(())
    }

    /// A peer that resumes shows nothing, so what it has shown before is looked at again.
    fn judge_again(&self, peer: &PeerIdentity) -> Result<(), TlsFault> {
        let kind = match self.policy.check(peer) {
            Err(PolicyError::NotAllowed) => TlsFaultKind::NotAllowed,
            Err(PolicyError::WeakKey { .. }) => TlsFaultKind::WeakKey,
            Err(PolicyError::Unreadable) => TlsFaultKind::BadCertificate,
            Ok(()) if i64::try_from(UnixTime::now().as_secs()).is_ok_and(|now| now > peer.not_after) => {
                TlsFaultKind::Expired
            }
            Ok(()) => return Ok(()),
        };
        Err(TlsFault { kind, certificate: Some(peer.sha256), detail: None })
    }
}

/// One step of rustls; gives what it has used up of the octets received, too.
fn step<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    wanted: Wanted<'_>,
    out: &mut Vec<u8>,
    plain: &mut dyn FnMut(&[u8]),
) -> (usize, Result<Step, Error>) {
    let UnbufferedStatus { mut discard, state, .. } = status;
    let step = match state {
        Err(error) => Err(error),
        Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
            match traffic.next_record() {
                None => break Ok(Step::More),
                Some(Err(error)) => break Err(error),
                Some(Ok(record)) => {
                    discard += record.discard;
                    plain(record.payload);
                }
            }
        },
        Ok(ConnectionState::EncodeTlsData(mut data)) => {
            append(out, RECORD_OCTETS_MAX + RECORD_OVERHEAD_OCTETS, |room| match data.encode(room) {
                Err(EncodeError::InsufficientSize(size)) => Err(Some(size.required_size)),
                Err(EncodeError::AlreadyEncoded) => Err(None),
                Ok(octets) => Ok(octets),
            });
            Ok(Step::More)
        }
        Ok(ConnectionState::TransmitTlsData(data)) => {
            data.done();
            Ok(Step::More)
        }
        Ok(ConnectionState::WriteTraffic(traffic)) => match wanted {
            Wanted::Nothing => Ok(Step::Blocked),
            Wanted::KeyUpdate => traffic.refresh_traffic_keys().map(|()| Step::Sealed(Ok(()))),
            wanted => Ok(Step::Sealed(seal(traffic, wanted, out))),
        },
        Ok(ConnectionState::PeerClosed) => Ok(Step::PeerClosed),
        // Early data are never accepted.
        Ok(_) => Ok(Step::Blocked),
    };
    (discard, step)
}

fn seal<Data>(
    mut traffic: WriteTraffic<'_, Data>,
    wanted: Wanted<'_>,
    out: &mut Vec<u8>,
) -> Result<(), EncryptError> {
    let octets = if let Wanted::Data(octets) = wanted { octets } else { &[] };
    let records = octets.len().div_ceil(RECORD_OCTETS_MAX).max(1);
    let mut exhausted = false;
    append(out, octets.len() + records * RECORD_OVERHEAD_OCTETS, |room| {
        let sealed = match wanted {
            Wanted::CloseNotify => traffic.queue_close_notify(room),
            _ => traffic.encrypt(octets, room),
        };
        sealed.map_err(|error| match error {
            EncryptError::InsufficientSize(size) => Some(size.required_size),
            EncryptError::EncryptExhausted => {
                exhausted = true;
                None
            }
        })
    });
    if exhausted { Err(EncryptError::EncryptExhausted) } else { Ok(()) }
}

/// Appends to `out` what `put` writes into the room that it gets; an `Err` is the room that it needs, or none at all.
fn append(out: &mut Vec<u8>, room: usize, mut put: impl FnMut(&mut [u8]) -> Result<usize, Option<usize>>) {
    let start = out.len();
    let mut room = room;
    let written = loop {
        out.resize(start + room, 0);
        match put(&mut out[start..]) {
            Ok(written) => break written,
            Err(Some(required)) if required > room => room = required,
            Err(_) => break 0,
        }
    };
    out.truncate(start + written);
}
