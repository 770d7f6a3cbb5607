//! The page of the admin port: one HTML document without anything from outside. It is written with the numbers of the
//! moment, so that it tells them without JavaScript, too; its script asks for `/status.json` once a second and writes
//! them anew, in the same shape.

mod policy;
mod rows;
mod sessions;

use std::fmt::Write as _;

use super::StatusReport;
use super::text::{age, group, octets, rate};
use crate::sight::Listed;

pub(crate) use policy::POLICY;

const HTML: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The page; `listed`: the sessions that come first, none where the shards do not say.
pub(crate) fn page(report: &StatusReport, listed: Option<&Listed>) -> String {
    let mut out = String::with_capacity(HTML.len() + STYLE.len() + SCRIPT.len() + 4096);
    let mut rest = HTML;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("the page closes what it opens");
        out.push_str(before);
        match name {
            "session_list" => sessions::write(&mut out, listed),
            "sessions_said" => escape(&mut out, &sessions::said(listed)),
            name => value(&mut out, report, name),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn value(out: &mut String, report: &StatusReport, name: &str) {
    let rates = &report.rates.last_10s;
    let history = &report.history;
    let sessions: Vec<f64> = history.sessions.iter().map(|count| *count as f64).collect();
    match name {
        "style" => out.push_str(STYLE),
        "script" => out.push_str(SCRIPT),
        "state" => out.push_str(if report.draining { "\u{25a0} draining" } else { "\u{25cf} ready" }),
        "state_class" => out.push_str(if report.draining { "warn" } else { "ok" }),
        "uptime" => out.push_str(&age(report.uptime_seconds)),
        "backend" => escape(out, &format!("{} ({})", report.backend, report.backend_reason)),
        "generation" => out.push_str(&group(report.config_generation)),
        "config_hash" => escape(out, report.config.short_hash()),
        "loaded" => escape(out, &moment(&report.config.loaded_at)),
        "reload" => escape(out, &reload(report)),
        "reload_class" => out.push_str(if is_refused(report) { "bad" } else { "" }),
        "version" => escape(out, &report.version),
        "at" => escape(out, &report.at),
        "started" => escape(out, &report.started_at),
        "process" => out.push_str(&report.process_id.to_string()),
        "sessions" => out.push_str(&group(report.sessions.all)),
        "established" => out.push_str(&group(report.sessions.established)),
        "ssdus_in" => out.push_str(&rate(rates.ssdus_in_per_second)),
        "ssdus_out" => out.push_str(&rate(rates.ssdus_out_per_second)),
        "octets_in" => out.push_str(&octets(rates.octets_in_per_second)),
        "octets_out" => out.push_str(&octets(rates.octets_out_per_second)),
        "opened" => out.push_str(&rate(rates.opened_per_second)),
        "closed" => out.push_str(&rate(rates.closed_per_second)),
        "spark_sessions" => spark(out, "spark-sessions", &sessions),
        "spark_ssdus_in" => spark(out, "spark-ssdus-in", &history.ssdus_in_per_second),
        "spark_ssdus_out" => spark(out, "spark-ssdus-out", &history.ssdus_out_per_second),
        "spark_octets_in" => spark(out, "spark-octets-in", &history.octets_in_per_second),
        "spark_octets_out" => spark(out, "spark-octets-out", &history.octets_out_per_second),
        "spark_opened" => spark(out, "spark-opened", &history.opened_per_second),
        table => rows::write(out, report, table),
    }
}

/// A moment to the second.
fn moment(at: &str) -> String {
    let at = at.replace('T', " ");
    at.split_once('.').map_or(at.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// How the last reload ended.
fn reload(report: &StatusReport) -> String {
    let Some(last) = &report.config.last_reload else { return "none".to_owned() };
    let mut text = format!("{} {}", last.outcome, moment(&last.at));
    if let Some(reason) = &last.reason {
        let _ = write!(text, ": {reason}");
    }
    if !last.needs_restart.is_empty() {
        let _ = write!(text, ", waiting for a restart: {}", last.needs_restart.join(", "));
    }
    text
}

fn is_refused(report: &StatusReport) -> bool {
    report.config.last_reload.as_ref().is_some_and(|last| !last.is_applied())
}

/// The course of the last two minutes as a line. It shows nothing that the number above it and `/metrics` do not tell.
fn spark(out: &mut String, id: &str, values: &[f64]) {
    let most = values.iter().copied().fold(1.0, f64::max);
    let step = 120.0 / (values.len().saturating_sub(1).max(1)) as f64;
    let _ = write!(
        out,
        "<svg id=\"{id}\" viewBox=\"0 0 120 28\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><polyline points=\""
    );
    for (at, value) in values.iter().enumerate() {
        let _ = write!(out, "{:.1},{:.1} ", at as f64 * step, 27.0 - 25.0 * value / most);
    }
    out.push_str("\"/></svg>");
}

/// Writes a text so that it stays a text.
fn escape(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            character => out.push(character),
        }
    }
}

/// A page of the manual. Markdown is shown as it is written, headings aside: it is made to be read so.
pub(crate) fn manual_page(id: &str, markdown: &str) -> String {
    let mut body = String::new();
    let mut paragraph = String::new();
    for line in markdown.lines().chain([""]) {
        let heading =
            line.strip_prefix("## ").map(|text| (2, text)).or(line.strip_prefix("# ").map(|text| (1, text)));
        if (line.trim().is_empty() || heading.is_some()) && !paragraph.is_empty() {
            body.push_str("<pre>");
            escape(&mut body, paragraph.trim_end());
            body.push_str("</pre>\n");
            paragraph.clear();
        }
        if let Some((level, text)) = heading {
            let _ = write!(body, "<h{level}>");
            escape(&mut body, text);
            let _ = writeln!(body, "</h{level}>");
        } else if !line.trim().is_empty() {
            paragraph.push_str(line);
            paragraph.push('\n');
        }
    }
    let mut title = String::new();
    escape(&mut title, id);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head>\
         <body><main>\n{body}<p><a href=\"/\">Back to the gateway</a></p></main></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::super::status::{Event, ListenerReport};
    use super::*;

    #[test]
    fn every_place_of_the_page_has_a_value_and_texts_stay_texts() {
        let mut report = StatusReport { backend: "<b>".to_owned(), ..StatusReport::default() };
        report.listeners.push(ListenerReport { name: "\"><script>".to_owned(), ..ListenerReport::default() });
        let session = serde_json::Map::from_iter([("peer".to_owned(), "<i>".into())]);
        report.events.push(Event { event_id: Some("CLQ-<".to_owned()), ..Event::default() });
        let listed = Listed { total: 1, sessions: vec![session], ..Listed::default() };
        let page = page(&report, Some(&listed));
        assert!(!page.contains("{{") && !page.contains("\"><script>"), "{page}");
        assert!(page.contains("&quot;&gt;&lt;script&gt;") && page.contains("&lt;b&gt;"), "{page}");
        assert!(page.contains("&lt;i&gt;") && page.contains("1 session."), "{page}");
        assert!(page.len() < 60 << 10, "{} octets", page.len());
    }

    #[test]
    fn a_manual_page_keeps_its_headings_and_its_lines() {
        let html = manual_page(
            "CLQ-X01",
            "# CLQ-X01: it <broke>\n\n## Meaning\n\nOne\ntwo.\n\n## Action\nDo & look.\n",
        );
        assert!(
            html.contains("<h1>CLQ-X01: it &lt;broke&gt;</h1>\n<h2>Meaning</h2>\n<pre>One\ntwo.</pre>"),
            "{html}"
        );
        assert!(html.contains("<h2>Action</h2>\n<pre>Do &amp; look.</pre>"), "{html}");
    }
}
