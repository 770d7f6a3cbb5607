//! From certificates, keys and choices to what makes connections.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::{self, cipher_suite, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName};
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion, client, server,
};

use super::connection::TlsConnection;
use super::fault::TlsFault;
use super::resumption::{ClientSessions, ServerSessions};
use super::verify::{ClientVerifier, Policy, ServerVerifier};

/// Session tickets that a TLS 1.3 server sends after a handshake.
const TICKETS: usize = 2;

/// A cipher, always with ephemeral elliptic curves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES-256-GCM with SHA-384.
    Aes256Gcm,
    /// AES-128-GCM with SHA-256.
    Aes128Gcm,
}

/// A group of the key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// P-256.
    Secp256r1,
    /// P-384.
    Secp384r1,
    /// Curve25519.
    X25519,
}

/// What TLS connections of one kind have in common.
#[derive(Debug)]
pub struct TlsSettings {
    /// Own certificate, then those that lead to the authority.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
    /// Certificates of the authorities that peers are trusted by.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Revocation lists.
    pub revocation_lists: Vec<CertificateRevocationListDer<'static>>,
    /// Refuse where there is no list of a certificate's authority, or one that is out of date. Needs a list.
    pub revocation_required: bool,
    /// Clients must show a certificate; else none is asked for.
    pub client_certificate_required: bool,
    /// TLS 1.2 is spoken.
    pub version_1_2: bool,
    /// TLS 1.3 is spoken.
    pub version_1_3: bool,
    /// In order of preference.
    pub ciphers: Vec<Cipher>,
    /// In order of preference.
    pub groups: Vec<Group>,
    /// What else a peer's certificate must be.
    pub policy: Policy,
    /// How long a session may be resumed; zero: never.
    pub resumption_lifetime: Duration,
}

/// Why settings do not make connections.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The own certificate and key do not go together, or cannot be used.
    #[error("certificate or key: {0}")]
    OwnCertificate(String),
    /// An authority's certificate cannot be used.
    #[error("authority {place}: {error}")]
    Authority {
        /// Place in the list.
        place: usize,
        /// What is wrong.
        error: String,
    },
    /// No authority.
    #[error("no authority")]
    NoAuthority,
    /// Revocation lists cannot be used.
    #[error("revocation list: {0}")]
    RevocationList(String),
    /// Revocation is required and there is no list.
    #[error("revocation is required, and there is no revocation list")]
    NoRevocationList,
    /// Versions, ciphers and groups do not go together.
    #[error("versions, ciphers and groups: {0}")]
    Choices(String),
}

/// Makes the server's side of connections.
#[derive(Clone, Debug)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    policy: Arc<Policy>,
}

/// Makes the client's side of connections.
#[derive(Clone, Debug)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    policy: Arc<Policy>,
}

impl TlsServer {
    /// Of settings.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: &TlsSettings) -> Result<TlsServer, SettingsError> {
        let provider = settings.provider();
        let policy = Arc::new(settings.policy.clone());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&settings.versions())
            .map_err(|error| SettingsError::Choices(error.to_string()))?;
        let builder = if settings.client_certificate_required {
            let webpki = settings.client_verifier(provider)?;
            builder
                .with_client_cert_verifier(Arc::new(ClientVerifier { webpki, policy: Arc::clone(&policy) }))
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder
            .with_single_cert(settings.certificates.clone(), settings.key.clone_key())
            .map_err(|error| SettingsError::OwnCertificate(error.to_string()))?;
        config.ignore_client_order = true;
        if settings.resumption_lifetime.is_zero() {
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        } else {
            config.session_storage = Arc::new(ServerSessions::new(settings.resumption_lifetime));
            config.send_tls13_tickets = TICKETS;
        }
        Ok(TlsServer { config: Arc::new(config), policy })
    }

    /// A connection that was accepted.
    ///
    /// # Errors
    /// A fault of this side.
    pub fn accept(&self) -> Result<TlsConnection, TlsFault> {
        let connection = server::UnbufferedServerConnection::new(Arc::clone(&self.config));
        let connection = connection.map_err(|error| TlsFault::of(&error))?;
        Ok(TlsConnection::server(connection, Arc::clone(&self.policy)))
    }
}

