//! When requests are due: the schedule of an open loop.
//!
//! A [`Curve`] is the rate of the whole run over time; its integral counts requests. Each session has its own schedule
//! of places in that count: evenly spaced ones that start one after the other give an evenly spaced run, Poisson
//! processes add up to a Poisson process, and the inverse of the integral makes times of them at any rate. A schedule
//! is a few numbers, so a request that waits costs no memory.

use crate::plan::{LoadPlan, Mode};
use crate::random::Random;

/// Later than any run: what a schedule says that will not be due any more.
const NEVER_NS: f64 = (1u64 << 62) as f64;

/// The rate over time: one part for the warm-up and each step. Times are seconds since the start of the load.
#[derive(Clone, Debug)]
pub struct Curve {
    parts: Vec<Part>,
}

/// A part of a curve at a rate that changes evenly.
#[derive(Clone, Copy, Debug)]
struct Part {
    /// When it begins.
    from_s: f64,
    /// Requests due before it.
    from_count: f64,
    /// Requests due before its end.
    to_count: f64,
    /// The rate at its beginning.
    rate: f64,
    /// Change of the rate per second.
    slope: f64,
}

impl Curve {
    /// The curve of a plan; `None` in a closed loop.
    pub fn of(plan: &LoadPlan) -> Option<Curve> {
        if plan.mode == Mode::Closed {
            return None;
        }
        let mut curve = Curve { parts: Vec::with_capacity(plan.step.len() + 2) };
        let (mut at_s, mut count) = (0.0, 0.0);
        let mut add = |length_s: f64, from: f64, to: f64| {
            let to_count = count + (from + to) / 2.0 * length_s;
            let slope = if from == to { 0.0 } else { (to - from) / length_s };
            curve.parts.push(Part { from_s: at_s, from_count: count, to_count, rate: from, slope });
            (at_s, count) = (at_s + length_s, to_count);
        };
        let rates = plan.step_rates();
        if !rates.is_empty() {
            add(plan.warm_up_ms as f64 / 1e3, plan.first_rate(), plan.first_rate());
        }
        for (step, rates) in plan.step.iter().zip(&rates) {
            add(step.duration_ms as f64 / 1e3, rates.from, rates.to);
        }
        // What is due behind the last step is never sent, but a schedule has to say something.
        let last = rates.last().map_or(plan.rate_per_s, |rates| rates.to);
        add(f64::INFINITY, last, last);
        Some(curve)
    }

    /// When the request at this place in the count is due, in nanoseconds; looks from part `hint` on, and leaves there
    /// the part it found.
    fn due_ns(&self, place: f64, hint: &mut u32) -> u64 {
        while place >= self.parts[*hint as usize].to_count && (*hint as usize) < self.parts.len() - 1 {
            *hint += 1;
        }
        let part = &self.parts[*hint as usize];
        let count = place - part.from_count;
        let after_s = if part.slope == 0.0 {
            count / part.rate
        } else {
            // The root of rate t + slope t^2 / 2 = count, in the form that loses no digits for a small slope.
            let root = (part.rate * part.rate + 2.0 * part.slope * count).max(0.0).sqrt();
            2.0 * count / (part.rate + root)
        };
        ((part.from_s + after_s) * 1e9).min(NEVER_NS) as u64
    }
}

/// The schedule of one session; times are nanoseconds since the start of the load.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Place of the next request in the count of all.
    place: f64,
    /// Mean distance of the session's places.
    stride: f64,
    due_ns: u64,
    part: u32,
    gaps: Option<Random>,
}

impl Schedule {
    /// The schedule of session `number` of the run, counted over all threads.
    pub fn of_session(plan: &LoadPlan, curve: &Curve, number: u32) -> Schedule {
        let stride = f64::from(plan.sessions);
        let mut gaps = (plan.mode == Mode::Poisson).then(|| Random::stream(plan.seed, u64::from(number)));
        let place = gaps.as_mut().map_or(f64::from(number), |gaps| gaps.exponential(stride));
        let mut schedule = Schedule { place, stride, due_ns: 0, part: 0, gaps };
        schedule.due_ns = curve.due_ns(schedule.place, &mut schedule.part);
        schedule
    }

