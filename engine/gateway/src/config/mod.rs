//! The configuration of a gateway: TOML in, typed values or every fault at once out.
//!
//! One key table ([`keys::all`]) feeds the reader, the defaults and the reference file. A file is taken
//! whole or not at all; nothing here touches the network, and only [`load`] reads files.

mod accept;
mod build;
mod diagnostics;
mod diff;
mod effective;
mod inspect;
mod keep;
mod key_table;
pub mod keys;
mod load;
mod operation;
mod peer_profile;
mod quantity;
mod read;
mod reference;
mod relations;
mod routing;
mod schema;
pub mod tls;
mod units;
mod value_text;
mod values;

use std::net::SocketAddr;
use std::time::Duration;

use colloquy_session::{FunctionalUnits, Selector, Versions};
use colloquy_transport::class0::TransportSelector;
use colloquy_transport::driver::options::BufferScheme;
use ipnet::IpNet;

pub use diagnostics::{ConfigFault, Diagnostics, FaultKind, Place, Severity};
pub use diff::{Change, diff, split_changes};
pub use effective::Setting;
pub use inspect::System;
pub use keep::keep_restart_keys;
pub use load::{Loaded, LoadedFile, load, load_and_inspect, load_str, load_strs};
pub use operation::{AdminConfig, DrainAction, DrainConfig, LimitsConfig, LogConfig, LogFormat, Principal};
pub use peer_profile::{PeerProfile, Profile};
pub(crate) use quantity::read_duration;
pub use quantity::{duration_text, size_text};
pub use reference::reference_file;
pub use routing::{
    Balance, ConnectionPolicy, Destination, HashOn, HealthCheck, HealthLevel, IdleAction, RouteConfig,
    TargetState, UpstreamConfig,
};
pub use schema::{schema, schema_text};
pub use tls::{BindingConfig, CertificateName, TlsConfig};

/// A whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Config {
    /// `[engine]`.
    pub engine: EngineConfig,
    /// `[[listener]]`.
    pub listeners: Vec<ListenerConfig>,
    /// `[[route]]`.
    pub routes: Vec<RouteConfig>,
    /// Indices of `routes` in the order in which they are looked at; a reload keeps indices and changes this.
    pub route_order: Vec<usize>,
    /// `[[upstream]]`.
    pub upstreams: Vec<UpstreamConfig>,
    /// `[[target]]`.
    pub targets: Vec<TargetConfig>,
    /// `[[tls]]`.
    pub tls: Vec<TlsConfig>,
    /// `[[binding]]`.
    pub bindings: Vec<BindingConfig>,
    /// `[limits]`.
    pub limits: LimitsConfig,
    /// `[admin]`.
    pub admin: AdminConfig,
    /// `[log]`.
    pub log: LogConfig,
    /// `[drain]`.
    pub drain: DrainConfig,
}

/// How the network is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverChoice {
    /// io_uring where the system allows it, else mio.
    Auto,
    /// io_uring or no start.
    IoUring,
    /// mio.
    Mio,
}

/// `[engine]`: sizes are for each shard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineConfig {
    /// How the network is reached.
    pub driver: DriverChoice,
    /// Event loops; 0: one for each core.
    pub shards: usize,
    /// Pin each shard to a core.
    pub pin_cores: bool,
    /// Sessions of one shard.
    pub sessions_max: usize,
    /// Blocks of the receive pool.
    pub receive_blocks: usize,
    /// Octets of one block.
    pub receive_block_octets: usize,
    /// Octets of the pool that one session may keep.
    pub pinned_octets_max: usize,
    /// Octets of an SSDU that is joined or kept.
    pub ssdu_octets_max: usize,
    /// Octets queued from which the feeding session is paused.
    pub send_high_mark_octets: usize,
    /// Octets queued below which it is resumed.
    pub send_low_mark_octets: usize,
    /// From a send until the network has taken it whole.
    pub send_timeout: Duration,
    /// Octets after which a batch is closed and the next begun.
    pub send_batch_octets_max: usize,
    /// Completions handled in one turn.
    pub completions_per_turn_max: usize,
    /// TSDUs of one session handled in one turn.
    pub session_tsdus_per_turn_max: u32,
    /// How receives use up the pool (io_uring).
    pub buffer_scheme: BufferScheme,
    /// Octets of one receipt at most (io_uring).
    pub receive_octets_max: u32,
    /// Entries one system call can submit (io_uring).
    pub submission_entries: u32,
    /// Completions that fit the queue (io_uring).
    pub completion_entries: u32,
    /// A kernel thread submits (io_uring).
    pub submission_polling: bool,
    /// Without work for so long it sleeps.
    pub submission_polling_idle: Duration,
    /// The core it is bound to.
    pub submission_polling_core: Option<u32>,
    /// How long a wait looks for completions before it sleeps.
    pub busy_poll: Duration,
    /// Octets from which a send leaves the copy out (io_uring); 0: none does.
    pub zero_copy_send_octets_min: usize,
    /// Threads that do TLS handshakes.
    pub tls_handshake_threads: usize,
}

/// What a listener does with its sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerApplication {
    /// Sends each SSDU back.
    Echo,
    /// Takes SSDUs and says nothing.
    Sink,
    /// Opens a session to the target of this index in [`Config::targets`].
    Relay {
        /// Index of the target.
        target: usize,
    },
    /// Opens a session to one of the upstream of this index in [`Config::upstreams`].
    Balance {
        /// Index of the upstream.
        upstream: usize,
    },
    /// Opens a session where the first route that fits says.
    Routed,
}

