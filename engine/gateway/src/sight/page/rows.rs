//! The rows of the page's tables. `page.js` makes the same rows of the same report: what is changed here is changed there.

use std::fmt::Write as _;

use super::super::status::{Count, Event, ListenerReport, ShardStatus, TargetReport};
use super::super::text::{NOTHING, group, octets, rate, ratio, some, time};
use super::{StatusReport, escape, moment};

/// One cell: text and, where that matters, a word of the style.
pub(super) struct Cell(String, Option<&'static str>);

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell(text, None)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell(text.to_owned(), None)
    }
}

/// Writes the rows of a table of the page.
///
/// # Panics
/// When the page has no such table.
pub(super) fn write(out: &mut String, report: &StatusReport, table: &str) {
    let two = || columns("th td.n");
    match table {
        "shards" => {
            let kinds = "th td.n.less td.n td.n td.n td.n td.n.less td.n.less td.n.less td.n.less td.n.less td.n.less";
            rows(out, &columns(kinds), report.shards.iter().map(shard), "No shard.");
        }
        "listeners" => {
            let kinds = columns("th td td.less td.less td.less td.n td.n.less td.n.less td.t");
            rows(out, &kinds, report.listeners.iter().map(listener), "No listener.");
        }
        "targets" => {
            let kinds = columns("th td.less td td td.n td.n.less td.t.less td.n.less td.n td.less");
            rows(out, &kinds, report.targets.iter().map(target), "No target is configured.");
        }
        "routes" => {
            let cells = report.routes.iter().map(|route| {
                let name = named(&route.name, route.removed);
                vec![
                    name,
                    route.to.as_str().into(),
                    some(route.sessions, group).into(),
                    some(route.matched, group).into(),
                ]
            });
            rows(out, &columns("th td.w td.n td.n"), cells, "No route is configured.");
        }
        "upstreams" => {
            let cells = report.upstreams.iter().map(|upstream| {
                let name = named(&upstream.name, upstream.removed);
                vec![name, upstream.balance.as_str().into(), upstream.targets.join(", ").into()]
            });
            rows(out, &columns("th td.w td.t"), cells, "No upstream is configured.");
        }
        "latencies" => latencies(out, report),
        "states" => rows(out, &two(), states(report), ""),
        "closings" => rows(out, &two(), report.closings.iter().map(count), "No session has ended."),
        "refusals" => {
            let cells =
                report.refusals.iter().map(|each| vec![each.name.as_str().into(), group(each.count).into()]);
            rows(out, &columns("th.t td.n"), cells, "No connection was refused.");
        }
        "totals" => rows(out, &two(), totals(report), ""),
        "events" => {
            let kinds = columns("td td td td.t td.t");
            events(out, &kinds, report.events.iter().rev());
        }
        other => panic!("the page has no table {other}"),
    }
}

/// The kinds of a row's cells, from words such as `td.n.less`.
pub(super) fn columns(text: &'static str) -> Vec<&'static str> {
    text.split(' ').collect()
}

/// Writes rows, or one that says that there are none.
pub(super) fn rows(out: &mut String, kinds: &[&str], rows: impl Iterator<Item = Vec<Cell>>, nothing: &str) {
    let mut any = false;
    for cells in rows {
        any = true;
        out.push_str("<tr>");
        for (kind, Cell(text, word)) in kinds.iter().zip(cells) {
            let name = open(out, kind);
            match word {
                Some(word) => {
                    let _ = write!(out, "<span class=\"{word}\">");
                    escape(out, &text);
                    out.push_str("</span>");
                }
                None => escape(out, &text),
            }
            let _ = write!(out, "</{name}>");
        }
        out.push_str("</tr>");
    }
    if !any {
        let _ = write!(out, "<tr><td class=\"none\" colspan=\"{}\">{nothing}</td></tr>", kinds.len());
    }
}

/// Opens a cell of a kind such as `td.n.less`; gives its element's name.
fn open<'a>(out: &mut String, kind: &'a str) -> &'a str {
    let (name, classes) = kind.split_once('.').unwrap_or((kind, ""));
    let _ = write!(out, "<{name}");
    if !classes.is_empty() {
        let _ = write!(out, " class=\"{}\"", classes.replace('.', " "));
    }
    out.push_str(if name == "th" { " scope=\"row\">" } else { ">" });
    name
}

fn named(name: &str, removed: bool) -> Cell {
    if removed { format!("{name} (removed)").into() } else { name.into() }
}

