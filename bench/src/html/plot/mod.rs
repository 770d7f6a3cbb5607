//! Plots as SVG. Lines, grid and text have colours that stand for roles; the page's style sheet gives them those of the
//! light or dark page.

mod curves;
mod heat;
mod intervals;
mod lines;

use plotters::coord::combinators::WithKeyPoints;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::text::time_of_us;

pub(super) use curves::{Curve, curves, quantile_lines};
pub(super) use heat::heat;
pub(super) use intervals::{Bar, bars};
pub(super) use lines::{Axis, Line, lines};

/// Width of all plots.
const WIDTH: u32 = 960;
/// Role: axes.
const AXIS: RGBColor = RGBColor(0x0A, 0x0B, 0x0C);
/// Role: grid.
const GRID: RGBColor = RGBColor(0x0D, 0x0E, 0x0F);
/// Role: text, and lines as strong as text.
const INK: RGBColor = RGBColor(0x1A, 0x1B, 0x1C);
/// Size of labels; the SVG writer divides it by 1.24.
const LABEL: u32 = 15;

/// Colours of series, readable on light and dark; more series begin again.
const SERIES: [(RGBColor, &str); 8] = [
    (RGBColor(0x2F, 0x7E, 0xD8), "#2F7ED8"),
    (RGBColor(0xE0, 0x7B, 0x1F), "#E07B1F"),
    (RGBColor(0x2A, 0x9D, 0x5C), "#2A9D5C"),
    (RGBColor(0xB0, 0x4F, 0xC4), "#B04FC4"),
    (RGBColor(0xD6, 0x45, 0x45), "#D64545"),
    (RGBColor(0x1B, 0xA3, 0xA8), "#1BA3A8"),
    (RGBColor(0x9A, 0x86, 0x1E), "#9A861E"),
    (RGBColor(0x7F, 0x8C, 0x9B), "#7F8C9B"),
];

fn colour(series: usize) -> RGBColor {
    SERIES[series % SERIES.len()].0
}

/// The colour of a series as CSS has it.
pub(super) fn css_colour(series: usize) -> &'static str {
    SERIES[series % SERIES.len()].1
}

fn label_style() -> TextStyle<'static> {
    ("sans-serif", LABEL).into_font().color(&INK)
}

fn anchored(horizontal: HPos, vertical: VPos) -> TextStyle<'static> {
    label_style().pos(Pos::new(horizontal, vertical))
}

/// How drawing ended.
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Draws on an area of the common width. A plot that cannot be drawn is left out: the numbers stand in the tables.
fn svg(height: u32, draw: impl FnOnce(&Canvas<'_>) -> Drawn) -> String {
    let mut text = String::new();
    let drawn = {
        let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        draw(&area).and_then(|()| Ok(area.present()?))
    };
    match drawn {
        Ok(()) => text,
        Err(error) => {
            tracing::warn!(%error, "a plot was left out");
            String::new()
        }
    }
}

/// What plots are drawn on.
type Canvas<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// The range of positive values for a logarithmic axis, at least half a decade wide.
fn log_range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values
        .filter(|value| *value > 0.0 && value.is_finite())
        .fold((f64::INFINITY, 0.0f64), |(low, high), value| (low.min(value), high.max(value)));
    (high > 0.0).then(|| {
        let (low, high) = (low * 0.8, high * 1.25);
        if high / low < 4.0 {
            let middle = (low * high).sqrt();
            (middle / 2.0, middle * 2.0)
        } else {
            (low, high)
        }
    })
}

/// A logarithmic axis with about four to ten numbers on it.
fn log_axis((low, high): (f64, f64)) -> WithKeyPoints<LogCoord<f64>> {
    let steps: &[f64] = match (high / low).log10() {
        decades if decades > 3.5 => &[1.0],
        decades if decades > 1.2 => &[1.0, 2.0, 5.0],
        _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0],
    };
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let numbers = decades.flat_map(|decade| steps.iter().map(move |step| step * 10f64.powi(decade)));
    let numbers = numbers.filter(|number| (low..=high).contains(number)).collect();
    (low..high).log_scale().with_key_points(numbers)
}

fn us_label(us: &f64) -> String {
    time_of_us(*us)
}
