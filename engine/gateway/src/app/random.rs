//! Random numbers of a shard, for jitter: the same for the same seed, so that a simulation is too.

use std::time::Duration;

/// SplitMix64 (Steele, Lea, Flood 2014): a counter through a mixing function.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A time from zero up to `max`.
    pub(crate) fn up_to(&mut self, max: Duration) -> Duration {
        let nanos = u64::try_from(max.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.number() % nanos.saturating_add(1).max(1))
    }

    /// A time within a tenth of `about`.
    pub(crate) fn within_a_tenth(&mut self, about: Duration) -> Duration {
        about - about / 10 + self.up_to(about / 5)
    }
}

/// The mixing function of SplitMix64: every input bit reaches every output bit.
pub(crate) fn mix(mut number: u64) -> u64 {
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_stay_in_their_bounds() {
        let mut random = Random::new(7);
        let second = Duration::from_secs(1);
        let times: Vec<_> = (0..1000).map(|_| random.within_a_tenth(second)).collect();
        assert!(times.iter().all(|time| (second * 9 / 10..=second * 11 / 10).contains(time)));
        assert!(times.iter().any(|time| *time < second) && times.iter().any(|time| *time > second));
        assert_eq!(random.up_to(Duration::ZERO), Duration::ZERO);
    }
}
