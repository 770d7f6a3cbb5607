//! Latency over time as a map: a column a part of the run, a row a range of times, as strong as there were answers.

use plotters::prelude::*;

use super::{AXIS, colour, label_style, log_axis, log_range, svg, us_label};
use crate::hdr::Span;

/// Most columns; longer runs have several intervals in one.
const COLUMNS_MAX: usize = 120;
/// Rows.
const ROWS: usize = 36;
/// Strength of a cell with a single answer, so that it can be seen.
const FAINTEST: f64 = 0.12;

/// The plot of one run's intervals; empty without a value.
pub(in crate::html) fn heat(spans: &[Span]) -> String {
    let maxima = spans.iter().flat_map(|span| {
        let of = &span.histogram_ns;
        [of.min_nz() as f64 / 1000.0, of.max() as f64 / 1000.0].into_iter().filter(|_| !of.is_empty())
    });
    let (Some((low, high)), Some(last)) = (log_range(maxima), spans.last()) else { return String::new() };
    let end = (last.start + last.length).as_secs_f64().max(0.1);
    let columns = spans.len().clamp(1, COLUMNS_MAX);
    let mut cells = vec![[0u64; ROWS]; columns];
    let step = (high / low).powf(1.0 / ROWS as f64);
    for span in spans {
        let middle = span.start.as_secs_f64() + span.length.as_secs_f64() / 2.0;
        let column = ((middle / end * columns as f64) as usize).min(columns - 1);
        for value in span.histogram_ns.iter_recorded() {
            let us = value.value_iterated_to() as f64 / 1000.0;
            let row = ((us / low).ln() / step.ln()).max(0.0) as usize;
            cells[column][row.min(ROWS - 1)] += value.count_at_value();
        }
    }
    let most = cells.iter().flatten().copied().max().unwrap_or(1).max(2) as f64;
    svg(300, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .margin_right(30)
            .x_label_area_size(46)
            .y_label_area_size(84)
            .build_cartesian_2d(0.0..end, log_axis((low, high)))?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(AXIS)
            .x_labels(10)
            .y_labels(6)
            .label_style(label_style())
            .x_label_formatter(&|x| crate::html::text::digits(*x))
            .y_label_formatter(&us_label)
            .x_desc("seconds")
            .y_desc("time")
            .draw()?;
        let width = end / columns as f64;
        let filled = cells.iter().enumerate().flat_map(|(column, rows)| {
            rows.iter().enumerate().filter(|(_, count)| **count > 0).map(move |(row, count)| {
                let strength = FAINTEST + (1.0 - FAINTEST) * (*count as f64).ln() / most.ln();
                let (x, y) = (column as f64 * width, low * step.powi(row as i32));
                Rectangle::new([(x, y), (x + width, y * step)], colour(0).mix(strength).filled())
            })
        });
        chart.draw_series(filled)?;
        Ok(())
    })
}
