//! The tables of a load report.

use serde_json::Value;

use super::{RunFolder, TIMES, name, number, percent, table, times, us};
use crate::html::page::mark;
use crate::html::text::{Table, count_of, digits, escape};

/// Rates and latencies, a row a run and kind of latency.
pub(super) fn summary(runs: &[RunFolder]) -> String {
    let mut rates = Table::new(&[
        "run",
        "sessions",
        "established",
        "SSDU/s",
        "asked for",
        "MB/s each way",
        "sent",
        "answered",
        "lost",
    ]);
    for run in runs {
        let (result, counts) = (&run.result, &run.result["counts"]);
        rates.row(
            &[],
            &[
                escape(&run.name),
                count_of(&counts["sessions"]),
                count_of(&counts["established"]),
                number(&result["ssdu_per_s"]),
                number(&result["target_ssdu_per_s"]),
                number(&result["mb_per_s"]),
                count_of(&counts["sent"]),
                count_of(&counts["answered"]),
                count_of(&counts["lost"]),
            ],
        );
    }
    let mut latencies = table(&["latency", "count", "mean"], true);
    for run in runs {
        for (key, of) in [("response_us", "response"), ("service_us", "service"), ("connect_us", "connect")] {
            let of_run = &run.result[key];
            let mut cells =
                vec![escape(&name(runs, run, of)), count_of(&of_run["count"]), us(&of_run["mean"])];
            cells.extend(times(of_run));
            latencies.row(&[], &cells);
        }
    }
    rates.html() + &latencies.html()
}

/// Each run beside the first.
pub(super) fn ratios(runs: &[RunFolder]) -> String {
    let [first, others @ ..] = runs else { return String::new() };
    if others.is_empty() {
        return String::new();
    }
    let figures = [
        ("SSDU/s", "/ssdu_per_s"),
        ("response p50", "/response_us/p50"),
        ("response p99", "/response_us/p99"),
        ("response p99.9", "/response_us/p999"),
        ("response max", "/response_us/max"),
        ("generator CPU per SSDU", "/generator/cpu_us_per_ssdu"),
    ];
    let heads: Vec<&str> = std::iter::once("run").chain(figures.iter().map(|(head, _)| *head)).collect();
    let mut table = Table::new(&heads);
    for run in others {
        let ratio = |key: &str| -> Option<f64> {
            let of = run.result.pointer(key)?.as_f64()?;
            let base = first.result.pointer(key)?.as_f64().filter(|base| *base > 0.0)?;
            Some(of / base)
        };
        let mut cells = vec![escape(&run.name)];
        cells.extend(
            figures.iter().map(|(_, key)| {
                ratio(key).map_or_else(|| "–".into(), |ratio| format!("{} ×", digits(ratio)))
            }),
        );
        table.row(&[], &cells);
    }
    format!(
        "<p class=\"note\">Each figure divided by that of {}. One run each: differences within the noise of a machine are \
         not told apart here; <code>colloquy load --compare</code> and <code>colloquy compare</code> do that.</p>\n{}",
        escape(&first.name),
        table.html()
    )
}

/// What the plan demanded.
pub(super) fn thresholds(runs: &[RunFolder]) -> String {
    let mut table = Table::new(&["threshold", "<run", "measured", "<at step", "<verdict"]);
    for run in runs {
        for result in run.result["thresholds"].as_array().into_iter().flatten() {
            let verdict = if result["ok"] == true { mark("good", "kept") } else { mark("bad", "BROKEN") };
            table.row(
                &[1, 3, 4],
                &[
                    format!("<code>{}</code>", escape(text(&result["threshold"]))),
                    escape(&run.name),
                    result["measured"].as_f64().map_or_else(|| "nothing".into(), digits),
                    escape(text(&result["step"])),
                    verdict,
                ],
            );
        }
    }
    if table.is_empty() { String::new() } else { table.html() }
}

