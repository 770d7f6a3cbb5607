//! Why a TLS connection failed, one name for each kind.

use std::cell::Cell;
use std::fmt;

use rustls::{CertificateError, Error, InvalidMessage, PeerIncompatible};

use super::verify::PolicyError;

/// Why a TLS connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsFault {
    /// What was wrong.
    pub kind: TlsFaultKind,
    /// SHA-256 of the peer's certificate, where it was the certificate.
    pub certificate: Option<[u8; 32]>,
    /// Why a certificate cannot be used, where the kind says no more than that.
    pub detail: Option<&'static str>,
}

/// What was wrong with a TLS connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TlsFaultKind {
    /// The peer showed no certificate, and must.
    NoCertificate,
    /// No authority known here vouches for the certificate.
    UnknownAuthority,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// A revocation list names the certificate.
    Revoked,
    /// There is no revocation list of its authority, and there must be.
    RevocationListMissing,
    /// The revocation list of its authority is out of date, and must not be.
    RevocationListExpired,
    /// A signature of a certificate or of the handshake is wrong.
    BadSignature,
    /// The certificate is for another name.
    WrongName,
    /// The certificate is for another purpose, or cannot be read.
    BadCertificate,
    /// The certificate is not on the allow-list.
    NotAllowed,
    /// The RSA key has too few bits.
    WeakKey,
    /// No common version of TLS.
    Version,
    /// No common cipher, group or signature scheme.
    Cipher,
    /// The handshake took too long.
    HandshakeTimeout,
    /// A record or handshake message is malformed, out of place or does not decrypt.
    BadRecord,
    /// The octets are not TLS.
    NotTls,
    /// The peer refused with this alert (RFC 8446 §6).
    Alert(u8),
    /// The peer closed the connection without saying so in TLS: what came may not be all.
    Truncated,
    /// A fault of this side: no random octets, no time, keys used up.
    Other,
}

impl TlsFaultKind {
    /// Every kind; the alert stands for all alerts.
    pub const ALL: [TlsFaultKind; 20] = [
        TlsFaultKind::NoCertificate,
        TlsFaultKind::UnknownAuthority,
        TlsFaultKind::Expired,
        TlsFaultKind::NotYetValid,
        TlsFaultKind::Revoked,
        TlsFaultKind::RevocationListMissing,
        TlsFaultKind::RevocationListExpired,
        TlsFaultKind::BadSignature,
        TlsFaultKind::WrongName,
        TlsFaultKind::BadCertificate,
        TlsFaultKind::NotAllowed,
        TlsFaultKind::WeakKey,
        TlsFaultKind::Version,
        TlsFaultKind::Cipher,
        TlsFaultKind::HandshakeTimeout,
        TlsFaultKind::BadRecord,
        TlsFaultKind::NotTls,
        TlsFaultKind::Alert(0),
        TlsFaultKind::Truncated,
        TlsFaultKind::Other,
    ];

    /// The word of logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            TlsFaultKind::NoCertificate => "no_certificate",
            TlsFaultKind::UnknownAuthority => "unknown_authority",
            TlsFaultKind::Expired => "expired",
            TlsFaultKind::NotYetValid => "not_yet_valid",
            TlsFaultKind::Revoked => "revoked",
            TlsFaultKind::RevocationListMissing => "revocation_list_missing",
            TlsFaultKind::RevocationListExpired => "revocation_list_expired",
            TlsFaultKind::BadSignature => "bad_signature",
            TlsFaultKind::WrongName => "wrong_name",
            TlsFaultKind::BadCertificate => "bad_certificate",
            TlsFaultKind::NotAllowed => "not_allowed",
            TlsFaultKind::WeakKey => "weak_key",
            TlsFaultKind::Version => "version",
            TlsFaultKind::Cipher => "cipher",
            TlsFaultKind::HandshakeTimeout => "handshake_timeout",
            TlsFaultKind::BadRecord => "bad_record",
            TlsFaultKind::NotTls => "not_tls",
            TlsFaultKind::Alert(_) => "alert",
            TlsFaultKind::Truncated => "truncated",
            TlsFaultKind::Other => "other",
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        match self.kind {
            TlsFaultKind::Alert(code) => write!(f, " {code}"),
            _ => self.detail.map_or(Ok(()), |detail| write!(f, ": {detail}")),
        }
    }
}

impl std::error::Error for TlsFault {}

