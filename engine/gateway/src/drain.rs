//! A drain as all shards and the control thread see it: what is asked for, whose turn it is, what has ended.
//!
//! Turns are handed out for the whole gateway: a shard that has a session to end takes the next one, whatever
//! shard took the one before, so that the pace holds on the whole however sessions are spread.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::config::{DrainAction, DrainConfig};

/// How long listeners stay open once no new connection can come: connections whose handshake is under way are
/// answered, instead of being reset with the queue of the listener.
pub const LISTENING_GRACE: Duration = Duration::from_millis(250);

/// How far turns may lag behind and be made up for: timers are coarser than fast paces.
const CATCH_UP: Duration = Duration::from_millis(50);

/// What a shard is told about a drain.
#[derive(Clone, Debug)]
pub struct DrainOrder {
    pub(crate) config: DrainConfig,
    /// From the order until listeners are closed.
    pub(crate) grace: Duration,
    /// Listeners whose sockets were passed to this process: they are left at once, to whoever has passed them.
    pub(crate) left: Arc<[u32]>,
    pub(crate) shared: Arc<DrainShared>,
}

impl DrainOrder {
    /// A drain as configured.
    pub fn new(config: DrainConfig) -> DrainOrder {
        let shared = DrainShared {
            pace: Pace::new(config.sessions_per_second, config.jitter_percent, seed()),
            ..DrainShared::default()
        };
        let grace = LISTENING_GRACE.min(config.deadline);
        DrainOrder { grace, config, left: Arc::default(), shared: Arc::new(shared) }
    }

    /// The same drain, which leaves these listeners at once.
    pub(crate) fn leaving(self, left: Arc<[u32]>) -> DrainOrder {
        DrainOrder { left, ..self }
    }

    /// One that waits for sessions to end by themselves until the deadline.
    pub fn wait(deadline: Duration) -> DrainOrder {
        DrainOrder::new(DrainConfig { deadline, action: DrainAction::Wait, ..DrainConfig::default() })
    }

    /// The same drain with another deadline, from now on.
    pub(crate) fn with_deadline(&self, deadline: Duration) -> DrainOrder {
        let config = DrainConfig { deadline, ..self.config.clone() };
        DrainOrder { config, grace: self.grace.min(deadline), ..self.clone() }
    }
}

/// What shards share about a drain.
#[derive(Debug, Default)]
pub(crate) struct DrainShared {
    pub(crate) pace: Pace,
    /// Sessions when it began; both sides of a relay are one. Each of them is in one of the others once it has ended.
    pub(crate) began_with: AtomicU64,
    /// Those that it released.
    pub(crate) released: AtomicU64,
    /// Those that it aborted, at the pace or because a release was not answered.
    pub(crate) aborted: AtomicU64,
    /// Those that were still open at the deadline.
    pub(crate) at_deadline: AtomicU64,
    /// Those that ended by their peers' doing.
    pub(crate) by_themselves: AtomicU64,
}

/// Hands out turns, so many in a second.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    interval_ns: u64,
    jitter_percent: u64,
    /// The next turn that nobody has, in nanoseconds since the drain began.
    next_ns: AtomicU64,
    random: AtomicU64,
}

impl Pace {
    /// As `[drain]` says.
    pub(crate) fn of(config: &DrainConfig) -> Pace {
        Pace::new(config.sessions_per_second, config.jitter_percent, seed())
    }

    fn new(per_second: u32, jitter_percent: u8, seed: u64) -> Pace {
        Pace {
            interval_ns: 1_000_000_000 / u64::from(per_second.max(1)),
            jitter_percent: u64::from(jitter_percent.min(100)),
            next_ns: AtomicU64::new(0),
            random: AtomicU64::new(seed),
        }
    }

    /// Takes the next turn: when it is, since the drain began. `now` is the time of the caller since then.
    pub(crate) fn take(&self, now: Duration) -> Duration {
        let earliest = nanoseconds(now.saturating_sub(CATCH_UP));
        let step = self.step();
        let mut next = self.next_ns.load(Relaxed);
        loop {
            let turn = next.max(earliest);
            match self.next_ns.compare_exchange_weak(next, turn + step, Relaxed, Relaxed) {
                Ok(_) => return Duration::from_nanos(turn),
                Err(other) => next = other,
            }
        }
    }

    /// The time to the next turn but one: varies evenly around the interval.
    fn step(&self) -> u64 {
        let spread = self.interval_ns * self.jitter_percent / 100;
        if spread == 0 {
            return self.interval_ns;
        }
        // SplitMix64: any thread takes the next of one sequence.
        let mut word = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Relaxed);
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        self.interval_ns - spread + (word ^ (word >> 31)) % (2 * spread + 1)
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2)
}

/// A seed that differs between processes, from the keys of the standard hasher.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// How a drain stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrainStatus {
    /// What becomes of sessions.
    pub action: DrainAction,
    /// Sessions ended in a second, on the whole.
    pub sessions_per_second: u32,
    /// Since it began.
    pub since: Duration,
    /// Until what is left is aborted.
    pub deadline_in: Duration,
    /// Sessions when it began; both sides of a relay are one.
    pub began_with: u64,
    /// Accepted sessions that are left, ended ones that are being closed included.
    pub remaining: u64,
    /// Sessions that it released; each that has ended is in this or in one of the following.
    pub released: u64,
    /// Sessions that it aborted at its pace, or because they did not answer a release in time.
    pub aborted: u64,
    /// Sessions that were still open at the deadline, and were ended then.
    pub at_deadline: u64,
    /// Sessions that ended by themselves: the peers' doing.
    pub by_themselves: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_at_the_pace_whoever_takes_them() {
        for jitter in [0, 20, 100] {
            let pace = Pace::new(100, jitter, 7);
            let mut last = Duration::ZERO;
            for _ in 0..1000 {
                // Taken as soon as the one before is over.
                last = pace.take(last);
            }
            let seconds = last.as_secs_f64();
            assert!((9.2..10.8).contains(&seconds), "1000 turns at 100/s with {jitter} % end at {seconds} s");
        }
    }

    #[test]
    fn nobody_makes_up_for_a_long_silence() {
        let pace = Pace::new(10, 0, 1);
        assert_eq!(pace.take(Duration::ZERO), Duration::ZERO);
        assert_eq!(pace.take(Duration::from_secs(60)), Duration::from_secs(60) - CATCH_UP);
        assert_eq!(pace.take(Duration::from_secs(60)), Duration::from_millis(60_050));
    }

    #[test]
    fn jitter_varies_the_interval_by_no_more_than_its_share() {
        let pace = Pace::new(1000, 20, 3);
        let steps: Vec<u64> = (0..10_000).map(|_| pace.step()).collect();
        assert!(steps.iter().all(|step| (800_000..=1_200_000).contains(step)));
        assert!(steps.iter().any(|step| *step < 850_000) && steps.iter().any(|step| *step > 1_150_000));
    }
}
