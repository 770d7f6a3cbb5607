//! Ratios with their intervals: a line a row, a logarithmic axis, a line at 1 and a mark at each target.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{AXIS, GRID, INK, anchored, colour, svg};
use crate::html::text::digits;

/// One row.
#[derive(Clone, Debug)]
pub(in crate::html) struct Bar {
    /// What stands at its left.
    pub(in crate::html) name: String,
    pub(in crate::html) low: f64,
    pub(in crate::html) value: f64,
    pub(in crate::html) high: f64,
    pub(in crate::html) target: Option<f64>,
    /// Which colour.
    pub(in crate::html) series: usize,
}

/// Height of a row.
const ROW: i32 = 24;
/// Room that a character of a name takes.
const CHARACTER: i32 = 7;
/// Least room for the names.
const LEFT_MIN: i32 = 110;
/// Most room for the names.
const LEFT_MAX: i32 = 340;
/// Room for the numbers at the right.
const RIGHT: i32 = 170;
/// Room above the rows.
const TOP: i32 = 14;
/// Room below them.
const BOTTOM: i32 = 46;
/// Most characters of a name.
const NAME_MAX: usize = 44;
/// Where the axis may have a number; those in front are placed first.
const TICKS: [f64; 34] = [
    1.0, 0.1, 10.0, 0.01, 100.0, 1e-3, 1e3, 1e4, 1e5, 0.5, 2.0, 0.2, 5.0, 20.0, 50.0, 200.0, 500.0, 2e3, 5e3,
    0.02, 0.05, 0.8, 1.25, 1.5, 0.7, 0.9, 1.1, 3.0, 0.6, 0.3, 0.95, 1.05, 1.2, 7.0,
];
/// Least distance between two numbers of the axis.
const TICK_GAP: i32 = 52;

/// The plot; empty without a row.
pub(in crate::html) fn bars(all: &[Bar], axis: &str) -> String {
    let shown: Vec<&Bar> = all.iter().filter(|bar| bar.value.is_finite() && bar.value > 0.0).collect();
    if shown.is_empty() {
        return String::new();
    }
    let values = shown.iter().flat_map(|bar| [bar.low, bar.value, bar.high].into_iter().chain(bar.target));
    let (low, high) = values
        .filter(|value| value.is_finite() && *value > 0.0)
        .fold((0.8f64, 1.25f64), |(low, high), value| (low.min(value), high.max(value)));
    let (low, high) = (low / 1.08, high * 1.08);
    let longest = shown.iter().map(|bar| bar.name.chars().count()).max().unwrap_or(0);
    let left = (longest as i32 * CHARACTER + 24).clamp(LEFT_MIN, LEFT_MAX);
    let right = super::WIDTH as i32 - RIGHT;
    let x_of = |value: f64| {
        let share = (value.clamp(low, high) / low).ln() / (high / low).ln();
        left + (share * f64::from(right - left)).round() as i32
    };
    let bottom = TOP + ROW * shown.len() as i32;
    svg((bottom + BOTTOM) as u32, |area| {
        let centre = anchored(HPos::Center, VPos::Top);
        for tick in ticks(low, high, x_of) {
            let x = x_of(tick);
            area.draw(&PathElement::new([(x, TOP), (x, bottom)], GRID))?;
            area.draw(&Text::new(digits(tick), (x, bottom + 5), centre.clone()))?;
        }
        area.draw(&PathElement::new([(x_of(1.0), TOP), (x_of(1.0), bottom)], INK.stroke_width(2)))?;
        area.draw(&PathElement::new([(left, bottom), (right, bottom)], AXIS))?;
        area.draw(&Text::new(axis.to_owned(), ((left + right) / 2, bottom + 24), centre))?;
        for (place, bar) in shown.iter().enumerate() {
            draw_bar(area, bar, TOP + ROW * place as i32 + ROW / 2, (left, right), x_of)?;
        }
        Ok(())
    })
}

fn draw_bar(
    area: &super::Canvas<'_>,
    bar: &Bar,
    y: i32,
    (left, right): (i32, i32),
    x_of: impl Fn(f64) -> i32,
) -> super::Drawn {
    let of = colour(bar.series);
    area.draw(&Text::new(shortened(&bar.name), (left - 12, y), anchored(HPos::Right, VPos::Center)))?;
    let (low, high) = (x_of(bar.low), x_of(bar.high));
    area.draw(&PathElement::new([(low, y), (high, y)], of.stroke_width(3)))?;
    for end in [low, high] {
        area.draw(&PathElement::new([(end, y - 5), (end, y + 5)], of.stroke_width(2)))?;
    }
    area.draw(&Circle::new((x_of(bar.value), y), 4, of.filled()))?;
    if let Some(target) = bar.target {
        let x = x_of(target);
        area.draw(&Polygon::new([(x, y - 3), (x - 5, y - 11), (x + 5, y - 11)], INK.filled()))?;
    }
    let told = match bar.low.is_finite() && bar.high.is_finite() {
        true => format!("{} [{}, {}]", digits(bar.value), digits(bar.low), digits(bar.high)),
        false => digits(bar.value),
    };
    area.draw(&Text::new(told, (right + 12, y), anchored(HPos::Left, VPos::Center)))?;
    Ok(())
}

/// The numbers of the axis that have room beside each other.
fn ticks(low: f64, high: f64, x_of: impl Fn(f64) -> i32) -> Vec<f64> {
    let mut ticks = Vec::new();
    for tick in TICKS.into_iter().filter(|tick| (low..=high).contains(tick)) {
        if ticks.iter().all(|other: &f64| (x_of(*other) - x_of(tick)).abs() >= TICK_GAP) {
            ticks.push(tick);
        }
    }
    ticks
}

fn shortened(name: &str) -> String {
    match name.chars().count() <= NAME_MAX {
        true => name.to_owned(),
        false => name.chars().take(NAME_MAX - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_show_their_numbers_and_names_are_escaped() {
        let bar = Bar {
            name: "<script>alert(1)</script>".into(),
            low: 0.91,
            value: 1.02,
            high: 1.13,
            target: Some(1.1),
            series: 0,
        };
        let svg = bars(&[bar.clone(), Bar { value: f64::NAN, name: "nothing".into(), ..bar }], "ratio");
        assert!(svg.contains("1.02 [0.91, 1.13]"), "{svg}");
        assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script"), "{svg}");
        assert!(!svg.contains("nothing"), "{svg}");
        assert_eq!(bars(&[], "ratio"), "");
    }

    #[test]
    fn numbers_of_the_axis_keep_apart() {
        let x_of = |value: f64| (value.ln() * 100.0) as i32;
        let ticks = ticks(0.5, 20.0, x_of);
        assert!(ticks.contains(&1.0) && ticks.contains(&10.0), "{ticks:?}");
        assert!(!ticks.contains(&0.8) && !ticks.contains(&1.25), "{ticks:?}");
    }
}
