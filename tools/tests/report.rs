//! `colloquy report`: what `colloquy load --out` has written becomes one page with its numbers; what is missing or
//! damaged is named.
#![allow(clippy::unwrap_used)] // A test.

#[path = "interop/process.rs"]
#[allow(dead_code, reason = "shared with the interop tests, which use more of it")]
mod process;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use colloquy_bench::hdr::{LOG_FILE, TIMELINE_FILE, read_hdr, read_log};
use process::{Server, free_address, wait_for_listener};
use serde_json::{Value, json};

fn colloquy(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_colloquy")).args(arguments).output().unwrap()
}

fn report(folders: &[&Path]) -> (Option<i32>, String) {
    let folders: Vec<&str> = folders.iter().map(|folder| folder.to_str().unwrap()).collect();
    let output = colloquy(&[&["report"], &folders[..]].concat());
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// Runs a load against an echo for each name and gives the folder of the folders.
fn runs(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let config = folder.path().join("gateway.toml");
    let text = format!(
        "schema_version = 1\n\n[engine]\ndriver = \"mio\"\nshards = 1\n\n[log]\nlevel = \"warn\"\n\n\
         [[listener]]\nname = \"test\"\naddress = \"{address}\"\napplication = \"echo\"\n"
    );
    fs::write(&config, text).unwrap();
    let mut gateway = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    gateway.arg("gateway").arg(&config);
    let server = Server::start(gateway);
    wait_for_listener(address);
    for name in names {
        let out = folder.path().join(name);
        let (to, out) = (address.to_string(), out.to_str().unwrap());
        let load =
            ["load", "--to", &to, "--sessions", "4", "--size", "100", "--seconds", "0.6", "--rate", "800"];
        let output = colloquy(&[&load[..], &["--driver", "mio", "--out", out]].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    server.signal(15);
    assert!(server.wait(Duration::from_secs(30)).success());
    folder
}

fn result_of(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("result.json")).unwrap()).unwrap()
}

/// A folder with a result that could be, and with plan and peer at their worst.
fn hostile(folder: &Path) {
    let attack = "</title><script>alert('x')</script><img src=x onerror=\"y\">";
    let times = json!({"count": 1, "mean": 1.0, "p50": 1.0, "p90": 1.0, "p99": 1.0, "p999": 1.0, "max": 1.0});
    let result = json!({
        "began_at": attack, "response_us": times, "driver": attack, "driver_reason": attack, "valid": false,
        "invalid_reasons": [attack], "errors": {attack: 3}, "operations": {attack: {"begun": 1, "service_us": times}},
        "plan": {"called_tsap": attack, "mode": attack, "to": [attack], attack: attack},
        "environment": {"kernel": attack}, "thresholds": [{"threshold": attack, "ok": false, "step": attack}],
        "steps": [{"name": attack, "response_us": times}], "counts": {}, "generator": {},
    });
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("result.json"), result.to_string()).unwrap();
}

#[test]
fn a_run_leaves_intervals_that_add_up_and_a_page_with_its_numbers() {
    let folder = runs(&["one", "two"]);
    let one = folder.path().join("one");
    let result = result_of(&one);
    let response = read_hdr(&mut &fs::read(one.join("response.hdr")).unwrap()[..]).unwrap();
    let measured = result["counts"]["measured"].as_u64().unwrap();
    assert!(measured > 0);
    assert_eq!(response.len(), measured);
    let log = read_log(&fs::read(one.join(LOG_FILE)).unwrap()).unwrap();
    for series in ["response", "service"] {
        let spans = &log.series[series];
        assert!(spans.len() > 1, "{series}: {}", spans.len());
        assert_eq!(spans.iter().map(|span| span.histogram_ns.len()).sum::<u64>(), measured, "{series}");
    }
    let longest = log.series["response"].iter().map(|span| span.histogram_ns.max()).max();
    assert_eq!(longest, Some(response.max()));
    let timeline = fs::read_to_string(one.join(TIMELINE_FILE)).unwrap();
    let counts = timeline.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
    let counted: u64 =
        counts.filter(|row| row[2] == "response").map(|row| row[3].parse::<u64>().unwrap()).sum();
    assert_eq!(counted, measured);

    assert_eq!(report(&[&one]), (Some(0), String::new()));
    let page = fs::read_to_string(one.join("report.html")).unwrap();
    assert!(page.contains(&format!("<td>{measured}</td>")), "{measured} answers are not in the page");
    let p50 = colloquy_bench::html::text::time_of_us(result["response_us"]["p50"].as_f64().unwrap());
    assert!(page.contains(&p50), "{p50} is not in the page");
    assert_eq!(page.matches("<svg ").count(), 4, "curve, rate, times, heat map");
    for outside in ["<script", "<link", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside} in a page that is to stand alone");
    }

    assert_eq!(report(&[folder.path()]), (Some(0), String::new()));
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(
        page.contains("2 load runs") && page.contains("Each figure divided by that of one"),
        "no comparison"
    );
}

#[test]
fn what_a_plan_or_a_peer_says_is_never_markup() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    let out = folder.path().join("page.html");
    let output = colloquy(&["report", folder.path().to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let page = fs::read_to_string(out).unwrap();
    assert!(page.matches("&lt;script&gt;").count() >= 10, "the attack is not shown where it should be");
    assert!(!page.contains("<script") && !page.contains("<img") && page.matches("</title>").count() == 1);
}

#[test]
fn a_folder_without_results_is_bad_usage() {
    let folder = tempfile::tempdir().unwrap();
    let (status, said) = report(&[folder.path()]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains(folder.path().to_str().unwrap()) && said.contains("no result.json"), "{said}");
    let missing = folder.path().join("nowhere");
    let (status, said) = report(&[&missing]);
    assert_eq!(status, Some(2), "{said}");
    assert!(said.contains("nowhere") && said.contains("No such file"), "{said}");
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    hostile(folder.path());
    for (file, content, reason) in [
        ("response.hdr", &b"\x1c\x84\x93\x13\x00"[..], "no histogram"),
        (LOG_FILE, b"#[Histogram log format version 1.3]\n0.0,oops\n", "line 2"),
        ("result.json", b"{\"response_us\": ", "no JSON"),
        ("result.json", b"{\"rows\": 1}", "neither"),
    ] {
        fs::write(folder.path().join(file), content).unwrap();
        let (status, said) = report(&[folder.path()]);
        assert_eq!(status, Some(1), "{file}: {said}");
        assert!(said.contains(file) && said.contains(reason), "{file}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        fs::remove_file(folder.path().join(file)).unwrap();
    }
}

#[test]
fn the_folder_of_a_comparison_gives_its_own_page() {
    let folder = tempfile::tempdir().unwrap();
    let finding = json!({
        "id": "relay-1", "what": "relay", "ratio": 0.8, "low": 0.7, "high": 0.9, "unit": "x", "target": 0.85,
        "at_least": false, "reached": true, "failed": false, "decided": true, "remark": "", "raw": [],
    });
    fs::write(folder.path().join("result.json"), json!({"findings": [finding]}).to_string()).unwrap();
    assert_eq!(report(&[folder.path()]), (Some(0), String::new()));
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("✓ reached") && page.contains("0.8 [0.7, 0.9]"), "{page}");
}
