//! What a peer's certificate must be beyond what webpki sees to.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use super::fault::note_refused;
use super::identity::{PeerIdentity, PeerName, sha256};

/// What a peer's certificate must be, although an authority vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Bits of an RSA key at least.
    pub rsa_bits_min: usize,
    /// Peers let in; `None`: all.
    pub allow: Option<Vec<PeerName>>,
}

/// Why [`Policy`] refuses a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PolicyError {
    NotAllowed,
    WeakKey { bits: usize },
    Unreadable,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyError::NotAllowed => f.write_str("the certificate is not on the allow-list"),
            PolicyError::WeakKey { bits } => write!(f, "an RSA key of {bits} bits"),
            PolicyError::Unreadable => f.write_str("the certificate cannot be read"),
        }
    }
}

impl std::error::Error for PolicyError {}

impl Policy {
    /// Checks a peer.
    pub(super) fn check(&self, peer: &PeerIdentity) -> Result<(), PolicyError> {
        if let Some(bits) = peer.rsa_bits.filter(|bits| *bits < self.rsa_bits_min) {
            return Err(PolicyError::WeakKey { bits });
        }
        match &self.allow {
            Some(allowed) if !allowed.iter().any(|name| peer.is(name)) => Err(PolicyError::NotAllowed),
            _ => Ok(()),
        }
    }

    /// Notes the certificate that is being judged, and lets both judge it.
    fn judge<T>(
        &self,
        certificate: &CertificateDer<'_>,
        by_webpki: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        note_refused(sha256(certificate));
        let refused = |error: PolicyError| {
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
        };
        let peer = PeerIdentity::of(certificate);
        // A key that is too weak would come out as a bad signature at best, so it is looked at first.
        if let Some(bits) =
            peer.as_ref().and_then(|peer| peer.rsa_bits).filter(|bits| *bits < self.rsa_bits_min)
        {
            return Err(refused(PolicyError::WeakKey { bits }));
        }
        let verified = by_webpki()?;
        let peer = peer.ok_or(PolicyError::Unreadable).map_err(refused)?;
        self.check(&peer).map_err(refused)?;
        Ok(verified)
    }
}

/// Judges clients.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    pub(super) webpki: Arc<dyn ClientCertVerifier>,
    pub(super) policy: Arc<Policy>,
}

impl ClientCertVerifier for ClientVerifier {
    fn offer_client_auth(&self) -> bool {
        self.webpki.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.webpki.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.webpki.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.policy.judge(end_entity, || self.webpki.verify_client_cert(end_entity, intermediates, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}

/// Judges servers.
#[derive(Debug)]
pub(super) struct ServerVerifier {
    pub(super) webpki: Arc<dyn ServerCertVerifier>,
    pub(super) policy: Arc<Policy>,
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.policy.judge(end_entity, || {
            self.webpki.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.webpki.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}
