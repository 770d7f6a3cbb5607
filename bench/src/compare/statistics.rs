//! What rounds say together: medians of paired ratios and their bootstrap intervals.
//!
//! Rounds are few and their noise is not normal, so intervals come from resampling: rounds are drawn with replacement, the
//! statistic is taken of each draw, and the interval is what 95 % of the draws give. The seed is fixed, so the same rounds
//! give the same interval.

use serde::Serialize;

use crate::random::Random;

/// Draws of a bootstrap.
pub const RESAMPLES: usize = 4000;
/// Of the draws; printed with every record.
pub const BOOTSTRAP_SEED: u64 = 0x225_1995;
/// Share of the draws that an interval leaves out on each side.
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
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
    }
}

/// `ours / theirs`, round by round. Rounds without a counterpart are left out.
pub fn paired_ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(our, their)| our / their).collect()
}

/// The median of a quantity over its rounds.
pub fn estimate(rounds: &[f64]) -> Estimate {
    geometric_mean_of(&[rounds.to_vec()], |values| values[0])
}

/// The geometric mean, over cells, of the median of each cell's rounds. Cells are resampled independently, because each
/// was measured in its own rounds.
pub fn geometric_mean(cells: &[Vec<f64>]) -> Estimate {
    geometric_mean_of(cells, |medians| {
        (medians.iter().map(|median| median.ln()).sum::<f64>() / medians.len() as f64).exp()
    })
}

fn geometric_mean_of(cells: &[Vec<f64>], join: impl Fn(&[f64]) -> f64) -> Estimate {
    if cells.is_empty() || cells.iter().any(Vec::is_empty) {
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
                    median(&drawn)
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

    #[test]
    fn the_interval_contains_the_true_median_about_as_often_as_it_says() {
        // 15 normal rounds, 300 times: a nominal 95 % interval of so few rounds is known to be a little narrow or wide.
        let mut random = Random::new(11);
        let covered = (0..300)
            .filter(|_| {
                let rounds: Vec<f64> = (0..15).map(|_| 10.0 + normal(&mut random)).collect();
                let found = estimate(&rounds);
                found.low <= 10.0 && 10.0 <= found.high
            })
            .count();
        assert!((265..=299).contains(&covered), "{covered} of 300");
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
        let mut cell = || (0..7).map(|_| 1.0 + 0.1 * normal(&mut random)).collect::<Vec<f64>>();
        let cells: Vec<Vec<f64>> = (0..16).map(|_| cell()).collect();
        let width = |of: Estimate| of.high - of.low;
        let one = cells.iter().map(|cell| width(estimate(cell))).sum::<f64>() / cells.len() as f64;
        // Of 16 independent cells about a quarter.
        let all = width(geometric_mean(&cells));
        assert!((one / 8.0..one / 2.0).contains(&all), "{all} of all, {one} of one");
    }
}
