//! What is counted and limited in one scope: everything, a listener, a route, a source.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::bucket::Bucket;
use super::{Limit, Numbers};

/// The counts and rates of one scope.
///
/// Counted whether or not there is a limit, so that a limit that a reload brings holds at once.
#[derive(Debug, Default)]
pub struct Gate {
    sessions: AtomicU64,
    not_established: AtomicU64,
    /// Since the start.
    established: AtomicU64,
    connects: Bucket,
    octets: Bucket,
}

impl Gate {
    /// Sessions within.
    pub fn sessions(&self) -> u64 {
        self.sessions.load(Relaxed)
    }

    /// Those of them whose S-CONNECT is not answered.
    pub fn not_established(&self) -> u64 {
        self.not_established.load(Relaxed)
    }

    /// Sessions that were established here since the start.
    pub fn established_count(&self) -> u64 {
        self.established.load(Relaxed)
    }

    /// Lets a session in.
    ///
    /// # Errors
    /// The limit that it would exceed; nothing has changed.
    pub(super) fn enter(&self, now: Duration, numbers: &Numbers) -> Result<(), Limit> {
        self.enter_again(numbers)?;
        if numbers.connects_per_second_max > 0
            && !self.connects.try_take(now, numbers.connects_per_second_max)
        {
            self.leave(false);
            return Err(Limit::ConnectsPerSecond);
        }
        Ok(())
    }

    /// Lets in the next session of a connection that is there already: no connect is counted.
    ///
    /// # Errors
    /// The limit that it would exceed; nothing has changed.
    pub(super) fn enter_again(&self, numbers: &Numbers) -> Result<(), Limit> {
        if !take(&self.sessions, numbers.sessions_max) {
            return Err(Limit::Sessions);
        }
        if !take(&self.not_established, numbers.not_established_max) {
            give_back(&self.sessions);
            return Err(Limit::NotEstablished);
        }
        Ok(())
    }

    /// Undoes [`Gate::enter`] because another scope refused.
    pub(super) fn undo(&self, numbers: &Numbers) {
        self.leave(false);
        if numbers.connects_per_second_max > 0 {
            self.connects.give_back(numbers.connects_per_second_max, 1);
        }
    }

    /// The session's S-CONNECT was answered.
    pub(super) fn established(&self) {
        give_back(&self.not_established);
        self.established.fetch_add(1, Relaxed);
    }

    /// The session has ended.
    pub(super) fn leave(&self, established: bool) {
        give_back(&self.sessions);
        if !established {
            give_back(&self.not_established);
        }
    }

    /// Takes octets and tells how long to wait until they may be used.
    pub(super) fn reserve_octets(&self, now: Duration, numbers: &Numbers, octets: u64) -> Duration {
        match numbers.octets_per_second_max {
            0 => Duration::ZERO,
            per_second => self.octets.reserve(now, per_second, octets),
        }
    }

    /// Forgets what was taken of the octets: they have another rate now.
    pub(super) fn forget_octets(&self) {
        self.octets.forget();
    }

    /// Gives back octets that were taken and not used.
    pub(super) fn give_back_octets(&self, numbers: &Numbers, octets: u64) {
        if numbers.octets_per_second_max > 0 {
            self.octets.give_back(numbers.octets_per_second_max, octets);
        }
    }

    /// True when forgetting it changes nothing.
    pub(super) fn is_unused(&self, now: Duration) -> bool {
        self.sessions() == 0 && self.connects.is_full(now) && self.octets.is_full(now)
    }
}

/// Counts one more unless there are `max`; 0: no limit.
fn take(count: &AtomicU64, max: u64) -> bool {
    let more = |count: u64| (max == 0 || count < max).then_some(count + 1);
    count.fetch_update(Relaxed, Relaxed, more).is_ok()
}

fn give_back(count: &AtomicU64) {
    let before = count.fetch_sub(1, Relaxed);
    debug_assert!(before > 0, "what is given back was taken");
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    #[test]
    fn each_limit_refuses_and_leaves_nothing_behind() {
        let gate = Gate::default();
        let numbers = Numbers { sessions_max: 3, not_established_max: 2, ..Numbers::default() };
        assert_eq!(gate.enter(NOW, &numbers), Ok(()));
        assert_eq!(gate.enter(NOW, &numbers), Ok(()));
        assert_eq!(gate.enter(NOW, &numbers), Err(Limit::NotEstablished));
        gate.established();
        assert_eq!(gate.enter(NOW, &numbers), Ok(()));
        gate.established();
        assert_eq!(gate.enter(NOW, &numbers), Err(Limit::Sessions));
        assert_eq!((gate.sessions(), gate.not_established()), (3, 1));
        let slow = Numbers { connects_per_second_max: 1, ..Numbers::default() };
        assert_eq!(gate.enter(NOW, &slow), Ok(()));
        assert_eq!(gate.enter(NOW, &slow), Err(Limit::ConnectsPerSecond));
        gate.undo(&slow);
        assert_eq!(gate.enter(NOW, &slow), Ok(()), "the connect was given back");
        for established in [true, true, false, false] {
            gate.leave(established);
        }
        assert_eq!((gate.sessions(), gate.not_established()), (0, 0));
    }
}
