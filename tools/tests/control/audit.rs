//! The audit of a real gateway: what is in it, that it goes on over restarts and renames, and that changes show.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bed::{Gateway, SIGHUP, Setup, said};

fn verify(file: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_colloquy"));
    command.args(["audit", "verify", "--json"]).arg(file).args(more).output().expect("the program runs")
}

fn whole(file: &Path) -> Value {
    let output = verify(file, &[]);
    assert!(output.status.success(), "{}", said(&output.stdout));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn ops(file: &Path) -> Vec<(String, String)> {
    let text = fs::read_to_string(file).expect("the audit");
    let record = |line: &str| -> (String, String) {
        let record: Value = serde_json::from_str(line).expect("JSON");
        (
            record["op"].as_str().unwrap_or_default().into(),
            record["outcome"].as_str().unwrap_or_default().into(),
        )
    };
    text.lines().map(record).collect()
}

#[test]
fn what_is_done_is_audited_over_restarts_and_renames() {
    let setup = Setup { audit: true, ..Setup::default() };
    let gateway = Gateway::start(&setup);
    let file = gateway.path("audit.jsonl");
    gateway.text(&["targets", "drain", "held"]);
    gateway.verb(&["sessions", "abort", "0-99.1"]);
    gateway.text(&["status"]);
    gateway.text(&["reload"]);
    gateway.signal(SIGHUP);
    gateway.log().wait_for("the second reload", |record| record["by"] == "SIGHUP");
    let folder = gateway.stop();
    let expected = [
        ("audit.begin", "done"),
        ("start", "done"),
        ("targets.set", "done"),
        ("sessions.abort", "not_found"),
        ("reload", "done"),
        ("reload", "done"),
        ("drain.begin", "done"),
        ("stop", "done"),
    ];
    assert_eq!(ops(&file), expected.map(|(op, outcome)| (op.to_owned(), outcome.to_owned())));
    let first = whole(&file);

    let gateway = Gateway::start_in(folder, &setup);
    let old = gateway.path("audit.1.jsonl");
    let begin = Instant::now();
    while ops(&file).len() <= expected.len() {
        assert!(begin.elapsed() < Duration::from_secs(60), "the second start is audited");
        // Polls: the gateway listens before its audit is written.
        std::thread::sleep(Duration::from_millis(5));
    }
    fs::rename(&file, &old).expect("a rename");
    gateway.text(&["targets", "drain", "held"]);
    let _folder = gateway.stop();
    let (before, after) = (whole(&old), whole(&file));
    assert_eq!(before["first_seq"], 1);
    assert_eq!(before["seq"].as_u64(), first["seq"].as_u64().map(|seq| seq + 1), "the second start");
    assert_eq!(after["continues"], before["head"], "one chain over both files");
    let head = before["head"].as_str().expect("a hash");
    assert!(verify(&file, &["--continues", head]).status.success());
}

/// Whoever asks, and whatever comes of it: one record that says who, how, what of which class, and how many faults.
#[test]
fn a_reload_is_audited_alike_by_signal_and_by_socket() {
    let gateway = Gateway::start(&Setup { audit: true, ..Setup::default() });
    let config = gateway.path("gateway.toml");
    let good = fs::read_to_string(&config).expect("the configuration");
    let mixed =
        good.replace("shards = 2", "shards = 3").replace("[log]\n", "[log]\nlevel = \"debug\"\n").replace(
            "application = \"echo\"\ncalled_ssaps",
            "application = \"echo\"\nstrict = true\ncalled_ssaps",
        );
    let wrong = good.replace("shards = 2", "shards = \"two\"\nshrads = 3");
    for text in [&mixed, &wrong, &good] {
        fs::write(&config, text).expect("writable");
        let status = gateway.verb(&["reload"]).status.code();
        assert_eq!(status, Some(if text == &wrong { 2 } else { 0 }));
    }
    for (text, id) in [(&mixed, "CLQ-G06"), (&wrong, "CLQ-G07")] {
        fs::write(&config, text).expect("writable");
        gateway.signal(SIGHUP);
        gateway.log().wait_for(id, |record| record["event_id"] == id && record["by"] == "SIGHUP");
    }
    let file = gateway.path("audit.jsonl");
    let begin = Instant::now();
    while ops(&file).iter().filter(|(op, _)| op == "reload").count() < 5 {
        assert!(begin.elapsed() < Duration::from_secs(60), "the last reload is audited");
        // Polls: the log comes before the audit.
        std::thread::sleep(Duration::from_millis(5));
    }
    whole(&file);
    let text = fs::read_to_string(&file).expect("the audit");
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let reloads: Vec<&Value> = records.iter().filter(|record| record["op"] == "reload").collect();
    let outcomes: Vec<&str> = reloads.iter().filter_map(|record| record["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["done", "config", "done", "done", "config"], "{text}");
    for (by_socket, by_signal) in [(reloads[0], reloads[3]), (reloads[1], reloads[4])] {
        assert_eq!(by_socket["who"]["level"], "admin", "{by_socket}");
        assert_eq!(by_signal["who"]["signal"], "SIGHUP", "{by_signal}");
        let (socket, signal) = (&by_socket["arguments"], &by_signal["arguments"]);
        assert!(socket["by"].as_str().is_some_and(|by| by.ends_with("over the control socket")), "{socket}");
        for member in ["classes", "faults", "first_faults", "applied", "needs_restart"] {
            assert_eq!(socket[member], signal[member], "{member}");
        }
    }
    let done = &reloads[0]["arguments"];
    assert_eq!(done["classes"], serde_json::json!({ "live": 1, "new-sessions": 1, "restart": 1 }), "{done}");
    assert_eq!(done["needs_restart"], serde_json::json!(["engine.shards"]));
    let refused = &reloads[1]["arguments"];
    assert_eq!(refused["faults"], 2, "{refused}");
    assert!(
        refused["first_faults"][0].as_str().is_some_and(|fault| fault.contains("gateway.toml:3:")),
        "{refused}"
    );
}

#[test]
fn one_flipped_bit_and_a_missing_end_show() {
    let gateway = Gateway::start(&Setup { audit: true, ..Setup::default() });
    let file = gateway.path("audit.jsonl");
    for state in ["drain", "maint", "ready"] {
        gateway.text(&["targets", state, "held"]);
    }
    let _folder = gateway.stop();
    let octets = fs::read(&file).expect("the audit");
    let head = whole(&file);
    for place in (0..octets.len()).step_by(97) {
        let mut changed = octets.clone();
        changed[place] ^= 1 << (place % 8);
        fs::write(&file, &changed).expect("writable");
        let output = verify(&file, &[]);
        assert_eq!(output.status.code(), Some(1), "octet {place}");
        let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let line = 1 + octets[..place].iter().filter(|octet| **octet == b'\n').count();
        assert_eq!(report["line"], line, "octet {place}: {report}");
    }
    let end = octets[..octets.len() - 1].iter().rposition(|octet| *octet == b'\n').expect("lines") + 1;
    fs::write(&file, &octets[..end]).expect("writable");
    whole(&file);
    let seq = head["seq"].to_string();
    assert_eq!(verify(&file, &["--expect-seq", &seq]).status.code(), Some(1), "the last record is missing");
    assert_eq!(verify(Path::new("/nowhere"), &[]).status.code(), Some(2));
}