/// The steps of an open loop.
pub(super) fn steps(runs: &[RunFolder]) -> String {
    let mut table = table(&["step", "asked for", "SSDU/s", "seconds", "due", "lost", "missed", "late"], true);
    for run in runs {
        for step in run.result["steps"].as_array().into_iter().flatten() {
            let mut cells = vec![
                escape(&name(runs, run, text(&step["name"]))),
                number(&step["target_ssdu_per_s"]),
                number(&step["ssdu_per_s"]),
                number(&step["measured_s"]),
            ];
            cells.extend(["due", "lost", "missed", "late"].map(|key| count_of(&step[key])));
            cells.extend(times(&step["response_us"]));
            table.row(&[], &cells);
        }
    }
    if table.is_empty() { String::new() } else { table.html() }
}

/// Every operation that happened.
pub(super) fn operations(runs: &[RunFolder]) -> String {
    let mut table = table(&["operation", "begun", "done", "wrong", "lost", "purged"], true);
    for run in runs {
        for (operation, of) in run.result["operations"].as_object().into_iter().flatten() {
            let mut cells = vec![escape(&name(runs, run, operation))];
            cells.extend(["begun", "completed", "errors", "lost", "purged"].map(|key| count_of(&of[key])));
            cells.extend(times(&of["service_us"]));
            table.row(&[], &cells);
        }
    }
    let note = "<p class=\"note\">From request to answer, of those begun in the measured part; connect and release: of \
                all. Purged: ended on purpose by a resynchronization, interrupt, discard or exception report.</p>\n";
    if table.is_empty() { String::new() } else { table.html() + note }
}

/// Ends, refusals and counts that should be zero.
pub(super) fn errors(runs: &[RunFolder]) -> String {
    let mut errors = Table::new(&["error", "<run", "times"]);
    for run in runs {
        for (class, count) in run.result["errors"].as_object().into_iter().flatten() {
            errors.row(&[1], &[escape(class), escape(&run.name), count_of(count)]);
        }
    }
    const COUNTS: [&str; 12] = [
        "failed",
        "ended_early",
        "lost",
        "missed",
        "late",
        "waited",
        "reordered",
        "corrupted",
        "unexpected",
        "purged",
        "aborted",
        "released",
    ];
    let heads: Vec<String> =
        std::iter::once("run".to_owned()).chain(COUNTS.iter().map(|count| count.replace('_', " "))).collect();
    let mut counts = Table::new(&heads.iter().map(String::as_str).collect::<Vec<_>>());
    for run in runs {
        let mut cells = vec![escape(&run.name)];
        cells.extend(COUNTS.map(|key| count_of(&run.result["counts"][key])));
        counts.row(&[], &cells);
    }
    let errors = if errors.is_empty() { "<p>No errors.</p>\n".to_owned() } else { errors.html() };
    errors + &counts.html()
}

/// What the generator itself needed.
pub(super) fn generator(runs: &[RunFolder]) -> String {
    let mut of_own = Table::new(&[
        "run",
        "CPU per SSDU",
        "system calls per SSDU",
        "TSDUs per SSDU",
        "busiest thread",
        "stolen by hypervisor",
    ]);
    let mut lateness = table(&["own lateness"], true);
    for run in runs {
        let own = &run.result["generator"];
        of_own.row(
            &[],
            &[
                escape(&run.name),
                us(&own["cpu_us_per_ssdu"]),
                number(&own["system_calls_per_ssdu"]),
                number(&own["tsdus_per_ssdu"]),
                percent(&own["cpu_share_max"]),
                percent(&own["steal_share"]),
            ],
        );
        if run.result["target_ssdu_per_s"].is_number() {
            let mut cells = vec![escape(&run.name)];
            cells.extend(times(&own["lateness_us"]));
            debug_assert_eq!(cells.len(), 1 + TIMES.len());
            lateness.row(&[], &cells);
        }
    }
    let lateness = if lateness.is_empty() { String::new() } else { lateness.html() };
    let driver: String = runs
        .iter()
        .map(|run| {
            let (driver, reason) = (text(&run.result["driver"]), text(&run.result["driver_reason"]));
            let line = format!("{driver}: {reason}");
            format!("<p class=\"note\">Driver of {}: {}</p>\n", escape(&run.name), escape(&line))
        })
        .collect();
    of_own.html() + &lateness + &driver
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}