    /// When the next request is due.
    pub fn due_ns(&self) -> u64 {
        self.due_ns
    }

    /// Goes on to the request after it.
    pub fn advance(&mut self, curve: &Curve) {
        self.place += match &mut self.gaps {
            None => self.stride,
            Some(gaps) => gaps.exponential(self.stride),
        };
        self.due_ns = curve.due_ns(self.place, &mut self.part);
    }

    /// When the requests are due from the next one on that are due before `end_ns`.
    pub fn due_before(mut self, curve: &Curve, end_ns: u64) -> impl Iterator<Item = u64> {
        std::iter::from_fn(move || {
            let due_ns = self.due_ns;
            self.advance(curve);
            (due_ns < end_ns).then_some(due_ns)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steps::{Ramp, Step};

    fn times_of(plan: &LoadPlan, end_ns: u64) -> Vec<u64> {
        let curve = Curve::of(plan).unwrap();
        let sessions = (0..plan.sessions).map(|number| Schedule::of_session(plan, &curve, number));
        let mut times: Vec<u64> = sessions.flat_map(|schedule| schedule.due_before(&curve, end_ns)).collect();
        times.sort_unstable();
        times
    }

    fn times(mode: Mode, sessions: u32, rate_per_s: f64, end_ns: u64) -> Vec<u64> {
        times_of(&LoadPlan { mode, sessions, rate_per_s, ..LoadPlan::default() }, end_ns)
    }

    /// One second at 1000, two seconds up to 3000, one second at 500, behind a warm-up of half a second.
    fn stepped(mode: Mode) -> LoadPlan {
        let step = |rate_per_s, duration_ms, ramp| Step { rate_per_s, duration_ms, ramp, name: None };
        LoadPlan {
            mode,
            sessions: 7,
            warm_up_ms: 500,
            step: vec![
                step(1000.0, 1000, None),
                step(3000.0, 2000, Some(Ramp::Linear)),
                step(500.0, 1000, None),
            ],
            ..LoadPlan::default()
        }
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
    fn each_step_has_its_requests_at_its_rate() {
        let within = |times: &[u64], from_ms: u64, to_ms: u64| {
            times.iter().filter(|ns| (from_ms * 1_000_000..to_ms * 1_000_000).contains(*ns)).count() as f64
        };
        for (mode, tolerance) in [(Mode::Constant, 1.0), (Mode::Poisson, 250.0)] {
            let times = times_of(&stepped(mode), 4_500_000_000);
            // The ramp has 1000 to 2000 a second in its first half, 2000 to 3000 in its second.
            for (from, to, count) in [
                (0, 500, 500.0),
                (500, 1500, 1000.0),
                (1500, 2500, 1500.0),
                (2500, 3500, 2500.0),
                (3500, 4500, 500.0),
            ] {
                let found = within(&times, from, to);
                assert!((found - count).abs() <= tolerance, "{mode:?} {from}: {found} of {count}");
            }
        }
        let times = times_of(&stepped(Mode::Constant), 4_500_000_000);
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.clone().all(|gap| gap > 330_000), "no two at once: {:?}", gaps.min());
    }

    #[test]
    fn missed_requests_are_counted_without_changing_the_schedule() {
        let plan = LoadPlan { mode: Mode::Constant, sessions: 1, rate_per_s: 1000.0, ..LoadPlan::default() };
        let curve = Curve::of(&plan).unwrap();
        let mut schedule = Schedule::of_session(&plan, &curve, 0);
        schedule.advance(&curve);
        assert_eq!(schedule.clone().due_before(&curve, 10_000_000).count(), 9);
        assert_eq!(schedule.due_ns(), 1_000_000);
    }

    #[test]
    fn a_closed_loop_has_no_curve() {
        assert!(Curve::of(&LoadPlan::default()).is_none());
    }
}
