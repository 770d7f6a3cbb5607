//! Lines over time or over a quantity.

use std::collections::BTreeSet;

use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use super::{AXIS, Canvas, Drawn, GRID, colour, label_style, log_axis, log_range, svg, us_label};
use crate::html::text::digits;

/// Points of one series; a value that is not a number parts the line.
#[derive(Debug)]
pub(in crate::html) struct Line {
    pub(in crate::html) points: Vec<(f64, f64)>,
    /// Which colour.
    pub(in crate::html) series: usize,
}

/// What the axes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::html) enum Axis {
    /// Seconds, and a quantity from zero on.
    TimeAndQuantity(&'static str),
    /// Seconds, and a time in microseconds, logarithmic.
    TimeAndTime,
    /// A quantity, logarithmic, and CPU time per SSDU in microseconds, from zero on unless it spans more than
    /// [`LINEAR_SPAN_MAX`]. Each point has a mark.
    QuantityAndCost(&'static str),
}

/// Greatest over smallest value up to which an axis that may begin at zero does.
const LINEAR_SPAN_MAX: f64 = 12.0;
/// Room above the highest value of an axis from zero on.
const HEADROOM: f64 = 1.08;

/// What a plot is drawn with, beside its axes.
struct Look<'a> {
    all: &'a [Line],
    names: (&'a str, &'a str),
    y_label: &'a dyn Fn(&f64) -> String,
    marked: bool,
}

/// The plot; empty without a value.
pub(in crate::html) fn lines(all: &[Line], axis: Axis) -> String {
    let finite = || all.iter().flat_map(|line| &line.points).filter(|(_, y)| y.is_finite());
    let ys = log_range(finite().map(|(_, y)| *y));
    let (Some(_), ys) = (finite().next(), ys.unwrap_or((1.0, 10.0))) else { return String::new() };
    let seconds = 0.0..finite().fold(0.1f64, |max, (x, _)| max.max(*x));
    let greatest = finite().fold(0.0f64, |max, (_, y)| max.max(*y));
    let of_y = |y: &f64| digits(*y);
    match axis {
        Axis::TimeAndQuantity(name) => svg(240, |area| {
            let look = Look { all, names: ("seconds", name), y_label: &of_y, marked: false };
            draw(area, seconds, 0.0..greatest.max(1.0) * HEADROOM, &look)
        }),
        Axis::TimeAndTime => svg(280, |area| {
            let look = Look { all, names: ("seconds", "time"), y_label: &us_label, marked: false };
            draw(area, seconds, log_axis(ys), &look)
        }),
        Axis::QuantityAndCost(name) => svg(340, |area| {
            let look = Look { all, names: (name, "CPU time per SSDU"), y_label: &us_label, marked: true };
            let (low, high) = log_range(finite().map(|(x, _)| *x)).unwrap_or((1.0, 10.0));
            let at = kept_apart(finite().map(|(x, _)| *x), high / low);
            let x = (low..high).log_scale().with_key_points(at);
            let least = finite().fold(f64::INFINITY, |min, (_, y)| min.min(*y));
            match greatest <= least * LINEAR_SPAN_MAX {
                true => draw(area, x, 0.0..greatest * HEADROOM, &look),
                false => draw(area, x, log_axis(ys), &look),
            }
        }),
    }
}

fn draw<X, Y>(area: &Canvas<'_>, x: X, y: Y, look: &Look<'_>) -> Drawn
where
    X: AsRangedCoord<Value = f64>,
    Y: AsRangedCoord<Value = f64>,
    X::CoordDescType: ValueFormatter<f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .margin_right(30)
        .x_label_area_size(46)
        .y_label_area_size(84)
        .build_cartesian_2d(x, y)?;
    chart
        .configure_mesh()
        .axis_style(AXIS)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .x_labels(10)
        .y_labels(6)
        .label_style(label_style())
        .x_label_formatter(&|x| digits(*x))
        .y_label_formatter(look.y_label)
        .x_desc(look.names.0)
        .y_desc(look.names.1)
        .draw()?;
    for (series, part) in parts(look.all) {
        let radius = if look.marked { 4 } else { 2 };
        if look.marked || part.len() == 1 {
            chart.draw_series(part.iter().map(|at| Circle::new(*at, radius, colour(series).filled())))?;
        }
        chart.draw_series(LineSeries::new(part, colour(series).stroke_width(2)))?;
    }
    Ok(())
}

/// The pieces of the lines between values that are not numbers.
fn parts(all: &[Line]) -> impl Iterator<Item = (usize, Vec<(f64, f64)>)> {
    all.iter().flat_map(|line| {
        line.points
            .split(|(_, y)| !y.is_finite())
            .filter(|part| !part.is_empty())
            .map(|part| (line.series, part.to_vec()))
    })
}

/// The values that have room for a number each on a logarithmic axis from `1` to `span`.
fn kept_apart(values: impl Iterator<Item = f64>, span: f64) -> Vec<f64> {
    /// Least part of the axis between two numbers.
    const GAP: f64 = 0.06;
    let values: BTreeSet<u64> = values.map(|value| value.round() as u64).collect();
    let mut kept: Vec<f64> = Vec::new();
    for value in values.into_iter().map(|value| value as f64) {
        if kept.last().is_none_or(|last| (value / last).ln() >= GAP * span.ln()) {
            kept.push(value);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_parts_a_line_and_nothing_draws_nothing() {
        let of = |points: &[(f64, f64)]| Line { points: points.to_vec(), series: 0 };
        let line = of(&[(0.0, 5.0), (1.0, 6.0), (2.0, f64::NAN), (3.0, 7.0), (4.0, 8.0)]);
        let svg = lines(&[line], Axis::TimeAndTime);
        assert_eq!(svg.matches("#2F7ED8").count(), 2, "{svg}");
        assert_eq!(lines(&[of(&[(0.0, f64::NAN)])], Axis::TimeAndTime), "");
        assert_eq!(lines(&[], Axis::TimeAndQuantity("SSDU/s")), "");
    }

    #[test]
    fn the_axis_has_the_numbers_of_sessions_that_were_measured() {
        let points = vec![(10.0, 2.0), (64.0, 2.5), (70.0, 2.5), (10_000.0, 3.0)];
        let svg = lines(&[Line { points, series: 1 }], Axis::QuantityAndCost("sessions"));
        assert!(svg.contains("\n64\n") && svg.contains("10\u{202f}000"), "{svg}");
        assert!(!svg.contains("\n70\n"), "{svg}");
    }
}
