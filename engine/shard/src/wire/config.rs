//! What listeners and targets ask for below class 0.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use colloquy_transport::proxy::ProxyHeader;
use colloquy_transport::tls::{TlsClient, TlsServer};
use rustls_pki_types::ServerName;

/// What connections of a listener begin with; the default is nothing.
#[derive(Clone, Debug, Default)]
pub struct ListenerWire {
    /// A PROXY header is required, in front of everything else.
    pub proxy: Option<ProxySenders>,
    /// TLS.
    pub tls: Option<ListenerTls>,
}

/// Whose PROXY headers are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySenders {
    /// Networks: address and bits of its prefix. `None`: everybody.
    pub networks: Option<Vec<(IpAddr, u8)>>,
}

/// TLS of a listener.
#[derive(Clone, Debug)]
pub struct ListenerTls {
    /// Makes the connections.
    pub server: Arc<TlsServer>,
    /// From accept to the end of the handshake.
    pub handshake_timeout: Duration,
}

/// What a connection to a target begins with.
#[derive(Clone, Debug, Default)]
pub struct TargetWire {
    /// The PROXY header to send, in front of everything else.
    pub proxy: Option<ProxyHeader>,
    /// TLS.
    pub tls: Option<TargetTls>,
}

/// TLS to a target.
#[derive(Clone, Debug)]
pub struct TargetTls {
    /// Makes the connections.
    pub client: Arc<TlsClient>,
    /// What the target's certificate must be for.
    pub name: ServerName<'static>,
    /// From the network connection to the end of the handshake.
    pub handshake_timeout: Duration,
}

impl ListenerWire {
    pub(crate) fn is_plain(&self) -> bool {
        self.proxy.is_none() && self.tls.is_none()
    }
}

impl ProxySenders {
    /// True when headers from this address are believed.
    pub fn believes(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.as_ref().is_none_or(|networks| {
            networks.iter().any(|(network, bits)| match (network, address) {
                (IpAddr::V4(network), IpAddr::V4(address)) => {
                    let shift = 32_u32.saturating_sub(u32::from(*bits));
                    (network.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or(0) == 0
                }
                (IpAddr::V6(network), IpAddr::V6(address)) => {
                    let shift = 128_u32.saturating_sub(u32::from(*bits));
                    (network.to_bits() ^ address.to_bits()).checked_shr(shift).unwrap_or(0) == 0
                }
                _ => false,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_believed_by_network() {
        let senders = ProxySenders {
            networks: Some(vec![
                (IpAddr::from([10, 0, 0, 0]), 8),
                ("2001:db8::".parse().expect("an address"), 32),
                (IpAddr::from([127, 0, 0, 1]), 32),
            ]),
        };
        for (address, believed) in [
            ("10.1.2.3", true),
            ("11.1.2.3", false),
            ("::ffff:10.9.9.9", true),
            ("127.0.0.1", true),
            ("127.0.0.2", false),
            ("2001:db8:1::", true),
            ("2001:db9::", false),
        ] {
            assert_eq!(senders.believes(address.parse().expect("an address")), believed, "{address}");
        }
        assert!(ProxySenders::default().believes(IpAddr::from([1, 2, 3, 4])));
        let all = ProxySenders { networks: Some(vec![(IpAddr::from([0, 0, 0, 0]), 0)]) };
        assert!(all.believes(IpAddr::from([1, 2, 3, 4])));
    }
}