impl From<TlsFaultKind> for TlsFault {
    fn from(kind: TlsFaultKind) -> Self {
        TlsFault { kind, certificate: None, detail: None }
    }
}

thread_local! {
    /// SHA-256 of the certificate that this thread refused last: rustls' errors do not say which it was.
    static REFUSED: Cell<Option<[u8; 32]>> = const { Cell::new(None) };
}

/// Notes which certificate is about to be refused.
pub(super) fn note_refused(certificate: [u8; 32]) {
    REFUSED.set(Some(certificate));
}

impl TlsFault {
    /// The fault of an error that came up on this thread just now.
    pub(super) fn of(error: &Error) -> TlsFault {
        let refused = REFUSED.take();
        let certificate = if let Error::InvalidCertificate(_) = error { refused } else { None };
        let kind = kind_of(error);
        let detail = if kind == TlsFaultKind::BadCertificate { detail_of(error) } else { None };
        TlsFault { kind, certificate, detail }
    }
}

fn kind_of(error: &Error) -> TlsFaultKind {
    match error {
        Error::NoCertificatesPresented => TlsFaultKind::NoCertificate,
        Error::InvalidCertificate(error) => kind_of_certificate(error),
        Error::InvalidCertRevocationList(_) => TlsFaultKind::RevocationListMissing,
        Error::AlertReceived(alert) => TlsFaultKind::Alert(u8::from(*alert)),
        Error::PeerIncompatible(error) => kind_of_incompatibility(error),
        Error::NoApplicationProtocol => TlsFaultKind::Cipher,
        Error::InvalidMessage(InvalidMessage::UnknownProtocolVersion) => TlsFaultKind::Version,
        Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::InvalidEncryptedClientHello(_)
        | Error::InvalidMessage(_)
        | Error::DecryptError
        | Error::PeerMisbehaved(_)
        | Error::PeerSentOversizedRecord => TlsFaultKind::BadRecord,
        _ => TlsFaultKind::Other,
    }
}

fn kind_of_certificate(error: &CertificateError) -> TlsFaultKind {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFaultKind::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsFaultKind::NotYetValid
        }
        CertificateError::Revoked => TlsFaultKind::Revoked,
        CertificateError::UnknownIssuer => TlsFaultKind::UnknownAuthority,
        CertificateError::UnknownRevocationStatus => TlsFaultKind::RevocationListMissing,
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            TlsFaultKind::RevocationListExpired
        }
        CertificateError::BadSignature => TlsFaultKind::BadSignature,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            TlsFaultKind::WrongName
        }
        CertificateError::Other(other) => match other.0.downcast_ref::<PolicyError>() {
            Some(PolicyError::NotAllowed) => TlsFaultKind::NotAllowed,
            Some(PolicyError::WeakKey { .. }) => TlsFaultKind::WeakKey,
            Some(PolicyError::Unreadable) | None => TlsFaultKind::BadCertificate,
        },
        _ => TlsFaultKind::BadCertificate,
    }
}

/// What is wrong with a certificate that cannot be used.
fn detail_of(error: &Error) -> Option<&'static str> {
    let Error::InvalidCertificate(error) = error else { return None };
    match error {
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            Some("its extended key usage is for another purpose")
        }
        CertificateError::BadEncoding => Some("it cannot be read"),
        CertificateError::UnhandledCriticalExtension => Some("it has a critical extension that is not known"),
        // The verifier's own errors have no name here but their text.
        CertificateError::Other(other) => match format!("{:?}", other.0).as_str() {
            "CaUsedAsEndEntity" => Some("it is one of an authority, or signed by itself"),
            "EndEntityUsedAsCa" => Some("who has issued it is no authority"),
            "UnsupportedCriticalExtension" => Some("it has a critical extension that is not known"),
            _ => None,
        },
        _ => None,
    }
}

fn kind_of_incompatibility(error: &PeerIncompatible) -> TlsFaultKind {
    match error {
        PeerIncompatible::ServerDoesNotSupportTls12Or13
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::Tls12NotOffered
        | PeerIncompatible::Tls12NotOfferedOrEnabled
        // Every client of TLS 1.2 and later says which signatures it takes, and no older one does.
        | PeerIncompatible::SignatureAlgorithmsExtensionRequired
        | PeerIncompatible::Tls13RequiredForQuic => TlsFaultKind::Version,
        _ => TlsFaultKind::Cipher,
    }
}
