//! One plan against two responders in turn, and what the pairs of runs say.
//!
//! Runs alternate (A B, B A, A B, ...), so that what changes slowly about the machine meets both, and each round gives a
//! ratio. The interval of a ratio is the bootstrap interval of the median over the rounds, widened where rounds are few
//! to the order statistics that hold the median in 95 % of cases whatever the noise is like: a bootstrap of seven rounds
//! alone is too narrow for that. No winner is named when the interval contains 1.

use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

use crate::compare::statistics::{Estimate, estimate, median, paired_ratios};
use crate::plan::{LoadPlan, Mode};
use crate::report::{Percentiles, Report};
use crate::run::{Go, LoadError, Progress, run};

/// Version of the form of a [`Comparison`] as JSON.
pub const SCHEMA_VERSION: u32 = 1;
/// Fewest rounds: fewer than six cannot show a difference with 95 % confidence, whatever they measure.
pub const ROUNDS_MIN: usize = 6;
/// Most rounds.
pub const ROUNDS_MAX: usize = 100;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Side::A { "A" } else { "B" })
    }
}

/// What a comparison shows while it goes on.
#[derive(Debug)]
pub enum Look<'a> {
    /// A run goes on.
    Progress {
        /// Which round, from 1.
        round: usize,
        /// Against which.
        side: Side,
        /// Where it is.
        progress: &'a Progress,
    },
    /// A run has ended.
    Ended {
        /// Which round, from 1.
        round: usize,
        /// Against which.
        side: Side,
        /// Its record.
        report: &'a Report,
    },
}

/// What a run gave, as it is compared.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// SSDUs answered per second.
    pub ssdu_per_s: f64,
    /// From due to answered.
    pub response_us: Percentiles,
    /// False when something makes the numbers say less than they seem to.
    pub valid: bool,
    /// What that is.
    pub invalid_reasons: Vec<String>,
}

/// Both runs of a round.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// Which went first.
    pub first: Side,
    /// Against A.
    pub a: Outcome,
    /// Against B.
    pub b: Outcome,
}

/// What the rounds say about one quantity.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// `p50_us`, `p99_us` or `ssdu_per_s`.
    pub metric: &'static str,
    /// Median of A.
    pub a: f64,
    /// Median of B.
    pub b: f64,
    /// A divided by B: median over the rounds, and its interval of 95 %.
    pub ratio: Estimate,
    /// Which is better, where the interval does not contain 1.
    pub winner: Option<Side>,
}

/// What a comparison found.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The first responder.
    pub a: SocketAddr,
    /// The second.
    pub b: SocketAddr,
    /// The quantities.
    pub findings: Vec<Finding>,
    /// False when a run was not valid, or the comparison was stopped.
    pub valid: bool,
    /// Why.
    pub invalid_reasons: Vec<String>,
    /// Nothing was lost and no session failed in any run.
    pub clean: bool,
    /// A run did not keep to a threshold of the plan.
    pub threshold_failed: bool,
    /// Every complete round.
    pub rounds: Vec<Round>,
}

