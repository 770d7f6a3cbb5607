//! How long it takes until sessions are established and released: counts by fixed bounds, filled when a session
//! begins or ends.
//!
//! One shard writes, other threads read; each number is written by a plain store.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the buckets, in seconds; one more takes what is longer.
pub const DURATION_BOUNDS: [f64; 15] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// From accepting a connection to the answer to CR.
    Transport,
    /// From opening a connection to a target to its AC.
    Upstream,
    /// From accepting a connection to AC, what a relay waits for its target included.
    Session,
    /// From FN to the end of the session.
    Release,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Stage; 4] = [Stage::Transport, Stage::Upstream, Stage::Session, Stage::Release];

    /// The label's value.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Transport => "transport",
            Stage::Upstream => "upstream",
            Stage::Session => "session",
            Stage::Release => "release",
        }
    }
}

/// The counts of one stage.
#[derive(Debug, Default)]
pub(super) struct DurationCounts {
    buckets: [AtomicU64; DURATION_BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// The counts of one stage at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DurationTally {
    /// How many were no longer than each of [`DURATION_BOUNDS`] and longer than the one before; the last: longer.
    pub buckets: [u64; DURATION_BOUNDS.len() + 1],
    /// The sum of all.
    pub sum: Duration,
}

impl DurationCounts {
    /// Counts one.
    pub(crate) fn add(&self, duration: Duration) {
        grow(&self.buckets[bucket_of(duration)], 1);
        grow(&self.nanoseconds, nanoseconds(duration));
    }

    /// The counts so far.
    pub(super) fn snapshot(&self) -> DurationTally {
        let mut tally = DurationTally::default();
        for (to, from) in tally.buckets.iter_mut().zip(&self.buckets) {
            *to = from.load(Relaxed);
        }
        tally.sum = Duration::from_nanos(self.nanoseconds.load(Relaxed));
        tally
    }
}

/// The counts of one stage that several shards make.
#[derive(Debug, Default)]
pub(crate) struct SharedDurations(DurationCounts);

impl SharedDurations {
    /// Counts one.
    pub(crate) fn add(&self, duration: Duration) {
        self.0.buckets[bucket_of(duration)].fetch_add(1, Relaxed);
        self.0.nanoseconds.fetch_add(nanoseconds(duration), Relaxed);
    }

    /// The counts so far.
    pub(crate) fn snapshot(&self) -> DurationTally {
        self.0.snapshot()
    }
}

fn bucket_of(duration: Duration) -> usize {
    let seconds = duration.as_secs_f64();
    DURATION_BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(DURATION_BOUNDS.len())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Sound because one thread only writes.
fn grow(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(by), Relaxed);
}

impl DurationTally {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Adds the counts of another shard.
    pub fn add(&mut self, other: &DurationTally) {
        for (to, from) in self.buckets.iter_mut().zip(&other.buckets) {
            *to += from;
        }
        self.sum += other.sum;
    }

    /// The duration that this share (0 to 1) does not exceed, in seconds, by linear interpolation between bounds;
    /// `None` where nothing was counted. What is beyond the last bound counts as that bound.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = share * count as f64;
        let mut below = 0.0;
        let mut lower = 0.0;
        for (bucket, bound) in self.buckets.iter().zip(DURATION_BOUNDS) {
            let here = *bucket as f64;
            if here > 0.0 && below + here >= rank {
                return Some(lower + (bound - lower) * ((rank - below) / here).clamp(0.0, 1.0));
            }
            below += here;
            lower = bound;
        }
        Some(lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_by_their_bounds() {
        let counts = DurationCounts::default();
        for micros in [0, 100, 101, 30_000_000, 30_000_001] {
            counts.add(Duration::from_micros(micros));
        }
        let mut tally = counts.snapshot();
        assert_eq!((tally.buckets[0], tally.buckets[1], tally.buckets[14], tally.buckets[15]), (2, 1, 1, 1));
        assert_eq!((tally.count(), tally.sum), (5, Duration::from_micros(60_000_202)));
        tally.add(&counts.snapshot());
        assert_eq!(tally.count(), 10);
    }

    #[test]
    fn quantiles_lie_between_the_bounds_of_their_bucket() {
        assert_eq!(DurationTally::default().quantile(0.5), None);
        let counts = DurationCounts::default();
        for _ in 0..99 {
            counts.add(Duration::from_micros(700));
        }
        counts.add(Duration::from_secs(60));
        let tally = counts.snapshot();
        let median = tally.quantile(0.5).expect("some");
        assert!((0.0005..=0.001).contains(&median), "{median}");
        assert_eq!(tally.quantile(0.999), Some(30.0));
    }
}
