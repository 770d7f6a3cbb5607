//! The status for people: a screenful, whatever the gateway has been through.

use serde_json::{Map, Value};

use crate::control::table::Table;

/// Warnings and errors that are shown, the latest last.
const EVENTS_MAX: usize = 5;
/// Characters of an event's details.
const DETAILS_MAX: usize = 110;

/// What an operator wants to know first.
pub(super) fn summary(answer: &Map<String, Value>) -> String {
    let status = Value::Object(answer.clone());
    let mut out = head(&status);
    for table in
        [listeners(&status), routes(&status), targets(&status), shards(&status)].into_iter().flatten()
    {
        out.push('\n');
        out.push_str(&table.print());
    }
    out.push_str(&events(&status));
    out
}

fn head(status: &Value) -> String {
    let state = if status["draining"] == true { "draining" } else { "ready" };
    let number = |path: &str| status.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let rate = |name: &str| {
        status.pointer(&format!("/rates/last_10s/{name}")).and_then(Value::as_f64).unwrap_or(0.0)
    };
    let mut out = format!(
        "Colloquy {} is {state}, up {}, process {}, configuration {}\n",
        plain(&status["version"]),
        lasting(status["uptime_seconds"].as_f64().unwrap_or(0.0)),
        plain(&status["process_id"]),
        plain(&status["config_generation"]),
    );
    let mut line = |label: &str, text: String| out.push_str(&format!("{label:<10}{text}\n"));
    line("driver", format!("{}: {}", plain(&status["backend"]), plain(&status["backend_reason"])));
    line(
        "sessions",
        format!(
            "{} open ({} established, {} opening, {} being refused), {} opened and {} closed in all",
            number("/sessions/all"),
            number("/sessions/established"),
            number("/sessions/opening"),
            number("/sessions/being_refused"),
            number("/totals/opened"),
            number("/totals/closed"),
        ),
    );
    line(
        "traffic",
        format!(
            "{:.0} SSDU/s in, {:.0} out; {:.1} MB/s in, {:.1} out; {:.1} sessions/s opened (last 10 s)",
            rate("ssdus_in_per_second"),
            rate("ssdus_out_per_second"),
            rate("octets_in_per_second") / 1e6,
            rate("octets_out_per_second") / 1e6,
            rate("opened_per_second"),
        ),
    );
    line(
        "refused",
        format!(
            "{} connections, {} relayed sessions; {} faults of peers; {} log records dropped",
            number("/totals/refused"),
            number("/totals/relays_refused"),
            number("/totals/faults"),
            number("/totals/records_dropped"),
        ),
    );
    let ended = list(status, "closings").map(|it| format!("{} {}", plain(&it["count"]), plain(&it["name"])));
    let ended = ended.collect::<Vec<_>>().join(", ").replace('_', " ");
    line("ended", if ended.is_empty() { "none".to_owned() } else { ended });
    out
}

fn list<'a>(status: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    status[name].as_array().into_iter().flatten().filter(|it| it["removed"] != true)
}

/// A table of the members of a list; none where the list is empty.
fn table<'a>(
    headings: &[&'static str],
    rows: impl Iterator<Item = &'a Value>,
    cells: impl Fn(&Value) -> Vec<String>,
) -> Option<Table> {
    let mut rows = rows.peekable();
    rows.peek()?;
    let mut table = Table::new(headings);
    rows.for_each(|row| table.push(cells(row)));
    Some(table)
}

fn members(row: &Value, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| plain(&row[*name])).collect()
}

fn listeners(status: &Value) -> Option<Table> {
    let headings = ["listener", "address", "does", "to", "tls", "sessions", "established"];
    let names = ["name", "address", "application", "to", "tls", "sessions", "established"];
    table(&headings, list(status, "listeners"), |row| members(row, &names))
}

fn routes(status: &Value) -> Option<Table> {
    let names = ["name", "to", "sessions", "matched"];
    table(&["route", "to", "sessions", "matched"], list(status, "routes"), |row| members(row, &names))
}

