//! What the shards share about a target.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use crate::config::TargetState;

/// What the shards share about a target.
#[derive(Debug)]
pub struct TargetStatus {
    state: AtomicU8,
}

impl TargetStatus {
    pub(crate) fn new(state: TargetState) -> Self {
        TargetStatus { state: AtomicU8::new(state as u8) }
    }

    /// What the operator wants of it.
    pub fn state(&self) -> TargetState {
        match self.state.load(Relaxed) {
            0 => TargetState::Ready,
            1 => TargetState::Drain,
            _ => TargetState::Maint,
        }
    }

    /// Sets what the operator wants of it.
    pub fn set_state(&self, state: TargetState) {
        self.state.store(state as u8, Relaxed);
    }
}
