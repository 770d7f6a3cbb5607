//! When requests of an open loop are due, and whose turn it is.

use crate::random::Random;

/// One schedule for all connections; times are nanoseconds since the pump was opened.
#[derive(Debug)]
pub(super) struct Schedule {
    due: f64,
    interval: f64,
    gaps: Option<Random>,
    turn: usize,
}

impl Schedule {
    /// From `now` on; with a seed the gaps are exponential.
    pub(super) fn new(now: u64, rate_per_s: f64, seed: Option<u64>) -> Schedule {
        let interval = 1e9 / rate_per_s;
        Schedule { due: now as f64, interval, gaps: seed.map(Random::new), turn: 0 }
    }

    /// When the next request is due.
    pub(super) fn due(&self) -> u64 {
        self.due as u64
    }

    /// Counts requests: connections take them in turn.
    pub(super) fn turn(&self) -> usize {
        self.turn
    }

    /// Goes on to the request after it.
    pub(super) fn advance(&mut self) {
        self.turn = self.turn.wrapping_add(1);
        self.due += match &mut self.gaps {
            None => self.interval,
            Some(gaps) => gaps.exponential(self.interval),
        };
    }

    /// Puts off all that is not yet due.
    pub(super) fn shift(&mut self, time: u64) {
        self.due += time as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count_until(mut schedule: Schedule, end: u64) -> u64 {
        let mut count = 0;
        while schedule.due() < end {
            schedule.advance();
            count += 1;
        }
        count
    }

    #[test]
    fn as_many_requests_are_due_as_the_rate_says() {
        assert_eq!(count_until(Schedule::new(500, 10_000.0, None), 1_000_000_500), 10_000);
        let poisson = count_until(Schedule::new(0, 10_000.0, Some(7)), 10_000_000_000);
        // A Poisson count of mean 100 000 has a standard deviation of 316.
        assert!((98_500..101_500).contains(&poisson), "{poisson}");
        let mut shifted = Schedule::new(0, 10.0, None);
        shifted.shift(5);
        assert_eq!((shifted.due(), shifted.turn()), (5, 0));
    }
}
