//! Sight: what a gateway does at this moment, as one value that the admin HTTP, the control socket and their readers
//! share.
//!
//! [`StatusReport::of`] reads the counters of the shards; nothing here runs on a shard. Rates come from samples that
//! are taken once a second, see [`Sight::tick`].

mod build;
pub mod config;
mod config_status;
pub mod events;
mod listed;
pub(crate) mod page;
mod sampler;
pub mod status;
pub mod text;

use std::net::SocketAddr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use crate::vitals::Vitals;
use sampler::Samples;

pub(crate) use build::{closings, durations, refusals};
pub use listed::{Listed, Order};
pub use status::StatusReport;

/// What sight remembers beside the counters.
#[derive(Debug)]
pub struct Sight {
    samples: Mutex<Samples>,
    started_at: SystemTime,
    /// Where the listeners listen, in the order of the configuration at the start.
    addresses: OnceLock<Vec<SocketAddr>>,
    /// Held while sessions are listed: however many ask, shards answer one listing after the other.
    listing: tokio::sync::Mutex<()>,
}

impl Default for Sight {
    fn default() -> Self {
        Sight {
            samples: Mutex::default(),
            started_at: SystemTime::now(),
            addresses: OnceLock::new(),
            listing: tokio::sync::Mutex::default(),
        }
    }
}

impl Sight {
    /// Takes a sample where the last one is a second old. To be called from any thread that wakes at least that
    /// often.
    pub fn tick(&self, vitals: &Vitals) {
        let now = vitals.uptime();
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.is_due(now) {
            samples.push(sampler::Sample::take(vitals, now));
        }
    }

    /// Time until the next sample is due.
    pub fn until_due(&self, vitals: &Vitals) -> Duration {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner).until_due(vitals.uptime())
    }

    /// To be held by who lists sessions.
    pub(crate) fn listing(&self) -> &tokio::sync::Mutex<()> {
        &self.listing
    }

    /// When the gateway started.
    pub(crate) fn started_at(&self) -> SystemTime {
        self.started_at
    }

    /// For each shard, the share of the last ten seconds that it did not wait.
    pub(crate) fn busy_ratios(&self, vitals: &Vitals) -> Vec<f64> {
        self.tick(vitals);
        let now = sampler::Sample::take(vitals, vitals.uptime());
        let ratio =
            |samples: &Samples, shard| samples.rates(&now, Some(shard), Duration::from_secs(10)).busy_ratio;
        self.with_samples(|samples| (0..now.shard_count()).map(|shard| ratio(samples, shard)).collect())
    }

    /// Remembers where the listeners listen; only the first call counts.
    pub(crate) fn set_addresses(&self, addresses: Vec<SocketAddr>) {
        let _ = self.addresses.set(addresses);
    }

    fn with_samples<R>(&self, read: impl FnOnce(&Samples) -> R) -> R {
        read(&self.samples.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