/// Runs `plan` against both, `rounds` times each; `look` is called about five times a second and after each run.
///
/// # Errors
/// [`LoadError`] when a run cannot take place.
pub fn compare(
    plan: &LoadPlan,
    sides: [SocketAddr; 2],
    rounds: usize,
    look: &mut dyn FnMut(Look<'_>) -> Go,
) -> Result<Comparison, LoadError> {
    let [a, b] = sides;
    let mut comparison = Comparison {
        schema_version: SCHEMA_VERSION,
        a,
        b,
        findings: Vec::new(),
        valid: true,
        invalid_reasons: Vec::new(),
        clean: true,
        threshold_failed: false,
        rounds: Vec::new(),
    };
    let mut stopped = false;
    for round in 1..=rounds {
        let order = if round % 2 == 1 { [Side::A, Side::B] } else { [Side::B, Side::A] };
        let mut outcomes = Vec::new();
        for side in order {
            let to = if side == Side::A { a } else { b };
            let plan = LoadPlan { to: vec![to], ..plan.clone() };
            let report = run(&plan, &mut |progress| {
                let go = look(Look::Progress { round, side, progress });
                stopped |= go == Go::Stop;
                go
            })?;
            if stopped {
                break;
            }
            look(Look::Ended { round, side, report: &report });
            comparison.note(round, side, &report);
            outcomes.push(Outcome::of(&report));
        }
        let Ok([one, two]) = <[Outcome; 2]>::try_from(outcomes) else { break };
        let (a, b) = if order[0] == Side::A { (one, two) } else { (two, one) };
        comparison.rounds.push(Round { first: order[0], a, b });
    }
    if stopped {
        let done = comparison.rounds.len();
        comparison.invalid_reasons.push(format!("stopped after {done} of {rounds} rounds"));
    }
    comparison.valid = comparison.invalid_reasons.is_empty();
    comparison.findings = findings(&comparison.rounds, plan.mode);
    Ok(comparison)
}

impl Outcome {
    fn of(report: &Report) -> Outcome {
        Outcome {
            ssdu_per_s: report.ssdu_per_s,
            response_us: report.response_us,
            valid: report.valid,
            invalid_reasons: report.invalid_reasons.clone(),
        }
    }
}

fn findings(rounds: &[Round], mode: Mode) -> Vec<Finding> {
    let quantity = |metric, lower_is_better, of: fn(&Outcome) -> f64| {
        let [a, b]: [Vec<f64>; 2] = [
            rounds.iter().map(|round| of(&round.a)).collect(),
            rounds.iter().map(|round| of(&round.b)).collect(),
        ];
        Finding::of(metric, &a, &b, lower_is_better)
    };
    let mut findings = vec![
        quantity("p50_us", true, |outcome| outcome.response_us.p50),
        quantity("p99_us", true, |outcome| outcome.response_us.p99),
    ];
    // An open loop sets the throughput itself; that it was not reached is in the validity of the run.
    if mode == Mode::Closed {
        findings.push(quantity("ssdu_per_s", false, |outcome| outcome.ssdu_per_s));
    }
    findings.into_iter().flatten().collect()
}

impl Finding {
    /// What these rounds say; `None` when some of them measured nothing.
    pub fn of(metric: &'static str, a: &[f64], b: &[f64], lower_is_better: bool) -> Option<Finding> {
        let ratios = paired_ratios(a, b);
        if ratios.is_empty() || !ratios.iter().all(|ratio| ratio.is_finite() && *ratio > 0.0) {
            return None;
        }
        let ratio = estimate(&ratios);
        let a_is_lower = ratio.high < 1.0;
        let decided = a_is_lower || ratio.low > 1.0;
        let winner = if a_is_lower == lower_is_better { Side::A } else { Side::B };
        let enough = ratios.len() >= ROUNDS_MIN;
        Some(Finding {
            metric,
            a: median(a),
            b: median(b),
            ratio,
            winner: (decided && enough).then_some(winner),
        })
    }
}

impl Comparison {
    fn note(&mut self, round: usize, side: Side, report: &Report) {
        self.clean &= report.is_clean();
        self.threshold_failed |= report.has_failed_threshold();
        for reason in &report.invalid_reasons {
            // The same reason in each run is said once.
            if !self.invalid_reasons.iter().any(|known| known.ends_with(reason.as_str())) {
                self.invalid_reasons.push(format!("round {round}, {side}: {reason}"));
            }
        }
        for result in report.thresholds.iter().filter(|result| !result.ok) {
            self.invalid_reasons
                .push(format!("round {round}, {side}: threshold {} FAILED", result.threshold));
        }
    }

    /// What was found as a table for people.
    pub fn table(&self) -> String {
        let mut text = format!(
            "A {}, B {}, {} rounds\n{:<12}{:>12}{:>12}{:>9}  {:<18}  verdict\n",
            self.a,
            self.b,
            self.rounds.len(),
            "median",
            "A",
            "B",
            "A / B",
            "interval (95 %)"
        );
        for finding in &self.findings {
            let Estimate { value, low, high } = finding.ratio;
            let verdict = match finding.winner {
                Some(side) => format!("{side} is better"),
                None => "no difference shown".to_owned(),
            };
            let interval = format!("{low:.3} to {high:.3}");
            text.push_str(&format!(
                "{:<12}{:>12.1}{:>12.1}{value:>9.3}  {interval:<18}  {verdict}\n",
                finding.metric, finding.a, finding.b
            ));
        }
        for reason in &self.invalid_reasons {
            text.push_str(&format!("NOT VALID   {reason}\n"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Rounds of two responders: the machine's weather is in both, each has its own noise, A is `factor` times B.
    fn rounds(random: &mut Random, count: usize, factor: f64) -> [Vec<f64>; 2] {
        let mut noisy =
            |value: f64| value * (1.0 + 0.05 * (random.unit() + random.unit() + random.unit() - 1.5));
        let weather: Vec<f64> = (0..count).map(|round| 100.0 + 20.0 * (round as f64).sin()).collect();
        [
            weather.iter().map(|value| noisy(value * factor)).collect(),
            weather.iter().map(|value| noisy(*value)).collect(),
        ]
    }

    #[test]
    fn two_of_a_kind_are_told_apart_in_less_than_five_of_a_hundred_comparisons() {
        let mut random = Random::new(42);
        for count in [7, 15] {
            let wrong = (0..300)
                .filter(|_| {
                    let [a, b] = rounds(&mut random, count, 1.0);
                    Finding::of("p50_us", &a, &b, true).unwrap().winner.is_some()
                })
                .count();
            assert!(wrong <= 15, "{count} rounds: {wrong} of 300");
        }
    }

    #[test]
    fn a_difference_beyond_the_noise_is_shown_with_the_better_side() {
        let mut random = Random::new(7);
        for (factor, lower_is_better, winner) in
            [(0.8, true, Side::A), (1.25, true, Side::B), (0.8, false, Side::B), (1.25, false, Side::A)]
        {
            let [a, b] = rounds(&mut random, 7, factor);
            let finding = Finding::of("p50_us", &a, &b, lower_is_better).unwrap();
            assert_eq!(finding.winner, Some(winner), "{finding:?}");
            assert!((finding.ratio.value - factor).abs() < 0.1, "{finding:?}");
        }
    }

    #[test]
    fn no_winner_where_the_interval_contains_1() {
        let ones = [1.0; 7];
        let straddling = [0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 1.01];
        let finding = Finding::of("p99_us", &straddling, &ones, true).unwrap();
        assert_eq!((finding.winner, finding.ratio.high), (None, 1.01), "all seven rounds must agree");
        let agreeing = [0.9, 0.91, 0.92, 0.93, 0.94, 0.95, 0.99];
        assert_eq!(Finding::of("p99_us", &agreeing, &ones, true).unwrap().winner, Some(Side::A));
        let few = Finding::of("p99_us", &agreeing[..5], &ones[..5], true).unwrap();
        assert_eq!(few.winner, None, "five rounds that agree are one chance in sixteen");
        assert_eq!(Finding::of("p50_us", &ones, &ones, true).unwrap().winner, None);
    }

    #[test]
    fn rounds_that_measured_nothing_are_compared_with_nothing() {
        assert_eq!(Finding::of("p50_us", &[0.0; 7], &[1.0; 7], true), None);
        assert_eq!(Finding::of("p50_us", &[1.0; 7], &[0.0; 7], true), None);
        assert_eq!(Finding::of("p50_us", &[], &[], true), None);
    }
}
