//! What rounds say together: medians of paired ratios and their bootstrap intervals.
//!
//! Rounds are few and their noise is not normal, so intervals come from resampling: rounds are drawn with replacement, the
//! statistic is taken of each draw, and the interval is what 95 % of the draws give. The seed is fixed, so the same rounds
//! give the same interval.
//!
//! Of so few rounds such an interval is too narrow: of 7 it holds the true median in about 87 of 100 cases. So the interval
//! of a median reaches at least to the order statistics that hold it with 95 %, whatever the noise is (the sign test):
//! of 6 to 8 rounds to the extremes.

use serde::Serialize;

use crate::random::Random;

/// Draws of a bootstrap.
pub const RESAMPLES: usize = 4000;
/// Of the draws; printed with every record.
pub const BOOTSTRAP_SEED: u64 = 0x225_1995;
/// Share of the draws, or of the cases, that an interval leaves out on each side.
const TAIL: f64 = 0.025;

/// A median and its interval of 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Median over the rounds.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The median; NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    median_in_place(&mut values.to_vec())
}

fn median_in_place(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => values[len / 2],
        len => f64::midpoint(values[len / 2 - 1], values[len / 2]),
    }
}

/// `ours / theirs`, round by round. Rounds without a counterpart are left out.
pub fn paired_ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(our, their)| our / their).collect()
}

/// The median of a quantity over its rounds, with an interval that holds the true one in 95 of 100 cases. Fewer than 6
/// rounds cannot give one; theirs reaches from the least to the greatest.
pub fn estimate(rounds: &[f64]) -> Estimate {
    widened(resampled(&[rounds], |medians| medians[0]), rounds)
}

/// The geometric mean, over cells, of the median of each cell's rounds. Cells are resampled independently, because each
/// was measured in its own rounds.
///
/// The draws of a cell's median vary at least as much as its measured medians do (only the ends of the interval of one are
/// too near), and a mean over cells has no heavy ends: this interval is not widened, except that of a single cell.
pub fn geometric_mean(cells: &[Vec<f64>]) -> Estimate {
    if let [cell] = cells {
        return estimate(cell);
    }
    let cells: Vec<&[f64]> = cells.iter().map(Vec::as_slice).collect();
    resampled(&cells, |medians| {
        (medians.iter().map(|median| median.ln()).sum::<f64>() / medians.len() as f64).exp()
    })
}

/// The estimate, its interval widened to the order statistics that hold the median with at least 95 %.
fn widened(estimate: Estimate, rounds: &[f64]) -> Estimate {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let left_out = order_left_out(sorted.len());
    let (Some(low), Some(high)) = (sorted.get(left_out), sorted.iter().nth_back(left_out)) else {
        return estimate;
    };
    Estimate { value: estimate.value, low: estimate.low.min(*low), high: estimate.high.max(*high) }
}

/// How many values may be left out on each side such that the rest holds the median with at least 95 %: the sign test.
fn order_left_out(count: usize) -> usize {
    // Probability that at most `left_out` of `count` values are below the median, summed up.
    let mut probability = 0.5_f64.powi(count as i32);
    let mut sum = probability;
    let mut left_out = 0;
    while left_out < count / 2 {
        probability *= (count - left_out) as f64 / (left_out + 1) as f64;
        sum += probability;
        if sum > TAIL {
            break;
        }
        left_out += 1;
    }
    left_out
}

/// `join` of the cells' medians, and what 95 % of the draws give.
fn resampled(cells: &[&[f64]], join: impl Fn(&[f64]) -> f64) -> Estimate {
    if cells.is_empty() || cells.iter().any(|rounds| rounds.is_empty()) {
        return Estimate { value: f64::NAN, low: f64::NAN, high: f64::NAN };
    }
    let value = join(&cells.iter().map(|rounds| median(rounds)).collect::<Vec<_>>());
    let mut random = Random::new(BOOTSTRAP_SEED);
    let mut drawn = Vec::new();
    let mut draws: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let medians: Vec<f64> = cells
                .iter()
                .map(|rounds| {
                    drawn.clear();
                    drawn.extend((0..rounds.len()).map(|_| rounds[below(&mut random, rounds.len())]));
                    median_in_place(&mut drawn)
                })
                .collect();
            join(&medians)
        })
        .collect();
    draws.sort_by(f64::total_cmp);
    let at = |share: f64| draws[((RESAMPLES - 1) as f64 * share).round() as usize];
    Estimate { value, low: at(TAIL), high: at(1.0 - TAIL) }
}

