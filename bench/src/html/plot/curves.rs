//! Latency by percentile: the axis of percentiles is logarithmic in the distance to 100 %.

use hdrhistogram::Histogram;
use plotters::prelude::*;

use super::{AXIS, GRID, colour, label_style, log_axis, log_range, svg, us_label};

/// A histogram of nanoseconds under its name.
#[derive(Debug)]
pub(in crate::html) struct Curve<'a> {
    pub(in crate::html) histogram_ns: &'a Histogram<u64>,
}

/// Points of a curve each time the distance to 100 % halves.
const TICKS_PER_HALF: u32 = 10;
/// Farthest right: 99.99999 %.
const FARTHEST: f64 = 1e7;

impl Curve<'_> {
    /// `(1/(1-p), microseconds)` up to where a single value is left.
    fn points(&self) -> Vec<(f64, f64)> {
        let farthest = (self.histogram_ns.len() as f64).clamp(2.0, FARTHEST);
        let mut points: Vec<(f64, f64)> = self
            .histogram_ns
            .iter_quantiles(TICKS_PER_HALF)
            .map(|step| (1.0 / (1.0 - step.quantile_iterated_to()), step.value_iterated_to() as f64 / 1000.0))
            .take_while(|(x, _)| *x <= farthest)
            .collect();
        points.push((farthest, self.histogram_ns.max() as f64 / 1000.0));
        points
    }
}

/// The plot; empty without a value.
pub(in crate::html) fn curves(all: &[Curve<'_>]) -> String {
    let points: Vec<Vec<(f64, f64)>> =
        all.iter().filter(|curve| !curve.histogram_ns.is_empty()).map(Curve::points).collect();
    draw(&points)
}

/// The plot of points `(quantile, microseconds)`; the maximum, a quantile of 1, stands at the right edge.
pub(in crate::html) fn quantile_lines(all: &[Vec<(f64, f64)>]) -> String {
    let x_of = |quantile: f64| 1.0 / (1.0 - quantile);
    let below = all.iter().flatten().map(|(quantile, _)| *quantile).filter(|quantile| *quantile < 1.0);
    let edge = below.map(x_of).fold(10.0, f64::max) * 2.0;
    let points: Vec<Vec<(f64, f64)>> = all
        .iter()
        .map(|line| line.iter().map(|(quantile, us)| (x_of(*quantile).min(edge), *us)).collect())
        .collect();
    draw(&points)
}

/// Draws curves of `(1/(1-p), microseconds)`.
fn draw(curves: &[Vec<(f64, f64)>]) -> String {
    let Some((low, high)) = log_range(curves.iter().flatten().map(|(_, y)| *y)) else {
        return String::new();
    };
    let farthest = curves.iter().flatten().fold(10.0f64, |far, (x, _)| far.max(*x));
    svg(380, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(84)
            .build_cartesian_2d((1.0..farthest * 1.1).log_scale(), log_axis((low, high)))?;
        chart
            .configure_mesh()
            .axis_style(AXIS)
            .bold_line_style(GRID)
            .light_line_style(TRANSPARENT)
            .x_labels(9)
            .y_labels(8)
            .label_style(label_style())
            .x_label_formatter(&percentile_label)
            .y_label_formatter(&us_label)
            .x_desc("percentile")
            .y_desc("time")
            .draw()?;
        for (series, points) in curves.iter().enumerate() {
            chart.draw_series(LineSeries::new(points.iter().copied(), colour(series).stroke_width(2)))?;
        }
        Ok(())
    })
}

/// `1/(1-p)` as a percentile.
fn percentile_label(x: &f64) -> String {
    let p = 100.0 * (1.0 - 1.0 / x);
    let decimals = (x.log10().round() as i32 - 2).max(0) as usize;
    format!("{p:.decimals$} %")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::histogram;

    #[test]
    fn labels_name_the_percentile() {
        let labels = [1.0, 10.0, 100.0, 1000.0, 100_000.0].map(|x| percentile_label(&x));
        assert_eq!(labels, ["0 %", "90 %", "99 %", "99.9 %", "99.999 %"]);
    }

    #[test]
    fn a_curve_ends_with_its_maximum_where_one_value_is_left() {
        let mut of = histogram();
        (1..=1000u64).for_each(|us| of.record(us * 1000).unwrap());
        let points = Curve { histogram_ns: &of }.points();
        assert!(points.is_sorted_by(|a, b| a.0 <= b.0 && a.1 <= b.1));
        let (x, y) = *points.last().unwrap();
        assert_eq!((x, (y / 1000.0).round()), (1000.0, 1.0));
        assert!(curves(&[Curve { histogram_ns: &of }]).contains("99.9 %"));
        assert_eq!(curves(&[Curve { histogram_ns: &histogram() }]), "");
    }
}
