//! Events about TLS and the PROXY protocol: one id for each kind of fault.

use colloquy_shard::WireFault;
use colloquy_transport::tls::TlsFaultKind;

use super::events::common;
use crate::config::Config;
use crate::record::{Record, RecordEvent};

/// The event of a fault, and what it says.
fn tls_event(kind: TlsFaultKind) -> (&'static str, &'static str) {
    match kind {
        TlsFaultKind::NoCertificate => ("CLQ-T01", "TLS: the peer showed no certificate"),
        TlsFaultKind::UnknownAuthority => {
            ("CLQ-T02", "TLS: no known authority vouches for the peer's certificate")
        }
        TlsFaultKind::Expired => ("CLQ-T03", "TLS: the peer's certificate has expired"),
        TlsFaultKind::NotYetValid => ("CLQ-T04", "TLS: the peer's certificate is not valid yet"),
        TlsFaultKind::Revoked => ("CLQ-T05", "TLS: the peer's certificate is revoked"),
        TlsFaultKind::RevocationListMissing => {
            ("CLQ-T06", "TLS: no revocation list for the peer's certificate")
        }
        TlsFaultKind::RevocationListExpired => {
            ("CLQ-T07", "TLS: the revocation list for the peer's certificate is out of date")
        }
        TlsFaultKind::BadSignature => ("CLQ-T08", "TLS: a signature of the peer is wrong"),
        TlsFaultKind::WrongName => ("CLQ-T09", "TLS: the peer's certificate is for another name"),
        TlsFaultKind::BadCertificate => ("CLQ-T10", "TLS: the peer's certificate cannot be used"),
        TlsFaultKind::NotAllowed => ("CLQ-T11", "TLS: the peer's certificate is not on the allow-list"),
        TlsFaultKind::WeakKey => ("CLQ-T12", "TLS: the peer's RSA key is too short"),
        TlsFaultKind::Version => ("CLQ-T13", "TLS: no common version"),
        TlsFaultKind::Cipher => ("CLQ-T14", "TLS: no common cipher"),
        TlsFaultKind::HandshakeTimeout => ("CLQ-T15", "TLS: the handshake took too long"),
        TlsFaultKind::BadRecord => ("CLQ-T16", "TLS: a record is wrong"),
        TlsFaultKind::NotTls => ("CLQ-T17", "TLS: the peer does not speak TLS"),
        TlsFaultKind::Alert(_) => ("CLQ-T18", "TLS: the peer refused"),
        TlsFaultKind::Truncated => ("CLQ-T19", "TLS: the peer closed without notice"),
        TlsFaultKind::Other => ("CLQ-T20", "TLS: a fault of this side"),
    }
}

pub(super) fn emit_wire(config: &Config, record: &Record) {
    let (id, message, reason, certificate) = match record.event {
        RecordEvent::Wire(WireFault::Tls(fault)) => {
            let (id, message) = tls_event(fault.kind);
            (id, message, Some(fault.to_string()), fault.certificate)
        }
        RecordEvent::Wire(WireFault::Proxy(fault)) => {
            ("CLQ-T24", "no PROXY protocol header that can be used", Some(fault.to_string()), None)
        }
        RecordEvent::Misbound { certificate } => {
            ("CLQ-T21", "the selectors do not fit a binding of the peer's certificate", None, certificate)
        }
        _ => return,
    };
    let subject = &record.subject;
    let common = common(config, subject);
    tracing::warn!(
        event_id = id,
        shard = subject.shard,
        session = %common.session,
        partner = common.partner.map(tracing::field::display),
        peer = common.peer,
        listener = common.listener,
        target = common.target,
        reason,
        certificate_sha256 = certificate.map(hex),
        "{message}"
    );
}

fn hex(octets: [u8; 32]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
