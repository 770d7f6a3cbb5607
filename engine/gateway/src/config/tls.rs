//! What `[[tls]]` and `[[binding]]` say.

use std::path::PathBuf;
use std::time::Duration;

use colloquy_session::Selector;
use colloquy_transport::class0::TransportSelector;

/// Names of ciphers.
pub(crate) const CIPHERS: &[&str] = &["aes256-gcm", "aes128-gcm"];
/// Names of groups of the key exchange.
pub(crate) const GROUPS: &[&str] = &["secp256r1", "secp384r1", "x25519"];

/// `[[tls]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// What a listener or target names.
    pub name: String,
    /// Own certificate chain, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Certificates of authorities, PEM.
    pub authorities: Vec<PathBuf>,
    /// Revocation lists, PEM.
    pub revocation_lists: Vec<PathBuf>,
    /// Refuse where no valid revocation list is there.
    pub revocation_required: bool,
    /// Peers of listeners must show a certificate.
    pub client_certificate_required: bool,
    /// TLS 1.2 is spoken.
    pub version_1_2: bool,
    /// TLS 1.3 is spoken.
    pub version_1_3: bool,
    /// Names of `CIPHERS`, in order of preference.
    pub ciphers: Vec<String>,
    /// Names of `GROUPS`, in order of preference.
    pub groups: Vec<String>,
    /// Bits of an RSA key at least.
    pub rsa_bits_min: usize,
    /// Peers let in; `None`: all that are trusted.
    pub allow_certificates: Option<Vec<CertificateName>>,
    /// Time of a handshake.
    pub handshake_timeout: Duration,
    /// How long a session may be resumed; zero: never.
    pub resumption_lifetime: Duration,
    /// Time before an expiry from which it is warned of.
    pub expiry_warning: Duration,
}

/// `[[binding]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindingConfig {
    /// Index in [`super::Config::tls`].
    pub tls: usize,
    /// Whose certificate.
    pub certificate: CertificateName,
    /// Calling TSAP selectors it may use; `None`: any.
    pub calling_tsaps: Option<Vec<TransportSelector>>,
    /// Calling SSAP selectors it may use; `None`: any.
    pub calling_ssaps: Option<Vec<Selector>>,
    /// Called TSAP selectors it may reach; `None`: any.
    pub called_tsaps: Option<Vec<TransportSelector>>,
    /// Called SSAP selectors it may reach; `None`: any.
    pub called_ssaps: Option<Vec<Selector>>,
}

/// Whose certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CertificateName {
    /// One of its DNS names (subject alternative name), without regard to case.
    Dns(String),
    /// The common name of its subject.
    CommonName(String),
    /// SHA-256 of its DER encoding.
    Sha256([u8; 32]),
}

impl CertificateName {
    /// Of a text that its kind has accepted.
    pub(super) fn of(text: &str) -> Option<CertificateName> {
        match text.split_once(':')? {
            ("dns", name) => Some(CertificateName::Dns(name.to_owned())),
            ("cn", name) => Some(CertificateName::CommonName(name.to_owned())),
            ("sha256", hex) => {
                let mut octets = [0; 32];
                for (at, octet) in octets.iter_mut().enumerate() {
                    *octet = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
                }
                Some(CertificateName::Sha256(octets))
            }
            _ => None,
        }
    }
}
