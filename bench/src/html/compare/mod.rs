//! The page of a comparison, from its record as JSON: the rows are those of [`Finding`](crate::compare::Finding).

mod plots;

use serde_json::Value;

use super::page::{Page, figure, mark};
use super::text::{Table, digits, escape, listing, time_of_us};

/// The page of a comparison (`result.json` of `colloquy compare`), as one HTML file.
pub fn page(record: &Value) -> String {
    let none = Vec::new();
    let findings = record["findings"].as_array().unwrap_or(&none);
    let mut page = Page::new("Colloquy beside the alternatives", lead(record));
    page.section("Verdict", &verdict(record, findings));
    page.section("Rows", &rows(findings));
    page.section("Distance to the target", &plots::distances(findings));
    page.section("Ratios", &plots::ratios(findings));
    page.section("Cost against the number of sessions", &plots::costs(findings));
    page.section("Latency by percentile", &plots::latencies(findings));
    page.section("How it was measured", &method(record));
    page.section("Environment", &listing(&record["environment"]));
    page.html()
}

fn lead(record: &Value) -> String {
    let text = |key: &str| record[key].as_str().unwrap_or("?").to_owned();
    let number = |key: &str| record[key].as_f64().map_or_else(|| "?".into(), digits);
    let form = if record["quick"] == true { "short form, " } else { "" };
    escape(&format!(
        "{form}{}, commit {}, {} interleaved rounds of {} s",
        text("began_at"),
        text("commit"),
        number("rounds"),
        number("seconds")
    ))
}

/// How many rows of each verdict, and whether the machine was quiet.
fn verdict(record: &Value, findings: &[Value]) -> String {
    let of = |wanted: Option<bool>| findings.iter().filter(|row| row["reached"].as_bool() == wanted).count();
    let (reached, missed, skipped) = (of(Some(true)), of(Some(false)), of(None));
    let class = if missed == 0 && skipped == 0 { "good" } else { "bad" };
    let mut html = format!(
        "<div class=\"box {class}\">{} &nbsp; {} &nbsp; {}</div>\n",
        mark("good", &format!("{reached} reached")),
        mark("bad", &format!("{missed} missed")),
        mark("open", &format!("{skipped} not measured"))
    );
    let because: String = record["quiet"]["because"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|reason| format!("<li>{}</li>", escape(reason.as_str().unwrap_or("?"))))
        .collect();
    if !because.is_empty() {
        html += &format!("<div class=\"box bad\">The machine was not quiet:<ul>{because}</ul></div>\n");
    }
    html
}

/// The mark of a row.
fn verdict_of(row: &Value) -> String {
    match (row["reached"].as_bool(), row["failed"].as_bool()) {
        (Some(true), _) => mark("good", "✓ reached"),
        (Some(false), _) => mark("bad", "✗ missed"),
        (None, Some(true)) => mark("bad", "✗ failed"),
        (None, _) => mark("open", "– skipped"),
    }
}

/// A value in the unit of its row.
fn told(value: &Value, unit: &str) -> String {
    let Some(number) = value.as_f64() else { return "–".into() };
    match unit {
        "x" => format!("{} ×", digits(number)),
        "ns" => time_of_us(number / 1000.0),
        unit => format!("{} {}", digits(number), escape(unit)),
    }
}

fn rows(findings: &[Value]) -> String {
    let mut table = Table::new(&["row", "<verdict", "measured", "95 % interval", "target", "<what"]);
    for row in findings {
        let unit = row["unit"].as_str().unwrap_or("x");
        let interval = match (row["low"].as_f64(), row["high"].as_f64()) {
            (Some(low), Some(high)) => format!("{} – {}", digits(low), digits(high)),
            _ => "–".into(),
        };
        let sign = if row["at_least"] == true { "≥" } else { "≤" };
        let even = row["reached"].is_boolean() && row["decided"] == false;
        let even = if even { "<br><span class=\"note\">interval contains 1: no winner</span>" } else { "" };
        let remark = row["remark"].as_str().filter(|remark| !remark.is_empty());
        let remark = remark
            .map_or(String::new(), |remark| format!("<br><span class=\"note\">{}</span>", escape(remark)));
        table.row(
            &[1, 5],
            &[
                format!("<code>{}</code>", escape(row["id"].as_str().unwrap_or("?"))),
                verdict_of(row),
                told(&row["ratio"], unit),
                interval,
                format!("{sign} {}", told(&row["target"], unit)),
                format!(
                    "<span class=\"text\">{}{even}{remark}</span>",
                    escape(row["what"].as_str().unwrap_or("?"))
                ),
            ],
        );
    }
    table.html()
}

fn method(record: &Value) -> String {
    let command = record["command"].as_str().map_or_else(
        || format!("colloquy compare{}", if record["quick"] == true { " --quick" } else { "" }),
        str::to_owned,
    );
    let text = "Contestants serve the same load on the same core, one after the other in each round. A ratio is the median of \
                the rounds' own ratios, its interval a bootstrap over the rounds; where it contains 1, neither side has won.";
    let mut facts = serde_json::Map::new();
    for key in ["took_s", "cores", "bootstrap_seed", "resamples", "quiet"] {
        facts.insert(key.to_owned(), record[key].clone());
    }
    for version in record["versions"].as_array().into_iter().flatten() {
        let name = format!("version of {}", version[0].as_str().unwrap_or("?"));
        let said = version[1].as_str().unwrap_or("not installed");
        facts.insert(name, said.into());
    }
    format!("<p>{text}</p>\n<pre>{}</pre>\n{}", escape(&command), listing(&Value::Object(facts)))
}

#[cfg(test)]
mod tests;
