//! The plots of a comparison.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{escape, figure};
use crate::html::plot::{Axis, Bar, Line, bars, css_colour, lines, quantile_lines};

/// Most plots of one kind.
const PLOTS_MAX: usize = 16;

/// Colour of a row: reached or missed.
fn series_of(row: &Value) -> usize {
    const GREEN: usize = 2;
    const RED: usize = 4;
    if row["reached"] == true { GREEN } else { RED }
}

fn bar(row: &Value, of: impl Fn(f64) -> f64, target: Option<f64>) -> Option<Bar> {
    let value = of(row["ratio"].as_f64()?);
    let (one, other) = (row["low"].as_f64().map(&of), row["high"].as_f64().map(&of));
    let (one, other) = (one.unwrap_or(value), other.unwrap_or(value));
    Some(Bar {
        name: row["id"].as_str().unwrap_or("?").to_owned(),
        low: one.min(other),
        value,
        high: one.max(other),
        target,
        series: series_of(row),
    })
}

fn legend() -> Vec<(String, &'static str)> {
    vec![("target reached".into(), css_colour(2)), ("target missed".into(), css_colour(4))]
}

/// Every row as a part of its target, so that quantities of all units stand side by side.
pub(super) fn distances(findings: &[Value]) -> String {
    let all: Vec<Bar> = findings
        .iter()
        .filter_map(|row| {
            let target = row["target"].as_f64().filter(|target| *target > 0.0)?;
            let at_least = row["at_least"] == true;
            bar(row, |value| if at_least { target / value } else { value / target }, None)
        })
        .collect();
    let caption = "Each row divided by its target (of a minimum: the target divided by it): left of the line at 1 it is \
                   reached. Point: median of the rounds; line: 95 % interval.";
    figure(&bars(&all, "measured / target"), caption, &legend())
}

/// Targets between these are those of a ratio near 1; others would push these together.
const NEAR_ONE: std::ops::RangeInclusive<f64> = 0.4..=2.5;

/// The rows that are ratios: those with a target near 1, and those that are to differ widely.
pub(super) fn ratios(findings: &[Value]) -> String {
    let (near, far): (Vec<&Value>, Vec<&Value>) = findings
        .iter()
        .filter(|row| row["unit"] == "x")
        .partition(|row| row["target"].as_f64().is_none_or(|target| NEAR_ONE.contains(&target)));
    let of = |rows: Vec<&Value>| -> Vec<Bar> {
        rows.into_iter().filter_map(|row| bar(row, |value| value, row["target"].as_f64())).collect()
    };
    let caption = "Ratio of Colloquy to the contestant that the row names. Line at 1: both alike; an interval across it names no \
                   winner. Triangle: the target.";
    let axis = "ratio (logarithmic)";
    figure(&bars(&of(near), axis), caption, &legend()) + &figure(&bars(&of(far), axis), caption, &legend())
}

/// A run among the raw rounds of a finding.
struct Run<'a> {
    cell: &'a str,
    contestant: &'a str,
    of: &'a Value,
}

/// All runs in the raw rounds, each once: several rows may derive from one cell.
fn runs(findings: &[Value]) -> Vec<Run<'_>> {
    let mut seen = BTreeSet::new();
    findings
        .iter()
        .flat_map(|row| row["raw"].as_array().into_iter().flatten())
        .filter_map(|of| Some(Run { cell: of["cell"].as_str()?, contestant: of["contestant"].as_str()?, of }))
        .filter(|run| seen.insert((run.cell, run.contestant, run.of["round"].as_u64())))
        .collect()
}