impl TlsClient {
    /// Of settings.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(settings: &TlsSettings) -> Result<TlsClient, SettingsError> {
        let provider = settings.provider();
        let policy = Arc::new(settings.policy.clone());
        let webpki = settings.server_verifier(Arc::clone(&provider))?;
        let verifier = ServerVerifier { webpki, policy: Arc::clone(&policy) };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&settings.versions())
            .map_err(|error| SettingsError::Choices(error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_auth_cert(settings.certificates.clone(), settings.key.clone_key())
            .map_err(|error| SettingsError::OwnCertificate(error.to_string()))?;
        config.resumption = if settings.resumption_lifetime.is_zero() {
            Resumption::disabled()
        } else {
            Resumption::store(Arc::new(ClientSessions::new(settings.resumption_lifetime)))
        };
        Ok(TlsClient { config: Arc::new(config), policy })
    }

    /// A connection to a server that must have a certificate for `name`.
    ///
    /// # Errors
    /// A fault of this side.
    pub fn connect(&self, name: ServerName<'static>) -> Result<TlsConnection, TlsFault> {
        let connection = client::UnbufferedClientConnection::new(Arc::clone(&self.config), name);
        let connection = connection.map_err(|error| TlsFault::of(&error))?;
        Ok(TlsConnection::client(connection, Arc::clone(&self.policy)))
    }

    /// The name of a server that is known by its address alone.
    pub fn name_of(address: IpAddr) -> ServerName<'static> {
        ServerName::IpAddress(address.into())
    }
}

impl TlsSettings {
    fn provider(&self) -> Arc<CryptoProvider> {
        let suites = |cipher: &Cipher| -> [SupportedCipherSuite; 3] {
            match cipher {
                Cipher::Aes256Gcm => [
                    cipher_suite::TLS13_AES_256_GCM_SHA384,
                    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
                    cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
                ],
                Cipher::Aes128Gcm => [
                    cipher_suite::TLS13_AES_128_GCM_SHA256,
                    cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                    cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
                ],
            }
        };
        let group = |group: &Group| -> &'static dyn SupportedKxGroup {
            match group {
                Group::Secp256r1 => kx_group::SECP256R1,
                Group::Secp384r1 => kx_group::SECP384R1,
                Group::X25519 => kx_group::X25519,
            }
        };
        Arc::new(CryptoProvider {
            cipher_suites: self.ciphers.iter().flat_map(suites).collect(),
            kx_groups: self.groups.iter().map(group).collect(),
            ..aws_lc_rs::default_provider()
        })
    }

    fn versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let versions = [(self.version_1_3, &TLS13), (self.version_1_2, &TLS12)];
        versions.into_iter().filter_map(|(spoken, version)| spoken.then_some(version)).collect()
    }

    fn roots(&self) -> Result<Arc<RootCertStore>, SettingsError> {
        let mut roots = RootCertStore::empty();
        for (place, authority) in self.authorities.iter().enumerate() {
            roots
                .add(authority.clone())
                .map_err(|error| SettingsError::Authority { place, error: error.to_string() })?;
        }
        if self.revocation_required && self.revocation_lists.is_empty() {
            return Err(SettingsError::NoRevocationList);
        }
        Ok(Arc::new(roots))
    }

    fn client_verifier(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn server::danger::ClientCertVerifier>, SettingsError> {
        let builder = WebPkiClientVerifier::builder_with_provider(self.roots()?, provider)
            .with_crls(self.revocation_lists.clone());
        let builder = if self.revocation_required {
            builder.enforce_revocation_expiration()
        } else {
            builder.allow_unknown_revocation_status()
        };
        builder.build().map_err(|error| of_builder(&error))
    }

    fn server_verifier(
        &self,
        provider: Arc<CryptoProvider>,
    ) -> Result<Arc<dyn ServerCertVerifier>, SettingsError> {
        let builder = client::WebPkiServerVerifier::builder_with_provider(self.roots()?, provider)
            .with_crls(self.revocation_lists.clone());
        let builder = if self.revocation_required {
            builder.enforce_revocation_expiration()
        } else {
            builder.allow_unknown_revocation_status()
        };
        let verifier = builder.build().map_err(|error| of_builder(&error))?;
        Ok(verifier)
    }
}

fn of_builder(error: &VerifierBuilderError) -> SettingsError {
    match error {
        VerifierBuilderError::NoRootAnchors => SettingsError::NoAuthority,
        error => SettingsError::RevocationList(error.to_string()),
    }
}
