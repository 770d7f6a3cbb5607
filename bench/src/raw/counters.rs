//! What a raw server counts: written by its thread once a turn, read by any other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::Serialize;

/// What a raw server has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RawStats {
    /// System calls of the serving thread: all of mio's and io_uring's. Of tokio's, those that moved octets or slept;
    /// its calls that found nothing to do cannot be seen from outside, so its count is a lower bound.
    pub system_calls: u64,
    /// Connections open now.
    pub connections: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Octets sent, with those of the opening.
    pub octets: u64,
    /// Receives that found no free block and waited for one: io_uring only.
    pub blocks_exhausted: u64,
}

/// A [`RawStats`] that can be read meanwhile, and the wish that the server ends.
///
/// The serving thread counts in a `RawStats` of its own and publishes it once a turn by plain stores: the figures of
/// one look need not be of the same turn.
#[derive(Debug, Default)]
pub(super) struct Counters {
    system_calls: AtomicU64,
    connections: AtomicU64,
    accepted: AtomicU64,
    octets: AtomicU64,
    blocks_exhausted: AtomicU64,
    stop: AtomicBool,
}

impl Counters {
    pub(super) fn publish(&self, stats: &RawStats) {
        self.system_calls.store(stats.system_calls, Ordering::Relaxed);
        self.connections.store(stats.connections, Ordering::Relaxed);
        self.accepted.store(stats.accepted, Ordering::Relaxed);
        self.octets.store(stats.octets, Ordering::Relaxed);
        self.blocks_exhausted.store(stats.blocks_exhausted, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> RawStats {
        RawStats {
            system_calls: self.system_calls.load(Ordering::Relaxed),
            connections: self.connections.load(Ordering::Relaxed),
            accepted: self.accepted.load(Ordering::Relaxed),
            octets: self.octets.load(Ordering::Relaxed),
            blocks_exhausted: self.blocks_exhausted.load(Ordering::Relaxed),
        }
    }

    /// Counts at once, for a server without turns of its own. Only the serving thread writes.
    pub(super) fn count(&self, system_calls: u64, octets: usize) {
        add(&self.system_calls, system_calls);
        add(&self.octets, octets as u64);
    }

    pub(super) fn opened(&self) {
        add(&self.accepted, 1);
        add(&self.connections, 1);
    }

    pub(super) fn closed(&self) {
        add(&self.connections, u64::MAX);
    }

    /// The server ends at the next connection it accepts: looking at this costs nothing between.
    pub(super) fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    pub(super) fn is_asked_to_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

/// Adds, modulo 2^64, without the cost of a locked instruction.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}
