//! A rate: so much a second, with a burst of one second.
//!
//! The generic cell rate algorithm, in one atomic number: the time at which everything taken so far is paid for. An
//! idle bucket is full, and takes no memory of what was. Who takes more than there is learns how long it has to
//! wait; the next one waits behind it, so that all who share a bucket are served in the order in which they asked.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What may be taken at once from a full bucket: as much as a second brings.
const BURST: u64 = SECOND;
const SECOND: u64 = 1_000_000_000;

/// A rate that any thread may take from.
#[derive(Debug, Default)]
pub struct Bucket {
    /// Nanoseconds of the plan's time at which all that was taken is paid for.
    paid_at: AtomicU64,
}

impl Bucket {
    /// Takes one of `per_second`; false, and nothing is taken, when that would be too many.
    pub fn try_take(&self, now: Duration, per_second: u64) -> bool {
        let (now, cost) = (nanos(now), cost(1, per_second));
        let taken = self.paid_at.fetch_update(Relaxed, Relaxed, |paid_at| {
            let paid_at = paid_at.max(now) + cost;
            (paid_at <= now + BURST).then_some(paid_at)
        });
        taken.is_ok()
    }

    /// Takes `amount` of `per_second` and tells how long to wait until it is there.
    pub fn reserve(&self, now: Duration, per_second: u64, amount: u64) -> Duration {
        let (now, cost) = (nanos(now), cost(amount, per_second));
        let after = |paid_at: u64| paid_at.max(now).saturating_add(cost);
        let before = self.paid_at.fetch_update(Relaxed, Relaxed, |paid_at| Some(after(paid_at)));
        let paid_at = after(before.unwrap_or_default());
        Duration::from_nanos(paid_at.saturating_sub(now + BURST))
    }

    /// Gives back what was taken and not used.
    pub fn give_back(&self, per_second: u64, amount: u64) {
        let cost = cost(amount, per_second);
        // The closure always gives a value, so this cannot fail.
        let _ = self.paid_at.fetch_update(Relaxed, Relaxed, |paid_at| Some(paid_at.saturating_sub(cost)));
    }

    /// Forgets all that was taken.
    pub fn forget(&self) {
        self.paid_at.store(0, Relaxed);
    }

    /// True when a whole second's worth is there, so that forgetting the bucket changes nothing.
    pub fn is_full(&self, now: Duration) -> bool {
        self.paid_at.load(Relaxed) <= nanos(now)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2)
}

/// How long `per_second` takes to bring `amount`.
fn cost(amount: u64, per_second: u64) -> u64 {
    let nanos = u128::from(amount) * u128::from(SECOND) / u128::from(per_second.max(1));
    u64::try_from(nanos).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(1000);

    #[test]
    fn a_burst_of_one_second_and_then_the_rate() {
        let bucket = Bucket::default();
        for per_second in [1, 3, 7, 1000] {
            let bucket = Bucket::default();
            let taken = (0..5000).filter(|_| bucket.try_take(START, per_second)).count() as u64;
            assert_eq!(taken, per_second);
        }
        let ticks = (0..10_000_u32).map(|ms| START + Duration::from_millis(u64::from(ms)));
        let taken = ticks.filter(|now| bucket.try_take(*now, 50)).count();
        assert_eq!(taken, 50 + 500 - 1, "ten seconds, the last of which is a tick short");
    }

    #[test]
    fn who_asks_for_more_waits_and_the_next_waits_behind_it() {
        let bucket = Bucket::default();
        assert_eq!(bucket.reserve(START, 1000, 1000), Duration::ZERO);
        assert_eq!(bucket.reserve(START, 1000, 500), Duration::from_millis(500));
        assert_eq!(bucket.reserve(START, 1000, 250), Duration::from_millis(750));
        assert_eq!(bucket.reserve(START + Duration::from_millis(750), 1000, 1), Duration::from_millis(1));
        assert!(!bucket.is_full(START + Duration::from_millis(1750)));
        assert!(bucket.is_full(START + Duration::from_millis(1751)));
    }

    #[test]
    fn what_is_given_back_may_be_taken_again() {
        let bucket = Bucket::default();
        bucket.reserve(START, 1000, 900);
        bucket.give_back(1000, 900);
        assert!(bucket.is_full(START));
        // Nothing is won by giving back after the time has passed.
        bucket.give_back(1000, 5000);
        assert_eq!(bucket.reserve(START, 1000, 1001), Duration::from_millis(1));
    }

    #[test]
    fn an_absurd_amount_is_no_overflow() {
        let bucket = Bucket::default();
        assert!(bucket.reserve(START, 1, u64::MAX) > START);
        assert!(bucket.reserve(Duration::MAX, 1, u64::MAX) > START);
    }
}
