//! What the shards share about a listener.

use crate::limits::Gate;

/// What the shards share about a listener.
#[derive(Debug, Default)]
pub struct ListenerStatus {
    /// What its sessions have taken of its limits.
    pub limits: Gate,
}
