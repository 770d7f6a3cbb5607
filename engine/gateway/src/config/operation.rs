//! What `[limits]`, `[admin]`, `[log]` and `[drain]` say.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// `[limits]`: on all listeners and shards together. 0: no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitsConfig {
    /// Sessions.
    pub sessions_max: usize,
    /// Connections accepted in a second.
    pub connects_per_second_max: u64,
    /// Connections whose S-CONNECT is not answered.
    pub connections_not_established_max: usize,
    /// User data sent in a second.
    pub octets_per_second_max: u64,
    /// Sessions of one source.
    pub source_sessions_max: usize,
    /// Connections of one source in a second.
    pub source_connects_per_second_max: u64,
    /// Connections of one source whose S-CONNECT is not answered.
    pub source_connections_not_established_max: usize,
    /// User data that one source sends in a second.
    pub source_octets_per_second_max: u64,
    /// Bits of an IPv6 address that count as one source.
    pub source_ipv6_prefix: u8,
    /// Octets that the sessions of one shard may hold.
    pub shard_memory_octets_max: usize,
}

/// `[admin]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// Loopback address; `None`: no HTTP.
    pub address: Option<SocketAddr>,
    /// Unix socket of the operators' commands.
    pub control_socket: Option<PathBuf>,
    /// Who may read.
    pub observers: Vec<Principal>,
    /// Who may act on sessions and targets.
    pub operators: Vec<Principal>,
    /// Who may reload, drain and tap.
    pub admins: Vec<Principal>,
    /// Where the audit goes.
    pub audit_file: Option<PathBuf>,
    /// Octets in a second that all taps of one shard may copy.
    pub tap_octets_per_second_max: u64,
}

/// Who is at the other end of the control socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Everybody who can open the socket.
    Any,
    /// A user by name.
    User(String),
    /// A group by name.
    Group(String),
    /// A user by number.
    Uid(u32),
    /// A group by number.
    Gid(u32),
}

impl Principal {
    /// Of a text that its kind has accepted.
    pub(super) fn of(text: &str) -> Option<Principal> {
        Some(match text.split_once(':') {
            Some(("user", name)) => Principal::User(name.to_owned()),
            Some(("group", name)) => Principal::Group(name.to_owned()),
            Some(("uid", number)) => Principal::Uid(number.parse().ok()?),
            Some(("gid", number)) => Principal::Gid(number.parse().ok()?),
            _ => Principal::Any,
        })
    }
}

/// Shape of a log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[log]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Shape of a record.
    pub format: LogFormat,
    /// Least severe level.
    pub level: tracing::Level,
    /// Warnings about one peer in a minute.
    pub peer_records_per_minute_max: u32,
}

/// `[drain]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainConfig {
    /// Time that open sessions have to end; what is left then is aborted.
    pub deadline: Duration,
    /// What becomes of open sessions.
    pub action: DrainAction,
    /// Sessions of the whole gateway ended in a second.
    pub sessions_per_second: u32,
    /// How much the time between two ends varies.
    pub jitter_percent: u8,
    /// Time without user data after which a session is idle.
    pub idle_for: Duration,
}

/// What a drain does with open sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainAction {
    /// FINISH to those that are idle.
    Release,
    /// ABORT.
    Abort,
    /// Nothing.
    Wait,
}

impl DrainAction {
    /// The word of the file, of logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            DrainAction::Release => "release",
            DrainAction::Abort => "abort",
            DrainAction::Wait => "wait",
        }
    }
}