fn targets(status: &Value) -> Option<Table> {
    let headings = ["target", "address", "state", "health", "sessions", "tls", "ejected"];
    table(&headings, list(status, "targets"), |row| {
        let mut cells = members(row, &["name", "address", "state", "health", "sessions", "tls"]);
        cells.push(
            row["ejected_for_seconds"].as_f64().map_or("-".to_owned(), |left| format!("for {left:.0} s")),
        );
        cells
    })
}

fn shards(status: &Value) -> Option<Table> {
    table(&["shard", "sessions", "busy", "SSDU/s in", "blocks free"], list(status, "shards"), |row| {
        let rates = &row["rates"]["last_10s"];
        vec![
            plain(&row["number"]),
            format!("{}/{}", plain(&row["sessions"]), plain(&row["sessions_max"])),
            format!("{:.1} %", rates["busy_ratio"].as_f64().unwrap_or(0.0) * 100.0),
            format!("{:.0}", rates["ssdus_in_per_second"].as_f64().unwrap_or(0.0)),
            format!("{}/{}", plain(&row["blocks_free"]), plain(&row["blocks"])),
        ]
    })
}

/// The latest warnings and errors.
fn events(status: &Value) -> String {
    let loud: Vec<&Value> = list(status, "events")
        .filter(|event| matches!(event["level"].as_str(), Some("warn" | "error")))
        .collect();
    if loud.is_empty() {
        return "\nno warnings\n".to_owned();
    }
    let mut out = format!("\nlatest of {} warnings (`colloquy explain ID`)\n", loud.len());
    for event in &loud[loud.len().saturating_sub(EVENTS_MAX)..] {
        let fields = event["fields"].as_object().into_iter().flatten();
        let details: Vec<String> = fields.map(|(name, value)| format!("{name}={}", plain(value))).collect();
        let mut details = details.join(" ");
        if let Some((end, _)) = details.char_indices().nth(DETAILS_MAX) {
            details.truncate(end);
            details.push('\u{2026}');
        }
        let [at, id, message] = [&event["at"], &event["event_id"], &event["message"]].map(plain);
        out.push_str(&format!("  {at}  {id}  {message}\n    {details}\n"));
    }
    out
}

/// Seconds as people say them: the two largest units.
fn lasting(seconds: f64) -> String {
    let whole = seconds as u64;
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let parts = units.iter().enumerate().map(|(at, (name, size))| {
        let over = if at == 0 { whole } else { whole % units[at - 1].1 };
        (over / size, *name)
    });
    let shown: Vec<String> = parts
        .skip_while(|(count, name)| *count == 0 && *name != "s")
        .take(2)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    shown.join(" ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Status of real gateways, recorded for `colloquy top`.
    fn recorded(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).expect("recorded JSON")
    }

    #[test]
    fn it_is_a_screenful_however_much_there_is() {
        for text in [
            include_str!("../top/recorded/0-sessions.json"),
            include_str!("../top/recorded/10-sessions.json"),
            include_str!("../top/recorded/10000-sessions.json"),
        ] {
            let status = recorded(text);
            let said = summary(&status);
            assert!(said.lines().count() < 45, "{said}");
            assert!(said.lines().all(|line| line.chars().count() < 140), "{said}");
            for name in ["listeners", "routes", "targets"] {
                for each in list(&Value::Object(status.clone()), name) {
                    assert!(said.contains(&plain(&each["name"])), "{name}: {said}");
                }
            }
            assert!(said.contains(&format!("{} open", plain(&status["sessions"]["all"]))), "{said}");
        }
    }

    #[test]
    fn times_have_two_units() {
        for (seconds, text) in [
            (0.4, "0 s"),
            (59.0, "59 s"),
            (99.9, "1 min 39 s"),
            (7_200.0, "2 h 0 min"),
            (90_061.0, "1 d 1 h"),
        ] {
            assert_eq!(lasting(seconds), text);
        }
    }
}
