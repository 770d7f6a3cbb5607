//! The page of a comparison that could have been.

use serde_json::{Value, json};

use super::*;

fn finding(id: &str, ratio: Option<f64>, reached: Option<bool>) -> Value {
    let raw: Vec<Value> = [64, 1000]
        .iter()
        .flat_map(|sessions| ["colloquy io_uring", "raw io_uring"].map(|contestant| (sessions, contestant)))
        .map(|(sessions, contestant)| {
            json!({
                "cell": format!("echo {sessions}x64x1"), "contestant": contestant, "round": 0, "ssdus": 1000,
                "server_cpu_s": 0.005, "percentiles": [[50.0, 20_000], [99.0, 45_000], [100.0, 90_000]],
            })
        })
        .collect();
    json!({
        "id": id, "what": "echo <b>& friends</b>", "ratio": ratio, "low": ratio.map(|r| r * 0.9),
        "high": ratio.map(|r| r * 1.1), "unit": "x", "target": 1.1, "at_least": false, "reached": reached,
        "failed": false, "decided": false, "remark": "only \"two\" rounds", "raw": raw,
    })
}

fn record() -> Value {
    json!({
        "began_at": "2026-11-22T05:00:00Z", "commit": "0123456789ab", "rounds": 7, "seconds": 2.0, "quick": true,
        "quiet": {"quiet": false, "because": ["load average 3.00 at the start"]},
        "versions": [["haproxy", null]], "environment": {"kernel": "Linux <6.8>"},
        "findings": [
            finding("echo-1-64x64", Some(1.03), Some(true)),
            finding("latency-open", Some(1.25), Some(false)),
            finding("relay-haproxy", None, None),
        ],
    })
}

#[test]
fn every_row_has_its_verdict_in_words_its_interval_and_its_target() {
    let html = page(&record());
    for expected in [
        "✓ reached",
        "✗ missed",
        "– skipped",
        "1.03 ×",
        "0.927 – 1.13",
        "≤ 1.1 ×",
        "interval contains 1: no winner",
        "1 reached",
        "load average 3.00",
        "not installed",
        "colloquy compare --quick",
    ] {
        assert!(html.contains(expected), "{expected} is missing");
    }
}

#[test]
fn plots_are_made_of_the_rows_and_the_raw_rounds() {
    let html = page(&record());
    // Distances, ratios, cost of one size and depth, two cells of latency.
    assert_eq!(html.matches("<svg ").count(), 5);
    assert!(html.contains("echo: 64 octets, depth 1"));
    assert!(html.contains("raw io_uring"));
    assert!(html.contains("99 %"));
}

#[test]
fn what_the_record_says_is_never_markup() {
    let html = page(&record());
    assert!(html.contains("echo &lt;b&gt;&amp; friends&lt;/b&gt;"));
    assert!(html.contains("Linux &lt;6.8&gt;"));
    assert!(!html.contains("<b>&"));
    assert!(
        !html.contains("http://")
            || html.matches("http://").count() == html.matches("http://www.w3.org/2000/svg").count()
    );
}

#[test]
fn a_record_without_rows_is_a_page_too() {
    let html = page(&json!({"findings": []}));
    assert!(html.contains("0 reached"));
    assert_eq!(html.matches("<svg ").count(), 0);
}
