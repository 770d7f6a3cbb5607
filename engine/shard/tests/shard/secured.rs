//! TLS for both sides of a test: one certificate, which each side knows.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use colloquy_shard::{ListenerTls, ListenerWire, ProxySenders, TargetTls, TargetWire};
use colloquy_transport::proxy::ProxyHeader;
use colloquy_transport::tls::{Cipher, Group, Policy, TlsClient, TlsConnection, TlsServer, TlsSettings};
use rcgen::generate_simple_self_signed;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};

const NAME: &str = "gateway.example";
/// Longer than any stall of the simulated network.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) struct Secured {
    server: Arc<TlsServer>,
    client: Arc<TlsClient>,
}

impl Secured {
    pub(crate) fn new(version_1_2: bool, version_1_3: bool) -> Self {
        let own = generate_simple_self_signed(vec![NAME.to_owned()]).unwrap();
        let certificate: CertificateDer<'static> = own.cert.der().clone();
        let settings = TlsSettings {
            certificates: vec![certificate.clone()],
            key: PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap(),
            authorities: vec![certificate],
            revocation_lists: Vec::new(),
            revocation_required: false,
            client_certificate_required: true,
            version_1_2,
            version_1_3,
            ciphers: vec![Cipher::Aes256Gcm],
            groups: vec![Group::Secp256r1],
            policy: Policy { rsa_bits_min: 2048, allow: None },
            resumption_lifetime: Duration::ZERO,
        };
        let server = Arc::new(TlsServer::new(&settings).unwrap());
        Self { server, client: Arc::new(TlsClient::new(&settings).unwrap()) }
    }

    /// `proxied`: behind a PROXY header.
    pub(crate) fn listener(&self, proxied: bool) -> ListenerWire {
        let tls = ListenerTls { server: Arc::clone(&self.server), handshake_timeout: HANDSHAKE_TIMEOUT };
        ListenerWire { proxy: proxied.then(ProxySenders::default), tls: Some(tls) }
    }

    pub(crate) fn target(&self, source: Option<SocketAddr>) -> TargetWire {
        let tls = TargetTls {
            client: Arc::clone(&self.client),
            name: name(),
            handshake_timeout: HANDSHAKE_TIMEOUT,
        };
        let header = |source| ProxyHeader::Proxied { source, destination: ([10, 0, 0, 1], 102).into() };
        TargetWire { proxy: source.map(header), tls: Some(tls) }
    }

    /// The initiator's side alone, for a peer that is no shard.
    pub(crate) fn connection(&self) -> TlsConnection {
        self.client.connect(name()).unwrap()
    }
}

fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).unwrap()
}
