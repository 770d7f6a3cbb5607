//! What the shards act on, replaced whole by a reload, and what they share about it.
//!
//! A shard keeps indices: of listeners, routes, upstreams and targets. They stay what they are over reloads:
//! [`Plan::succeed`] gives every name its old index, adds new names at the end and keeps those that the file has
//! no more as `removed`, because sessions go on with them.
//!
//! The statuses beside the configuration are shared by all shards and the control thread. They are touched when a
//! session begins or ends, never for each SSDU.

mod listener;
mod refused;
mod route;
mod succeed;
mod target;

use std::sync::Arc;
use std::time::Instant;

use crate::config::Config;
use crate::drain::Pace;
use crate::limits::Limits;
use crate::tls::TlsMaterial;

pub use listener::ListenerStatus;
pub use refused::{RefusedCounts, RefusedFor};
pub use route::RouteStatus;
pub(crate) use succeed::reached_alike;
pub use target::{ConnectOutcome, EJECTION_FACTOR_MAX, Health, TargetStatus};

/// What the shards act on.
#[derive(Debug)]
pub struct Plan {
    /// The configuration, with the indices that sessions know.
    pub config: Arc<Config>,
    /// Where the times begin that the statuses have; the same over reloads.
    pub origin: Instant,
    /// Turns for ending the sessions of targets in maintenance, in the time since `origin`.
    pub(crate) maintenance: Arc<Pace>,
    /// 1 at the start, one more with each reload.
    pub generation: u64,
    /// What sessions have taken of the limits on everything and of those on a source.
    pub limits: Arc<Limits>,
    /// One for each of `config.listeners`.
    pub listeners: Vec<Arc<ListenerStatus>>,
    /// One for each of `config.routes`.
    pub routes: Vec<Arc<RouteStatus>>,
    /// One for each of `config.targets`.
    pub targets: Vec<Arc<TargetStatus>>,
    /// One for each of `config.tls`, once read: see [`Plan::with_tls`].
    pub tls: Vec<Arc<TlsMaterial>>,
}

impl Plan {
    /// The plan of a configuration at the start.
    pub fn new(config: Arc<Config>) -> Plan {
        Plan {
            origin: Instant::now(),
            maintenance: Arc::new(Pace::of(&config.drain)),
            generation: 1,
            limits: Arc::default(),
            listeners: config.listeners.iter().map(|_| Arc::default()).collect(),
            routes: config.routes.iter().map(|_| Arc::default()).collect(),
            targets: config.targets.iter().map(|target| Arc::new(TargetStatus::new(target.state))).collect(),
            tls: Vec::new(),
            config,
        }
    }

    /// The same plan with what was read for the `[[tls]]` tables of its configuration.
    ///
    /// Without it listeners and targets with TLS cannot be used; they never go on without.
    #[must_use]
    pub fn with_tls(self, tls: Vec<Arc<TlsMaterial>>) -> Plan {
        Plan { tls, ..self }
    }
}
