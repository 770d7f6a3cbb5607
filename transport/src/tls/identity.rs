//! Who a certificate says its holder is.

use aws_lc_rs::digest;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

/// Names of one certificate that are kept; more are left out.
const NAMES_MAX: usize = 64;

/// Who an authenticated peer is, from its own certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerIdentity {
    /// SHA-256 of the certificate's DER encoding.
    pub sha256: [u8; 32],
    /// DNS names of the subject's alternative names, in lower case.
    pub dns_names: Vec<String>,
    /// Common name of the subject.
    pub common_name: Option<String>,
    /// When it ends to be valid, in seconds since 1970.
    pub not_after: i64,
    /// Bits of its key, where that is RSA.
    pub rsa_bits: Option<usize>,
}

/// Names a certificate, or several.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PeerName {
    /// One of its DNS names, without regard to case.
    Dns(String),
    /// The common name of its subject.
    CommonName(String),
    /// SHA-256 of its DER encoding.
    Sha256([u8; 32]),
}

/// SHA-256 of a certificate.
pub(super) fn sha256(certificate: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, certificate);
    digest.as_ref().try_into().expect("SHA-256 has 32 octets")
}

impl PeerIdentity {
    /// Of a certificate; `None` when it cannot be read.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<PeerIdentity> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        let alternative = parsed.subject_alternative_name().ok()?;
        let names = alternative.iter().flat_map(|extension| &extension.value.general_names);
        let dns_names = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        let common_name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
        let rsa_bits = match parsed.public_key().parsed() {
            Ok(PublicKey::RSA(key)) => Some(key.key_size()),
            _ => None,
        };
        Some(PeerIdentity {
            sha256: sha256(certificate),
            dns_names: dns_names.take(NAMES_MAX).collect(),
            common_name: common_name.map(str::to_owned),
            not_after: parsed.validity().not_after.timestamp(),
            rsa_bits,
        })
    }

    /// True when `name` is one of its names.
    pub fn is(&self, name: &PeerName) -> bool {
        match name {
            PeerName::Dns(name) => self.dns_names.iter().any(|own| own.eq_ignore_ascii_case(name)),
            PeerName::CommonName(name) => self.common_name.as_ref() == Some(name),
            PeerName::Sha256(digest) => self.sha256 == *digest,
        }
    }
}
