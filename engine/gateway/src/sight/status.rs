//! The state of a gateway as plain values: what `/status.json` and the control socket's `status` answer, and what the
//! page and `colloquy top` show.
//!
//! Fields are added, never given another meaning; what a reader does not know it leaves out, and what is absent it takes
//! as empty. A change that breaks this raises [`STATUS_VERSION`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::config_status::{ConfigFile, ConfigStatus, ReloadStatus};

/// Version of the report's shape.
pub const STATUS_VERSION: u32 = 1;

/// The state of a gateway at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusReport {
    /// [`STATUS_VERSION`] of who made it.
    pub status_version: u32,
    /// Version of the program.
    pub version: String,
    /// Number of its process.
    pub process_id: u32,
    /// The moment, RFC 3339, UTC.
    pub at: String,
    /// When the gateway started.
    pub started_at: String,
    /// Time since then.
    pub uptime_seconds: f64,
    /// `io_uring` or `mio`.
    pub backend: String,
    /// Why that one.
    pub backend_reason: String,
    /// 1 at the start, one more with each reload.
    pub config_generation: u64,
    /// Which configuration that is, and how its last reload ended.
    pub config: ConfigStatus,
    /// No new session begins.
    pub draining: bool,
    /// What has happened since the start.
    pub totals: Totals,
    /// Sessions that exist.
    pub sessions: Sessions,
    /// Rates of all shards together.
    pub rates: RateSpans,
    /// The course of the last two minutes, second by second.
    pub history: History,
    /// One for each shard.
    pub shards: Vec<ShardStatus>,
    /// One for each listener.
    pub listeners: Vec<ListenerReport>,
    /// One for each route, in the order in which they are looked at.
    pub routes: Vec<RouteReport>,
    /// One for each upstream.
    pub upstreams: Vec<UpstreamReport>,
    /// One for each target.
    pub targets: Vec<TargetReport>,
    /// How long things take, by stage.
    pub latencies: Vec<StageLatency>,
    /// Ends of sessions by reason, most frequent first; those that never happened are left out.
    pub closings: Vec<Count>,
    /// Refusals by limit, most frequent first; those that never happened are left out.
    pub refusals: Vec<LimitRefusals>,
    /// The last warnings and events of the gateway's life, oldest first.
    pub events: Vec<Event>,
}

/// What has happened since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Connections accepted.
    pub accepted: u64,
    /// Sessions opened or accepted.
    pub opened: u64,
    /// Sessions that became established.
    pub established: u64,
    /// Sessions ended.
    pub closed: u64,
    /// SSDUs (or segments) received.
    pub ssdus_in: u64,
    /// SSDUs (or segments) sent.
    pub ssdus_out: u64,
    /// User data received, octets.
    pub user_octets_in: u64,
    /// User data sent, octets.
    pub user_octets_out: u64,
    /// Octets received.
    pub octets_in: u64,
    /// Octets sent.
    pub octets_out: u64,
    /// Faults of peers.
    pub faults: u64,
    /// Connections refused because of a limit.
    pub refused: u64,
    /// Downstream sessions refused because there was no upstream.
    pub relays_refused: u64,
    /// Log records that were dropped.
    pub records_dropped: u64,
}

impl Totals {
    /// The sums that the page and the terminal view show, each with its words.
    pub fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("sessions opened", self.opened),
            ("sessions established", self.established),
            ("sessions ended", self.closed),
            ("SSDUs in", self.ssdus_in),
            ("SSDUs out", self.ssdus_out),
            ("user octets in", self.user_octets_in),
            ("user octets out", self.user_octets_out),
            ("faults of peers", self.faults),
            ("log records dropped", self.records_dropped),
        ]
    }
}

/// Sessions that exist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sessions {
    /// All of them.
    pub all: u64,
    /// Opened by the gateway.
    pub initiator: u64,
    /// Accepted by the gateway.
    pub responder: u64,
    /// Neither established nor over.
    pub opening: u64,
    /// Established.
    pub established: u64,
    /// Accepted connections that wait to be told of a refusal; they are not among the others.
    pub being_refused: u64,
}

/// Rates over three spans.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RateSpans {
    /// Over the last second.
    pub last_1s: Rates,
    /// Over the last ten seconds.
    pub last_10s: Rates,
    /// Over the last minute.
    pub last_60s: Rates,
}

/// Rates over one span.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    /// How long the span really is; shorter than asked for after a start.
    pub seconds: f64,
    /// SSDUs received.
    pub ssdus_in_per_second: f64,
    /// SSDUs sent.
    pub ssdus_out_per_second: f64,
    /// Octets received.
    pub octets_in_per_second: f64,
    /// Octets sent.
    pub octets_out_per_second: f64,
    /// Sessions opened or accepted.
    pub opened_per_second: f64,
    /// Sessions ended.
    pub closed_per_second: f64,
    /// Turns of the loops.
    pub turns_per_second: f64,
    /// Share of the time that was not spent waiting, 0 to 1; of all shards together: their sum, at most 1.
    pub busy_ratio: f64,
    /// System calls of the driver for each SPDU; none where there was no SPDU.
    pub system_calls_per_spdu: Option<f64>,
}

