//! What the shards share about a listener.

use super::RefusedCounts;
use crate::limits::Gate;

/// What the shards share about a listener.
#[derive(Debug, Default)]
pub struct ListenerStatus {
    /// What its sessions have taken of its limits.
    pub limits: Gate,
    /// Who was refused, by reason.
    pub refused: RefusedCounts,
}
