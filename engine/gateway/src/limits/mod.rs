//! Limits that all shards share: how many sessions, connections and octets there may be in all, on a listener, on a
//! route and from a source.
//!
//! | scope | counted in | its numbers |
//! |---|---|---|
//! | all | [`Limits`] | `[limits]` |
//! | listener | [`crate::plan::ListenerStatus`] | `[[listener]]` |
//! | route | [`crate::plan::RouteStatus`] | `[[route]]` |
//! | source | a table of sources within [`Limits`] | `[limits]`, `source_...` |
//!
//! Counts and rates survive reloads; the numbers are those of the configuration at the moment, so that a new limit holds
//! for what comes next and ends nobody. A [`Ticket`] is what a session has taken; dropping it gives all of it back.
//! Nothing here is touched for an SSDU: octets are taken by the quantum (see `Ticket::reserve_octets`).

mod bucket;
mod gate;
mod numbers;
mod refusals;
mod reloaded;
mod source;
mod ticket;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

pub use bucket::Bucket;
pub use gate::Gate;
pub(crate) use numbers::AllNumbers;
pub use numbers::Numbers;
pub use refusals::{Refusal, Refusals};
pub use source::SOURCES_MAX;
pub(crate) use ticket::Entrant;
pub use ticket::Ticket;

/// What a limit is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Everything.
    All,
    /// The listener of this index.
    Listener(u16),
    /// The route of this index.
    Route(u16),
    /// One source address.
    Source,
    /// One shard.
    Shard,
}

impl Scope {
    /// The words of logs and metrics, in the order of the counters.
    pub const NAMES: [&'static str; 5] = ["all", "listener", "route", "source", "shard"];

    fn index(self) -> usize {
        match self {
            Scope::All => 0,
            Scope::Listener(_) => 1,
            Scope::Route(_) => 2,
            Scope::Source => 3,
            Scope::Shard => 4,
        }
    }

    /// The word of logs and metrics.
    pub fn name(self) -> &'static str {
        Scope::NAMES[self.index()]
    }
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Sessions at once.
    Sessions,
    /// Connections in a second.
    ConnectsPerSecond,
    /// Connections whose S-CONNECT is not answered.
    NotEstablished,
    /// User data in a second.
    OctetsPerSecond,
    /// Octets that sessions hold.
    Memory,
    /// Networks that are let in.
    Network,
}

impl Limit {
    /// Every one, in the order of the counters.
    pub const ALL: [Limit; 6] = [
        Limit::Sessions,
        Limit::ConnectsPerSecond,
        Limit::NotEstablished,
        Limit::OctetsPerSecond,
        Limit::Memory,
        Limit::Network,
    ];

    /// The word of logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Limit::Sessions => "sessions",
            Limit::ConnectsPerSecond => "connects_per_second",
            Limit::NotEstablished => "connections_not_established",
            Limit::OctetsPerSecond => "octets_per_second",
            Limit::Memory => "memory",
            Limit::Network => "network",
        }
    }
}

/// What all shards share about limits; the same over reloads.
#[derive(Debug, Default)]
pub struct Limits {
    gate: Gate,
    sources: source::Sources,
    refusals: Refusals,
    refused: [[AtomicU64; Limit::ALL.len()]; Scope::NAMES.len()],
    throttles: [AtomicU64; Scope::NAMES.len()],
    throttled_nanos: [AtomicU64; Scope::NAMES.len()],
}

/// The counts of [`Limits`] at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitsTally {
    /// Sessions that hold a ticket.
    pub sessions: u64,
    /// Those of them whose S-CONNECT is not answered.
    pub not_established: u64,
    /// Sources known.
    pub sources: usize,
    /// Connections whose source had to share an account, because there were too many.
    pub sources_overflowed: u64,
    /// Connections and sessions refused: scope, limit, count.
    pub refused: Vec<(&'static str, &'static str, u64)>,
    /// Times that a session was not read from: scope, count, how long altogether.
    pub throttled: Vec<(&'static str, u64, Duration)>,
}

impl Limits {
    /// Counts a refusal and notes it for the log.
    pub(crate) fn refused(&self, scope: Scope, limit: Limit, source: Option<IpAddr>) {
        let limit_index = limit as usize;
        self.refused[scope.index()][limit_index].fetch_add(1, Relaxed);
        self.refusals.note(scope, limit, source);
    }

    /// Counts that a session is not read from for a while, and notes it for the log.
    pub(crate) fn throttled(&self, scope: Scope, source: Option<IpAddr>, wait: Duration) {
        self.throttles[scope.index()].fetch_add(1, Relaxed);
        let nanos = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        self.throttled_nanos[scope.index()].fetch_add(nanos, Relaxed);
        self.refusals.note(scope, Limit::OctetsPerSecond, source);
    }

    /// What is to be logged about refusals.
    pub fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// The counts; `now` in the plan's time.
    pub fn tally(&self, now: Duration) -> LimitsTally {
        let refused = Scope::NAMES.iter().zip(&self.refused).flat_map(|(scope, counts)| {
            let named = Limit::ALL.iter().zip(counts).filter(|(limit, _)| refuses(scope, **limit));
            named.map(|(limit, count)| (*scope, limit.name(), count.load(Relaxed)))
        });
        let throttled = Scope::NAMES.iter().zip(&self.throttles).zip(&self.throttled_nanos);
        LimitsTally {
            sessions: self.gate.sessions(),
            not_established: self.gate.not_established(),
            sources: self.sources.count(now),
            sources_overflowed: self.sources.overflowed(),
            refused: refused.collect(),
            throttled: throttled
                .map(|((scope, count), nanos)| {
                    (*scope, count.load(Relaxed), Duration::from_nanos(nanos.load(Relaxed)))
                })
                .filter(|(_, count, _)| *count > 0)
                .collect(),
        }
    }
}

/// True where there is such a limit, and being over it is a refusal.
fn refuses(scope: &str, limit: Limit) -> bool {
    match limit {
        Limit::Sessions | Limit::ConnectsPerSecond => scope != "shard",
        Limit::NotEstablished => scope != "shard" && scope != "route",
        Limit::Network => scope == "listener",
        Limit::Memory => scope == "shard",
        Limit::OctetsPerSecond => false,
    }
}