/// `sessions x octets x depth` at the end of a cell's name, and what stands before it.
fn shape_of(cell: &str) -> Option<(&str, [u64; 3])> {
    let (before, shape) = cell.rsplit_once(' ').unwrap_or(("", cell));
    let mut numbers = shape.split('x').map(|number| number.parse::<u64>().ok());
    let shape = [numbers.next()??, numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some((before, shape))
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}

/// CPU time of the server per SSDU by sessions, a plot for each size and depth that has several numbers of sessions.
pub(super) fn costs(findings: &[Value]) -> String {
    type Costs<'a> = BTreeMap<&'a str, BTreeMap<u64, Vec<f64>>>;
    let mut plots: BTreeMap<(&str, u64, u64), Costs<'_>> = BTreeMap::new();
    for run in runs(findings) {
        let Some((before, [sessions, octets, depth])) = shape_of(run.cell) else { continue };
        let (cpu, ssdus) = (run.of["server_cpu_s"].as_f64(), run.of["ssdus"].as_f64());
        let (Some(cpu), Some(ssdus)) = (cpu, ssdus.filter(|ssdus| *ssdus > 0.0)) else { continue };
        let of = plots.entry((before, octets, depth)).or_default().entry(run.contestant).or_default();
        of.entry(sessions).or_default().push(cpu * 1e6 / ssdus);
    }
    let plots = plots.iter().filter(|(_, by)| by.values().any(|sessions| sessions.len() > 1));
    plots
        .take(PLOTS_MAX)
        .map(|((before, octets, depth), by_contestant)| {
            let all: Vec<Line> = by_contestant
                .values()
                .enumerate()
                .map(|(series, by_sessions)| Line {
                    points: by_sessions
                        .iter()
                        .filter_map(|(sessions, costs)| Some((*sessions as f64, median(costs.clone())?)))
                        .collect(),
                    series,
                })
                .collect();
            let title = titled(before, &format!("{octets} octets, depth {depth}"));
            let svg = lines(&all, Axis::QuantityAndCost("sessions"));
            let caption = "CPU time of the server's process per SSDU, median of the rounds.";
            titled_figure(&title, &figure(&svg, caption, &names(by_contestant.keys())))
        })
        .collect()
}

/// Response time by percentile: the cells that were measured in an open loop, else those of a single session or more.
pub(super) fn latencies(findings: &[Value]) -> String {
    let latency_rows: Vec<Value> = findings
        .iter()
        .filter(|row| row["id"].as_str().is_some_and(|id| id.starts_with("latency")))
        .cloned()
        .collect();
    type Points = BTreeMap<u64, Vec<f64>>;
    let mut plots: BTreeMap<&str, BTreeMap<&str, Points>> = BTreeMap::new();
    let runs = runs(&latency_rows);
    for run in &runs {
        let of = plots.entry(run.cell).or_default().entry(run.contestant).or_default();
        for point in run.of["percentiles"].as_array().into_iter().flatten() {
            if let (Some(percent), Some(ns)) = (point[0].as_f64(), point[1].as_f64()) {
                // Percentiles to a millionth, as keys that can be compared.
                of.entry((percent * 1e6).round() as u64).or_default().push(ns / 1000.0);
            }
        }
    }
    plots
        .iter()
        .take(PLOTS_MAX)
        .map(|(cell, by_contestant)| {
            let all: Vec<Vec<(f64, f64)>> = by_contestant
                .values()
                .map(|points| {
                    points
                        .iter()
                        .filter_map(|(percent, us)| Some((*percent as f64 / 1e8, median(us.clone())?)))
                        .collect()
                })
                .collect();
            let caption = "Response time by percentile, median of the rounds.";
            titled_figure(cell, &figure(&quantile_lines(&all), caption, &names(by_contestant.keys())))
        })
        .collect()
}

fn titled(before: &str, shape: &str) -> String {
    if before.is_empty() { shape.to_owned() } else { format!("{before}: {shape}") }
}

fn titled_figure(title: &str, figure: &str) -> String {
    if figure.is_empty() { String::new() } else { format!("<h3>{}</h3>\n{figure}", escape(title)) }
}

fn names<'a>(contestants: impl Iterator<Item = &'a &'a str>) -> Vec<(String, &'static str)> {
    contestants.enumerate().map(|(series, name)| ((*name).to_owned(), css_colour(series))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_taken_apart() {
        assert_eq!(shape_of("64x256x1"), Some(("", [64, 256, 1])));
        assert_eq!(shape_of("echo plain 5000x64x16"), Some(("echo plain", [5000, 64, 16])));
        assert_eq!(shape_of("set-up"), None);
        assert_eq!(shape_of("1x2x3x4"), None);
    }

    #[test]
    fn medians_leave_out_what_is_not_a_number() {
        assert_eq!(median(vec![3.0, f64::NAN, 1.0]), Some(2.0));
        assert_eq!(median(vec![5.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![]), None);
    }
}
