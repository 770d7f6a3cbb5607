//! Lines over time or over a quantity.

use plotters::prelude::*;

use super::{AXIS, GRID, colour, label_style, log_range, svg, us_label};
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
    /// A quantity and a time in microseconds, both logarithmic, with a mark on each point.
    QuantityAndTime(&'static str),
}

/// The plot; empty without a value.
pub(in crate::html) fn lines(all: &[Line], axis: Axis) -> String {
    let finite = || all.iter().flat_map(|line| &line.points).filter(|(_, y)| y.is_finite());
    if finite().next().is_none() {
        return String::new();
    }
    let x_max = finite().fold(0.0f64, |max, (x, _)| max.max(*x)).max(0.1);
    let y_max = finite().fold(0.0f64, |max, (_, y)| max.max(*y)).max(1.0);
    let y_logarithmic = log_range(finite().map(|(_, y)| *y)).unwrap_or((1.0, 10.0));
    let x_logarithmic = log_range(finite().map(|(x, _)| *x)).unwrap_or((1.0, 10.0));
    let of_x = |x: &f64| digits(*x);
    match axis {
        Axis::TimeAndQuantity(name) => svg(240, |area| {
            let mut chart = ChartBuilder::on(area)
                .margin(12)
                .x_label_area_size(46)
                .y_label_area_size(84)
                .build_cartesian_2d(0.0..x_max, 0.0..y_max * 1.08)?;
            chart
                .configure_mesh()
                .axis_style(AXIS)
                .bold_line_style(GRID)
                .light_line_style(TRANSPARENT)
                .x_labels(10)
                .y_labels(6)
                .label_style(label_style())
                .x_label_formatter(&of_x)
                .y_label_formatter(&of_x)
                .x_desc("seconds")
                .y_desc(name)
                .draw()?;
            for (series, part) in parts(all) {
                chart.draw_series(LineSeries::new(part, colour(series).stroke_width(2)))?;
            }
            Ok(())
        }),
        Axis::TimeAndTime => svg(280, |area| {
            let mut chart = ChartBuilder::on(area)
                .margin(12)
                .x_label_area_size(46)
                .y_label_area_size(84)
                .build_cartesian_2d(0.0..x_max, (y_logarithmic.0..y_logarithmic.1).log_scale())?;
            chart
                .configure_mesh()
                .axis_style(AXIS)
                .bold_line_style(GRID)
                .light_line_style(TRANSPARENT)
                .x_labels(10)
                .y_labels(6)
                .label_style(label_style())
                .x_label_formatter(&of_x)
                .y_label_formatter(&us_label)
                .x_desc("seconds")
                .y_desc("time")
                .draw()?;
            for (series, part) in parts(all) {
                if part.len() == 1 {
                    chart.draw_series([Circle::new(part[0], 2, colour(series).filled())])?;
                }
                chart.draw_series(LineSeries::new(part, colour(series).stroke_width(2)))?;
            }
            Ok(())
        }),
        Axis::QuantityAndTime(name) => svg(360, |area| {
            let mut chart = ChartBuilder::on(area)
                .margin(12)
                .x_label_area_size(46)
                .y_label_area_size(84)
                .build_cartesian_2d(
                    (x_logarithmic.0..x_logarithmic.1).log_scale(),
                    (y_logarithmic.0..y_logarithmic.1).log_scale(),
                )?;
            chart
                .configure_mesh()
                .axis_style(AXIS)
                .bold_line_style(GRID)
                .light_line_style(TRANSPARENT)
                .x_labels(8)
                .y_labels(8)
                .label_style(label_style())
                .x_label_formatter(&of_x)
                .y_label_formatter(&us_label)
                .x_desc(name)
                .y_desc("CPU time per SSDU")
                .draw()?;
            for (series, part) in parts(all) {
                chart
                    .draw_series(part.iter().map(|point| Circle::new(*point, 4, colour(series).filled())))?;
                chart.draw_series(LineSeries::new(part, colour(series).stroke_width(2)))?;
            }
            Ok(())
        }),
    }
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