/// The course of the last two minutes, of all shards together; oldest first, one value a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// SSDUs received.
    pub ssdus_in_per_second: Vec<f64>,
    /// SSDUs sent.
    pub ssdus_out_per_second: Vec<f64>,
    /// Octets received.
    pub octets_in_per_second: Vec<f64>,
    /// Octets sent.
    pub octets_out_per_second: Vec<f64>,
    /// Sessions opened or accepted.
    pub opened_per_second: Vec<f64>,
    /// Sessions that existed.
    pub sessions: Vec<u64>,
}

/// One shard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShardStatus {
    /// Its number.
    pub number: usize,
    /// The core it is pinned to.
    pub core: Option<usize>,
    /// Sessions on it.
    pub sessions: u64,
    /// Sessions that it may have.
    pub sessions_max: u64,
    /// Rates.
    pub rates: RateSpans,
    /// Turns of its loop.
    pub turns: u64,
    /// CPU time of its thread; none where the system does not tell.
    pub cpu_seconds: Option<f64>,
    /// Blocks of the receive pool that are free.
    pub blocks_free: u64,
    /// Blocks of the receive pool in all.
    pub blocks: u64,
    /// Octets of the receive pool that sessions and send queues hold.
    pub queue_octets: u64,
    /// System calls for each SPDU since the start; none before the first SPDU.
    pub system_calls_per_spdu: Option<f64>,
}

/// One listener.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListenerReport {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub address: String,
    /// What it does: `echo`, `sink`, `relay`.
    pub application: String,
    /// The target, the upstream or the routes that it relays to.
    pub to: Option<String>,
    /// Name of its `[[tls]]`; none: plain.
    pub tls: Option<String>,
    /// Sessions that exist; none where that is not counted.
    pub sessions: Option<u64>,
    /// Sessions established since the start.
    pub established: Option<u64>,
    /// Sessions established in a second, over the last ten.
    pub established_per_second: Option<f64>,
    /// Connections and sessions refused since the start, by reason; those that never happened are left out.
    pub refused: Vec<Count>,
}

/// One route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteReport {
    /// Its name.
    pub name: String,
    /// `target NAME`, `upstream NAME` or `refuse CODE`.
    pub to: String,
    /// A reload took it out of the file.
    pub removed: bool,
    /// Sessions that exist; none where that is not counted.
    pub sessions: Option<u64>,
    /// Sessions that took it since the start.
    pub matched: Option<u64>,
}

/// One upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UpstreamReport {
    /// Its name.
    pub name: String,
    /// How a target is chosen.
    pub balance: String,
    /// Names of its targets.
    pub targets: Vec<String>,
    /// A reload took it out of the file.
    pub removed: bool,
}

/// One target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetReport {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: String,
    /// What the operator wants: `ready`, `drain`, `maint`.
    pub state: String,
    /// What its checks say: `up`, `down`, `unchecked`; none where that is not known.
    pub health: Option<String>,
    /// Time until an ejection ends; none: it is not ejected.
    pub ejected_for_seconds: Option<f64>,
    /// Share of the sessions.
    pub weight: u32,
    /// Sessions that exist; none where that is not counted.
    pub sessions: Option<u64>,
    /// Attempts to open a session since the start, by outcome.
    pub connects: Vec<Count>,
    /// Name of its `[[tls]]`; none: plain.
    pub tls: Option<String>,
    /// A reload took it out of the file.
    pub removed: bool,
    /// Time that half of the successful attempts took at most, seconds.
    pub connect_p50_seconds: Option<f64>,
    /// Time that 99 % of the successful attempts took at most, seconds.
    pub connect_p99_seconds: Option<f64>,
}

/// How long one stage takes, since the start. Quantiles are read from a histogram, so that they are as exact as its bounds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StageLatency {
    /// `transport`, `upstream`, `session`, `release`.
    pub stage: String,
    /// How often it happened.
    pub count: u64,
    /// Mean.
    pub mean_seconds: Option<f64>,
    /// Median.
    pub p50_seconds: Option<f64>,
    /// 90 %.
    pub p90_seconds: Option<f64>,
    /// 99 %.
    pub p99_seconds: Option<f64>,
}

/// A count and what it is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Count {
    /// What is counted.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// Connections and sessions that one limit has refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitRefusals {
    /// The key of the configuration that sets the limit, as `limits.source_sessions_max`.
    pub name: String,
    /// What it is on, as `colloquy_connections_refused_total` has it.
    pub scope: String,
    /// What it limits, as `colloquy_connections_refused_total` has it.
    pub limit: String,
    /// How many.
    pub count: u64,
}

/// One line of the log that an operator should see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Counts up from 1; a gap means that events were forgotten.
    pub number: u64,
    /// When, RFC 3339, UTC.
    pub at: String,
    /// `error`, `warn`, `info`.
    pub level: String,
    /// `CLQ-...`; its manual page says what to do.
    pub event_id: Option<String>,
    /// What happened.
    pub message: String,
    /// The other fields of the record.
    pub fields: BTreeMap<String, String>,
}

impl Count {
    /// Of a name.
    pub fn new(name: &str, count: u64) -> Count {
        Count { name: name.to_owned(), count }
    }
}
