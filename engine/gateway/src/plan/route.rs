//! What the shards share about a route.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use crate::limits::Gate;

/// What the shards share about a route.
#[derive(Debug, Default)]
pub struct RouteStatus {
    /// What its sessions have taken of its limits.
    pub limits: Gate,
    sessions: AtomicU32,
    selections: AtomicU64,
}

impl RouteStatus {
    /// Downstream sessions that it let in and that have not ended.
    pub fn sessions(&self) -> u32 {
        self.sessions.load(Relaxed)
    }

    /// Times that it was the first route to fit.
    pub fn selections(&self) -> u64 {
        self.selections.load(Relaxed)
    }

    pub(crate) fn session_began(&self) {
        self.sessions.fetch_add(1, Relaxed);
        self.selections.fetch_add(1, Relaxed);
    }

    pub(crate) fn session_ended(&self) {
        self.sessions.fetch_sub(1, Relaxed);
    }
}