/// `[[listener]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Name in logs and metrics.
    pub name: String,
    /// Address and port.
    pub address: SocketAddr,
    /// What it does.
    pub application: ListenerApplication,
    /// Called TSAP selectors accepted; `None`: any.
    pub called_tsaps: Option<Vec<TransportSelector>>,
    /// Called SSAP selectors accepted; `None`: any.
    pub called_ssaps: Option<Vec<Selector>>,
    /// Functional units offered.
    pub functional_units: FunctionalUnits,
    /// Versions spoken.
    pub versions: Versions,
    /// Refuse harmless deviations.
    pub strict: bool,
    /// Take TSDUs with several SPDUs of category 2.
    pub extended_concatenation: bool,
    /// EXCEPTION REPORT instead of ABORT where that is allowed.
    pub exception_reports: bool,
    /// Octets of user data of S-CONNECT that are taken and sent on.
    pub connect_user_data_octets_max: usize,
    /// TSDU Maximum Size agreed to at most, in octets; 0: what the peer proposes.
    pub tsdu_maximum_size: u16,
    /// Confirm transport expedited data.
    pub transport_expedited: bool,
    /// Keep the transport connection for the next session.
    pub transport_reuse: bool,
    /// Largest TPDU agreed to.
    pub tpdu_octets_max: u32,
    /// Longest TSDU assembled.
    pub tsdu_octets_max: usize,
    /// Sessions on all shards together.
    pub sessions_max: usize,
    /// Connections on all shards together without an answered S-CONNECT.
    pub connections_not_established_max: usize,
    /// Time from accepting to the CONNECT SPDU.
    pub connect_timeout: Duration,
    /// Timer TIM.
    pub tim: Duration,
    /// Index in [`Config::tls`]; `None`: plain.
    pub tls: Option<usize>,
    /// Connections begin with a PROXY protocol header.
    pub proxy_protocol: bool,
    /// Networks from which that is believed; `None`: any.
    pub proxy_sources: Option<Vec<IpNet>>,
    /// Networks let in; `None`: all.
    pub allow: Option<Vec<IpNet>>,
    /// Networks kept out.
    pub deny: Vec<IpNet>,
    /// Connections accepted in a second on all shards; 0: no limit.
    pub connects_per_second_max: u64,
    /// User data sent in a second on all shards; 0: no limit.
    pub octets_per_second_max: u64,
    /// When sessions are idle; zero: never.
    pub idle_timeout: Duration,
    /// What becomes of idle ones.
    pub idle_action: IdleAction,
    /// Time a peer has to answer a FINISH of the gateway.
    pub release_timeout: Duration,
    /// Time from accepting to CR.
    pub transport_timeout: Duration,
    /// Idle time after which TCP probes; zero: never.
    pub keepalive: Duration,
    /// Time that octets may stay unacknowledged; zero: the system's.
    pub user_timeout: Duration,
}

/// `[[target]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetConfig {
    /// What a listener names.
    pub name: String,
    /// A reload took it out of the file; its sessions go on.
    pub removed: bool,
    /// Address and port.
    pub address: SocketAddr,
    /// What is carried over.
    pub profile: Profile,
    /// Called TSAP; `None`: as the downstream gave.
    pub called_tsap: Option<TransportSelector>,
    /// Calling TSAP; `None`: as the downstream gave.
    pub calling_tsap: Option<TransportSelector>,
    /// Called SSAP; `None`: as the downstream gave.
    pub called_ssap: Option<Selector>,
    /// Calling SSAP; `None`: as the downstream gave.
    pub calling_ssap: Option<Selector>,
    /// Refuse harmless deviations.
    pub strict: bool,
    /// Take TSDUs with several SPDUs of category 2.
    pub extended_concatenation: bool,
    /// Propose transport expedited data where the downstream has it.
    pub transport_expedited: bool,
    /// Largest TPDU proposed.
    pub tpdu_octets_max: u32,
    /// Longest TSDU assembled.
    pub tsdu_octets_max: usize,
    /// Time from opening to the answer to CONNECT.
    pub connect_timeout: Duration,
    /// Time a side has to answer FINISH.
    pub release_timeout: Duration,
    /// Timer TIM.
    pub tim: Duration,
    /// What the file wants of it.
    pub state: TargetState,
    /// When it is connected to.
    pub policy: ConnectionPolicy,
    /// Share of the sessions.
    pub weight: u32,
    /// Sessions on all shards.
    pub sessions_max: usize,
    /// What is asked of it from time to time.
    pub health: HealthCheck,
    /// Failures in a row until it is ejected; 0: never.
    pub eject_failures: u32,
    /// Time of the first ejection.
    pub eject_time: Duration,
    /// Index in [`Config::tls`]; `None`: plain.
    pub tls: Option<usize>,
    /// Name that its certificate must have; `None`: the address.
    pub tls_server_name: Option<String>,
    /// Connections begin with a PROXY protocol header.
    pub proxy_protocol: bool,
    /// Idle time after which TCP probes; zero: never.
    pub keepalive: Duration,
}

/// Reads a configuration of one text; `name` is what diagnostics call it.
///
/// # Errors
/// Every fault of the text, in its order.
pub fn check_str(name: &str, text: &str) -> Result<Config, Diagnostics> {
    load_str(name, text).map(|loaded| loaded.config)
}