fn below(random: &mut Random, bound: usize) -> usize {
    ((random.unit() * bound as f64) as usize).min(bound - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Normally distributed around 0 with deviation 1 (Irwin-Hall of 12).
    fn normal(random: &mut Random) -> f64 {
        (0..12).map(|_| random.unit()).sum::<f64>() - 6.0
    }

    #[test]
    fn medians_of_odd_even_and_no_values() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn an_outlier_moves_neither_the_median_nor_the_near_end_of_its_interval() {
        let calm = estimate(&[1.00, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06]);
        let rough = estimate(&[1.00, 1.01, 1.02, 1.03, 1.04, 1.05, 9.00]);
        assert_eq!((calm.value, calm.low), (rough.value, rough.low));
        assert_eq!(calm.value, 1.03);
        assert!(calm.low >= 1.00 && calm.high <= 1.06, "{calm:?}");
    }

    #[test]
    fn rounds_that_agree_have_no_width() {
        assert_eq!(estimate(&[2.5; 7]), Estimate { value: 2.5, low: 2.5, high: 2.5 });
    }

    /// Share of `cases` intervals, each of so many cells of so many normal rounds, that hold what is true.
    fn held(cases: usize, cells: usize, rounds: usize) -> f64 {
        let mut random = Random::new(11);
        let mut cell = || (0..rounds).map(|_| (0.1 * normal(&mut random)).exp()).collect::<Vec<f64>>();
        let hold = (0..cases).filter(|_| {
            let cells: Vec<Vec<f64>> = (0..cells).map(|_| cell()).collect();
            let found = geometric_mean(&cells);
            found.low <= 1.0 && 1.0 <= found.high
        });
        hold.count() as f64 / cases as f64
    }

    #[test]
    fn an_interval_holds_what_is_true_in_95_of_100_cases() {
        for rounds in [7, 15] {
            let held = held(200, 1, rounds);
            assert!(held >= 0.95, "a median of {rounds} rounds: {held}");
        }
        let held = held(50, 12, 7);
        assert!(held >= 0.93, "the mean of 12 medians of 7 rounds: {held}");
    }

    #[test]
    fn order_statistics_are_those_of_the_sign_test() {
        let left_out = [(6, 0), (7, 0), (8, 0), (9, 1), (11, 1), (12, 2), (15, 3), (20, 5), (25, 7)];
        for (count, expected) in left_out {
            assert_eq!(order_left_out(count), expected, "{count}");
        }
        let rounds = [1.00, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06];
        assert_eq!(estimate(&rounds), Estimate { value: 1.03, low: 1.00, high: 1.06 });
        assert!(estimate(&[]).value.is_nan());
    }

    #[test]
    fn noise_that_both_sides_share_cancels_in_pairs() {
        let mut random = Random::new(5);
        let weather: Vec<f64> = (0..7).map(|_| 1.0 + random.unit()).collect();
        let ours: Vec<f64> = weather.iter().map(|w| 1.2 * w).collect();
        let found = estimate(&paired_ratios(&ours, &weather));
        assert!((found.value - 1.2).abs() < 1e-12 && found.high - found.low < 1e-12, "{found:?}");
    }

    #[test]
    fn the_geometric_mean_weighs_halves_and_doubles_alike() {
        let found = geometric_mean(&[vec![0.5; 7], vec![2.0; 7]]);
        assert!((found.value - 1.0).abs() < 1e-12, "{found:?}");
        assert!(geometric_mean(&[]).value.is_nan());
        assert!(geometric_mean(&[vec![1.0], vec![]]).value.is_nan());
    }

    #[test]
    fn many_cells_give_a_narrower_interval_than_one() {
        let mut random = Random::new(3);
        let mut cell = || (0..7).map(|_| (0.1 * normal(&mut random)).exp()).collect::<Vec<f64>>();
        let cells: Vec<Vec<f64>> = (0..16).map(|_| cell()).collect();
        let width = |of: Estimate| of.high - of.low;
        // As resampled, so that like is compared with like: 16 independent cells have a quarter of the width of one.
        let of_one = |cell: &Vec<f64>| width(resampled(&[cell], |medians| medians[0]));
        let one = cells.iter().map(of_one).sum::<f64>() / cells.len() as f64;
        let all = width(geometric_mean(&cells));
        assert!((one / 5.5..one / 2.9).contains(&all), "{all} of all, {one} of one");
        // A single cell has the wide interval of a median of few rounds.
        assert_eq!(geometric_mean(&cells[..1]), estimate(&cells[0]));
    }
}
