//! The page of one or more load runs.

mod tables;
mod time;

use serde_json::Value;

use super::folder::RunFolder;
use super::page::{Page, figure, mark};
use super::plot::{Curve, css_colour, curves};
use super::text::{Table, digits, escape, listing, time_of_us};

/// The page of runs, as one HTML file.
pub fn page(runs: &[RunFolder]) -> String {
    let title = match runs {
        [run] => format!("Load run {}", run.name),
        _ => format!("{} load runs", runs.len()),
    };
    let mut page = Page::new(&title, lead(runs));
    page.section("Verdict", &verdict(runs));
    page.section("Summary", &tables::summary(runs));
    page.section("Ratios", &tables::ratios(runs));
    page.section("Thresholds", &tables::thresholds(runs));
    page.section("Latency by percentile", &percentiles(runs));
    page.section("Timeline", &time::timeline(runs));
    page.section("Latency over time", &time::heat_maps(runs));
    page.section("Steps", &tables::steps(runs));
    page.section("Operations", &tables::operations(runs));
    page.section("Errors and counts", &tables::errors(runs));
    page.section("The generator's own part", &tables::generator(runs));
    page.section("Environment", &each(runs, |run| listing(&run.result["environment"])));
    page.section("Plan", &each(runs, |run| listing(&run.result["plan"])));
    page.html()
}

/// What a run is called on the page; of a single one nothing needs to be said.
fn name(runs: &[RunFolder], run: &RunFolder, of: &str) -> String {
    match runs {
        [_] => of.to_owned(),
        _ if of.is_empty() => run.name.clone(),
        _ => format!("{} {of}", run.name),
    }
}

fn lead(runs: &[RunFolder]) -> String {
    let said: Vec<String> = runs
        .iter()
        .map(|run| {
            let result = &run.result;
            let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
            let plan = &result["plan"];
            let to: Vec<String> = plan["to"].as_array().into_iter().flatten().map(text).collect();
            let line = format!(
                "{} sessions, {} octets, depth {}, {} to {}; {}, {} s measured, driver {}",
                digits(plan["sessions"].as_f64().unwrap_or(f64::NAN)),
                digits(plan["ssdu_octets"].as_f64().unwrap_or(f64::NAN)),
                digits(plan["depth"].as_f64().unwrap_or(f64::NAN)),
                text(&plan["mode"]),
                to.join(", "),
                text(&result["began_at"]),
                digits(result["measured_s"].as_f64().unwrap_or(f64::NAN)),
                text(&result["driver"]),
            );
            match runs {
                [_] => escape(&line),
                _ => format!("<b>{}</b>: {}", escape(&run.name), escape(&line)),
            }
        })
        .collect();
    said.join("<br>")
}

/// Whether the numbers say what they seem to.
fn verdict(runs: &[RunFolder]) -> String {
    runs.iter()
        .map(|run| {
            let who = escape(&name(runs, run, ""));
            let who = if who.is_empty() { who } else { format!("<b>{who}</b> ") };
            if run.result["valid"] == true {
                return format!("<div class=\"box good\">{who}{}</div>\n", mark("good", "valid"));
            }
            let reasons: String = run.result["invalid_reasons"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|reason| format!("<li>{}</li>", escape(reason.as_str().unwrap_or("?"))))
                .collect();
            format!("<div class=\"box bad\">{who}{}<ul>{reasons}</ul></div>\n", mark("bad", "NOT VALID"))
        })
        .collect()
}

/// The distribution of the response time, and of the service time where it differs and there is only one run.
fn percentiles(runs: &[RunFolder]) -> String {
    let mut names = Vec::new();
    let mut shown = Vec::new();
    for run in runs {
        let opened = run.result["target_ssdu_per_s"].is_number() && runs.len() == 1;
        let both = [("response", &run.response_ns, true), ("service", &run.service_ns, opened)];
        for (of, histogram, wanted) in both {
            if let Some(histogram_ns) = histogram.as_ref().filter(|of| wanted && !of.is_empty()) {
                let of = if runs.len() > 1 { "" } else { of };
                names.push((name(runs, run, of), css_colour(shown.len())));
                shown.push(Curve { histogram_ns });
            }
        }
    }
    let caption = "Response time of SSDUs, from when a request was due to its answer. Each number to the right is ten times \
                   as rare as the one before; the curve ends at the maximum.";
    figure(&curves(&shown), caption, &names)
}

/// A part of the page for each run, folded up when there are several.
fn each(runs: &[RunFolder], body: impl Fn(&RunFolder) -> String) -> String {
    match runs {
        [run] => body(run),
        _ => runs
            .iter()
            .map(|run| {
                format!("<details><summary>{}</summary>\n{}</details>\n", escape(&run.name), body(run))
            })
            .collect(),
    }
}

/// A number of a record, as a time.
fn us(value: &Value) -> String {
    value.as_f64().map_or_else(|| "–".into(), time_of_us)
}

/// A number of a record.
fn number(value: &Value) -> String {
    value.as_f64().map_or_else(|| "–".into(), digits)
}

/// A share as per cent.
fn percent(value: &Value) -> String {
    value.as_f64().map_or_else(|| "–".into(), |share| format!("{} %", digits(share * 100.0)))
}

/// The percentiles of a record as cells: `p50 p90 p99 p99.9 max`, dashes where nothing was counted.
fn times(of: &Value) -> Vec<String> {
    let counted = of["count"].as_f64().is_some_and(|count| count > 0.0);
    ["p50", "p90", "p99", "p999", "max"]
        .iter()
        .map(|key| if counted { us(&of[*key]) } else { "–".into() })
        .collect()
}

/// The heads that go with [`times`].
const TIMES: [&str; 5] = ["p50", "p90", "p99", "p99.9", "max"];

fn table(heads: &[&str], times: bool) -> Table {
    let heads: Vec<&str> = heads.iter().copied().chain(TIMES.into_iter().filter(|_| times)).collect();
    Table::new(&heads)
}
