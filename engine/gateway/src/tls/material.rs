//! What the connections of one `[[tls]]` table have in common.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use colloquy_shard::{HandshakePool, ListenerTls, ListenerWire, ProxySenders, TargetTls, TargetWire};
use colloquy_transport::proxy::ProxyHeader;
use colloquy_transport::tls::{TlsClient, TlsServer};
use rustls_pki_types::ServerName;

use super::expiry::Expiry;
use super::load::{TlsFileFault, load};
use crate::config::{Config, ListenerConfig, TargetConfig};

/// What the connections of one `[[tls]]` table have in common. A reload makes a new one, which later connections get;
/// those that exist keep theirs.
#[derive(Debug)]
pub struct TlsMaterial {
    /// The table's name.
    pub name: String,
    /// The server's side.
    pub server: Arc<TlsServer>,
    /// The client's side.
    pub client: Arc<TlsClient>,
    /// Time of a handshake.
    pub handshake_timeout: Duration,
    /// When what was read expires.
    pub expiries: Vec<Expiry>,
}

impl TlsMaterial {
    /// Reads the files of all tables, in their order.
    ///
    /// # Errors
    /// Every fault of every file.
    pub fn load_all(config: &Config) -> Result<Vec<Arc<TlsMaterial>>, Vec<TlsFileFault>> {
        let mut materials = Vec::new();
        let mut faults = Vec::new();
        for table in &config.tls {
            match load(table, |path| std::fs::read(path)) {
                Ok(material) => materials.push(Arc::new(material)),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(materials) } else { Err(faults) }
    }
}

/// What was read for a `[[tls]]` table is not there: nothing is used without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("TLS is asked for, and its certificates were not read")]
pub(crate) struct MissingMaterial;

/// Lets the threads for handshakes run as soon as any table is there.
pub(crate) fn run_handshakes(pool: &HandshakePool, config: &Config) -> io::Result<()> {
    if config.tls.is_empty() { Ok(()) } else { pool.run(config.engine.tls_handshake_threads) }
}

fn material(
    table: Option<usize>,
    materials: &[Arc<TlsMaterial>],
) -> Result<Option<&TlsMaterial>, MissingMaterial> {
    table.map(|index| materials.get(index).map(|material| &**material).ok_or(MissingMaterial)).transpose()
}

/// What the connections of a listener begin with.
pub(crate) fn listener_wire(
    listener: &ListenerConfig,
    materials: &[Arc<TlsMaterial>],
) -> Result<ListenerWire, MissingMaterial> {
    let networks = |networks: &Vec<ipnet::IpNet>| {
        networks.iter().map(|network| (network.network(), network.prefix_len())).collect()
    };
    let senders = || ProxySenders { networks: listener.proxy_sources.as_ref().map(networks) };
    Ok(ListenerWire {
        proxy: listener.proxy_protocol.then(senders),
        tls: material(listener.tls, materials)?.map(|material| ListenerTls {
            server: Arc::clone(&material.server),
            handshake_timeout: material.handshake_timeout,
        }),
    })
}

/// What a connection to a target begins with; `None`: nothing. `source`: on whose behalf it is opened.
pub(crate) fn target_wire(
    target: &TargetConfig,
    materials: &[Arc<TlsMaterial>],
    source: Option<SocketAddr>,
) -> Result<Option<TargetWire>, MissingMaterial> {
    if !target.proxy_protocol && target.tls.is_none() {
        return Ok(None);
    }
    let header = match source {
        Some(source) => ProxyHeader::Proxied { source, destination: target.address },
        None => ProxyHeader::Local,
    };
    let tls = material(target.tls, materials)?.map(|material| TargetTls {
        client: Arc::clone(&material.client),
        name: server_name(target),
        handshake_timeout: material.handshake_timeout,
    });
    Ok(Some(TargetWire { proxy: target.proxy_protocol.then_some(header), tls }))
}

/// What the target's certificate must be for: the configured name, else its address.
fn server_name(target: &TargetConfig) -> ServerName<'static> {
    let configured = target.tls_server_name.as_ref().and_then(|name| ServerName::try_from(name.clone()).ok());
    configured.unwrap_or_else(|| TlsClient::name_of(target.address.ip()))
}
