//! When requests are due: the schedule of an open loop.
//!
//! Each session has its own schedule at its share of the rate. Evenly spaced sessions that start one
//! after the other give an evenly spaced run; Poisson processes add up to a Poisson process. A schedule is
//! two numbers, so a request that waits costs no memory.

use crate::plan::{LoadPlan, Mode};
use crate::random::Random;

/// The schedule of one session; times are nanoseconds since the start of the load.
#[derive(Clone, Debug)]
pub struct Schedule {
    due_ns: f64,
    interval_ns: f64,
    gaps: Option<Random>,
}

impl Schedule {
    /// The schedule of session `number` of the run, counted over all threads; `None` in a closed loop.
    pub fn of_session(plan: &LoadPlan, number: u32) -> Option<Schedule> {
        let interval_ns = f64::from(plan.sessions) / plan.rate_per_s * 1e9;
        match plan.mode {
            Mode::Closed => None,
            Mode::Constant => {
                Some(Schedule { due_ns: f64::from(number) / plan.rate_per_s * 1e9, interval_ns, gaps: None })
            }
            Mode::Poisson => {
                let mut gaps = Random::stream(plan.seed, u64::from(number));
                let due_ns = gaps.exponential(interval_ns);
                Some(Schedule { due_ns, interval_ns, gaps: Some(gaps) })
            }
        }
    }

    /// When the next request is due.
    pub fn due_ns(&self) -> u64 {
        self.due_ns as u64
    }

    /// Goes on to the request after it.
    pub fn advance(&mut self) {
        self.due_ns += match &mut self.gaps {
            None => self.interval_ns,
            Some(gaps) => gaps.exponential(self.interval_ns),
        };
    }

    /// Requests due before `end_ns` and from the next one on.
    pub fn count_before(mut self, end_ns: u64) -> u64 {
        let mut count = 0;
        while self.due_ns() < end_ns {
            count += 1;
            self.advance();
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(mode: Mode, sessions: u32, rate_per_s: f64, end_ns: u64) -> Vec<u64> {
        let plan = LoadPlan { mode, sessions, rate_per_s, ..LoadPlan::default() };
        let mut times = Vec::new();
        for number in 0..sessions {
            let mut schedule = Schedule::of_session(&plan, number).unwrap();
            while schedule.due_ns() < end_ns {
                times.push(schedule.due_ns());
                schedule.advance();
            }
        }
        times.sort_unstable();
        times
    }

    #[test]
    fn constant_schedules_of_all_sessions_are_evenly_spaced() {
        let times = times(Mode::Constant, 7, 1000.0, 1_000_000_000);
        assert_eq!(times.len(), 1000);
        for pair in times.windows(2) {
            assert!((999_998..=1_000_002).contains(&(pair[1] - pair[0])), "{pair:?}");
        }
    }

    #[test]
    fn poisson_schedules_add_up_to_the_rate_with_exponential_gaps() {
        let times = times(Mode::Poisson, 50, 10_000.0, 10_000_000_000);
        assert!((times.len() as f64 - 100_000.0).abs() < 1500.0, "{}", times.len());
        // A Poisson process has gaps above its mean with probability e^-1.
        let above = times.windows(2).filter(|pair| pair[1] - pair[0] > 100_000).count();
        let share = above as f64 / times.len() as f64;
        assert!((share - 0.3679).abs() < 0.01, "{share}");
    }

    #[test]
    fn missed_requests_are_counted_without_changing_the_schedule() {
        let plan = LoadPlan { mode: Mode::Constant, sessions: 1, rate_per_s: 1000.0, ..LoadPlan::default() };
        let mut schedule = Schedule::of_session(&plan, 0).unwrap();
        schedule.advance();
        assert_eq!(schedule.clone().count_before(10_000_000), 9);
        assert_eq!(schedule.due_ns(), 1_000_000);
    }
}
