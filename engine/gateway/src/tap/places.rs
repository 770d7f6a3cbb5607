//! The taps of a gateway: how many there may be, and what they left out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::record::Shared;
use crate::vitals::Vitals;

/// Taps at once.
pub(crate) const TAPS_MAX: usize = 8;

/// The taps of a gateway.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    begun: AtomicU64,
    /// Of taps that have ended.
    runs_left_out: AtomicU64,
    /// Those that are on, and what they count for each shard.
    on: Mutex<Vec<(u64, Vec<Arc<Shared>>)>>,
}

impl Taps {
    /// Taps that are on.
    pub(crate) fn count(&self) -> usize {
        self.on.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Runs of octets that taps left out, since the gateway began.
    pub(crate) fn runs_left_out(&self) -> u64 {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: a tap that ends meanwhile is counted once.
        self.runs_left_out.load(Ordering::Relaxed)
            + on.iter().map(|(_, shards)| left_out(shards)).sum::<u64>()
    }
}

/// A place for a tap, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    vitals: Arc<Vitals>,
    shards: Vec<Arc<Shared>>,
}

/// As many taps as there may be are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{TAPS_MAX} taps are on, and there are no more at once")]
pub(crate) struct TooManyTaps;

impl Place {
    /// A place for a tap that counts here.
    ///
    /// # Errors
    /// When there are too many taps.
    pub(super) fn take(vitals: &Arc<Vitals>, shards: Vec<Arc<Shared>>) -> Result<Place, TooManyTaps> {
        let mut on = vitals.taps.on.lock().unwrap_or_else(PoisonError::into_inner);
        if on.len() >= TAPS_MAX {
            return Err(TooManyTaps);
        }
        let id = vitals.taps.begun.fetch_add(1, Ordering::Relaxed);
        on.push((id, shards.clone()));
        Ok(Place { id, vitals: Arc::clone(vitals), shards })
    }

    /// The tap's number.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    pub(super) fn vitals(&self) -> &Vitals {
        &self.vitals
    }

    /// Runs of octets that the tap left out so far.
    pub(super) fn runs_left_out(&self) -> u64 {
        left_out(&self.shards)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let taps = &self.vitals.taps;
        let mut on = taps.on.lock().unwrap_or_else(PoisonError::into_inner);
        on.retain(|(id, _)| *id != self.id);
        taps.runs_left_out.fetch_add(self.runs_left_out(), Ordering::Relaxed);
    }
}

fn left_out(shards: &[Arc<Shared>]) -> u64 {
    shards.iter().map(|shared| shared.runs_left_out.load(Ordering::Relaxed)).sum()
}
