//! What a load report shows over time.

use super::{RunFolder, name};
use crate::hdr::Span;
use crate::html::page::figure;
use crate::html::plot::{Axis, Line, css_colour, heat, lines};
use crate::html::text::escape;

/// Shortest part of an interval that is shown, in seconds.
const LEAST_S: f64 = 0.001;

/// Intervals of the response time, where a run has them: those of the measured part. The few answers that come after
/// it would look like a breakdown.
fn spans(run: &RunFolder) -> &[Span] {
    let all = run.log.as_ref().and_then(|log| log.series.get("response")).map_or(&[][..], Vec::as_slice);
    let measured_s = run.result["measured_s"].as_f64().unwrap_or(f64::INFINITY);
    let within = all.partition_point(|span| span.start.as_secs_f64() + LEAST_S < measured_s);
    &all[..within]
}

/// Rate, and p50, p99 and maximum of the response time, by interval.
pub(super) fn timeline(runs: &[RunFolder]) -> String {
    let with_spans: Vec<&RunFolder> = runs.iter().filter(|run| !spans(run).is_empty()).collect();
    let Some(first) = with_spans.first() else { return String::new() };
    let line = |run: &RunFolder, series: usize, of: &dyn Fn(&Span) -> f64| Line {
        points: spans(run).iter().map(|span| (middle(span), of(span))).collect(),
        series,
    };
    let legend = |names: &[&str]| -> Vec<(String, &'static str)> {
        names.iter().enumerate().map(|(series, of)| ((*of).to_owned(), css_colour(series))).collect()
    };
    let run_names: Vec<String> = with_spans.iter().map(|run| name(runs, run, "")).collect();
    let run_names: Vec<&str> = run_names.iter().map(String::as_str).collect();
    let rates: Vec<Line> =
        with_spans.iter().enumerate().map(|(series, run)| line(run, series, &Span::rate_per_s)).collect();
    let length_ms = |run: &RunFolder| spans(run)[0].length.as_millis();
    let caption = match with_spans.iter().all(|run| length_ms(run) == length_ms(first)) {
        true => format!("SSDUs answered per second, by intervals of {} ms.", length_ms(first)),
        false => "SSDUs answered per second; runs have intervals of different lengths.".to_owned(),
    };
    let of_runs = if runs.len() > 1 { legend(&run_names) } else { Vec::new() };
    let mut html = figure(&lines(&rates, Axis::TimeAndQuantity("SSDU/s")), &caption, &of_runs);
    let quantiles: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("max", 1.0)];
    let at = |quantile: f64| {
        move |span: &Span| match span.histogram_ns.is_empty() {
            true => f64::NAN,
            false => span.histogram_ns.value_at_quantile(quantile) as f64 / 1000.0,
        }
    };
    if let [run] = with_spans[..] {
        let of: Vec<Line> = quantiles
            .iter()
            .enumerate()
            .map(|(series, (_, quantile))| line(run, series, &at(*quantile)))
            .collect();
        let caption = "Response time of what was answered in each interval. A gap: nothing was answered.";
        html += &figure(&lines(&of, Axis::TimeAndTime), caption, &legend(&["p50", "p99", "max"]));
        return html;
    }
    for (of, quantile) in quantiles {
        let all: Vec<Line> =
            with_spans.iter().enumerate().map(|(series, run)| line(run, series, &at(quantile))).collect();
        let caption = format!("{of} of the response time of what was answered in each interval.");
        html += &figure(&lines(&all, Axis::TimeAndTime), &caption, &legend(&run_names));
    }
    html
}

/// A map for each run.
pub(super) fn heat_maps(runs: &[RunFolder]) -> String {
    runs.iter()
        .map(|run| {
            let caption = "Answers by time and response time: the stronger, the more (logarithmic); a gap is a time without \
                           answers.";
            let map = figure(&heat(spans(run)), caption, &[]);
            match map.is_empty() || runs.len() == 1 {
                true => map,
                false => format!("<h3>{}</h3>\n{map}", escape(&run.name)),
            }
        })
        .collect()
}

fn middle(span: &Span) -> f64 {
    span.start.as_secs_f64() + span.length.as_secs_f64() / 2.0
}