fn shard(shard: &ShardStatus) -> Vec<Cell> {
    let rates = &shard.rates.last_10s;
    vec![
        shard.number.to_string().into(),
        some(shard.core, |core| core.to_string()).into(),
        group(shard.sessions).into(),
        ratio(rates.busy_ratio).into(),
        rate(rates.ssdus_in_per_second).into(),
        rate(rates.ssdus_out_per_second).into(),
        octets(rates.octets_in_per_second).into(),
        octets(rates.octets_out_per_second).into(),
        rate(rates.turns_per_second).into(),
        some(shard.system_calls_per_spdu, |calls| format!("{calls:.2}")).into(),
        format!("{} / {}", group(shard.blocks_free), group(shard.blocks)).into(),
        octets(shard.queue_octets as f64).into(),
    ]
}

fn listener(listener: &ListenerReport) -> Vec<Cell> {
    vec![
        listener.name.as_str().into(),
        listener.address.as_str().into(),
        listener.application.as_str().into(),
        some(listener.to.clone(), |to| to).into(),
        transport(listener.tls.as_ref()),
        some(listener.sessions, group).into(),
        some(listener.established, group).into(),
        some(listener.established_per_second, rate).into(),
        counts(&listener.refused),
    ]
}

fn target(target: &TargetReport) -> Vec<Cell> {
    let state = Cell(target.state.clone(), Some(if target.state == "ready" { "ok" } else { "warn" }));
    let health = match (target.ejected_for_seconds, target.health.as_deref()) {
        (Some(seconds), _) => Cell(format!("ejected, {} s", seconds.ceil() as u64), Some("bad")),
        (None, Some("down")) => Cell("down".to_owned(), Some("bad")),
        (None, Some("up")) => Cell("up".to_owned(), Some("ok")),
        (None, health) => health.unwrap_or(NOTHING).into(),
    };
    vec![
        named(&target.name, target.removed),
        target.address.as_str().into(),
        state,
        health,
        some(target.sessions, group).into(),
        group(u64::from(target.weight)).into(),
        counts(&target.connects),
        some(target.connect_p50_seconds, time).into(),
        some(target.connect_p99_seconds, time).into(),
        transport(target.tls.as_ref()),
    ]
}

fn transport(tls: Option<&String>) -> Cell {
    tls.map_or_else(|| "plain".into(), |name| format!("TLS {name}").into())
}

fn counts(counts: &[Count]) -> Cell {
    let some: Vec<String> = counts
        .iter()
        .filter(|each| each.count > 0)
        .map(|each| format!("{} {}", each.name.replace('_', " "), group(each.count)))
        .collect();
    if some.is_empty() { NOTHING.into() } else { some.join(", ").into() }
}

fn count(count: &Count) -> Vec<Cell> {
    vec![count.name.replace('_', " ").into(), group(count.count).into()]
}

fn latencies(out: &mut String, report: &StatusReport) {
    let cells = report.latencies.iter().map(|latency| {
        vec![
            latency.stage.as_str().into(),
            group(latency.count).into(),
            some(latency.p50_seconds, time).into(),
            some(latency.p90_seconds, time).into(),
            some(latency.p99_seconds, time).into(),
            some(latency.mean_seconds, time).into(),
        ]
    });
    rows(out, &["th", "td.n", "td.n", "td.n.less", "td.n", "td.n.less"], cells, "");
}

fn states(report: &StatusReport) -> impl Iterator<Item = Vec<Cell>> {
    let sessions = &report.sessions;
    let states = [
        ("established", sessions.established),
        ("opening", sessions.opening),
        ("accepted by the gateway", sessions.responder),
        ("opened by the gateway", sessions.initiator),
        ("being refused", sessions.being_refused),
    ];
    states.into_iter().map(|(name, count)| vec![name.into(), group(count).into()])
}

fn totals(report: &StatusReport) -> impl Iterator<Item = Vec<Cell>> {
    report.totals.named().into_iter().map(|(name, count)| vec![name.into(), group(count).into()])
}

fn events<'a>(out: &mut String, kinds: &[&str], events: impl Iterator<Item = &'a Event>) {
    let mut any = false;
    for event in events {
        any = true;
        out.push_str("<tr><td>");
        escape(out, &moment(&event.at));
        let word = match event.level.as_str() {
            "error" => "bad",
            "warn" => "warn",
            _ => "",
        };
        let _ = write!(out, "</td><td><span class=\"{word}\">");
        escape(out, &event.level);
        out.push_str("</span></td><td>");
        if let Some(id) = &event.event_id {
            out.push_str("<a href=\"/manual/");
            escape(out, id);
            out.push_str("\">");
            escape(out, id);
            out.push_str("</a>");
        } else {
            out.push_str(NOTHING);
        }
        out.push_str("</td><td class=\"t\">");
        escape(out, &event.message);
        out.push_str("</td><td class=\"t\">");
        let fields: Vec<String> =
            event.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        escape(out, &fields.join(" "));
        out.push_str("</td></tr>");
    }
    if !any {
        rows(out, kinds, std::iter::empty(), "Nothing has happened.");
    }
}
