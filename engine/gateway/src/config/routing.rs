//! What `[[route]]`, `[[upstream]]` and the routing keys of `[[target]]` say.

use std::time::Duration;

use colloquy_session::{FunctionalUnits, Selector};
use colloquy_transport::class0::TransportSelector;
use ipnet::IpNet;

/// `[[route]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteConfig {
    /// Name in logs and metrics.
    pub name: String,
    /// A reload took it out of the file; sessions that it let in go on.
    pub removed: bool,
    /// Indices of its listeners; `None`: every relay without a target or upstream of its own.
    pub listeners: Option<Vec<usize>>,
    /// Called TSAPs; `None`: any.
    pub called_tsaps: Option<Vec<TransportSelector>>,
    /// Calling TSAPs; `None`: any.
    pub calling_tsaps: Option<Vec<TransportSelector>>,
    /// Called SSAPs; `None`: any.
    pub called_ssaps: Option<Vec<Selector>>,
    /// Calling SSAPs; `None`: any.
    pub calling_ssaps: Option<Vec<Selector>>,
    /// Source networks; `None`: any.
    pub sources: Option<Vec<IpNet>>,
    /// Units that must be proposed, all of them.
    pub functional_units: FunctionalUnits,
    /// Where its sessions go.
    pub destination: Destination,
    /// Sessions on all shards together.
    pub sessions_max: usize,
    /// S-CONNECTs in a second; 0: no limit.
    pub connects_per_second_max: u64,
    /// User data sent in a second; 0: no limit.
    pub octets_per_second_max: u64,
    /// When its sessions are idle; `None`: as the listener says.
    pub idle_timeout: Option<Duration>,
    /// What becomes of idle ones; `None`: as the listener says.
    pub idle_action: Option<IdleAction>,
}

/// Where a relay's session goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// To the target of this index, and to no other.
    Target(usize),
    /// To one of the upstream of this index.
    Upstream(usize),
    /// Refused with this reason code.
    Refuse(u8),
}

/// What becomes of an idle session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdleAction {
    /// FINISH, and ABORT if it is not answered.
    Release,
    /// ABORT.
    Abort,
}

/// `[[upstream]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// What a route or listener names.
    pub name: String,
    /// A reload took it out of the file.
    pub removed: bool,
    /// Indices of its targets.
    pub targets: Vec<usize>,
    /// How one of them is chosen.
    pub balance: Balance,
    /// Further targets tried.
    pub retries_max: u32,
    /// Time before the first retry.
    pub retry_backoff: Duration,
    /// Longest time before a retry.
    pub retry_backoff_max: Duration,
}

/// How a target is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balance {
    /// By turns.
    RoundRobin,
    /// The one with the fewest sessions.
    LeastSessions,
    /// Equal values together.
    Hash(HashOn),
}

/// What [`Balance::Hash`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashOn {
    /// Called SSAP selector.
    CalledSsap,
    /// Calling SSAP selector.
    CallingSsap,
    /// Called TSAP selector.
    CalledTsap,
    /// Calling TSAP selector.
    CallingTsap,
    /// Source address.
    Source,
}

/// What an operator wants of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TargetState {
    /// It takes sessions.
    Ready = 0,
    /// It takes no new ones.
    Drain = 1,
    /// It takes none, is not checked, and its sessions are ended.
    Maint = 2,
}

impl TargetState {
    /// The word of the configuration, of metrics and of commands.
    pub fn name(self) -> &'static str {
        match self {
            TargetState::Ready => "ready",
            TargetState::Drain => "drain",
            TargetState::Maint => "maint",
        }
    }
}

/// When a target is connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionPolicy {
    /// When a session comes.
    OnDemand,
    /// This many transport connections are kept open on each shard beforehand.
    OnStartup {
        /// How many.
        warm_connections: usize,
    },
    /// Never.
    IncomingOnly,
}

/// What is asked of a target from time to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// How far a check goes.
    pub level: HealthLevel,
    /// Time between checks.
    pub interval: Duration,
    /// Time of one check.
    pub timeout: Duration,
    /// Successes in a row until it is up.
    pub rise: u32,
    /// Failures in a row until it is down.
    pub fall: u32,
}

/// How far a check goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthLevel {
    /// No check.
    Off,
    /// TCP connection.
    Tcp,
    /// CC.
    Transport,
    /// AC or RF.
    Session,
}
